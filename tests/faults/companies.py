"""The companies that faults happen to: how each is set up, and what keeps it apart from the others."""

import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

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
def head(**more: str) -> Iterator[Company]:
    """PostgreSQL, a Redis server, two of each process, Socket Mode."""
    with _folder() as folder, PostgresServer() as postgres, RedisServer() as redis:
        url = postgres.url_of("costbot")
        postgres.execute("CREATE DATABASE costbot")
        settings = {**_SOCKET_MODE, "COSTBOT_DATABASE_URL": url, "COSTBOT_REDIS_URL": redis.url, **more}
        with _open(Company(folder, settings, redis=redis, postgres=postgres, doubled=True)) as company:
            yield company


@contextmanager
def crowd() -> Iterator[Company]:
    """As on PostgreSQL, with no data sync that would end the contest."""
    with head(COSTBOT_SYNC_CRON="0 0 1 1 *") as company:
        yield company


@contextmanager
def clock() -> Iterator[Company]:
    """SQLite and an embedded Redis, whose processes live by a clock that can be set."""
    with _folder() as folder:
        company = Company(folder, _SOCKET_MODE, preload=clocks.preload(folder))
        with _open(company) as company:
            yield company


class _PaperCompany(Company):
    """A company whose batches go to Sage as import files, which an accountant imports at once."""

    def __init__(self, folder: Path, settings: Mapping[str, str]) -> None:
        super().__init__(folder, settings)
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
    with _folder() as folder:
        data, export = folder / "data", folder / "export"
        settings = {
            **_SOCKET_MODE,
            "COSTBOT_SAGE": "import-file",
            "COSTBOT_SAGE_FOLDER": str(export),
            "COSTBOT_SAGE_EXPORT": str(folder / "sage-export.csv"),
        }
        try:
            for disk in (data, export):
                disks.make_small(disk)
            with _open(_PaperCompany(folder, settings)) as company:
                yield company
        finally:
            for disk in (data, export):
                disks.end_small(disk)


COMPANIES: dict[str, Callable[[], AbstractContextManager[Company]]] = {
    "small": small,
    "head": head,
    "crowd": crowd,
    "clock": clock,
    "paper": paper,
}
