"""Steps of workflows that wait for a requested update, and how each ends: once, with an outcome.

Owns the table of steps. A step ends in the transaction that changes the state it waits for, and the notice
that tells Slack commits with it. What a step asks for is judged in `workflow.steps`.
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, exists, select, update
from sqlalchemy.orm import Session

from workflow import outbox, request_ids
from workflow.bulk import among
from workflow.database import upsert
from workflow.language import later, say
from workflow.tables import RequestedUpdate, WorkflowStep
from workflow.vocabulary import State, StepKind, Until

NOTHING = "nothing"
"""The outcome of waiting for a job of which nothing was ever asked."""
OUTCOMES: Mapping[State, str] = {
    State.ACCEPTED: "updated",
    State.EXPORTED: "updated",
    State.SYNCED: "synced",
    State.FAILED: "failed",
    State.REJECTED: "rejected",
    State.EXPIRED: "expired",
}
"""What a workflow reads of a state that ends its waiting."""
_SURELY_BEGUN = timedelta(minutes=5)
_STOPPED = later("costbot was stopped before it did this, and nothing was changed. Run the workflow again.")
_STILL_WAITS: Mapping[Until, frozenset[State]] = {
    Until.UPDATE: frozenset({State.READY}),
    Until.SYNCED: frozenset({State.READY, State.ACCEPTED, State.EXPORTED}),
}

IS_AWAITED = exists().where(
    WorkflowStep.requested_update_id == RequestedUpdate.id, WorkflowStep.finished_at.is_(None)
)
"""Whether a step waits for the requested update in a query."""


def note(
    session: Session, function_execution_id: str, *, team_id: str, kind: StepKind | None, at: datetime
) -> None:
    """Put a step on record that Slack has started, before anything of it is done; once, if told twice."""
    noted = upsert(session, WorkflowStep).values(
        function_execution_id=function_execution_id, team_id=team_id, kind=kind, begun_at=at
    )
    session.execute(noted.on_conflict_do_nothing())


def begin(
    session: Session, function_execution_id: str, *, team_id: str, kind: StepKind | None, at: datetime
) -> WorkflowStep | None:
    """A step to be done now, noted before or not, and locked; None when that was done or given up before."""
    note(session, function_execution_id, team_id=team_id, kind=kind, at=at)
    step = session.get_one(WorkflowStep, function_execution_id, with_for_update=True, populate_existing=True)
    return step if step.finished_at is None and step.requested_update_id is None else None


def give_up(session: Session, *, at: datetime) -> int:
    """End the steps that were noted and that nobody has gone on with, as after a kill; how many."""
    left = session.scalars(
        select(WorkflowStep)
        .where(
            WorkflowStep.finished_at.is_(None),
            WorkflowStep.requested_update_id.is_(None),
            WorkflowStep.begun_at < at - _SURELY_BEGUN,
        )
        .with_for_update(skip_locked=True)
    ).all()
    for step in left:
        fail(session, step, say(_STOPPED), at=at)
    return len(left)


def complete(session: Session, step: WorkflowStep, outputs: Mapping[str, Any], *, at: datetime) -> None:
    """The step has done what it was for; `outputs` are facts, put into words at delivery."""
    step.outputs, step.finished_at = dict(outputs), at
    outbox.answer_step(session, step.function_execution_id, at=at)


def fail(session: Session, step: WorkflowStep, words: str, *, at: datetime) -> None:
    """The step could not be done; `words` say what to mend."""
    step.error, step.finished_at = words, at
    outbox.answer_step(session, step.function_execution_id, at=at)


def wait(
    session: Session, step: WorkflowStep, requested: RequestedUpdate, until: Until, *, at: datetime
) -> None:
    """Let the step wait for the requested update, whose job is locked; it ends at once where that is over."""
    step.job_id, step.requested_update_id, step.until = requested.job_id, requested.id, until
    if requested.state not in _STILL_WAITS[until]:
        complete(session, step, outputs(requested, waited=False), at=at)


def settle(session: Session, requested: RequestedUpdate, *, at: datetime) -> None:
    """The state of a requested update has changed: end the steps that waited for this, in order."""
    waiting = session.scalars(
        select(WorkflowStep)
        .where(WorkflowStep.requested_update_id == requested.id, WorkflowStep.finished_at.is_(None))
        .order_by(WorkflowStep.begun_at, WorkflowStep.function_execution_id)
    ).all()
    for step in waiting:
        if step.until is not None and requested.state not in _STILL_WAITS[step.until]:
            complete(session, step, outputs(requested, waited=True), at=at)


def settle_all(session: Session, update_ids: Collection[int], *, at: datetime) -> None:
    """The states of these requested updates have changed: settle those that steps wait for."""
    awaited = select(RequestedUpdate).where(among(session, RequestedUpdate.id, update_ids), IS_AWAITED)
    by_job = awaited.order_by(RequestedUpdate.job_id, RequestedUpdate.id)
    for requested in session.scalars(by_job.execution_options(populate_existing=True)).all():
        with request_ids.working_for(requested.request_id):
            settle(session, requested, at=at)


def follow(session: Session, absorbed: RequestedUpdate, into: RequestedUpdate) -> None:
    """What waits for a requested update that joins another waits for that one."""
    session.execute(
        update(WorkflowStep)
        .where(WorkflowStep.requested_update_id == absorbed.id, WorkflowStep.finished_at.is_(None))
        .values(requested_update_id=into.id)
    )


def outputs(requested: RequestedUpdate, *, waited: bool) -> dict[str, Any]:
    """What came of a requested update, as it stands now."""
    decided, ended = requested.decided_at, requested.finished_at
    over = ended or decided
    return {
        "outcome": OUTCOMES[requested.state],
        "waited": waited,
        "who": requested.decided_by.name if requested.decided_by else "",
        "at": int(over.timestamp()) if over else None,
        "comment": requested.comment or "",
    }


def forget(session: Session, *, before: datetime) -> None:
    """Drop the steps that ended before then."""
    session.execute(delete(WorkflowStep).where(WorkflowStep.finished_at < before))
