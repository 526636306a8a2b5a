"""costbot as a process, and one together with all that it has started: what may happen to them on a machine.

Any of them may end by itself between being listed and being told something; that is no fault of a test.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil


def costbot(*words: str) -> tuple[str, ...]:
    """The command of a `costbot` that ends when its standard input does, so that none outlives the tests."""
    return (sys.executable, "-P", str(Path(__file__).with_name("tied.py")), *words)


def kill(process: psutil.Process) -> list[psutil.Process]:
    """`kill -9` for a process and its children; returns all of them, which may take a moment to be gone."""
    family = _family(process)
    for member in family:
        with suppress(psutil.NoSuchProcess):
            member.kill()
    return family


@contextmanager
def frozen(process: psutil.Process) -> Iterator[None]:
    """A process and its children stand still for the length of the block."""
    family = _family(process)
    for member in family:
        with suppress(psutil.NoSuchProcess):
            member.suspend()
    try:
        yield
    finally:
        for member in family:
            with suppress(psutil.NoSuchProcess):
                member.resume()


def _family(process: psutil.Process) -> list[psutil.Process]:
    try:
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return [process]
