"""Finding a job or a standard cost code by what somebody types of it, while they type.

One statement a question, and no more rows than are shown: a list of 25,000 cost codes is looked through once.
"""

from collections.abc import Sequence
from typing import TypeVar

from sqlalchemy import Select, case, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from workflow.columns import storable
from workflow.tables import Category, Job, StandardCostCode

Found = TypeVar("Found", Job, StandardCostCode, Category)


def jobs(session: Session, typed: str, *, limit: int) -> Sequence[Job]:
    """Jobs whose number or name has every word that was typed; those whose number begins so come first."""
    return session.scalars(_query(select(Job), Job.number, Job.name, typed).limit(limit)).all()


def cost_codes(session: Session, typed: str, *, limit: int) -> Sequence[StandardCostCode]:
    """Standard cost codes by code or description, in the same way."""
    code, description = StandardCostCode.code, StandardCostCode.description
    return session.scalars(_query(select(StandardCostCode), code, description, typed).limit(limit)).all()


def categories(session: Session, typed: str, *, limit: int) -> Sequence[Category]:
    """Standard categories by code or name, in the same way."""
    return session.scalars(_query(select(Category), Category.code, Category.name, typed).limit(limit)).all()


def _query(
    query: Select[Found], key: InstrumentedAttribute[str], words: InstrumentedAttribute[str], typed: str
) -> Select[Found]:
    wanted = storable(typed).split()
    if not wanted:
        return query.order_by(key)
    for word in wanted:
        query = query.where(or_(key.icontains(word, autoescape=True), words.icontains(word, autoescape=True)))
    begins_so = key.istartswith(wanted[0], autoescape=True)
    return query.order_by(case((begins_so, 0), else_=1), key)
