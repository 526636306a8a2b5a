"""Contracts and contract change orders that wait until their job's cost codes are updated.

A job is held while any of its requested updates is ready, accepted or failed; it is free once all
are exported or synced. Source: Procore, 'Update Project Cost Codes for Export to Sage 300 CRE'.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, exists, or_, select
from sqlalchemy.orm import Session

from workflow import audit, directory, outbox
from workflow.bulk import among, chunks
from workflow.columns import Unfit, unfit
from workflow.privileges import Actor, Rules
from workflow.tables import Hold, Job, RequestedLine, RequestedUpdate
from workflow.vocabulary import Event, HoldKind, Outcome, State

_JOBS_A_QUERY = 500
HOLDING = (State.READY, State.ACCEPTED, State.FAILED)

HAS_HOLDS = exists().where(Hold.job_id == RequestedUpdate.job_id)
"""Whether there is a contract of the job of the requested update in a query."""

_WAITING_FOR = {
    State.READY: "are Ready to Update",
    State.ACCEPTED: "are accepted and wait for the next data sync",
    State.FAILED: "were refused by Sage",
}


@dataclass(frozen=True, slots=True)
class HoldCheck:
    """Whether a job's contracts may be exported; `reason` says why not ('' when they may)."""

    free: bool
    reason: str


@dataclass(frozen=True, slots=True)
class HoldAdded:
    """The hold is on record; it may have been before."""

    hold: Hold
    already_there: bool


@dataclass(frozen=True, slots=True)
class HoldKindNotHeld:
    """This kind of export does not wait for cost codes under the company's settings."""

    words: str


def check(session: Session, job: Job) -> HoldCheck:
    """Whether the job's contracts and contract change orders may be exported now."""
    states = _holding_states(session, job.id)
    if not states:
        return HoldCheck(True, "")
    why = " and some ".join(_WAITING_FOR[state] for state in HOLDING if state in states)
    return HoldCheck(False, f"{job.title}: cost codes {why}. Contracts of this job cannot be exported yet.")


def add(
    session: Session,
    *,
    job: Job,
    kind: HoldKind,
    number: str,
    title: str,
    by: Actor,
    at: datetime,
    rules: Rules,
) -> HoldAdded | HoldKindNotHeld | Unfit:
    """Register a contract or contract change order of the job; the same one twice is one."""
    if not kind.is_contract and not rules.hold_every_export:
        return HoldKindNotHeld(
            f"A {kind.value} does not wait for cost codes: only contracts and contract change orders do. "
            "Set COSTBOT_HOLD_EVERY_EXPORT=true to hold every export."
        )
    number, title = number.strip(), title.strip()
    wrong = unfit(Hold, [{"number": number, "title": title}], key="number")
    if wrong:
        return wrong
    directory.lock_jobs(session, [job.id])
    known = session.scalars(
        select(Hold).where(Hold.job_id == job.id, Hold.kind == kind, Hold.number == number)
    ).one_or_none()
    if known:
        return HoldAdded(known, already_there=True)
    hold = Hold(job_id=job.id, kind=kind, number=number, title=title, added_at=at)
    hold.released_at = None if _holding_states(session, job.id) else at
    session.add(hold)
    event = audit.record(
        session, Event.HOLD_ADDED, by=by, at=at, job_id=job.id, kind=kind.value, number=number, title=title
    )
    if session.scalar(select(exists().where(RequestedUpdate.job_id == job.id))):
        outbox.tell(session, event)
    else:
        # without a request there is no card yet, and so no thread to tell it in
        outbox.refresh_card(session, job.id, at=event.at)
    return HoldAdded(hold, already_there=False)


def settle(session: Session, job_id: int, *, by: Actor, at: datetime) -> None:
    """After a change of state: place or release the job's holds, and tell of it."""
    holds = session.scalars(select(Hold).where(Hold.job_id == job_id).order_by(Hold.id)).all()
    if not holds:
        return
    held = bool(_holding_states(session, job_id))
    changed = [hold for hold in holds if (hold.released_at is None) != held]
    if not changed:
        return
    for hold in changed:
        hold.released_at = None if held else at
    event = audit.record(
        session,
        Event.HOLD_PLACED if held else Event.HOLD_RELEASED,
        by=by,
        at=at,
        job_id=job_id,
        holds=[f"{hold.kind.value} {hold.number}" for hold in changed],
    )
    outbox.tell(session, event)


def settle_all(session: Session, job_ids: Collection[int], *, by: Actor, at: datetime) -> None:
    """After a change of state of several jobs: settle the holds of each."""
    for some in chunks(sorted(job_ids), _JOBS_A_QUERY):
        for job_id in session.scalars(
            select(Hold.job_id).where(among(session, Hold.job_id, some)).distinct()
        ).all():
            settle(session, job_id, by=by, at=at)


def _holding_states(session: Session, job_id: int) -> set[State]:
    # lines that failed the checks were not sent with the rest of their requested update
    not_sent = exists().where(
        RequestedLine.requested_update_id == RequestedUpdate.id, RequestedLine.outcome == Outcome.FAILED
    )
    query = select(RequestedUpdate.state).where(
        RequestedUpdate.job_id == job_id,
        or_(
            RequestedUpdate.state.in_(HOLDING),
            and_(RequestedUpdate.state == State.EXPORTED, not_sent),
        ),
    )
    states = set(session.scalars(query))
    return {State.FAILED if state is State.EXPORTED else state for state in states}
