"""A disk that is full: the folder of the import files, or the data folder with SQLite in it.

A small tmpfs where this user may mount one; else a limit on the size of files, of every process of the crew
(`RLIMIT_FSIZE`), by which each write beyond it fails as on a full disk, with EFBIG in place of ENOSPC.
"""

import os
import random
import resource
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from tests.faults.company import Company
from tests.faults.tries import Tries

_SIZE = 48 * 1024 * 1024
_BLOCK = 4096
_FULL_SECONDS = 5.0


def make_small(folder: Path) -> None:
    """Make the folder a small disk of its own, where this user may."""
    folder.mkdir(parents=True, exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={_SIZE},mode=700", "costbot-faults", str(folder)]
    with suppress(OSError):
        subprocess.run(mount, capture_output=True, check=False)


def end_small(folder: Path) -> None:
    """Take the small disk away again."""
    if os.path.ismount(folder):
        subprocess.run(["umount", "--lazy", str(folder)], capture_output=True, check=False)


def export_folder_is_full(company: Company, rng: random.Random, times: int) -> Tries:
    """No import file can be written for some seconds, while much is accepted."""
    assert company.settings.sage_folder
    return _full(company, company.settings.sage_folder, rng, times)


def data_folder_is_full(company: Company, rng: random.Random, times: int) -> Tries:
    """SQLite cannot grow for some seconds, while people request and decide."""
    return _full(company, company.settings.data_dir, rng, times)


def _full(company: Company, folder: Path, rng: random.Random, times: int) -> Tries:
    small = os.path.ismount(folder)
    fill = _filled(folder) if small else None
    with company.under_load(rng, 3):
        for _ in range(times):
            time.sleep(rng.uniform(1.0, 3.0))
            with _filled(folder) if fill else _limited(company):
                time.sleep(_FULL_SECONDS)
            time.sleep(rng.uniform(0.5, 1.0))
    return Tries(
        times, "a tmpfs of 48 MiB, filled up" if small else "RLIMIT_FSIZE: may not mount a tmpfs here"
    )


@contextmanager
def _filled(folder: Path) -> Iterator[None]:
    """Not a byte is left on the disk of the folder."""
    ballast = folder / ".ballast"
    try:
        with ballast.open("wb", buffering=0) as file, suppress(OSError):
            while True:
                file.write(b"\0" * _BLOCK)
        yield
    finally:
        ballast.unlink(missing_ok=True)


@contextmanager
def _limited(company: Company) -> Iterator[None]:
    """No process of the crew may make a file grow; those that start meanwhile may."""
    limited = company.crew.everybody()
    for process in limited:
        _limit(process, 0)
    try:
        yield
    finally:
        for process in {*limited, *company.crew.everybody()}:
            _limit(process, resource.RLIM_INFINITY)


def _limit(process: psutil.Process, size: int) -> None:
    with suppress(psutil.Error, ProcessLookupError):
        _, hard = process.rlimit(psutil.RLIMIT_FSIZE)
        process.rlimit(psutil.RLIMIT_FSIZE, (size, hard))
