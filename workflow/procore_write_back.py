"""What Procore has to be told of what reached Sage, and what it said.

Sage holding an assignment, as last read back, is what is told; nothing is assumed from having sent it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from workflow.procore_seen import Key
from workflow.tables import Job, ProcoreAssignment, SageAssignment


@dataclass(frozen=True, slots=True)
class Due:
    """An assignment that Sage holds and Procore was not told of; `origin_id` is the ERP id of its cost code.

    `is_new` while Procore's cost code has none: an id that is there is another's, and is never changed.
    `seen_at` changes when it is taken away there and added again.
    """

    key: Key
    origin_id: str
    is_new: bool
    seen_at: datetime


def due(session: Session) -> list[Due]:
    """What is to be told, by cost code."""
    query = (
        select(ProcoreAssignment, Job.number)
        .join(Job, Job.id == ProcoreAssignment.job_id)
        .join(
            SageAssignment,
            (SageAssignment.job_id == ProcoreAssignment.job_id)
            & (SageAssignment.extra == ProcoreAssignment.extra)
            & (SageAssignment.code == ProcoreAssignment.code)
            & (SageAssignment.category == ProcoreAssignment.category),
        )
        .where(ProcoreAssignment.written_at.is_(None), ProcoreAssignment.removed_at.is_(None))
        .order_by(ProcoreAssignment.cost_code_id, ProcoreAssignment.line_item_type_id)
    )
    return [
        Due(
            (row.cost_code_id, row.line_item_type_id),
            origin_id(number, row.extra, row.code),
            row.is_new,
            row.seen_at,
        )
        for row, number in session.execute(query)
    ]


def origin_id(job_number: str, extra: str, code: str) -> str:
    """A cost code's ERP id: always the same, and of one cost code of the company alone."""
    return "/".join((job_number, extra, code))


def told(session: Session, every: Sequence[Due], *, errors: Mapping[Key, str], at: datetime) -> None:
    """Procore was told of these; `errors` has its words about those that it did not take.

    What was told by somebody else meanwhile is, and what was added again since it was due is so once more.
    """
    for each in every:
        cost_code_id, type_id = each.key
        wrong = errors.get(each.key)
        session.execute(
            update(ProcoreAssignment)
            .where(
                ProcoreAssignment.cost_code_id == cost_code_id,
                ProcoreAssignment.line_item_type_id == type_id,
                ProcoreAssignment.seen_at == each.seen_at,
                ProcoreAssignment.removed_at.is_(None),
                ProcoreAssignment.written_at.is_(None),
            )
            .values(written_at=None if wrong else at, write_error=wrong)
            .execution_options(synchronize_session=False)
        )
    session.expire_all()


def refused(session: Session) -> Sequence[ProcoreAssignment]:
    """What Procore did not take, with its words."""
    query = select(ProcoreAssignment).where(
        ProcoreAssignment.write_error.is_not(None), ProcoreAssignment.removed_at.is_(None)
    )
    return session.scalars(query.order_by(ProcoreAssignment.job_id, ProcoreAssignment.code)).all()
