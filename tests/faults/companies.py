"""The companies that faults happen to: how each is set up, and what keeps it apart from the others."""

import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

from bot.sandbox import workspace
from sync.files import read_sage
from sync.sage import set_up_folders
from sync.sage.company import SageUnreachableError
from sync.sage.embedded import EmbeddedSage
from sync.sage.import_task import ImportTask
from tests.faults import clocks, disks
from tests.faults.company import Company
from tests.servers import PostgresServer, RedisServer
from workflow.database import migrate

_SOCKET_MODE = {"COSTBOT_CHANNEL": workspace.CHANNEL_ID, "SLACK_APP_TOKEN": workspace.APP_TOKEN}
_HTTP_MODE = {
    "COSTBOT_CHANNEL": f"#{workspace.CHANNEL_NAME}",
    "SLACK_SIGNING_SECRET": workspace.SIGNING_SECRET,
}

_ACCOUNTANT_SECONDS = 0.5
_ONE_MIGRATION = threading.Lock()
"""Alembic keeps its context in a module: of several threads one migrates at a time."""


@contextmanager
def _open(company: Company) -> Iterator[Company]:
    try:
        with _ONE_MIGRATION:
            migrate(company.settings.database)
        company.open()
        yield company
    finally:
        company.close()


@contextmanager
def _folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="costbot-faults-"))
    try:
        yield folder
    finally:
        if not os.environ.get("KEEP"):
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def small() -> Iterator[Company]:
    """SQLite, an embedded Redis, one of each process, HTTP mode."""
    with _folder() as folder, _open(Company(folder, _HTTP_MODE)) as company:
        yield company


@contextmanager
def head() -> Iterator[Company]:
    """PostgreSQL, a Redis server, two of each process, Socket Mode."""
    with (
        _folder() as folder,
        _servers() as servers,
        _open(Company(folder, _SOCKET_MODE, **servers)) as company,
    ):
        yield company


@contextmanager
def crowd() -> Iterator[Company]:
    """PostgreSQL, a Redis server, two of each process, with no data sync until the contest is over."""
    never = {**_SOCKET_MODE, "COSTBOT_SYNC_CRON": "0 0 1 1 *"}
    with _folder() as folder, _servers() as servers:
        company = Company(folder, never, **servers, syncs=False)
        with _open(company):
            yield company


@contextmanager
def crowd_on_sqlite() -> Iterator[Company]:
    """SQLite, an embedded Redis, two of each process, with no data sync until the contest is over."""
    never = {**_SOCKET_MODE, "COSTBOT_SYNC_CRON": "0 0 1 1 *"}
    with _folder() as folder, _open(Company(folder, never, doubled=True, syncs=False)) as company:
        yield company


@contextmanager
def clock() -> Iterator[Company]:
    """SQLite and an embedded Redis, whose processes live by a clock that can be set."""
    with _folder() as folder:
        company = Company(folder, _SOCKET_MODE, preload=clocks.preload(folder))
        with _open(company):
            yield company


@contextmanager
def clock_of_many() -> Iterator[Company]:
    """PostgreSQL, a Redis server, two of each process, which live by a clock that can be set."""
    with _folder() as folder, _servers() as servers:
        company = Company(folder, _SOCKET_MODE, **servers, preload=clocks.preload(folder))
        with _open(company):
            yield company


@contextmanager
def _servers(disk: Callable[[Path], None] = lambda folder: None) -> Iterator[dict[str, Any]]:
    """A PostgreSQL and a Redis for a company that has two of each process."""
    with PostgresServer(disk) as postgres, RedisServer() as redis:
        postgres.execute("CREATE DATABASE costbot")
        yield {"postgres": postgres, "redis": redis, "doubled": True}


class _PaperCompany(Company):
    """A company whose batches go to Sage as import files, which an accountant imports at once."""

    def __init__(self, folder: Path, settings: Mapping[str, str], **servers: Any) -> None:
        super().__init__(folder, settings, **servers)
        assert self.settings.sage_folder
        assert self.settings.sage_export
        # not in the data folder, whose disk is full at times
        self.sage = EmbeddedSage(folder / "sage.db")
        self._desk = ImportTask(self.settings.sage_folder, self.sage, self.settings.sage_export)
        self._gone_home = threading.Event()
        self._accountant = threading.Thread(target=self._import_files, name="accountant", daemon=True)

    def load_sage(self, rows: Path) -> None:
        set_up_folders(self.settings)
        self.sage.load(read_sage(rows).rows)
        self._desk.save_export()

    def start_costbot(self) -> None:
        super().start_costbot()
        self._accountant.start()

    def close(self) -> None:
        self._gone_home.set()
        super().close()

    def _import_files(self) -> None:
        while not self._gone_home.wait(_ACCOUNTANT_SECONDS):
            with suppress(OSError, SageUnreachableError):
                self._desk.run()


@contextmanager
def paper() -> Iterator[Company]:
    """SQLite and import files, the folders of both on small disks of their own where one may mount them."""
    with _folder() as folder, _small_disk(folder / "data"), _paper(folder) as company:
        yield company


@contextmanager
def paper_of_many() -> Iterator[Company]:
    """PostgreSQL and import files, the folders of both on small disks where one may; Redis, two of each."""
    with ExitStack() as disk, _folder() as folder:
        make = partial(disks.make_small, size=disks.SIZE_OF_POSTGRESQL)
        with _servers(make) as servers:
            disk.callback(_take_away, servers["postgres"].data)
            with _paper(folder, **servers) as company:
                yield company


@contextmanager
def _paper(folder: Path, **servers: Any) -> Iterator[Company]:
    export = folder / "export"
    settings = {
        **_SOCKET_MODE,
        "COSTBOT_SAGE": "import-file",
        "COSTBOT_SAGE_FOLDER": str(export),
        "COSTBOT_SAGE_EXPORT": str(folder / "sage-export.csv"),
    }
    with _small_disk(export), _open(_PaperCompany(folder, settings, **servers)) as company:
        yield company


@contextmanager
def _small_disk(folder: Path) -> Iterator[None]:
    try:
        disks.make_small(folder)
        yield
    finally:
        disks.end_small(folder)


def _take_away(data: Path) -> None:
    """What PostgreSQL leaves behind, which cannot remove a disk."""
    disks.end_small(data)
    shutil.rmtree(data.parent, ignore_errors=True)


COMPANIES: Mapping[str, Callable[[], AbstractContextManager[Company]]] = {
    "small": small,
    "small, with Slack broken": small,
    "head": head,
    "head, with Slack broken": head,
    "crowd": crowd,
    "crowd on SQLite": crowd_on_sqlite,
    "clock": clock,
    "clock of many": clock_of_many,
    "paper": paper,
    "paper of many": paper_of_many,
}
"""The companies by name; each is one of its own, and all run side by side."""
