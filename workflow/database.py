"""The one way to the database: engine, transactions, locks across processes, migrations.

SQLite (WAL, foreign keys on, writers BEGIN IMMEDIATE so that they queue instead of failing) and
PostgreSQL (psycopg 3) behave alike behind `Database`. No rule lives here.
"""

import fcntl
import hashlib
import select
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import URL, Connection, Dialect, Engine, NullPool, create_engine, event, inspect, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, InvalidatePoolError
from sqlalchemy.orm import DeclarativeBase, Session, SessionTransaction
from sqlalchemy.pool import ConnectionPoolEntry

from workflow.masking import mask
from workflow.tracing import span

if TYPE_CHECKING:
    from alembic.config import Config


_SURELY_OURS = "audit_head"
"""A table that every schema of costbot's has had."""
_SHOWN = 3
_WRITES = "costbot_writes"
_WHEN_KEPT = "when_kept"
_USED_AT = "used_at"
_SQLITE_BUSY_SECONDS = 30.0
_LOCK_POLL_SECONDS = 0.05
_MIGRATION_SECONDS = 120.0
_SNAPSHOT = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
_SURELY_THERE_SECONDS = 5.0
_NOTICED_SOON = {
    "connect_timeout": "10",
    "keepalives_idle": "15",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "30000",
}
"""For libpq: by default a server whose machine is gone without a word is waited for two hours."""


class Database:
    """Sessions and locks on one engine; make one per process and pass it down."""

    def __init__(self, url: str) -> None:
        self.engine = _make_engine(url)
        self._writer = self.engine.execution_options(**{_WRITES: True})
        self._reader = self.engine.execution_options(**_SNAPSHOT if self._is_postgresql else {})

    @cached_property
    def writer(self) -> Engine:
        """The engine for a library that writes by itself; whatever it begins waits for its turn."""
        engine = self.engine.execution_options(**{_WRITES: True})
        if not self._is_postgresql:
            event.listen(engine, "begin", _begin_sqlite)
        return engine

    @property
    def _is_postgresql(self) -> bool:
        return self.engine.dialect.name == "postgresql"

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session on one snapshot; nothing it changes is kept."""
        with _Session(self._reader, expire_on_commit=False) as session:
            yield session
            transaction = session.get_transaction()
            if self._is_postgresql and transaction is not None and transaction.is_active:
                # there is nothing to keep, but a rollback has the driver prepare every statement anew
                session.expunge_all()
                transaction.commit()

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """One write transaction: committed when the block ends, rolled back when it raises."""
        with _Session(self._writer, expire_on_commit=False) as session:
            with span("transaction"), session.begin() as transaction:
                yield session
                is_kept = transaction.is_active  # unless whoever writes has rolled it back
            for act in session.info.get(_WHEN_KEPT, ()) if is_kept else ():
                act()

    @contextmanager
    def exclusive(self, name: str, *, wait_seconds: float = 0.0) -> Iterator["Held"]:
        """Hold the lock `name` across all processes, or yield what is false when another one holds it.

        The operating system or PostgreSQL drops the lock when its holder dies, so a killed
        worker blocks nobody. PostgreSQL drops it as well when its connection breaks, and the
        holder goes on: what two may never do at once, the rows of the database have to say.
        """
        hold = self._advisory_lock if self._is_postgresql else self._file_lock
        with hold(name, wait_seconds) as held:
            yield held

    @contextmanager
    def _file_lock(self, name: str, wait_seconds: float) -> Iterator["Held"]:
        path = Path(f"{self.engine.url.database}.{name}.lock")
        with path.open("w") as handle:
            held = _poll(lambda: _try_flock(handle.fileno()), wait_seconds)
            yield Held(held)  # closing the file lets go of the lock

    @contextmanager
    def _advisory_lock(self, name: str, wait_seconds: float) -> Iterator["Held"]:
        key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            held = _poll(lambda: _try_advisory(connection, key), wait_seconds)
            try:
                yield Held(held, connection)
            finally:
                if held and not connection.invalidated:
                    # said, not left to the end of the connection, which the server may notice later
                    with suppress(DBAPIError):
                        connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": key})
                # a pooled connection outlives this block, and any lock with it: end both
                connection.invalidate()

    def revision(self) -> str | None:
        """The schema's revision; None before the first migration."""
        with self.engine.connect() as connection:
            if not inspect(connection).has_table("alembic_version"):
                return None
            return str(connection.scalar(text("SELECT version_num FROM alembic_version")))

    def ping(self) -> None:
        """Raise SQLAlchemy's error when the database does not answer."""
        with self.engine.connect() as connection:
            connection.execute(text("SELECT 1"))

    def close(self) -> None:
        self.engine.dispose()


class Held:
    """Whether a lock was got; PostgreSQL's lives as long as its `connection`."""

    def __init__(self, got: bool, connection: Connection | None = None) -> None:
        self._got = got
        self._connection = connection

    def __bool__(self) -> bool:
        return self._got

    def is_kept(self) -> bool:
        """Whether it is held to this moment, as far as anybody can know; PostgreSQL is asked."""
        if not self._got or self._connection is None:
            return self._got
        try:
            self._connection.execute(text("SELECT 1"))
        except DBAPIError:
            self._got = False
        return self._got


class _Session(Session):
    """A session that begins SQLite's transactions by itself.

    An event of the engine would do as well, but makes each statement half as dear again.
    """


@event.listens_for(_Session, "after_begin")
def _begin(_session: Session, transaction: SessionTransaction, connection: Connection) -> None:
    if connection.dialect.name == "sqlite" and not transaction.nested:
        _begin_sqlite(connection)


def when_kept(session: Session, act: Callable[[], object]) -> None:
    """Have something done once `Database.writing` has committed; never when the transaction is undone."""
    session.info.setdefault(_WHEN_KEPT, []).append(act)


def _make_engine(url: str) -> Engine:
    """An engine with costbot's connection settings for SQLite or PostgreSQL.

    On SQLite each statement is a transaction of its own, unless a session or `Database.writer` begins one.
    """
    address = _address(url)
    if address.get_backend_name() != "sqlite":
        engine = create_engine(address, pool_use_lifo=True)
        event.listen(engine, "checkin", _note_use)
        event.listen(engine, "checkout", partial(_look_whether_it_is_there, engine.dialect))
        return engine
    engine = create_engine(url, connect_args={"timeout": _SQLITE_BUSY_SECONDS})
    event.listen(engine, "connect", _prepare_sqlite)
    return engine


def _address(url: str) -> URL:
    address = make_url(url)
    if address.get_backend_name() == "sqlite":
        return address
    return address.set(query={**_NOTICED_SOON, **address.query})


def upsert(session: Session, table: type[DeclarativeBase]) -> sqlite.Insert:
    """An INSERT into `table` that may say what becomes of a row that is there already.

    Both engines have `on_conflict_do_nothing` and `…_do_update`; SQLAlchemy's INSERT for all engines has not.
    """
    if session.get_bind().dialect.name == "postgresql":
        return cast("sqlite.Insert", postgresql.insert(table))
    return sqlite.insert(table)


class MigrationBusyError(Exception):
    """Another process has been changing the tables for longer than anybody should wait."""


class OthersDatabaseError(Exception):
    """A database has tables, and none of them is costbot's."""


def require_ours(url: str) -> None:
    """Raise OthersDatabaseError where a database is another program's. Nothing of it is changed."""
    address = _address(url)
    file = address.database if address.get_backend_name() == "sqlite" else None
    if file is not None and not Path(file).exists():
        return
    # without costbot's settings, which SQLite keeps in the file
    engine = create_engine(address, poolclass=NullPool)
    seen = inspect(engine)
    # its own schema alone: other programs may have theirs beside it
    tables = set(seen.get_table_names(schema=seen.default_schema_name)) - {"alembic_version"}
    if tables and _SURELY_OURS not in tables:
        some = ", ".join(sorted(tables)[:_SHOWN]) + (", …" if len(tables) > _SHOWN else "")
        raise OthersDatabaseError(
            f"{mask(url)} has tables of another program ({some}) and none of costbot's, so nothing was "
            "changed. Name a database that is empty or costbot's own."
        )


def migrate(url: str, *, wait_seconds: float = _MIGRATION_SECONDS) -> None:
    """Bring the schema to the newest revision; two processes that start at once migrate once.

    Raises:
        MigrationBusyError: another one is still at it after `wait_seconds`.
        OthersDatabaseError: there are tables, and none of them is costbot's.
    """
    from alembic import command  # imported here, for it is slow and every command line run would pay

    backend = make_url(url)
    if backend.get_backend_name() == "sqlite" and backend.database:
        Path(backend.database).parent.mkdir(parents=True, exist_ok=True)
    require_ours(url)
    database = Database(url)
    try:
        with database.exclusive("migrate", wait_seconds=wait_seconds) as held:
            if not held:
                raise MigrationBusyError(
                    "Another process is still changing the database's tables: wait for it."
                )
            command.upgrade(alembic_config(url), "head")
    finally:
        database.close()


def newest_revision() -> str:
    """The revision that this code was written for; a migration's file name begins with its own."""
    versions = Path(__file__).with_name("migrations") / "versions"
    return max(path.name.partition("_")[0] for path in versions.glob("[0-9]*.py"))


def alembic_config(url: str) -> "Config":
    """Alembic's settings for the migrations that ship inside the package."""
    from alembic.config import Config

    # Alembic's default is the output of the moment when it was imported
    config = Config(stdout=sys.stdout)
    config.set_main_option("script_location", "workflow:migrations")
    config.attributes["url"] = url
    return config


def _note_use(_connection: Any, record: ConnectionPoolEntry) -> None:
    record.info[_USED_AT] = time.monotonic()


def _look_whether_it_is_there(
    dialect: Dialect, connection: Any, record: ConnectionPoolEntry, _proxy: object
) -> None:
    """Have a connection made anew whose server is gone, before anything is sent by it.

    A server that ends says so. One that answered a moment ago and has said nothing since is not asked, for
    every click would wait for it.
    """
    used_at = record.info.get(_USED_AT)
    if used_at is None:
        return
    try:
        ear = select.poll()
        ear.register(connection.fileno(), select.POLLIN)
        if ear.poll(0) or time.monotonic() - used_at > _SURELY_THERE_SECONDS:
            dialect.do_ping(connection)
    except dialect.loaded_dbapi.Error as error:
        raise InvalidatePoolError from error


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # SQLAlchemy's own recipe: the driver must not begin transactions by itself
    connection.isolation_level = None
    # SQLite's own knows the case of A to Z alone
    connection.create_function("lower", 1, lambda text: text and str(text).lower(), deterministic=True)
    for pragma in ("journal_mode=WAL", "foreign_keys=ON", "synchronous=NORMAL"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _poll(attempt: Any, wait_seconds: float) -> bool:
    deadline = time.monotonic() + wait_seconds
    while not attempt():
        if time.monotonic() >= deadline:
            return False
        time.sleep(_LOCK_POLL_SECONDS)
    return True


def _try_flock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _try_advisory(connection: Connection, key: int) -> bool:
    return bool(connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": key}))
