"""A database in which every table has rows, made from the tables' metadata: a new table has some tomorrow.

For what has to keep every row as it is. Values are odd where they may be: emoji, quotes, microseconds, large
numbers, SQL's NULL and JSON's null side by side.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import JSON, Boolean, Column, Date, Enum, Integer, String, Time, insert, select, text
from sqlalchemy import Table as AnyTable
from sqlalchemy.orm import Session

from workflow import audit
from workflow.database import Database
from workflow.identities import give_after
from workflow.language import later
from workflow.privileges import Actor
from workflow.tables import AuditEvent, AuditHead, KeptWords, Table, UtcDateTime
from workflow.vocabulary import Event, Place

ROWS = 3
_START = datetime(2026, 3, 8, 1, 59, 59, 999_999, tzinfo=UTC)
_WORDS = "Zoë “3/4\" pipe” 🏗️ % \\ ' said:"


def fill(database: Database) -> None:
    """A few rows in every table, and an audit trail that is whole."""
    with database.writing() as session:
        for table in Table.metadata.sorted_tables:
            if table.name == AuditEvent.__tablename__:
                trail(session)
            elif table.name != AuditHead.__tablename__:
                session.execute(insert(table), list(rows(table)))
                give_after(session.connection(), table, ROWS)


def trail(session: Session, numbers: Iterable[int] = range(1, ROWS + 1)) -> None:
    """An event of the audit trail for each number, which is its person and its job."""
    for number in numbers:
        audit.record(
            session,
            Event.REQUESTED,
            by=Actor(Place.COMMAND_LINE, _WORDS, number),
            at=_at(number),
            job_id=number,
            words=_WORDS,
            nested={"b": [1, 2.5, None, True], "a": number * 2**40},
        )


def raw(database: Database) -> dict[str, list[Any]]:
    """Every row as the models read it, and JSON beside as the text that is stored."""
    with database.reading() as session:
        rows: dict[str, list[Any]] = {
            table.name: sorted(map(repr, session.execute(select(table))))
            for table in Table.metadata.sorted_tables
        }
        for column in ("jobs.sage_extras", "audit_events.facts", "workflow_steps.outputs"):
            table, _, name = column.partition(".")
            texts = session.scalars(text(f"SELECT CAST({name} AS TEXT) FROM {table}"))
            rows[column] = sorted(map(repr, texts))
        return rows


def rows(table: AnyTable, numbers: Iterable[int] = range(1, ROWS + 1)) -> Iterator[dict[str, Any]]:
    """A row for each number, which is its id and that of every row it refers to."""
    for number in numbers:
        yield {column.name: _value(column, number) for column in table.columns}


def _value(column: Column[Any], number: int) -> Any:
    kind = column.type
    if column.foreign_keys:
        [key] = column.foreign_keys
        return _value(key.column, number)
    if column.nullable and number % 3 == 2:
        return None
    if isinstance(kind, Integer):
        return number if column.primary_key else number * 2**40
    return _VALUES[next(known for known in _VALUES if isinstance(kind, known))](kind, number)


def _words(kind: String, number: int) -> str:
    return f"{number}{_WORDS}"[: kind.length]


def _kept_words(_kind: KeptWords, number: int) -> str:
    return later("Not sent: {why}.", why=later("{n} of them", n=number)) if number % 3 == 1 else _WORDS


def _json(_kind: JSON, number: int) -> Any:
    return [None, {"ä": [1, 2.5, None], "": _WORDS}, ["CO-1", _WORDS]][number % 3]


def _at(number: int) -> datetime:
    return _START + timedelta(hours=number, microseconds=number)


_VALUES: dict[type, Callable[[Any, int], Any]] = {
    UtcDateTime: lambda _, number: _at(number),
    KeptWords: _kept_words,
    Enum: lambda kind, number: [*kind.enum_class][-number % len(kind.enum_class)],
    String: _words,
    JSON: _json,
    Boolean: lambda _, number: number % 2 == 0,
    Date: lambda _, number: date(2026, 2, 27) + timedelta(days=number),
    Time: lambda _, number: time(23, 59, number % 60),
}
"""What each type of column may hold; a new type has to be added here."""
