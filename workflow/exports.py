"""The data sync's side of a requested update: claimed into a batch, planned, exported, read back.

Every arrow is one transaction that may be run again after a kill at any instruction: a batch is
claimed once, planned before anything is sent, and the same ever after. The sync package drives it.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import case, func, select, type_coerce, update
from sqlalchemy.orm import Session, aliased

from workflow import (
    audit,
    bulk,
    directory,
    findings,
    holds,
    lines,
    outbox,
    request_ids,
    telling,
    waiting_steps,
)
from workflow.batches import ON_ITS_WAY, Portion, updates_of
from workflow.bulk import chunks
from workflow.checks import SageLimits
from workflow.language import later
from workflow.lines import OpenLine
from workflow.merge import DONE, NOT_READ_BACK, Refusals, SageJob
from workflow.privileges import Actor
from workflow.tables import DataSync, RequestedLine, RequestedUpdate, SageAssignment
from workflow.tracing import span
from workflow.vocabulary import Event, Outcome, State, SyncState

_IDS_A_STATEMENT = 500


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
            on_its_way.state.in_(ON_ITS_WAY),
        )
        .exists(),
    )
    jobs = directory.lock_job_numbers(session, session.scalars(select(RequestedUpdate.job_id).where(*takes)))
    locked = {job_id for job_id, number in jobs.items() if number not in but}
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
    for some in chunks([id_ for id_, _ in claimed], _IDS_A_STATEMENT):
        _change(session, some, data_sync_id=sync.id)
    audit.record(session, Event.SYNC_STARTED, by=by, at=at, batch=sync.batch, jobs=sync.jobs)
    return sync


def _next_number(session: Session, in_sage: int) -> int:
    """One that neither this database nor Sage has for a batch; one data sync at a time asks for it.

    A database without any batch begins with 1, so that another costbot's folder is not taken for its own.
    """
    newest = session.scalar(select(func.max(DataSync.id)))
    return max(newest, in_sage) + 1 if newest else 1


def plan_jobs(
    session: Session,
    sync: DataSync,
    portion: Portion,
    held: Mapping[int, SageJob],
    *,
    limits: SageLimits,
    at: datetime,
) -> None:
    """Fix how each line of jobs of the batch stands against Sage, as read now, until it is planned.

    `held` has what Sage holds by job. A line that Sage would refuse by now is not sent: it fails with the
    words of the check.
    """
    jobs = directory.lock_jobs(session, held)
    # held until this is kept, so that nobody sends the batch before
    now = session.get_one(DataSync, sync.id, populate_existing=True, with_for_update={"key_share": True})
    if now.state is not SyncState.CLAIMED:
        return
    lines.store_read_backs(session, [(job, held[job.id]) for job in jobs], at=at)
    in_sage = [(job, held[job.id].cost_codes) for job in jobs]
    updates = updates_of(session, sync, portion, held)
    clear = findings.clear(session, in_sage, updates, limits=limits)
    left = {id_: job_id for id_, job_id in updates.items() if job_id not in clear}
    if not left:
        return
    waiting = lines.unsettled(session, left)
    planned = [(job, waiting[job.id], codes) for job, codes in in_sage if job.id in waiting]
    lines.mark_standings(session, ((each, codes) for _, each, codes in planned))
    why_not = findings.judge(session, planned, limits=limits)
    if why_not:
        bulk.update_many(
            session,
            RequestedLine,
            ("outcome", "message"),
            (
                (line_id, Outcome.FAILED, later("Not sent: {why}.", why=why))
                for line_id, why in why_not.items()
            ),
        )
        _count(session, sync, {Outcome.FAILED: len(why_not)})


def planned(session: Session, sync: DataSync) -> bool:
    """Every job of the batch is planned: from here on its content never changes.

    False when somebody else has brought it so far.
    """
    return _move(session, sync, SyncState.CLAIMED, state=SyncState.PLANNED)


def sent_jobs(session: Session, sync: DataSync, portion: Portion, *, by: Actor, at: datetime) -> None:
    """Sage has the batch: requested updates of a portion are exported, and then their jobs' holds released.

    One of which nothing was sent, because every line failed the checks, has failed by now.
    """
    jobs = directory.lock_job_numbers(session, portion.jobs.values())
    accepted = list(updates_of(session, sync, portion, jobs, state=State.ACCEPTED))
    counted = _counted(session, accepted)
    failed = [id_ for id_ in accepted if _all_failed(counted[id_].outcomes)]
    _change(session, accepted, exported_at=at, state=State.EXPORTED)
    _change(session, failed, finished_at=at, state=State.FAILED)
    ended = {id_: Event.FAILED if id_ in failed else Event.EXPORTED for id_ in accepted}
    _tell(session, sync, ended, counted, by=by, at=at)
    holds.settle_all(session, jobs, by=by, at=at)


def sent(
    session: Session,
    sync: DataSync,
    *,
    at: datetime,
    file: str | None = None,
    file_sha256: str | None = None,
) -> bool:
    """Every job of the batch is exported: from here on it is to be read back.

    False when somebody else has brought it so far.
    """
    to = {"state": SyncState.SENT, "sent_at": at, "file": file, "file_sha256": file_sha256}
    return _move(session, sync, SyncState.PLANNED, **to)


def _move(session: Session, sync: DataSync, from_: SyncState, **to: Any) -> bool:
    moved = session.execute(
        update(DataSync).where(DataSync.id == sync.id, DataSync.state == from_).values(to)
    )
    return bool(moved.rowcount)  # type: ignore[attr-defined]


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


def read_back_jobs(
    session: Session,
    sync: DataSync,
    portion: Portion,
    held: Mapping[int, SageJob],
    refusals: Refusals,
    *,
    by: Actor,
    at: datetime,
) -> None:
    """Settle every line of jobs of a sent batch by what Sage holds now, which `held` has by job.

    `refusals` has Sage's own words for lines that it lacks. All lines held: synced; else failed.
    """
    jobs = directory.lock_jobs(session, held)
    lines.store_read_backs(session, [(job, held[job.id]) for job in jobs], at=at)
    updates = updates_of(session, sync, portion, held)
    settled = _settle_held(session, updates)
    lacking = [
        row
        for job_id, missing in lines.unsettled(session, updates).items()
        for row in _failures(missing, held[job_id], refusals)
    ]
    bulk.update_many(session, RequestedLine, ("outcome", "message", "sage_description"), lacking)
    _count(session, sync, {**settled, Outcome.FAILED: len(lacking)})
    query = select(RequestedUpdate.id).where(
        bulk.among(session, RequestedUpdate.id, updates), RequestedUpdate.state == State.EXPORTED
    )
    exported = session.scalars(query.order_by(RequestedUpdate.job_id, RequestedUpdate.id)).all()
    counted = _counted(session, exported)
    failed = [id_ for id_ in exported if counted[id_].outcomes[Outcome.FAILED]]
    _change(session, exported, finished_at=at, state=State.SYNCED)
    _change(session, failed, state=State.FAILED)
    ended = {id_: Event.FAILED if id_ in failed else Event.SYNCED for id_ in exported}
    _tell(session, sync, ended, counted, by=by, at=at)
    holds.settle_all(session, held, by=by, at=at)


def _settle_held(session: Session, updates: Mapping[int, int]) -> Counter[Outcome]:
    """Settle what Sage holds of these requested updates, as was just stored: how many lines by outcome.

    `updates` has the job of each.
    """
    line, held = RequestedLine, SageAssignment
    done = {standing: type_coerce(became, line.outcome.type) for standing, became in DONE.items()}
    settled = (
        update(line)
        .where(
            RequestedUpdate.id.in_(updates),
            line.requested_update_id == RequestedUpdate.id,
            line.outcome.is_(None),
            held.job_id == RequestedUpdate.job_id,
            # said again, for what was just stored is in no statistics, by which PostgreSQL would read it all
            held.job_id.in_(set(updates.values())),
            held.extra == line.extra,
            held.code == line.code,
            held.category == line.category,
        )
        .values(sage_description=held.description, outcome=case(done, value=line.standing))
        .returning(line.outcome)
    )
    became = Counter(outcome for (outcome,) in bulk.select_many(session, settled))
    return Counter({Outcome(outcome): count for outcome, count in became.items()})


def _failures(
    missing: Sequence[OpenLine], held: SageJob, refusals: Refusals
) -> Iterator[tuple[int, Outcome, str, str | None]]:
    """The lines of one job that Sage lacks: of each its id, outcome, words, and Sage's description."""
    asked = dict(zip((line[0] for line in missing), lines.assignments_of(missing), strict=True))
    # two requested updates may ask for the same; it went to Sage once
    said = {asked[line_id]: words for line_id, words in refusals(held.number, asked).items()}
    for line_id, *_, description in missing:
        assignment = asked[line_id]
        now = held.cost_codes.get(assignment.code_key)
        words = said.get(assignment, NOT_READ_BACK)
        yield line_id, Outcome.FAILED, words, now.description if now else description


def finished(session: Session, sync: DataSync, *, by: Actor, at: datetime) -> None:
    """Every job of the batch was read back: count what became of its lines."""
    if not _move(session, sync, SyncState.SENT, state=SyncState.FINISHED, finished_at=at):
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


def _count(session: Session, sync: DataSync, outcomes: Mapping[Outcome, int]) -> None:
    """Add a job's outcomes to the batch's figures, with the outcomes, so that a rerun adds nothing twice."""
    columns = {result: getattr(DataSync, result.value) for result, count in outcomes.items() if count}
    if not columns:
        return
    session.execute(
        update(DataSync)
        .where(DataSync.id == sync.id)
        .values({column: column + outcomes[result] for result, column in columns.items()}),
        execution_options={"synchronize_session": False},
    )


class _Counted(NamedTuple):
    """The lines of a requested update by what became of them, and who asked for any."""

    outcomes: Counter[Outcome | None]
    requesters: set[int]


def _counted(session: Session, update_ids: Collection[int]) -> dict[int, _Counted]:
    found = {id_: _Counted(Counter(), set()) for id_ in update_ids}
    columns = (RequestedLine.requested_update_id, RequestedLine.outcome, RequestedLine.requested_by_id)
    query = select(*columns, func.count()).where(
        bulk.among(session, RequestedLine.requested_update_id, update_ids)
    )
    for id_, result, requester, count in session.execute(query.group_by(*columns)):
        found[id_].outcomes[result] += count
        found[id_].requesters.add(requester)
    return found


def _all_failed(outcomes: Counter[Outcome | None]) -> bool:
    """Whether lines have failed, and none is left that may still go to Sage."""
    return bool(outcomes[Outcome.FAILED]) and not outcomes[None]


def _change(session: Session, update_ids: Sequence[int], **values: Any) -> None:
    if update_ids:
        session.execute(
            update(RequestedUpdate).where(bulk.among(session, RequestedUpdate.id, update_ids)).values(values),
            execution_options={"synchronize_session": False},
        )


def _tell(
    session: Session,
    sync: DataSync,
    ended: Mapping[int, Event],
    counted: Mapping[int, _Counted],
    *,
    by: Actor,
    at: datetime,
) -> None:
    """Put on record, and tell, how these requested updates came on."""
    columns = (RequestedUpdate.id, RequestedUpdate.job_id, RequestedUpdate.decided_by_id)
    query = select(*columns, RequestedUpdate.request_id).where(bulk.among(session, RequestedUpdate.id, ended))
    rows = session.execute(query.order_by(RequestedUpdate.job_id, RequestedUpdate.id)).all()
    entries, people = [], []
    for id_, job_id, decided_by_id, request_id in rows:
        outcomes, asked = counted[id_]
        counts = {(result.value if result else "waiting"): n for result, n in outcomes.items() if n}
        # on with the id of the Update, not of the data sync, whose batch carries many
        with request_ids.working_for(request_id), span(ended[id_].value, batch=sync.batch):
            facts = {"batch": sync.batch, "lines": counts}
            entries.append(audit.Entry(ended[id_], job_id, id_, facts, request_ids.current()))
        decider = {decided_by_id} if ended[id_] is Event.FAILED and decided_by_id is not None else set()
        people.append(asked | decider)
    seqs = audit.record_many(session, entries, by=by, at=at)
    told = [
        outbox.Told(seq, entry.job_id, some, entry.request_id)
        for seq, entry, some in zip(seqs, entries, people, strict=True)
    ]
    outbox.tell_many(session, told, at=at)
    waiting_steps.settle_all(session, ended, at=at)
