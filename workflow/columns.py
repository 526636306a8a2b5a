"""Whether rows fit what the database can hold, asked before the database is.

The limits are the tables' own, so that SQLite, which enforces none, and PostgreSQL take the same rows.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workflow.characters import storable
from workflow.language import say
from workflow.results import Unchanged
from workflow.tables import Table

_BIGINT = 2**63


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one row of what was handed in: its place, the column, the reason."""

    index: int
    column: str
    reason: str


@dataclass(frozen=True, slots=True)
class Unfit(Unchanged):
    """Some rows cannot be taken, so none was."""

    problems: tuple[Problem, ...]


def unfit(table: type[Table], rows: Sequence[Mapping[str, Any]], *, key: str) -> Unfit | None:
    """What is wrong with rows of one table, of which no two may have the same `key`."""
    problems = []
    first_at: dict[object, int] = {}
    for index, row in enumerate(rows):
        problems += [Problem(index, column, reason) for column, reason in misfits(table, row)]
        if row[key] == "":
            problems.append(Problem(index, key, say("is empty")))
        elif row[key] in first_at:
            problems.append(Problem(index, key, say("{value} is there twice", value=row[key])))
        first_at.setdefault(row[key], index)
    return Unfit(tuple(problems)) if problems else None


def misfits(table: type[Table], row: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Column and reason for each value of a row that `table` cannot hold."""
    for column, value in row.items():
        if isinstance(value, str):
            limit = getattr(table.__table__.c[column].type, "length", None)
            if value != storable(value):
                yield column, say("holds a character that is no text")
            elif limit and len(value) > limit:
                yield (
                    column,
                    say("has {count} characters, {limit} at most fit", count=len(value), limit=limit),
                )
        elif isinstance(value, int) and not -_BIGINT <= value < _BIGINT:
            yield column, say("is too large a number")
