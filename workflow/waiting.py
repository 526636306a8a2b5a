"""What waits for an approver, since when, and what was done about it already.

Since when is what the audit trail says: a requested update begins to wait when it is requested, taken
back or sent again. Owns the `waits` table; reminding, escalating and expiring have their own modules.
"""

import itertools
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from workflow.tables import AuditEvent, Job, RequestedUpdate, Wait
from workflow.vocabulary import Event, State

_BEGINS = (Event.REQUESTED, Event.TAKEN_BACK, Event.SENT_AGAIN)
_TOUCHES = (*_BEGINS, Event.JOINED)
_PAGE = 50
_ROWS_A_QUERY = 5_000


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a requested update may wait: working time, except that `expire_after` is calendar time.

    `escalate_to` are e-mails. None is never.
    """

    remind_after: timedelta
    escalate_after: timedelta | None = None
    escalate_to: tuple[str, ...] = ()
    expire_after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """A requested update that is Ready to Update, `since` it last became so.

    `touched_at` is when somebody last asked for something of it. `reminders` were sent since then.
    """

    requested_update_id: int
    job_id: int
    title: str
    since: datetime
    touched_at: datetime
    reminders: int
    escalated: bool


def what_waits(session: Session, *, requested_update_id: int | None = None) -> list[Waiting]:
    """Every requested update that is Ready to Update, or the one named; those that waited longest first."""
    ready = select(RequestedUpdate).where(RequestedUpdate.state == State.READY)
    if requested_update_id is not None:
        ready = ready.where(RequestedUpdate.id == requested_update_id)
    ids = ready.with_only_columns(RequestedUpdate.id, RequestedUpdate.job_id).subquery()
    began = func.max(case((AuditEvent.event.in_(_BEGINS), AuditEvent.at)))
    times = (
        select(ids.c.id, began.label("since"), func.max(AuditEvent.at).label("touched_at"))
        .join(AuditEvent, (AuditEvent.job_id == ids.c.job_id) & (AuditEvent.requested_update_id == ids.c.id))
        .where(AuditEvent.event.in_(_TOUCHES))
        .group_by(ids.c.id)
        .subquery()
    )
    rows = session.execute(
        ready.join(Job, Job.id == RequestedUpdate.job_id)
        .outerjoin(times, times.c.id == RequestedUpdate.id)
        .outerjoin(Wait, Wait.requested_update_id == RequestedUpdate.id)
        .with_only_columns(RequestedUpdate, Job, times.c.since, times.c.touched_at, Wait)
        .execution_options(populate_existing=True)
    )
    found = []
    for requested, job, began_at, touched_at, wait in rows:
        since = began_at or requested.requested_at
        known = wait if wait is not None and wait.since == since else None
        found.append(
            Waiting(
                requested_update_id=requested.id,
                job_id=job.id,
                title=job.title,
                since=since,
                touched_at=touched_at or since,
                reminders=known.reminders if known else 0,
                escalated=known is not None and known.escalated_at is not None,
            )
        )
    return sorted(found, key=lambda waiting: (waiting.since, waiting.requested_update_id))


def oldest(session: Session, *, page: int = _PAGE) -> datetime | None:
    """Since when the longest has waited that is Ready to Update.

    None has waited longer than since it was asked for, so those asked for first mostly are enough to look at.
    """
    by_age = (
        select(RequestedUpdate.id, RequestedUpdate.job_id, RequestedUpdate.requested_at)
        .where(RequestedUpdate.state == State.READY)
        .order_by(RequestedUpdate.requested_at, RequestedUpdate.id)
    )
    found: datetime | None = None
    for start in itertools.count(0, page):
        # only these few are looked up in the trail
        some = by_age.offset(start).limit(page).subquery()
        rows = session.execute(
            select(some.c.requested_at, func.coalesce(func.max(AuditEvent.at), some.c.requested_at))
            .select_from(some)
            .outerjoin(
                AuditEvent,
                (AuditEvent.job_id == some.c.job_id)
                & (AuditEvent.requested_update_id == some.c.id)
                & AuditEvent.event.in_(_BEGINS),
            )
            .group_by(some.c.id, some.c.requested_at)
            .order_by(some.c.requested_at, some.c.id)
        ).all()
        found = min([since for _, since in rows] + ([found] if found else []), default=None)
        if len(rows) < page or (found and rows[-1][0] >= found):
            break
    return found


def rows_of(session: Session, found: Collection[Waiting]) -> dict[int, Wait]:
    """What was done about each, by requested update, to be written on; the caller holds the jobs' locks."""
    rows: dict[int, Wait] = {}
    ids = [waiting.requested_update_id for waiting in found]
    for start in range(0, len(ids), _ROWS_A_QUERY):
        some = ids[start : start + _ROWS_A_QUERY]
        query = select(Wait).where(Wait.requested_update_id.in_(some))
        rows.update({row.requested_update_id: row for row in session.scalars(query)})
    for waiting in found:
        row = rows.get(waiting.requested_update_id)
        if row is None:
            row = Wait(requested_update_id=waiting.requested_update_id, since=waiting.since, reminders=0)
            rows[row.requested_update_id] = row
            session.add(row)
        elif row.since != waiting.since:
            row.since, row.reminders, row.escalated_at = waiting.since, 0, None
    return rows
