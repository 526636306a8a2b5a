"""The data sync's side of a requested update: claimed into a batch, planned, exported, read back.

Every arrow is one transaction that may be run again after a kill at any instruction: a batch is
claimed once, planned before anything is sent, and the same ever after. The sync package drives it.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import case, func, select, update
from sqlalchemy.orm import Session, aliased

from workflow import audit, directory, findings, holds, lines, outbox, request_ids, telling, waiting_steps
from workflow.checks import SageLimits
from workflow.language import later
from workflow.merge import Assignment, SageJob, outcome
from workflow.privileges import Actor
from workflow.tables import DataSync, Job, RequestedLine, RequestedUpdate
from workflow.tracing import span
from workflow.vocabulary import Event, Outcome, Standing, State, SyncState

_STREAM_ROWS = 5_000
_ON_ITS_WAY = (State.ACCEPTED, State.EXPORTED)
"""The states of a requested update whose batch is not read back yet."""


class ExportLine(NamedTuple):
    """One line of a batch, as it goes to Sage; a plain tuple, since a batch may have a million.

    `description` is None for a code that Sage has, and `sage_description` then what Sage calls it.
    `job_name` is Sage's own, where Sage has the job.
    """

    line_id: int
    job_number: str
    job_name: str
    extra: str
    code: str
    category: str
    description: str | None
    sage_description: str | None = None

    @property
    def assignment(self) -> Assignment:
        return Assignment(self.code, self.category, self.extra)


def unsent(session: Session) -> DataSync | None:
    """The batch that was claimed and may not have reached Sage, which goes first."""
    query = select(DataSync).where(DataSync.state.in_((SyncState.CLAIMED, SyncState.PLANNED)))
    return session.scalars(query.order_by(DataSync.id).limit(1)).one_or_none()


def awaiting_read_back(session: Session) -> Sequence[DataSync]:
    """The batches that were sent and not yet read back, oldest first."""
    return session.scalars(
        select(DataSync).where(DataSync.state == SyncState.SENT).order_by(DataSync.id)
    ).all()


def claim(
    session: Session, *, by: Actor, at: datetime, but: Collection[str] = (), in_sage: int = 0
) -> DataSync | None:
    """Put everything accepted into a new batch, but jobs of these numbers; None when nothing is accepted.

    A job whose earlier batch is still on its way waits: what Sage holds of it is not known yet. `in_sage` is
    the number of the newest batch that Sage was sent, which a restored database may know nothing of.
    """
    on_its_way = aliased(RequestedUpdate)
    takes = (
        RequestedUpdate.state == State.ACCEPTED,
        RequestedUpdate.data_sync_id.is_(None),
        ~select(on_its_way.id)
        .where(
            on_its_way.job_id == RequestedUpdate.job_id,
            on_its_way.data_sync_id.is_not(None),
            on_its_way.state.in_(_ON_ITS_WAY),
        )
        .exists(),
    )
    jobs = directory.lock_jobs(session, session.scalars(select(RequestedUpdate.job_id).where(*takes)))
    locked = {job.id for job in jobs if job.number not in but}
    # read again under the locks; what was accepted meanwhile of other jobs waits for the next batch
    accepted = session.execute(select(RequestedUpdate.id, RequestedUpdate.job_id).where(*takes))
    claimed = [(id_, job_id) for id_, job_id in accepted if job_id in locked]
    if not claimed:
        return None
    sync = DataSync(
        id=_next_number(session, in_sage),
        state=SyncState.CLAIMED,
        place=by.place,
        asked_by_id=by.person_id,
        started_at=at,
        jobs=len({job_id for _, job_id in claimed}),
    )
    session.add(sync)
    session.flush()
    session.execute(
        update(RequestedUpdate)
        .where(RequestedUpdate.id.in_([id_ for id_, _ in claimed]))
        .values(data_sync_id=sync.id),
        execution_options={"synchronize_session": False},
    )
    audit.record(session, Event.SYNC_STARTED, by=by, at=at, batch=sync.batch, jobs=sync.jobs)
    return sync


def _next_number(session: Session, in_sage: int) -> int:
    """One that neither this database nor Sage has for a batch; one data sync at a time asks for it.

    A database without any batch begins with 1, so that another costbot's folder is not taken for its own.
    """
    newest = session.scalar(select(func.max(DataSync.id)))
    return max(newest, in_sage) + 1 if newest else 1


def jobs_of(session: Session, sync: DataSync) -> Sequence[Job]:
    """The jobs of a batch whose requested updates are not finished, by number."""
    return session.scalars(
        select(Job)
        .where(
            Job.id.in_(
                select(RequestedUpdate.job_id).where(
                    RequestedUpdate.data_sync_id == sync.id, RequestedUpdate.state.in_(_ON_ITS_WAY)
                )
            )
        )
        .order_by(Job.number)
    ).all()


def plan_job(
    session: Session, sync: DataSync, job: Job, held: SageJob, *, limits: SageLimits, at: datetime
) -> None:
    """Fix how each line of one job of the batch stands against Sage, as read now, until it is planned.

    A line that Sage would refuse by now is not sent: it fails with the words of the check.
    """
    directory.lock_jobs(session, [job.id])
    if session.get_one(DataSync, sync.id, populate_existing=True).state is not SyncState.CLAIMED:
        return
    lines.store_read_back(session, job, held, at=at)
    waiting = list(map(lines.opened, _lines(session, sync, job)))
    lines.mark_standing(session, waiting, held.cost_codes)
    why_not = findings.judge(session, job, waiting, held.cost_codes, limits=limits)
    if why_not:
        session.execute(
            update(RequestedLine),
            [
                {"id": line_id, "outcome": Outcome.FAILED, "message": later("Not sent: {why}.", why=why)}
                for line_id, why in why_not.items()
            ],
        )
        _count(session, sync, {Outcome.FAILED: len(why_not)})


def planned(session: Session, sync: DataSync) -> None:
    """Every job of the batch is planned: from here on its content never changes."""
    session.execute(
        update(DataSync)
        .where(DataSync.id == sync.id, DataSync.state == SyncState.CLAIMED)
        .values(state=SyncState.PLANNED)
    )


def lines_to_send(session: Session, sync: DataSync) -> Iterator[ExportLine]:
    """The lines of a planned batch that Sage does not hold, streamed in a fixed order."""
    # plain rows: what the ORM does for each would take longer than writing it
    rows = session.connection().execute(
        select(
            RequestedLine.id,
            Job.number,
            func.coalesce(Job.sage_name, Job.name),
            RequestedLine.extra,
            RequestedLine.code,
            RequestedLine.category,
            case((RequestedLine.sage_description.is_(None), RequestedLine.description)),
            RequestedLine.sage_description,
        )
        .join(RequestedUpdate, RequestedUpdate.id == RequestedLine.requested_update_id)
        .join(Job, Job.id == RequestedUpdate.job_id)
        .where(
            RequestedUpdate.data_sync_id == sync.id,
            RequestedLine.outcome.is_(None),
            RequestedLine.standing != Standing.IN_SAGE,
        )
        .order_by(
            Job.number, RequestedLine.extra, RequestedLine.code, RequestedLine.category, RequestedLine.id
        )
        .execution_options(yield_per=_STREAM_ROWS)
    )
    yield from map(ExportLine._make, rows)


def sent(
    session: Session,
    sync: DataSync,
    *,
    by: Actor,
    at: datetime,
    file: str | None = None,
    file_sha256: str | None = None,
) -> None:
    """Sage has the batch: its requested updates are exported, and then their jobs' holds released.

    One of which nothing was sent, because every line failed the checks, has failed by now.
    """
    jobs = jobs_of(session, sync)
    directory.lock_jobs(session, [job.id for job in jobs])
    moved = session.execute(
        update(DataSync)
        .where(DataSync.id == sync.id, DataSync.state == SyncState.PLANNED)
        .values(state=SyncState.SENT, sent_at=at, file=file, file_sha256=file_sha256)
    )
    if not moved.rowcount:  # type: ignore[attr-defined]
        return
    for requested in _requested_updates(session, sync, State.ACCEPTED):
        requested.exported_at = at
        if lines.all_failed(session, requested):
            requested.state, requested.finished_at = State.FAILED, at
        else:
            requested.state = State.EXPORTED
        session.flush()
        event = Event.FAILED if requested.state is State.FAILED else Event.EXPORTED
        _tell(session, event, sync, requested, by=by, at=at)
    for job in jobs:
        holds.settle(session, job.id, by=by, at=at)


def overdue(session: Session, sync: DataSync, *, by: Actor, at: datetime) -> None:
    """Nobody imported the batch's file for too long: tell the accounting approvers, once a batch."""
    alerted = session.execute(
        update(DataSync)
        .where(DataSync.id == sync.id, DataSync.state == SyncState.SENT, DataSync.alerted_at.is_(None))
        .values(alerted_at=at)
    )
    if not alerted.rowcount:  # type: ignore[attr-defined]
        return
    event = audit.record(
        session,
        Event.SYNC_OVERDUE,
        by=by,
        at=at,
        batch=sync.batch,
        file=sync.file,
        sent_at=sync.sent_at.isoformat() if sync.sent_at else None,
    )
    outbox.tell_people(session, event, [person.id for person in telling.approvers_to_ping(session)])


def read_back_job(
    session: Session,
    sync: DataSync,
    job: Job,
    held: SageJob,
    refusals: Mapping[int, str],
    *,
    by: Actor,
    at: datetime,
) -> None:
    """Settle every line of one job of a sent batch by what Sage holds now.

    `refusals` has Sage's own words by line id. All lines held: synced; else failed.
    """
    directory.lock_jobs(session, [job.id])
    lines.store_read_back(session, job, held, at=at)
    waiting = _lines(session, sync, job)
    # two requested updates may ask for the same; it went to Sage once
    said = {lines.assignment_of(line): refusals[line.id] for line in waiting if line.id in refusals}
    rows: list[dict[str, Any]] = []
    for line in waiting:
        assignment = lines.assignment_of(line)
        result, message = outcome(assignment, line.standing, held.cost_codes, said.get(assignment))
        code = held.cost_codes.get(assignment.code_key)
        kept = code.description if code else line.sage_description
        rows.append({"id": line.id, "outcome": result, "message": message, "sage_description": kept})
    if rows:
        session.execute(update(RequestedLine), rows)
        _count(session, sync, Counter(row["outcome"] for row in rows))
    for requested in _requested_updates(session, sync, State.EXPORTED, job):
        refused = session.scalar(
            select(func.count())
            .select_from(RequestedLine)
            .where(RequestedLine.requested_update_id == requested.id, RequestedLine.outcome == Outcome.FAILED)
        )
        requested.state, requested.finished_at = State.FAILED if refused else State.SYNCED, at
        session.flush()
        _tell(session, Event.FAILED if refused else Event.SYNCED, sync, requested, by=by, at=at)
    holds.settle(session, job.id, by=by, at=at)


def finished(session: Session, sync: DataSync, *, by: Actor, at: datetime) -> None:
    """Every job of the batch was read back: count what became of its lines."""
    moved = session.execute(
        update(DataSync)
        .where(DataSync.id == sync.id, DataSync.state == SyncState.SENT)
        .values(state=SyncState.FINISHED, finished_at=at)
    )
    if not moved.rowcount:  # type: ignore[attr-defined]
        return
    counted = session.get_one(DataSync, sync.id, populate_existing=True)
    audit.record(
        session,
        Event.SYNC_FINISHED,
        by=by,
        at=at,
        batch=counted.batch,
        jobs=counted.jobs,
        created=counted.created,
        tied=counted.tied,
        already_there=counted.already_there,
        failed=counted.failed,
    )


def _lines(session: Session, sync: DataSync, job: Job) -> Sequence[RequestedLine]:
    return session.scalars(
        select(RequestedLine)
        .join(RequestedUpdate, RequestedUpdate.id == RequestedLine.requested_update_id)
        .where(
            RequestedUpdate.data_sync_id == sync.id,
            RequestedUpdate.job_id == job.id,
            RequestedLine.outcome.is_(None),
        )
        .order_by(RequestedLine.id)
    ).all()


def _requested_updates(
    session: Session, sync: DataSync, state: State, job: Job | None = None
) -> Sequence[RequestedUpdate]:
    query = select(RequestedUpdate).where(
        RequestedUpdate.data_sync_id == sync.id, RequestedUpdate.state == state
    )
    if job is not None:
        query = query.where(RequestedUpdate.job_id == job.id)
    return session.scalars(query.order_by(RequestedUpdate.job_id, RequestedUpdate.id)).all()


def _count(session: Session, sync: DataSync, outcomes: Mapping[Outcome, int]) -> None:
    """Add a job's outcomes to the batch's figures, with the outcomes, so that a rerun adds nothing twice."""
    columns = {result: getattr(DataSync, result.value) for result in outcomes}
    session.execute(
        update(DataSync)
        .where(DataSync.id == sync.id)
        .values({column: column + outcomes[result] for result, column in columns.items()}),
        execution_options={"synchronize_session": False},
    )


def _tell(
    session: Session, event: Event, sync: DataSync, requested: RequestedUpdate, *, by: Actor, at: datetime
) -> None:
    # on with the id of the Update, not of the data sync, whose batch carries many
    with request_ids.working_for(requested.request_id), span(event.value, batch=sync.batch):
        _put_on_record(session, event, sync, requested, by=by, at=at)


def _put_on_record(
    session: Session, event: Event, sync: DataSync, requested: RequestedUpdate, *, by: Actor, at: datetime
) -> None:
    counts = session.execute(
        select(RequestedLine.outcome, func.count())
        .where(RequestedLine.requested_update_id == requested.id)
        .group_by(RequestedLine.outcome)
    )
    row = audit.record(
        session,
        event,
        by=by,
        at=at,
        job_id=requested.job_id,
        requested_update_id=requested.id,
        batch=sync.batch,
        lines={(result.value if result else "waiting"): count for result, count in counts},
    )
    people = set(lines.requesters(session, requested.id))
    if event is Event.FAILED and requested.decided_by_id is not None:
        people.add(requested.decided_by_id)
    outbox.tell(session, row, people=people)
    waiting_steps.settle(session, requested, at=at)
