"""Escalation: a second group of people hears of a requested update that no approver decides on.

Once for each time that it becomes Ready to Update. It gives nobody a right.
"""

from datetime import datetime

from sqlalchemy.orm import Session

from workflow import audit, directory, outbox, telling, waiting
from workflow.calendar import Calendar, working_time
from workflow.privileges import SCHEDULE
from workflow.tables import Person
from workflow.vocabulary import Event
from workflow.waiting import Patience, Waiting

_SECONDS_AN_HOUR = 3_600


def due(session: Session, *, patience: Patience, calendar: Calendar, at: datetime) -> list[int]:
    """The ids of the requested updates to escalate now, those that waited longest first."""
    if patience.escalate_after is None:
        return []
    return [
        ready.requested_update_id
        for ready in waiting.what_waits(session)
        if _is_due(ready, patience, calendar, at)
    ]


def escalate(
    session: Session, *, requested_update_id: int, patience: Patience, calendar: Calendar, at: datetime
) -> bool:
    """Tell the second group of one requested update; False when it was done or decided on meanwhile.

    While the directory has nobody of that group it waits: whoever is added later hears of it.
    """
    found = waiting.what_waits(session, requested_update_id=requested_update_id)
    directory.lock_jobs(session, [ready.job_id for ready in found])
    found = waiting.what_waits(session, requested_update_id=requested_update_id)
    if not found or not _is_due(found[0], patience, calendar, at):
        return False
    ready = found[0]
    people = second_group(session, patience)
    if not people:
        return False
    waiting.rows_of(session, [ready])[ready.requested_update_id].escalated_at = at
    event = audit.record(
        session,
        Event.ESCALATED,
        by=SCHEDULE,
        at=at,
        job_id=ready.job_id,
        requested_update_id=ready.requested_update_id,
        hours=int(working_time(calendar, ready.since, at).total_seconds() // _SECONDS_AN_HOUR),
        to=[person.name for person in people],
    )
    outbox.tell(session, event)
    telling.tell_in_working_time(session, event, people, calendar=calendar)
    return True


def second_group(session: Session, patience: Patience) -> list[Person]:
    """The people of the directory whom the settings name, in that order; deactivated ones are left out."""
    found = (directory.person_by_email(session, email) for email in patience.escalate_to)
    return [person for person in found if person is not None and person.active]


def unknown_emails(session: Session, patience: Patience) -> list[str]:
    """E-mails of the settings that nobody active in the directory has."""
    known = {person.email for person in second_group(session, patience)}
    return [email for email in patience.escalate_to if email.lower() not in known]


def _is_due(ready: Waiting, patience: Patience, calendar: Calendar, at: datetime) -> bool:
    return (
        patience.escalate_after is not None
        and not ready.escalated
        and working_time(calendar, ready.since, at) >= patience.escalate_after
    )
