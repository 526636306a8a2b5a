"""A disk that is full: the folder of the import files, or the data folder with SQLite in it.

A small tmpfs where this user may mount one; else a limit on the size of files, of every process of the crew
(`RLIMIT_FSIZE`), by which each write beyond it fails as on a full disk, with EFBIG in place of ENOSPC.
"""

import os
import random
import re
import resource
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import psutil
import psycopg

from tests.faults.company import Company
from tests.faults.tries import Tries, until_seen
from tests.servers import PostgresServer

_SIZE = 48 * 1024 * 1024
SIZE_OF_POSTGRESQL = 256 * 1024 * 1024
_NO_ROOM = re.compile(
    r"No space left on device|File too large|database or disk is full|disk I/O error", re.IGNORECASE
)
_BLOCK = 4096
_FULL_SECONDS = 5.0
_MOST_FULL_SECONDS = 20.0
_MOST_SECONDS = 120.0


def make_small(folder: Path, size: int = _SIZE) -> None:
    """Make the folder a small disk of its own, where this user may."""
    folder.mkdir(parents=True, exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=700", "costbot-faults", str(folder)]
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
    """The database cannot grow for some seconds, while people request and decide.

    That is SQLite's disk, or PostgreSQL's, which also goes down when it has no room for its log. Once there
    is room it is started again, as a service manager does.
    """
    return _full(
        company, company.postgres.data if company.postgres else company.settings.data_dir, rng, times
    )


def _full(company: Company, folder: Path, rng: random.Random, times: int) -> Tries:
    """The disk is full so many times; one counts when somebody has logged that they found it so."""
    small = os.path.ismount(folder)
    server = company.postgres if company.postgres and company.postgres.data == folder else None
    refused = 0

    def attempt(_seen: int) -> bool:
        nonlocal refused
        time.sleep(rng.uniform(1.0, 3.0))
        look = _refusals(company, server)
        with _filled(folder) if small else _limited(partial(_whose, company, server)):
            time.sleep(_FULL_SECONDS / 2)
            if server:
                with suppress(psycopg.Error):
                    server.execute("SELECT pg_switch_wal()")
            time.sleep(_FULL_SECONDS / 2)
            until = time.monotonic() + _MOST_FULL_SECONDS
            while not look() and time.monotonic() < until:
                time.sleep(0.5)
        if server:
            server.revive()
        time.sleep(rng.uniform(0.5, 1.0))
        refused += look()
        return look() > 0

    with company.under_load(rng, 3):
        seen = until_seen(times, attempt, most_seconds=_MOST_SECONDS)
    if server:
        server.revive()
    note = "a small tmpfs, filled up" if small else "RLIMIT_FSIZE: may not mount a tmpfs here"
    return Tries(seen, f"{note}: {refused} lines of logs say so")


def _refusals(company: Company, server: PostgresServer | None) -> Callable[[], int]:
    """What counts how often it is logged from now on that there is no room."""
    if server:
        log = server.folder / "log"
        before = len(_NO_ROOM.findall(log.read_text()))
        return lambda: len(_NO_ROOM.findall(log.read_text())) - before
    mark = company.crew.mark()
    return lambda: sum(
        bool(_NO_ROOM.search(line)) for lines in company.crew.said_since(mark).values() for line in lines
    )


def _whose(company: Company, server: PostgresServer | None) -> Sequence[psutil.Process]:
    """The processes that write to the disk."""
    if server is None:
        return company.crew.everybody()
    try:
        postmaster = psutil.Process(server.pid)
        return [postmaster, *postmaster.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


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
def _limited(whose: Callable[[], Sequence[psutil.Process]]) -> Iterator[None]:
    """None of these processes may make a file grow; those that start meanwhile may, unless by one of them."""
    limited = whose()
    for process in limited:
        _limit(process, 0)
    try:
        yield
    finally:
        for process in {*limited, *whose()}:
            _limit(process, resource.RLIM_INFINITY)


def _limit(process: psutil.Process, size: int) -> None:
    with suppress(psutil.Error, ProcessLookupError):
        _, hard = process.rlimit(psutil.RLIMIT_FSIZE)
        process.rlimit(psutil.RLIMIT_FSIZE, (size, hard))
