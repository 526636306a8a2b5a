"""Finding a job or a standard cost code by what somebody types of it, while they type.

One statement a question, and no more rows than are shown: a list of 25,000 cost codes is looked through once.
"""

import re
from collections.abc import Sequence
from typing import TypeVar

from sqlalchemy import ColumnElement, Select, case, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from workflow.characters import storable
from workflow.tables import Category, Job, StandardCostCode

Found = TypeVar("Found", Job, StandardCostCode, Category)


_ESCAPE = "/"


def jobs(session: Session, typed: str, *, limit: int) -> Sequence[Job]:
    """Jobs whose number or name has every word that was typed; those whose number begins so come first."""
    return session.scalars(_query(session, select(Job), Job.number, Job.name, typed).limit(limit)).all()


def cost_codes(session: Session, typed: str, *, limit: int) -> Sequence[StandardCostCode]:
    """Standard cost codes by code or description, in the same way."""
    code, description = StandardCostCode.code, StandardCostCode.description
    query = _query(session, select(StandardCostCode), code, description, typed)
    return session.scalars(query.limit(limit)).all()


def categories(session: Session, typed: str, *, limit: int) -> Sequence[Category]:
    """Standard categories by code or name, in the same way."""
    query = _query(session, select(Category), Category.code, Category.name, typed)
    return session.scalars(query.limit(limit)).all()


def _query(
    session: Session,
    query: Select[Found],
    key: InstrumentedAttribute[str],
    name: InstrumentedAttribute[str],
    typed: str,
) -> Select[Found]:
    words = storable(typed).split()
    if not words:
        return query.order_by(key)
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    for word in words:
        query = query.where(or_(_like(key, "%", word, is_sqlite), _like(name, "%", word, is_sqlite)))
    return query.order_by(case((_like(key, "", words[0], is_sqlite), 0), else_=1), key)


def _like(column: InstrumentedAttribute[str], before: str, word: str, is_sqlite: bool) -> ColumnElement[bool]:
    """Whether a column has a word, letter case aside.

    SQLite's own LIKE knows the case of A to Z; its `lower` that knows all is Python, a call a row.
    """
    escaped = re.sub(r"([/%_])", rf"{_ESCAPE}\1", word)
    if not is_sqlite:
        return column.ilike(f"{before}{escaped}%", escape=_ESCAPE)
    spelt = dict.fromkeys((escaped, escaped.lower(), escaped.upper(), escaped.capitalize()))
    return or_(
        *(column.like(f"{before}{one}%", escape=_ESCAPE) for one in ([escaped] if word.isascii() else spelt))
    )
