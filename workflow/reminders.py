"""Reminders: one message to each accounting approver about what has waited for long, with back-off.

Owns when a requested update is due to be reminded of; to whom and at which hour is `telling`'s.
Procore itself only sends a daily digest e-mail (FAQ 'Are accounting approvers notified when data is
awaiting acceptance').
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from workflow import audit, directory, telling, waiting
from workflow.calendar import Calendar, working_time
from workflow.privileges import SCHEDULE
from workflow.vocabulary import Event
from workflow.waiting import Patience, Waiting

JOBS_NAMED = 5
LONGEST_GAP = 5
"""The time between two reminders doubles up to so many times the first: a working week of working days."""


def reminders_due(waited: timedelta, first: timedelta) -> int:
    """How many reminders are due once something has waited so long: after 1, 3, 7, 12, 17 … times `first`."""
    count, gap, due = 0, first, first
    while due <= waited:
        count += 1
        gap = min(2 * gap, LONGEST_GAP * first)
        due += gap
    return count


def due(session: Session, *, patience: Patience, calendar: Calendar, at: datetime) -> list[Waiting]:
    """What somebody is to be reminded of now, that which waited longest first; to be read before `remind`."""
    return [ready for ready in waiting.what_waits(session) if _count(ready, patience, calendar, at)]


def remind(
    session: Session, expected: Sequence[Waiting], *, patience: Patience, calendar: Calendar, at: datetime
) -> int:
    """Remind the accounting approvers of what is due; how many jobs that are, 0 when nobody was told.

    `expected` is what was `due` a moment ago: what became due since then has its turn with the next look.
    What was reminded of is noted with the message, so that a run that is killed or comes twice tells once.
    """
    if not expected:
        return 0
    locked = {job.id for job in directory.lock_jobs(session, [ready.job_id for ready in expected])}
    counted = [
        (ready, count)
        for ready in waiting.what_waits(session)
        if ready.job_id in locked and (count := _count(ready, patience, calendar, at))
    ]
    people = telling.approvers_to_ping(session) if counted else []
    if not people:
        return 0
    rows = waiting.rows_of(session, [ready for ready, _ in counted])
    for ready, count in counted:
        rows[ready.requested_update_id].reminders = count
    session.flush()
    event = audit.record(
        session,
        Event.REMINDED,
        by=SCHEDULE,
        at=at,
        jobs=len(counted),
        oldest=[ready.title for ready, _ in counted[:JOBS_NAMED]],
    )
    telling.remind(session, event, people, calendar=calendar)
    return len(counted)


def _count(ready: Waiting, patience: Patience, calendar: Calendar, at: datetime) -> int:
    """How many reminders there should have been, where there were fewer; else 0."""
    count = reminders_due(working_time(calendar, ready.since, at), patience.remind_after)
    return count if count > ready.reminders else 0
