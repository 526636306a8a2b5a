"""Expiry: a requested update that nobody decides on for a set number of days ends, and says so.

Off unless the company sets it. Nothing goes to Sage, holds are settled as for a rejected one, and
`requests.ask_again` asks for the same lines anew.
"""

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from workflow import audit, directory, holds, lines, outbox, waiting, waiting_steps
from workflow.privileges import SCHEDULE
from workflow.tables import RequestedUpdate
from workflow.vocabulary import Event, State
from workflow.waiting import Patience, Waiting


def due(session: Session, *, patience: Patience, at: datetime) -> list[int]:
    """The ids of the requested updates that expire now, those that waited longest first."""
    if patience.expire_after is None:
        return []
    return [
        ready.requested_update_id for ready in waiting.what_waits(session) if _is_due(ready, patience, at)
    ]


def expire(session: Session, *, requested_update_id: int, patience: Patience, at: datetime) -> bool:
    """End one requested update; False when somebody touched it or decided on it meanwhile."""
    found = waiting.what_waits(session, requested_update_id=requested_update_id)
    directory.lock_jobs(session, [ready.job_id for ready in found])
    found = waiting.what_waits(session, requested_update_id=requested_update_id)
    if not found or not _is_due(found[0], patience, at):
        return False
    requested = session.get_one(RequestedUpdate, requested_update_id)
    ended = session.execute(
        update(RequestedUpdate)
        .where(RequestedUpdate.id == requested.id, RequestedUpdate.state == State.READY)
        .values(state=State.EXPIRED, decided_at=at)
        .execution_options(synchronize_session=False)
    )
    if ended.rowcount != 1:  # type: ignore[attr-defined]
        return False
    session.refresh(requested)
    event = audit.record(
        session,
        Event.EXPIRED,
        by=SCHEDULE,
        at=at,
        job_id=requested.job_id,
        requested_update_id=requested.id,
        revision=requested.revision,
        days=(at - found[0].touched_at).days,
    )
    outbox.tell(session, event, people=lines.requesters(session, requested.id))
    waiting_steps.settle(session, requested, at=at)
    holds.settle(session, requested.job_id, by=SCHEDULE, at=at)
    return True


def _is_due(ready: Waiting, patience: Patience, at: datetime) -> bool:
    return patience.expire_after is not None and ready.touched_at <= at - patience.expire_after
