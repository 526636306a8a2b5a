"""Reminders: one message to each accounting approver about what has waited for long, with back-off.

Owns when a requested update is due to be reminded of; to whom and at which hour is `telling`'s.
Procore itself only sends a daily digest e-mail (FAQ 'Are accounting approvers notified when data is
awaiting acceptance').
"""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from workflow import audit, directory, telling, waiting
from workflow.calendar import Calendar, working_time
from workflow.privileges import SCHEDULE
from workflow.vocabulary import Event
from workflow.waiting import Patience

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


def remind(session: Session, *, patience: Patience, calendar: Calendar, at: datetime) -> int:
    """Remind the accounting approvers of what is due; how many jobs that are, 0 when nobody was told.

    What was reminded of is noted with the message, so that a run that is killed or comes twice tells once.
    """
    directory.lock_jobs(session, [ready.job_id for ready in waiting.what_waits(session)])
    due = []
    for ready in waiting.what_waits(session):
        count = reminders_due(working_time(calendar, ready.since, at), patience.remind_after)
        if count > ready.reminders:
            due.append((ready, count))
    people = telling.approvers_to_ping(session) if due else []
    if not people:
        return 0
    for ready, count in due:
        waiting.note(session, ready, reminders=count)
    event = audit.record(
        session,
        Event.REMINDED,
        by=SCHEDULE,
        at=at,
        jobs=len(due),
        oldest=[ready.title for ready, _ in due[:JOBS_NAMED]],
    )
    telling.remind(session, event, people, calendar=calendar)
    return len(due)
