"""One data sync: claim what was accepted, read Sage, plan, send, read back.

Drives the arrows of `workflow.exports` against a Sage company. May be killed at any instruction:
each step is one transaction, which the next run finds done or does again.
"""

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from itertools import chain

from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from sync.sage.company import Batch, SageCompany, SageUnreachableError
from workflow import batches, directory, exports, findings, lines, outbox, queries
from workflow.batches import ExportLine, Portion
from workflow.database import Database
from workflow.merge import SageJob
from workflow.privileges import Actor
from workflow.tables import DataSync, RequestedUpdate
from workflow.tracing import span
from workflow.vocabulary import State, SyncState

LOCK = "data_sync"
_CODES_AT_A_TIME = 4_000
"""Cost codes that Sage holds and that are stored by one transaction, which others wait for."""

Clock = Callable[[], datetime]
Progress = Callable[[str, int, int], None]
"""Told (what is being done, jobs done, jobs in all)."""
CountRun = Callable[[str, float], None]
"""Told how a run ended, also `unreachable` or `broke`, and how many seconds it took."""


class RunState(StrEnum):
    """How far a run came."""

    NOTHING_TO_SEND = "nothing_to_send"
    ANOTHER_IS_RUNNING = "another_is_running"
    SENT = "sent"
    FINISHED = "finished"


class SyncReport(BaseModel):
    """What a run did. The figures are those of `batch`, the newest that it dealt with; they count lines."""

    batch: str | None = None
    state: RunState
    jobs: int = 0
    created: int = 0
    tied: int = 0
    already_there: int = 0
    failed: int = 0
    untold: list[str] = []
    """Why of jobs that were left as they are."""


def run(
    database: Database,
    sage: SageCompany,
    *,
    by: Actor,
    clock: Clock,
    wait_seconds: float = 0.0,
    progress: Progress | None = None,
    count: CountRun = lambda _outcome, _seconds: None,
) -> SyncReport:
    """Read back what was sent before, then send one batch: one that was left unsent, else a new one.

    Only one runs at a time: while another does, this waits up to `wait_seconds` and then gives up. `count` is
    told of one that ran, however it ended.

    Raises:
        SageUnreachableError: the batch stays as far as it came, and the next run goes on with it.
    """
    with database.exclusive(LOCK, wait_seconds=wait_seconds) as held:
        if not held:
            return SyncReport(state=RunState.ANOTHER_IS_RUNNING)
        began, outcome = time.monotonic(), "broke"
        try:
            with span("data sync"):
                report = _Run(database, sage, by, clock, progress).whole()
            outcome = report.state.value
            return report
        except SageUnreachableError:
            outcome = "unreachable"
            raise
        finally:
            count(outcome, time.monotonic() - began)


def refresh_read_back(
    database: Database, sage: SageCompany, job_ids: Collection[int], *, clock: Clock
) -> None:
    """Read what Sage holds for these jobs now, check what waits, and have the card drawn anew on a change.

    Some jobs at a time are dealt with in one transaction. Of which somebody else has stored a reading since
    this one began, as the data sync does that sends them, are read anew: theirs may be the newer.

    Raises:
        SageUnreachableError: what was read before stays.
    """
    left: Collection[int] = job_ids
    while left:
        left = _read_back_once(database, sage, left, clock=clock)


def _read_back_once(
    database: Database, sage: SageCompany, job_ids: Collection[int], *, clock: Clock
) -> set[int]:
    """Do so once; the jobs that are to be read anew."""
    overtaken: set[int] = set()
    with database.reading() as session:
        portions = batches.portions_of(session, job_ids)
        before = directory.read_back_at(session, job_ids)

    def store(session: Session, told: Mapping[int, SageJob]) -> None:
        at = clock()
        jobs = directory.lock_jobs(session, told)
        overtaken.update(job.id for job in jobs if job.read_back_at != before[job.id])
        held = [(job, told[job.id]) for job in jobs if job.id not in overtaken]
        changed = lines.store_read_backs(session, held, at=at)
        changed |= findings.renew_all(
            session, [(job, each.cost_codes) for job, each in held], limits=sage.limits
        )
        if changed:
            outbox.refresh_cards(session, queries.current_updates(session, sorted(changed)), at=at)

    portion_of = {number: portion for portion in portions for number in portion.jobs}
    for some in _some_at_a_time(sage.read(portion_of), portion_of):
        jobs = portion_of[some[0].number].jobs
        with database.writing() as session:
            store(session, {jobs[held.number]: held for held in some})
    return overtaken


class _Run:
    """The steps of one run, each of which can be done again."""

    def __init__(
        self, database: Database, sage: SageCompany, by: Actor, clock: Clock, progress: Progress | None
    ) -> None:
        self._database, self._sage = database, sage
        self._by, self._clock = by, clock
        self._progress = progress

    def whole(self) -> SyncReport:
        with self._database.reading() as session:
            syncs = list(batches.awaiting_read_back(session))
        for sent in syncs:
            self._read_back(sent)
        unsent = self._unsent()
        if unsent is not None:
            portions = self._portions(unsent)
            is_planned = unsent.state is SyncState.PLANNED or self._plan(unsent, portions)
            if not (is_planned and self._send(unsent, portions)):
                # the lock was lost with its connection: whoever has it now goes on with the batch
                return SyncReport(state=RunState.ANOTHER_IS_RUNNING)
            self._read_back(unsent)
            syncs.append(unsent)
        self._look_at_what_waits()
        return self._report(syncs)

    def _unsent(self) -> DataSync | None:
        """The batch to send: one that was left, else a new one; None when nothing is accepted."""
        untold = self._sage.untold()
        in_sage = self._sage.newest_batch()
        with self._database.writing() as session:
            return batches.unsent(session) or exports.claim(
                session, by=self._by, at=self._clock(), but=untold.keys(), in_sage=in_sage
            )

    def _look_at_what_waits(self) -> None:
        """Approvers see the jobs that are Ready to Update against Sage as it is now."""
        with self._database.reading() as session:
            query = select(RequestedUpdate.job_id).where(RequestedUpdate.state == State.READY)
            waiting = session.scalars(query).all()
        if waiting:
            refresh_read_back(self._database, self._sage, waiting, clock=self._clock)

    def _portions(self, sync: DataSync) -> list[Portion]:
        with self._database.reading() as session:
            return batches.portions(session, sync)

    def _plan(self, sync: DataSync, portions: Sequence[Portion]) -> bool:
        """Plan the batch; False when another run has."""
        limits = self._sage.limits

        def plan(session: Session, portion: Portion, held: Mapping[int, SageJob]) -> None:
            exports.plan_jobs(session, sync, portion, held, limits=limits, at=self._clock())

        if not self._with_sage(portions, plan, "Reading Sage"):
            # they could be told when the batch was claimed
            raise SageUnreachableError("; ".join(self._sage.untold().values()))
        with self._database.writing() as session:
            return exports.planned(session, sync)

    def _send(self, sync: DataSync, portions: Sequence[Portion]) -> bool:
        """Send the batch; False when another run has."""
        if self._progress:
            self._progress("Sending to Sage", 0, sync.jobs)
        with span("send to Sage", batch=sync.batch):
            receipt = self._sage.send(_batch(sync), _Lines(self._database, portions))
        for portion in portions:
            with self._database.writing() as session:
                exports.sent_jobs(session, sync, portion, by=self._by, at=self._clock())
        with self._database.writing() as session:
            return exports.sent(
                session,
                sync,
                at=self._clock(),
                file=receipt.file if receipt else None,
                file_sha256=receipt.sha256 if receipt else None,
            )

    def _read_back(self, sync: DataSync) -> None:
        with span("read-back", batch=sync.batch):
            self._settle(sync)

    def _settle(self, sync: DataSync) -> None:
        portions = self._portions(sync)
        refusals = self._sage.answer(_batch(sync), _Lines(self._database, portions))
        if refusals is None:
            self._alert_when_late(sync)
            return

        def settle(session: Session, portion: Portion, held: Mapping[int, SageJob]) -> None:
            exports.read_back_jobs(session, sync, portion, held, refusals, by=self._by, at=self._clock())

        if not self._with_sage(portions, settle, "Reading back"):
            return  # the others are settled once Sage can tell of them
        with self._database.writing() as session:
            exports.finished(session, session.get_one(DataSync, sync.id), by=self._by, at=self._clock())

    def _alert_when_late(self, sync: DataSync) -> None:
        sent_at = sync.sent_at or self._clock()
        if self._clock() - sent_at > self._sage.answers_within:
            with self._database.writing() as session:
                exports.overdue(session, sync, by=self._by, at=self._clock())

    def _with_sage(
        self,
        portions: Sequence[Portion],
        act: Callable[[Session, Portion, Mapping[int, SageJob]], None],
        what: str,
    ) -> bool:
        """Read the jobs of a batch from Sage and act on some at a time; whether Sage told of all.

        Raises:
            DBAPIError: the database refused what was to be kept of a job; the others were acted on.
        """
        portion_of = {number: portion for portion in portions for number in portion.jobs}
        done, total = 0, len(portion_of)
        refusals: list[DBAPIError] = []
        if self._progress:
            self._progress(what, done, total)

        def act_on(portion: Portion, told: Sequence[SageJob]) -> None:
            try:
                with self._database.writing() as session:
                    act(session, portion, {portion.jobs[held.number]: held for held in told})
            except (DataError, IntegrityError) as error:
                if len(told) == 1:
                    refusals.append(error)
                    return
                for held in told:  # which of them it is about is not said
                    act_on(portion, [held])

        for told in _some_at_a_time(self._sage.read(portion_of), portion_of):
            act_on(portion_of[told[0].number], told)
            done += len(told)
            if self._progress:
                self._progress(what, done, total)
        if refusals:
            raise refusals[0]
        return done == total

    def _report(self, syncs: Sequence[DataSync]) -> SyncReport:
        untold = list(self._sage.untold().values())
        if not syncs:
            return SyncReport(state=RunState.NOTHING_TO_SEND, untold=untold)
        with self._database.reading() as session:
            newest = session.get_one(DataSync, syncs[-1].id)
        return SyncReport(
            batch=newest.batch,
            state=RunState(newest.state.value),
            jobs=newest.jobs,
            created=newest.created,
            tied=newest.tied,
            already_there=newest.already_there,
            failed=newest.failed,
            untold=untold,
        )


def _some_at_a_time(read: Iterator[SageJob], portion_of: Mapping[str, Portion]) -> Iterator[list[SageJob]]:
    """Jobs of one portion as Sage tells of them, no more than some thousand cost codes of Sage's at a time.

    Where Sage breaks off, what it told before comes first.
    """
    some: list[SageJob] = []
    codes = 0
    try:
        for held in read:
            if some and (
                codes >= _CODES_AT_A_TIME or portion_of[held.number] is not portion_of[some[0].number]
            ):
                yield some
                some, codes = [], 0
            some.append(held)
            codes += len(held.cost_codes)
    except SageUnreachableError:
        if some:
            yield some
        raise
    if some:
        yield some


class _Lines:
    """The lines of a planned batch, as often as they are asked for; no transaction is open between them."""

    def __init__(self, database: Database, portions: Sequence[Portion]) -> None:
        self._database, self._portions = database, portions

    def __iter__(self) -> Iterator[ExportLine]:
        return chain.from_iterable(map(self._of, self._portions))

    def _of(self, portion: Portion) -> Iterator[ExportLine]:
        with self._database.reading() as session:
            return batches.portion_to_send(session, portion)


def _batch(sync: DataSync) -> Batch:
    return Batch(sync.batch, sync.started_at)
