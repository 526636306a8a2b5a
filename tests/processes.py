"""costbot as a process, and one together with all that it has started: what may happen to them on a machine.

Any of them may end by itself between being listed and being told something; that is no fault of a test.
"""

import multiprocessing
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import psutil

forking = multiprocessing.get_context("forkserver")
"""For what processes share that `forked` makes."""
_POLL_SECONDS = 0.005
_IMPORTED = ("alembic.command", "bot.installations", "sync.data_sync", "sync.sage.embedded")


def costbot(*words: str) -> tuple[str, ...]:
    """The command of a `costbot` that ends when its standard input does, so that none outlives the tests."""
    return (sys.executable, "-P", str(Path(__file__).with_name("tied.py")), *words)


def forked(target: Callable[..., object], *arguments: Any) -> BaseProcess:
    """A process of its own that calls `target`, forked by one that has imported all, which takes a second.

    The one that forks is itself no fork of the tests: a process has nothing of theirs but its arguments.
    """
    forking.set_forkserver_preload([*_IMPORTED, target.__module__])
    return forking.Process(target=target, args=arguments)


def kill(process: psutil.Process) -> list[psutil.Process]:
    """`kill -9` for a process and its children; returns all of them, which may take a moment to be gone."""
    family = _family(process)
    for member in family:
        with suppress(psutil.NoSuchProcess):
            member.kill()
    return family


@contextmanager
def frozen(process: psutil.Process) -> Iterator[None]:
    """A process and its children stand still for the length of the block.

    It itself first, so that none is forked meanwhile that nobody stops.
    """
    with suppress(psutil.NoSuchProcess):
        process.suspend()
        while process.status() not in (psutil.STATUS_STOPPED, psutil.STATUS_ZOMBIE):
            time.sleep(_POLL_SECONDS)
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
