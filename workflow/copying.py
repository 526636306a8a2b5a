"""All of costbot's data from one database to another, between SQLite and PostgreSQL either way, exactly.

Generic over the tables' metadata, in the order of their foreign keys. The source is read as of one moment;
the target is written in one transaction, verified before it is committed: what stops a copy leaves it empty.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2b
from pathlib import Path
from typing import Any

from sqlalchemy import (
    JSON,
    BindParameter,
    Column,
    ColumnElement,
    Connection,
    Insert,
    String,
    Text,
    bindparam,
    cast,
    delete,
    func,
    insert,
    select,
    text,
    type_coerce,
)
from sqlalchemy import Table as AnyTable
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from workflow import audit
from workflow.database import Database, newest_revision
from workflow.identities import give_after, given
from workflow.tables import AuditHead, KeptWords, Table

_BATCH_ROWS = 2_000
_LOCK_SECONDS = 5
_MIGRATE = "migrate"
LOCK = "copy"
"""Held in both databases, so that a second copy is told from a costbot that works."""

Tell = Callable[[str, int, int], None]
"""Told how far it is: what is being done, rows done, rows in all."""


class Why(StrEnum):
    """Why nothing was copied."""

    SAME_DATABASE = "same_database"
    OTHER_SCHEMA = "other_schema"
    NOT_EMPTY = "not_empty"
    COPYING = "copying"
    IN_USE = "in_use"
    TRAIL_BROKEN = "trail_broken"
    NOT_THE_SAME = "not_the_same"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class NotCopied:
    """Nothing was copied. `found`: the revision, the table, or what is wrong with the audit trail."""

    why: Why
    found: str | None = None
    of_target: bool = False


@dataclass(frozen=True, slots=True)
class Copied:
    """How many rows each table has, in both databases now."""

    rows: dict[str, int]


class _NotCopiedError(Exception):
    """Leaves the transactions on both sides, of which nothing is kept."""

    def __init__(self, result: NotCopied) -> None:
        super().__init__(result.why)
        self.result = result


def copy(
    source: Database, target: Database, *, tell: Tell, alone: Collection[str] = ()
) -> Copied | NotCopied:
    """Copy every row, with its id, to an empty database of the same schema, and verify it there.

    `alone` names the locks of work that must not be going on in the source.
    """
    if _place(source) == _place(target):
        return NotCopied(Why.SAME_DATABASE)
    try:
        return _copy_alone(source, target, tell, alone)
    except UnicodeDecodeError:  # SQLite repeats what is damaged in its own words
        return NotCopied(Why.UNREADABLE, "its schema")


def _copy_alone(source: Database, target: Database, tell: Tell, alone: Collection[str]) -> Copied | NotCopied:
    with ExitStack() as stack:
        for database in (source, target):
            if not stack.enter_context(database.exclusive(LOCK)):
                return NotCopied(Why.COPYING, of_target=database is target)
        for database, name in (*((source, name) for name in (*alone, _MIGRATE)), (target, _MIGRATE)):
            if not stack.enter_context(database.exclusive(name)):
                return NotCopied(Why.IN_USE, of_target=database is target)
        for database in (source, target):
            if (found := database.revision()) != newest_revision():
                return NotCopied(Why.OTHER_SCHEMA, found, of_target=database is target)
        try:
            with target.writer.begin() as into, _one_moment(source) as (reading, unchanged):
                copied = _fill(reading, into, tell)
                unchanged()
        except _NotCopiedError as error:
            return error.result
        return copied


def _fill(source: Connection, target: Connection, tell: Tell) -> Copied:
    """Every row, and the ids given so far, into the target; then what stands there is compared."""
    tables = Table.metadata.sorted_tables
    _hold(target, "SHARE ROW EXCLUSIVE", of_target=True)
    _require_empty(target, tables)
    counts = {table.name: _count(source, table) for table in tables}
    total = 2 * sum(counts.values())
    done, contents = 0, {}
    target.execute(delete(AuditHead))  # the row that a new database begins with
    for table in tables:
        into, names = _insert(table, target.dialect.name)
        content = _Content()
        for rows in _stored(source, table):
            target.execute(into, [dict(zip(names, row, strict=True)) for row in rows])
            content.add(rows)
            done += len(rows)
            tell(f"Copying {table.name}", done, total)
        give_after(target, table, given(source, table) or 0)
        contents[table.name] = content
    for table in tables:
        content = _Content()
        for rows in _stored(target, table):
            content.add(rows)
            done += len(rows)
            tell(f"Verifying {table.name}", done, total)
        if content != contents[table.name] or content.rows != counts[table.name]:
            raise _NotCopiedError(NotCopied(Why.NOT_THE_SAME, table.name))
    # the rows are the same, so what is wrong with the trail was wrong before
    if problems := list(audit.problems(Session(target))):
        raise _NotCopiedError(NotCopied(Why.TRAIL_BROKEN, problems[0]))
    return Copied(counts)


def _require_empty(target: Connection, tables: Sequence[AnyTable]) -> None:
    for table in tables:
        rows = select(table).limit(1)
        if table is AuditHead.__table__:
            rows = rows.where(AuditHead.seq > 0)
        if target.execute(rows).first() is not None:
            raise _NotCopiedError(NotCopied(Why.NOT_EMPTY, table.name, of_target=True))


@dataclass(slots=True)
class _Content:
    """How many rows there are and what is in them, whatever their order."""

    rows: int = 0
    digest: int = 0

    def add(self, rows: Sequence[Sequence[Any]]) -> None:
        self.rows += len(rows)
        for row in rows:
            digest = blake2b(repr(tuple(row)).encode("utf-8", "surrogatepass"), digest_size=16).digest()
            self.digest = (self.digest + int.from_bytes(digest)) % 2**128


def _count(connection: Connection, table: AnyTable) -> int:
    return connection.scalar(select(func.count()).select_from(table)) or 0


def _stored(connection: Connection, table: AnyTable) -> Iterator[Sequence[Sequence[Any]]]:
    """The rows in batches, as they are stored: nothing of JSON or of kept words is read and written anew."""
    query = select(*map(_as_stored, table.columns)).execution_options(yield_per=_BATCH_ROWS)
    try:
        yield from connection.execute(query).partitions()
    except ValueError as error:  # no time, say, stands where one must
        raise _NotCopiedError(NotCopied(Why.UNREADABLE, f"a row of {table.name}")) from error


def _as_stored(column: Column[Any]) -> ColumnElement[Any]:
    if isinstance(column.type, JSON):
        return cast(column, Text)
    return type_coerce(column, Text) if _is_text(column) else column


def _insert(table: AnyTable, dialect: str) -> tuple[Insert, list[str]]:
    """The statement that takes rows as `_stored` gives them, and the names of its parameters."""
    names = [f"{column.name}_" for column in table.columns]
    values: dict[str, ColumnElement[Any]] = {}
    for column, name in zip(table.columns, names, strict=True):
        value: BindParameter[Any] = bindparam(name, type_=column.type)
        if _is_text(column):
            value = bindparam(name, type_=Text)
        elif isinstance(column.type, JSON):
            value = bindparam(name, type_=Text)
            if dialect == "postgresql":  # SQLite would make a number of it
                values[column.name] = cast(value, column.type)
                continue
        values[column.name] = value
    return insert(table).values(values), names


def _is_text(column: Column[Any]) -> bool:
    return isinstance(column.type, String | KeptWords)


@contextmanager
def _one_moment(source: Database) -> Iterator[tuple[Connection, Callable[[], None]]]:
    """The source as of one moment, and a function that ends the copy when somebody wrote to it since."""
    with source.reading() as session:
        connection = session.connection()
        if connection.dialect.name == "postgresql":
            # who writes has to wait, and whoever waits is seen
            _hold(connection, "SHARE")

            def has_changed() -> bool:
                return bool(connection.scalar(text(_SOMEBODY_WAITS)))
        else:
            connection.execute(select(AuditHead)).all()  # SQLite's moment is that of the first reading
            before = _version(connection)

            def has_changed() -> bool:
                session.rollback()
                return _version(session.connection()) != before

        def unchanged() -> None:
            if has_changed():
                raise _NotCopiedError(NotCopied(Why.IN_USE))

        yield connection, unchanged


_SOMEBODY_WAITS = """
SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database
WHERE datname = current_database() AND NOT granted AND mode = 'RowExclusiveLock'
"""


def _hold(connection: Connection, mode: str, *, of_target: bool = False) -> None:
    """On PostgreSQL keep writers of costbot's tables waiting until the transaction ends."""
    if connection.dialect.name != "postgresql":
        return  # a file has one writer at a time
    tables = ", ".join(Table.metadata.tables)
    try:
        connection.execute(text(f"SET LOCAL lock_timeout = '{_LOCK_SECONDS}s'"))
        connection.execute(text(f"LOCK TABLE {tables} IN {mode} MODE"))
    except OperationalError as error:
        if getattr(error.orig, "sqlstate", "") != "55P03":  # lock_not_available
            raise
        raise _NotCopiedError(NotCopied(Why.IN_USE, of_target=of_target)) from error


def _version(connection: Connection) -> int:
    """SQLite's number of the state that is read; another connection's commit makes it another one."""
    return int(connection.scalar(text("PRAGMA data_version")) or 0)


def _place(database: Database) -> object:
    """What tells one database from another, whatever its address says."""
    if database.engine.dialect.name == "sqlite":
        return Path(database.engine.url.database or "").resolve()
    with database.engine.connect() as connection:
        cluster = "SELECT system_identifier, current_database() FROM pg_control_system()"
        return tuple(connection.execute(text(cluster)).one())
