"""A company at work on one database, for the tests of the rules: each act is one transaction.

`Sage` is a fake with behaviour: it holds cost codes by job, keeps its own descriptions, only ever adds, and
refuses what a test tells it to refuse.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from sqlalchemy import select

from tests import factories
from tests.factories import LIMITS, NINE, RULES
from workflow import acting, approvals, audit, batches, exports, facts, holds, queries, reopening, requests
from workflow.batches import Portion
from workflow.checks import SageLimits
from workflow.database import Database
from workflow.merge import Assignment, CodeKey, SageCode, SageJob, words_of
from workflow.privileges import SCHEDULE, Actor, Rules
from workflow.tables import AuditEvent, DataSync, Job, OutboxNotice, Person, RequestedUpdate, Table
from workflow.vocabulary import Event, HoldKind, NoticeKind, State

Row = TypeVar("Row", bound=Table)


@dataclass
class Sage:
    """What Sage holds of each job, by job number, what it refuses, and the jobs that it does not know."""

    held: dict[str, dict[CodeKey, SageCode]] = field(default_factory=dict)
    refuses: dict[Assignment, str] = field(default_factory=dict)
    unknown: set[str] = field(default_factory=set)

    def hold(self, job_number: str, code: str, description: str, *categories: str) -> None:
        """Sage has had this cost code all along."""
        self.held.setdefault(job_number, {})["", code] = SageCode(description, frozenset(categories))

    def of(self, job: Job) -> SageJob:
        """What Sage holds of one job, which it always knows unless a test says otherwise."""
        name = None if job.number in self.unknown else job.name
        return SageJob(job.number, name, dict(self.held.get(job.number, {})))

    def take(self, lines: Iterable[batches.ExportLine]) -> dict[int, str]:
        """Import a batch; the words of each line that was refused."""
        refusals = {}
        for line in lines:
            if words := self.refuses.get(line.assignment):
                refusals[line.line_id] = words
                continue
            held = self.held.setdefault(line.job_number, {})
            before = held.get(line.assignment.code_key, SageCode(line.description or "", frozenset()))
            categories = before.categories | {line.assignment.category}
            held[line.assignment.code_key] = SageCode(before.description, categories)
        return refusals


class Site:
    """Two accounting approvers, an engineer who asks, one job, the standard list, and a Sage."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.sage = Sage()
        with database.writing() as session:
            self.approver = factories.approver(session)
            self.second = factories.approver(session, "ben.second@example.com")
            self.engineer = factories.person(session, "eve.engineer@example.com")
            self.job = factories.job(session)
            factories.standard_list(session)

    def another_job(self, number: str, name: str = "Harbor Point") -> Job:
        """One more job."""
        with self.database.writing() as session:
            return factories.job(session, number, name)

    def ask(
        self,
        *lines: str,
        by: Person | None = None,
        job: Job | None = None,
        at: datetime = NINE,
        rules: Rules = RULES,
        limits: SageLimits = LIMITS,
    ) -> RequestedUpdate:
        """Somebody asks for lines such as `03-300 L`; the requested update that they are in."""
        result = self.try_to_ask(*lines, by=by, job=job, at=at, rules=rules, limits=limits)
        assert isinstance(result, requests.Requested | requests.NothingNew), result
        return result.requested_update

    def try_to_ask(
        self,
        *lines: str,
        by: Person | None = None,
        job: Job | None = None,
        at: datetime = NINE,
        rules: Rules = RULES,
        limits: SageLimits = LIMITS,
    ) -> object:
        """As `ask`, with whatever the rules answer."""
        with self.database.writing() as session:
            return requests.request(
                session,
                job=job or self.job,
                assignments=factories.assignments(*lines),
                by=factories.actor(by or self.engineer),
                at=at,
                rules=rules,
                limits=limits,
            )

    def accept(
        self,
        update: RequestedUpdate,
        *,
        revision: int | None = None,
        by: Person | Actor | None = None,
        at: datetime = NINE,
        rules: Rules = RULES,
    ) -> acting.Decision:
        """Update, at the revision that `update` had when the test saw it."""
        with self.database.writing() as session:
            return approvals.accept(
                session,
                requested_update_id=update.id,
                revision=update.revision if revision is None else revision,
                by=self._actor(by),
                at=at,
                rules=rules,
            )

    def reject(
        self,
        update: RequestedUpdate,
        *,
        comment: str = "Use the standard code.",
        by: Person | Actor | None = None,
        at: datetime = NINE,
        rules: Rules = RULES,
    ) -> acting.Decision:
        """Reject, at the revision that `update` had when the test saw it."""
        with self.database.writing() as session:
            return approvals.reject(
                session,
                requested_update_id=update.id,
                revision=update.revision,
                comment=comment,
                by=self._actor(by),
                at=at,
                rules=rules,
            )

    def take_back(
        self, update: RequestedUpdate, *, by: Person | Actor | None = None, at: datetime = NINE
    ) -> acting.Decision:
        with self.database.writing() as session:
            return reopening.take_back(
                session, requested_update_id=update.id, by=self._actor(by), at=at, rules=RULES
            )

    def send_again(
        self, update: RequestedUpdate, *, by: Person | Actor | None = None, at: datetime = NINE
    ) -> acting.Decision:
        with self.database.writing() as session:
            return reopening.send_again(
                session, requested_update_id=update.id, by=self._actor(by), at=at, rules=RULES
            )

    def hold(
        self, number: str = "SC-1", kind: HoldKind = HoldKind.COMMITMENT, rules: Rules = RULES
    ) -> object:
        """Register a contract of the job."""
        with self.database.writing() as session:
            return holds.add(
                session,
                job=self.job,
                kind=kind,
                number=number,
                title="Concrete subcontract",
                by=factories.actor(self.engineer),
                at=NINE,
                rules=rules,
            )

    def claim(self, *, at: datetime = NINE) -> DataSync | None:
        with self.database.writing() as session:
            return exports.claim(session, by=SCHEDULE, at=at)

    def plan(self, sync: DataSync, *, at: datetime = NINE, limits: SageLimits = LIMITS) -> None:
        """Plan every job of the batch against Sage; nothing changes it any more."""
        for portion in self._portions(sync):
            with self.database.writing() as session:
                exports.plan_jobs(session, sync, portion, self._held(portion), limits=limits, at=at)
        with self.database.writing() as session:
            exports.planned(session, sync)

    def send(self, sync: DataSync, *, at: datetime = NINE) -> dict[int, str]:
        """Sage takes the batch; its refusals."""
        with self.database.reading() as session:
            refusals = self.sage.take(batches.lines_to_send(session, sync))
        for portion in self._portions(sync):
            with self.database.writing() as session:
                exports.sent_jobs(session, sync, portion, by=SCHEDULE, at=at)
        with self.database.writing() as session:
            exports.sent(session, sync, at=at)
        return refusals

    def read_back(
        self, sync: DataSync, refusals: dict[int, str], *, at: datetime = NINE, times: int = 1
    ) -> None:
        """Settle the batch by what Sage holds now; each job so many times, as after a kill."""
        for portion in [portion for portion in self._portions(sync) for _ in range(times)]:
            with self.database.writing() as session:
                exports.read_back_jobs(
                    session, sync, portion, self._held(portion), words_of(refusals), by=SCHEDULE, at=at
                )
        with self.database.writing() as session:
            exports.finished(session, sync, by=SCHEDULE, at=at)

    def data_sync(self, *, at: datetime = NINE) -> DataSync | None:
        """One whole data sync."""
        sync = self.claim(at=at)
        if sync is not None:
            self.plan(sync, at=at)
            self.read_back(sync, self.send(sync, at=at), at=at)
            return self.row(DataSync, sync.id)
        return None

    def row(self, table: type[Row], key: int) -> Row:
        """A row as it is stored now."""
        with self.database.reading() as session:
            return session.get_one(table, key)

    def state(self, update: RequestedUpdate) -> State:
        return self.row(RequestedUpdate, update.id).state

    def updates(self, job: Job | None = None) -> list[tuple[State, int]]:
        """State and revision of every requested update of a job, oldest first."""
        with self.database.reading() as session:
            rows = session.scalars(
                select(RequestedUpdate)
                .where(RequestedUpdate.job_id == (job or self.job).id)
                .order_by(RequestedUpdate.id)
            )
            return [(row.state, row.revision) for row in rows]

    def lines(self, update: RequestedUpdate) -> list[facts.LineFacts]:
        with self.database.reading() as session:
            return queries.lines_of(session, update.id)

    def pairs(self, update: RequestedUpdate) -> list[str]:
        """The lines of a requested update, written as `03-300 L`."""
        return [f"{line.code} {line.category}" for line in self.lines(update)]

    def events(self) -> list[AuditEvent]:
        """The whole trail."""
        with self.database.reading() as session:
            return list(audit.trail(session))

    def event_names(self) -> list[Event]:
        return [Event(row.event) for row in self.events()]

    def problems(self) -> list[str]:
        """What is wrong with the trail."""
        with self.database.reading() as session:
            return list(audit.problems(session))

    def notices_of(self, event: Event) -> tuple[list[NoticeKind], list[str], bool]:
        """What the newest such event put into the outbox: kinds, who gets a message, whether it is broadcast.

        The card's notice carries no event, so it is counted from those of the same job and time.
        """
        with self.database.reading() as session:
            row = session.scalars(
                select(AuditEvent).where(AuditEvent.event == event).order_by(AuditEvent.seq.desc()).limit(1)
            ).one()
            told: Sequence[OutboxNotice] = session.scalars(
                select(OutboxNotice).where(OutboxNotice.event_seq == row.seq).order_by(OutboxNotice.id)
            ).all()
            people = [session.get_one(Person, n.person_id).email for n in told if n.person_id is not None]
            return [n.kind for n in told], people, any(n.broadcast for n in told)

    def cards_due(self) -> int:
        """How many outbox rows ask for the job's card to be drawn again."""
        with self.database.reading() as session:
            rows = session.scalars(
                select(OutboxNotice).where(
                    OutboxNotice.kind == NoticeKind.CARD, OutboxNotice.job_id == self.job.id
                )
            )
            return len(rows.all())

    def check(self) -> holds.HoldCheck:
        with self.database.reading() as session:
            return holds.check(session, session.get_one(Job, self.job.id))

    def _actor(self, by: Person | Actor | None) -> Actor:
        return by if isinstance(by, Actor) else factories.actor(by or self.approver)

    def _portions(self, sync: DataSync) -> Sequence[Portion]:
        with self.database.reading() as session:
            return batches.portions(session, sync)

    def _held(self, portion: Portion) -> dict[int, SageJob]:
        with self.database.reading() as session:
            return {id_: self.sage.of(session.get_one(Job, id_)) for id_ in portion.jobs.values()}
