"""A small company with cost codes on their way to Sage, and a Sage company in which things go wrong."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.sage.company import Batch, Receipt, SageCompany
from sync.sage.embedded import EmbeddedSage, LoadedRow
from tests import factories
from workflow import directory, holds
from workflow.batches import ExportLine
from workflow.checks import SageLimits
from workflow.database import Database
from workflow.merge import Refusals, SageCode, SageJob
from workflow.tables import AuditEvent, DataSync, Job, Person, RequestedLine, RequestedUpdate
from workflow.vocabulary import Event, HoldKind, SyncState

RIVERSIDE, DEPOT, YARD = "24-017", "24-018", "24-019"
JOBS = {RIVERSIDE: "Riverside Medical Center", DEPOT: "North Depot", YARD: "Rail Yard"}


def clock() -> datetime:
    """When every data sync of these tests happens."""
    return factories.later(60)


def set_up(database: Database, sage: EmbeddedSage, jobs: Mapping[str, str] = JOBS) -> None:
    """The directory, the jobs and what Sage holds of them: 03-300 with category L in the first one."""
    with database.writing() as session:
        factories.approver(session)
        factories.person(session, "pete.engineer@example.com")
        factories.standard_list(session, categories={**factories.CATEGORIES, "XX": "Not in Sage"})
    add_jobs(database, sage, jobs)
    sage.load_categories(factories.CATEGORIES)


def add_jobs(database: Database, sage: EmbeddedSage, jobs: Mapping[str, str]) -> None:
    """Jobs that costbot and Sage both know."""
    with database.writing() as session:
        for number, name in jobs.items():
            factories.job(session, number, name)
    sage.load(LoadedRow(number, name) for number, name in jobs.items())
    sage.load(
        [LoadedRow(number, name, "", "03-300", "Concrete", "L") for number, name in [*jobs.items()][:1]]
    )


def accept(database: Database, number: str, *lines: str) -> None:
    """Cost codes of a job, asked for and Updated."""
    with database.writing() as session:
        factories.accepted(
            session, job=job(session, number), by=engineer(session), approver=approver(session), lines=lines
        )


def accept_everything(database: Database, jobs: Iterable[str] = tuple(JOBS)) -> None:
    """A job with a contract and every standing, a job that Sage refuses a line of, and a simple job."""
    first, second, third = jobs
    accept(database, first, "03-300 L", "03-300 M", "09-250 L", "09-250 S")
    accept(database, second, "01-100 L", "01-100 XX")
    accept(database, third, "16-100 S")
    with database.writing() as session:
        holds.add(
            session,
            job=job(session, first),
            kind=HoldKind.COMMITMENT,
            number="C-1",
            title="Concrete works",
            by=factories.actor(approver(session)),
            at=factories.NINE,
            rules=factories.RULES,
        )


def approver(session: Session) -> Person:
    return _person(session, "ada.approver@example.com")


def engineer(session: Session) -> Person:
    return _person(session, "pete.engineer@example.com")


def _person(session: Session, email: str) -> Person:
    person = directory.person_by_email(session, email)
    assert person
    return person


def job(session: Session, number: str) -> Job:
    found = directory.job_by_number(session, number)
    assert found
    return found


def outcomes(database: Database, number: str) -> dict[str, str | None]:
    """What became of each line of a job, by `code category`."""
    with database.reading() as session:
        rows = session.scalars(
            select(RequestedLine)
            .join(RequestedUpdate, RequestedUpdate.id == RequestedLine.requested_update_id)
            .where(RequestedUpdate.job_id == job(session, number).id)
            .order_by(RequestedLine.id)
        )
        return {f"{row.code} {row.category}": row.outcome and row.outcome.value for row in rows}


def states(database: Database, number: str) -> list[str]:
    """The states of a job's requested updates, oldest first."""
    with database.reading() as session:
        query = select(RequestedUpdate.state).where(RequestedUpdate.job_id == job(session, number).id)
        return [state.value for state in session.scalars(query.order_by(RequestedUpdate.id))]


def events(database: Database, number: str | None = None) -> list[Event]:
    """The audit trail, of one job or whole."""
    with database.reading() as session:
        query = select(AuditEvent.event).order_by(AuditEvent.seq)
        if number:
            query = query.where(AuditEvent.job_id == job(session, number).id)
        return list(session.scalars(query))


def in_sage(sage: SageCompany, number: str) -> dict[str, SageCode]:
    """What Sage holds for a job, by cost code."""
    [job] = sage.read([number])
    return {code: held for (_extra, code), held in job.cost_codes.items()}


def batches(database: Database) -> list[str]:
    """The names of all data syncs, oldest first."""
    with database.reading() as session:
        return [sync.batch for sync in session.scalars(select(DataSync).order_by(DataSync.id))]


def assert_all_is_well(database: Database, sage: SageCompany, jobs: Mapping[str, str], after: str) -> None:
    """Everything reached Sage once and was told once."""
    riverside, depot, yard = jobs
    with database.reading() as session:
        newest = session.scalars(select(DataSync).order_by(DataSync.id.desc()).limit(1)).one()
    figures = (newest.jobs, newest.created, newest.tied, newest.already_there, newest.failed)
    assert (newest.state, figures) == (SyncState.FINISHED, (3, 4, 1, 1, 1)), after
    assert [states(database, number) for number in jobs] == [["synced"], ["failed"], ["synced"]], after
    assert outcomes(database, riverside) == {
        "03-300 L": "already_there",
        "03-300 M": "tied",
        "09-250 L": "created",
        "09-250 S": "created",
    }, after
    assert in_sage(sage, riverside) == {
        "03-300": SageCode("Concrete", frozenset({"L", "M"})),
        "09-250": SageCode("Gypsum board", frozenset({"L", "S"})),
    }, after
    assert in_sage(sage, depot) == {"01-100": SageCode("General conditions", frozenset({"L"}))}, after
    assert in_sage(sage, yard) == {"16-100": SageCode("Electrical rough-in", frozenset({"S"}))}, after
    assert events(database, riverside)[-3:] == [Event.EXPORTED, Event.HOLD_RELEASED, Event.SYNCED], after
    assert events(database, depot)[-2:] == [Event.EXPORTED, Event.FAILED], after
    assert events(database, yard)[-2:] == [Event.EXPORTED, Event.SYNCED], after
    every = events(database)
    assert every.count(Event.SYNC_STARTED) == every.count(Event.SYNC_FINISHED) == len(batches(database)), (
        after
    )


class WatchedSage:
    """A Sage company that says what happens, before it happens, to `tell`; which may raise."""

    def __init__(self, sage: SageCompany, tell: Callable[[str], None]) -> None:
        self._sage = sage
        self._tell = tell
        self.sent: list[tuple[Batch, list[ExportLine]]] = []

    def read(self, numbers: Iterable[str]) -> Iterator[SageJob]:
        for held in self._sage.read(numbers):
            self._tell(f"read {held.number}")
            yield held
        self._tell("read")

    def untold(self) -> Mapping[str, str]:
        return self._sage.untold()

    @property
    def limits(self) -> SageLimits:
        return self._sage.limits

    @property
    def answers_within(self) -> timedelta:
        return self._sage.answers_within

    def newest_batch(self) -> int:
        return self._sage.newest_batch()

    def send(self, batch: Batch, lines: Iterable[ExportLine]) -> Receipt | None:
        self._tell("to send")
        self.sent.append((batch, list(lines)))
        receipt = self._sage.send(batch, self.sent[-1][1])
        self._tell("sent")
        return receipt

    def answer(self, batch: Batch, lines: Iterable[ExportLine]) -> Refusals | None:
        self._tell("to answer")
        return self._sage.answer(batch, lines)

    def problem(self) -> str | None:
        return self._sage.problem()
