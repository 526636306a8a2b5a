"""Reminders: one message to each accounting approver about the jobs that have waited for a day.

Owns what is overdue and to whom it is said; when is the schedule's. Procore itself only sends a
daily digest e-mail (FAQ 'Are accounting approvers notified when data is awaiting acceptance').
"""

from datetime import datetime, timedelta

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from workflow import audit, directory, outbox, queries
from workflow.privileges import SCHEDULE
from workflow.tables import AuditEvent
from workflow.vocabulary import Event, State

OVERDUE_AFTER = timedelta(hours=24)
NOT_AGAIN_WITHIN = timedelta(hours=1)
"""A reminder that was sent and whose slot was not noted as done (a killed worker) is not sent twice."""
JOBS_NAMED = 5


def remind(session: Session, *, at: datetime) -> int:
    """Remind the accounting approvers of overdue jobs; how many jobs there are, 0 when nobody was told."""
    ready = queries.list_updates(session, [State.READY])
    overdue = [update for update in ready if update.requested_at <= at - OVERDUE_AFTER]
    approvers = directory.accounting_approvers(session)
    if not overdue or not approvers or _reminded_since(session, at - NOT_AGAIN_WITHIN):
        return 0
    event = audit.record(
        session,
        Event.REMINDED,
        by=SCHEDULE,
        at=at,
        jobs=len(overdue),
        oldest=[update.title for update in overdue[:JOBS_NAMED]],
    )
    outbox.tell_people(session, event, [person.id for person in approvers])
    return len(overdue)


def _reminded_since(session: Session, moment: datetime) -> bool:
    query = select(exists().where(AuditEvent.event == Event.REMINDED.value, AuditEvent.at > moment))
    return bool(session.scalar(query))
