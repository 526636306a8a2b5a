"""Four eyes: the requested updates that two different accounting approvers must Update.

Owns the rule, which is pure, and the first of the two approvals. That one counts for the revision that it was
given for, so whatever changes the revision voids it. `workflow.approvals` decides, and holds the job's lock.
"""

from datetime import datetime
from fnmatch import fnmatchcase

from sqlalchemy import delete, exists, func, select
from sqlalchemy.orm import Session

from workflow.privileges import Rules
from workflow.tables import FirstApproval, Job, RequestedLine, RequestedUpdate

HAS_FIRST = exists().where(FirstApproval.requested_update_id == RequestedUpdate.id)
"""Whether the requested update in a query has a first approval, of any revision."""


def needs_two(rules: Rules, *, number: str, open_lines: int) -> bool:
    """Whether two approvers must Update a job of this number with so many assignments to decide on."""
    above = rules.two_approvers_above
    is_large = above is not None and open_lines > above
    return is_large or any(fnmatchcase(number, pattern) for pattern in rules.two_approvers_jobs)


def needed_for(session: Session, requested_update_id: int, job_id: int, rules: Rules) -> bool:
    """Whether two approvers must Update a requested update as it stands now."""
    if rules.two_approvers_above is None and not rules.two_approvers_jobs:
        return False
    open_lines = select(func.count()).where(
        RequestedLine.requested_update_id == requested_update_id, RequestedLine.outcome.is_(None)
    )
    number = session.get_one(Job, job_id).number
    return needs_two(rules, number=number, open_lines=session.scalar(open_lines) or 0)


def first_of(session: Session, requested_update_id: int, revision: int) -> FirstApproval | None:
    """The first approval of a revision, the present one, where one was given."""
    first = session.get(FirstApproval, requested_update_id, populate_existing=True)
    return first if first is not None and first.revision == revision else None


def give(
    session: Session, requested_update_id: int, revision: int, *, approver_id: int, at: datetime
) -> None:
    """Note the first approval of the present revision; one of an older revision makes room."""
    session.merge(
        FirstApproval(
            requested_update_id=requested_update_id, revision=revision, approver_id=approver_id, at=at
        )
    )
    session.flush()


def withdraw(session: Session, requested_update_id: int) -> None:
    """Forget the first approval, if there is one."""
    session.execute(delete(FirstApproval).where(FirstApproval.requested_update_id == requested_update_id))
