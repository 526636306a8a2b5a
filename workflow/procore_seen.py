"""What was seen of a job in Procore, and of whom. Nothing here changes it: `procore_intake` does."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from sqlalchemy import select
from sqlalchemy.orm import Session

from workflow.merge import Assignment
from workflow.tables import ProcoreAssignment, ProcorePerson

Key: TypeAlias = tuple[int, int]
"""(cost code id, line item type id) of Procore."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A line item type of a cost code, as Procore has it.

    `is_new` says that Procore knows its cost code not to be in the ERP; otherwise Sage's own cost codes tell.
    `added_by` is a person of the directory, None where Procore does not say. `description` is the cost code's
    name there. `asked_at` is when it was sent to the ERP, where that is known: what was turned down or failed
    before that is asked for again.
    """

    cost_code_id: int
    line_item_type_id: int
    assignment: Assignment
    is_new: bool
    added_at: datetime
    added_by: int | None = None
    description: str = ""
    asked_at: datetime | None = None

    @property
    def key(self) -> Key:
        return (self.cost_code_id, self.line_item_type_id)


def extras_by_key(session: Session, job_id: int, *, removed: bool = False) -> dict[Key, str]:
    """What was seen of a job in Procore, and the extra of each: what is not known to be gone, or what is."""
    rows = gone(session, job_id) if removed else present(session, job_id)
    return {(row.cost_code_id, row.line_item_type_id): row.extra for row in rows}


def cannot_be_asked_for(session: Session, job_id: int) -> set[Key]:
    """What was seen of a job in Procore and could not be asked for yet."""
    return {(row.cost_code_id, row.line_item_type_id) for row in with_problems(session, job_id)}


def people_of(session: Session, user_ids: Collection[int]) -> dict[int, int]:
    """Person id by Procore user id."""
    query = select(ProcorePerson.user_id, ProcorePerson.person_id).where(ProcorePerson.user_id.in_(user_ids))
    return dict(session.execute(query).all())


def with_problems(session: Session, job_id: int | None = None) -> Sequence[ProcoreAssignment]:
    """What Procore has and cannot be asked for, with the reason."""
    query = select(ProcoreAssignment).where(
        ProcoreAssignment.problem.is_not(None), ProcoreAssignment.removed_at.is_(None)
    )
    if job_id is not None:
        query = query.where(ProcoreAssignment.job_id == job_id)
    return session.scalars(query.order_by(ProcoreAssignment.job_id, ProcoreAssignment.code)).all()


def present(session: Session, job_id: int) -> Sequence[ProcoreAssignment]:
    """What was seen of a job in Procore and is not known to be gone from there."""
    return session.scalars(
        select(ProcoreAssignment).where(
            ProcoreAssignment.job_id == job_id, ProcoreAssignment.removed_at.is_(None)
        )
    ).all()


def gone(session: Session, job_id: int) -> Sequence[ProcoreAssignment]:
    """What was seen of a job in Procore and is gone from there."""
    return session.scalars(
        select(ProcoreAssignment).where(
            ProcoreAssignment.job_id == job_id, ProcoreAssignment.removed_at.is_not(None)
        )
    ).all()
