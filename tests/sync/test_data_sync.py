"""The data sync: what it sends, what it tells, and that it may be killed anywhere."""

import os
import signal
import threading
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from unittest.mock import Mock

import pytest
from sqlalchemy import Connection, Engine, event, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from sync.data_sync import RunState, SyncReport, refresh_read_back, run
from sync.sage.company import Batch, SageCompany, SageUnreachableError
from sync.sage.embedded import EmbeddedSage, LoadedRow
from tests import factories
from tests.processes import forked
from tests.sync import company_at_work as work
from tests.sync.company_at_work import DEPOT, RIVERSIDE, YARD, WatchedSage, clock
from workflow import audit, batches, lines, queries
from workflow.batches import ExportLine
from workflow.database import Database
from workflow.merge import Refusals, SageCode, SageJob
from workflow.privileges import SCHEDULE
from workflow.tables import OutboxNotice, RequestedUpdate
from workflow.vocabulary import Event, NoticeKind, Standing


@pytest.fixture
def sage(database: Database, tmp_path: Path) -> EmbeddedSage:
    """A Sage company that knows the jobs of `database`."""
    sage = EmbeddedSage(tmp_path / "sage.db")
    work.set_up(database, sage)
    return sage


def sync(database: Database, sage: SageCompany) -> SyncReport:
    return run(database, sage, by=SCHEDULE, clock=clock)


def test_what_was_accepted_reaches_sage_and_is_read_back(database: Database, sage: EmbeddedSage) -> None:
    work.accept_everything(database)

    report = sync(database, sage)

    assert report == SyncReport(
        batch="DS000001",
        state=RunState.FINISHED,
        jobs=3,
        created=4,
        tied=1,
        already_there=1,
        failed=1,
    )
    assert work.outcomes(database, RIVERSIDE) == {
        "03-300 L": "already_there",
        "03-300 M": "tied",
        "09-250 L": "created",
        "09-250 S": "created",
    }
    assert work.outcomes(database, DEPOT) == {"01-100 L": "created", "01-100 XX": "failed"}
    assert [work.states(database, number) for number in (RIVERSIDE, DEPOT, YARD)] == [
        ["synced"],
        ["failed"],
        ["synced"],
    ]
    assert work.in_sage(sage, RIVERSIDE) == {
        "03-300": SageCode("Concrete", frozenset({"L", "M"})),
        "09-250": SageCode("Gypsum board", frozenset({"L", "S"})),
    }


def test_sage_s_words_are_kept_with_the_line_that_it_refused(database: Database, sage: EmbeddedSage) -> None:
    work.accept(database, DEPOT, "01-100 XX")

    sync(database, sage)

    with database.reading() as session:
        update = session.scalars(select(RequestedUpdate)).one()
        [line] = queries.lines_of(session, update.id)
    assert line.message == "Category XX is not a standard category"


def test_contracts_are_released_after_the_cost_codes_went_out(database: Database, sage: EmbeddedSage) -> None:
    work.accept_everything(database)

    sync(database, sage)

    riverside = work.events(database, RIVERSIDE)
    assert riverside[-3:] == [Event.EXPORTED, Event.HOLD_RELEASED, Event.SYNCED]
    with database.reading() as session:
        [hold] = queries.holds_of(session, work.job(session, RIVERSIDE).id)
    assert not hold.waiting


def test_nothing_accepted_is_nothing_to_send(database: Database, sage: EmbeddedSage) -> None:
    assert sync(database, sage) == SyncReport(batch=None, state=RunState.NOTHING_TO_SEND)
    assert work.events(database) == []


def test_a_second_run_sends_nothing_again(database: Database, sage: EmbeddedSage) -> None:
    work.accept_everything(database)
    sync(database, sage)
    told = len(work.events(database))

    assert sync(database, sage).state is RunState.NOTHING_TO_SEND
    assert len(work.events(database)) == told


def test_each_run_has_a_batch_of_its_own(database: Database, sage: EmbeddedSage) -> None:
    work.accept(database, YARD, "16-100 S")
    first = sync(database, sage)
    work.accept(database, YARD, "16-100 L")

    second = sync(database, sage)

    assert (first.batch, second.batch) == ("DS000001", "DS000002")
    assert second.tied == 1


def test_a_corrected_line_goes_out_with_a_later_batch(database: Database, sage: EmbeddedSage) -> None:
    work.accept(database, DEPOT, "01-100 XX")
    sync(database, sage)
    sage.load_categories(["XX"])
    work.accept(database, DEPOT, "01-100 L", "01-100 XX")

    assert sync(database, sage).created == 2
    assert work.states(database, DEPOT) == ["synced"]


def test_progress_is_told_by_jobs(
    database: Database, sage: EmbeddedSage, monkeypatch: pytest.MonkeyPatch
) -> None:
    work.accept_everything(database)
    told: list[tuple[str, int, int]] = []

    with monkeypatch.context() as small:
        small.setattr(batches, "_JOBS_A_PORTION", 2)
        run(database, sage, by=SCHEDULE, clock=clock, progress=lambda *what: told.append(what))

    assert told == [
        *(("Reading Sage", done, 3) for done in (0, 2, 3)),
        ("Sending to Sage", 0, 3),
        *(("Reading back", done, 3) for done in (0, 2, 3)),
    ]


def test_what_sage_holds_is_stored_some_thousand_cost_codes_at_a_time(
    database: Database, sage: EmbeddedSage, monkeypatch: pytest.MonkeyPatch
) -> None:
    work.accept_everything(database)
    told: list[tuple[str, int, int]] = []
    monkeypatch.setattr("sync.data_sync._CODES_AT_A_TIME", 1)

    run(database, sage, by=SCHEDULE, clock=clock, progress=lambda *what: told.append(what))

    assert [done for what, done, _ in told if what == "Reading back"] == [0, 1, 2, 3]


class GarblingSage(WatchedSage):
    """A Sage company that tells no description of what it was sent for one job, which no row takes."""

    def read(self, numbers: Iterable[str]) -> Iterator[SageJob]:
        for held in super().read(numbers):
            garbled = {key: SageCode(None, code.categories) for key, code in held.cost_codes.items()}  # type: ignore[arg-type]
            yield replace(held, cost_codes=garbled) if self.sent and held.number == DEPOT else held


def test_a_job_that_the_database_refuses_keeps_no_other_of_its_portion_back(
    database: Database, sage: EmbeddedSage
) -> None:
    work.accept_everything(database)

    with pytest.raises(IntegrityError):
        sync(database, GarblingSage(sage, lambda _what: None))

    assert [work.states(database, number) for number in work.JOBS] == [["synced"], ["exported"], ["synced"]]

    sync(database, sage)
    work.assert_all_is_well(database, sage, work.JOBS, "what was refused")


class PatientSage(WatchedSage):
    """A Sage company that answers only once it is told to."""

    def __init__(self, sage: SageCompany) -> None:
        super().__init__(sage, lambda _what: None)
        self.answers = False

    def answer(self, batch: Batch, lines: Iterable[ExportLine]) -> Refusals | None:
        return super().answer(batch, lines) if self.answers else None


def test_a_batch_that_sage_has_not_answered_is_read_back_by_a_later_run(
    database: Database, sage: EmbeddedSage
) -> None:
    work.accept_everything(database)
    patient = PatientSage(sage)

    assert sync(database, patient).state is RunState.SENT
    assert work.states(database, RIVERSIDE) == ["exported"]
    assert sync(database, patient).state is RunState.SENT
    patient.answers = True
    report = sync(database, patient)

    assert (report.batch, report.state, report.created) == ("DS000001", RunState.FINISHED, 4)
    assert len(patient.sent) == 1


def test_a_job_whose_batch_is_on_its_way_waits_and_the_others_go(
    database: Database, sage: EmbeddedSage
) -> None:
    patient = PatientSage(sage)
    work.accept(database, RIVERSIDE, "09-250 L")
    sync(database, patient)
    work.accept(database, RIVERSIDE, "09-250 M")
    work.accept(database, YARD, "16-100 S")

    assert (sync(database, patient).batch, work.states(database, RIVERSIDE)) == (
        "DS000002",
        ["exported", "accepted"],
    )
    patient.answers = True
    report = sync(database, patient)

    assert (report.batch, report.tied) == ("DS000003", 1)
    assert work.states(database, RIVERSIDE) == ["synced", "synced"]


class FailingSage(PatientSage):
    """A Sage company that answers, and then cannot tell what it holds for one job."""

    def read(self, numbers: Iterable[str]) -> Iterator[SageJob]:
        for job in super().read(numbers):
            if self.answers and job.number == YARD:
                raise SageUnreachableError("no answer in time")
            yield job


def test_what_sage_told_before_it_failed_is_settled(database: Database, sage: EmbeddedSage) -> None:
    work.accept_everything(database)
    failing = FailingSage(sage)
    sync(database, failing)
    failing.answers = True

    with pytest.raises(SageUnreachableError):
        sync(database, failing)

    assert [work.states(database, number) for number in (RIVERSIDE, DEPOT, YARD)] == [
        ["synced"],
        ["failed"],
        ["exported"],
    ]


@pytest.mark.parametrize("step", ["read " + RIVERSIDE, "to send", "sent", "to answer"])
def test_an_unreachable_sage_keeps_the_batch_for_the_next_run(
    database: Database, sage: EmbeddedSage, step: str
) -> None:
    def fail(what: str) -> None:
        if what == step:
            raise SageUnreachableError("Sage's server is off")

    work.accept_everything(database)
    with pytest.raises(SageUnreachableError, match="is off"):
        sync(database, WatchedSage(sage, fail))

    report = sync(database, sage)
    assert (report.batch, report.state, report.created, report.failed) == (
        "DS000001",
        RunState.FINISHED,
        4,
        1,
    )


def test_one_run_at_a_time_and_the_second_says_so(database: Database, sage: EmbeddedSage) -> None:
    work.accept(database, YARD, "16-100 S")
    inside, leave = threading.Event(), threading.Event()

    def stand_still(what: str) -> None:
        if what == "to send":
            inside.set()
            assert leave.wait(120)

    slow = threading.Thread(target=sync, args=(database, WatchedSage(sage, stand_still)))
    slow.start()
    assert inside.wait(120)
    try:
        assert sync(database, sage) == SyncReport(state=RunState.ANOTHER_IS_RUNNING)
    finally:
        leave.set()
        slow.join()
    assert work.states(database, YARD) == ["synced"]


def test_a_person_s_run_waits_for_the_one_that_is_running(database: Database, sage: EmbeddedSage) -> None:
    work.accept(database, YARD, "16-100 S")
    inside, reports = threading.Event(), list[SyncReport]()

    def wait() -> None:
        reports.append(run(database, sage, by=SCHEDULE, clock=clock, wait_seconds=120))

    waiting = threading.Thread(target=wait)

    def let_another_in(what: str) -> None:
        if what == "to send" and not inside.is_set():
            inside.set()
            waiting.start()

    sync(database, WatchedSage(sage, let_another_in))
    waiting.join()

    assert [report.state for report in reports] == [RunState.NOTHING_TO_SEND]


class Killed(BaseException):
    """Stands for `kill -9`: nothing of ours catches it."""


class Instants:
    """Counts what happens in a run, at Sage and before and after each commit of what is written, and kills at
    one instant.
    """

    def __init__(self, database: Database, fatal: int) -> None:
        self._fatal = fatal
        self._seen = 0
        self.last = "nothing"
        self._hooks = [
            (database.engine, "commit", lambda connection: self._tell_of(connection, "to commit")),
            (Session, "after_commit", lambda session: self._tell_of(session.get_bind(), "committed")),
        ]
        for hook in self._hooks:
            event.listen(*hook)

    def close(self) -> None:
        for hook in self._hooks:
            event.remove(*hook)

    def _tell_of(self, bind: Connection | Engine, what: str) -> None:
        if not bind.get_execution_options().get("postgresql_readonly"):
            self.tell(what)

    def tell(self, what: str) -> None:
        self._seen += 1
        self.last = what
        if self._seen == self._fatal:
            raise Killed(what)


PARTS = 6
CUT = {"postgresql": (2, 2), "sqlite": (3, 1)}
"""Jobs a portion, and how many of Sage's cost codes cut it: everywhere the read-back of three jobs cuts the
first portion, on SQLite their plan too.
"""


@pytest.mark.parametrize("first", range(1, PARTS + 1))
def test_killed_at_every_step_the_next_run_finishes_the_same_batch(
    database: Database, sage: EmbeddedSage, first: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs_a_portion, codes_at_a_time = CUT[database.engine.dialect.name]
    monkeypatch.setattr(batches, "_JOBS_A_PORTION", jobs_a_portion)
    monkeypatch.setattr("sync.data_sync._CODES_AT_A_TIME", codes_at_a_time)
    for fatal in count(first, PARTS):  # every instant is in one of the parts, which run in parallel
        jobs = {f"{number}/{fatal}": name for number, name in work.JOBS.items()}
        work.add_jobs(database, sage, jobs)
        work.accept_everything(database, jobs)
        before = len(work.batches(database))
        instants, again = Instants(database, fatal), WatchedSage(sage, lambda _what: None)
        watched = WatchedSage(sage, instants.tell)
        try:
            sync(database, watched)
            killed = False
        except Killed:
            killed = True
        finally:
            instants.close()
        begun = work.batches(database)

        sync(database, again)

        assert work.batches(database)[: len(begun)] == begun
        assert len(work.batches(database)) == before + 1, instants.last
        work.assert_all_is_well(database, sage, jobs, instants.last)
        assert len({str(lines) for _batch, lines in watched.sent + again.sent}) == 1, (
            "other lines, same batch"
        )
        if not killed:
            break
    assert fatal > 25
    with database.reading() as session:
        assert list(audit.problems(session)) == []


def _sync_and_die(database_url: str, sage_path: Path, step: str, countdown: int) -> None:
    left = countdown

    def die(what: str) -> None:
        nonlocal left
        left -= what == step
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)

    sync(Database(database_url), WatchedSage(EmbeddedSage(sage_path), die))


@pytest.mark.parametrize(
    ("step", "countdown"),
    [(f"read {DEPOT}", 1), ("sent", 1), (f"read {DEPOT}", 2)],
    ids=["half planned", "in Sage but not on record", "half read back"],
)
def test_a_process_killed_by_kill_9_is_followed_by_one_that_finishes_its_batch(
    database: Database, database_url: str, sage: EmbeddedSage, tmp_path: Path, step: str, countdown: int
) -> None:
    work.accept_everything(database)
    process = forked(_sync_and_die, database_url, tmp_path / "sage.db", step, countdown)
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL

    report = run(database, sage, by=SCHEDULE, clock=clock, wait_seconds=10)

    assert report.batch == "DS000001"
    work.assert_all_is_well(database, sage, work.JOBS, step)


def test_reading_back_between_a_kill_and_the_next_run_leaves_the_batch_as_it_was(
    database: Database, sage: EmbeddedSage
) -> None:
    def die(what: str) -> None:
        if what == "sent":
            raise Killed

    work.accept_everything(database)
    first, second = WatchedSage(sage, die), WatchedSage(sage, lambda _what: None)
    with pytest.raises(Killed):
        sync(database, first)
    with database.reading() as session:
        ids = [work.job(session, number).id for number in work.JOBS]
    refresh_read_back(database, sage, ids, clock=clock)

    report = sync(database, second)

    assert first.sent == second.sent
    assert (report.created, report.tied, report.already_there, report.failed) == (4, 1, 1, 1)


def notices(database: Database, number: str) -> int:
    with database.reading() as session:
        return session.scalars(
            select(func.count()).where(
                OutboxNotice.kind == NoticeKind.CARD, OutboxNotice.job_id == work.job(session, number).id
            )
        ).one()


def test_reading_back_marks_waiting_lines_anew_and_draws_the_card(
    database: Database, sage: EmbeddedSage
) -> None:
    with database.writing() as session:
        riverside = work.job(session, RIVERSIDE)
        update = factories.requested(
            session, job=riverside, by=work.engineer(session), lines=["03-300 L", "03-300 M"]
        )
    drawn = notices(database, RIVERSIDE)

    refresh_read_back(database, sage, [riverside.id], clock=clock)

    with database.reading() as session:
        lines = queries.lines_of(session, update.id)
    assert [(line.standing, line.sage_description) for line in lines] == [
        (Standing.IN_SAGE, "Concrete"),
        (Standing.NEW_CATEGORY, "Concrete"),
    ]
    assert notices(database, RIVERSIDE) == drawn + 1


def test_jobs_are_read_back_some_at_a_time_in_one_transaction(
    database: Database, sage: EmbeddedSage, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.writing() as session:
        jobs = [work.job(session, number) for number in work.JOBS]
        for job in jobs:
            factories.requested(session, job=job, by=work.engineer(session), lines=["03-300 L"])
    drawn = {number: notices(database, number) for number in work.JOBS}
    writing = Mock(side_effect=database.writing)
    monkeypatch.setattr(database, "writing", writing)

    refresh_read_back(database, sage, [job.id for job in jobs], clock=clock)

    writing.assert_called_once()
    # of the others Sage holds no cost code, as before
    assert {number: notices(database, number) - drawn[number] for number in work.JOBS} == {
        RIVERSIDE: 1, DEPOT: 0, YARD: 0,
    }  # fmt: skip
    with database.reading() as session:
        assert {work.job(session, number).read_back_at for number in work.JOBS} == {clock()}


def test_jobs_of_many_lines_are_read_back_in_transactions_of_their_own(
    database: Database, sage: EmbeddedSage, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.writing() as session:
        jobs = [work.job(session, number) for number in work.JOBS]
        for job in jobs:
            factories.requested(session, job=job, by=work.engineer(session), lines=["03-300 L", "03-300 M"])
    monkeypatch.setattr(batches, "_LINES_A_PORTION", 4)
    writing = Mock(side_effect=database.writing)
    monkeypatch.setattr(database, "writing", writing)

    refresh_read_back(database, sage, [job.id for job in jobs], clock=clock)

    assert writing.call_count == 2


def test_what_a_data_sync_reads_back_meanwhile_is_not_taken_back_by_an_older_reading(
    database: Database, sage: EmbeddedSage
) -> None:
    work.accept(database, YARD, "16-100 S")
    readings = []

    def data_sync_runs(what: str) -> None:
        readings.append(what)
        if readings == [f"read {YARD}"]:
            run(database, sage, by=SCHEDULE, clock=lambda: factories.later(61))

    with database.reading() as session:
        yard = work.job(session, YARD)
    watched = WatchedSage(sage, data_sync_runs)
    refresh_read_back(database, watched, [yard.id], clock=lambda: factories.later(62))
    with database.reading() as session:
        assert list(lines.held_by_sage(session, yard.id)) == [("", "16-100")]
    assert readings.count(f"read {YARD}") == 2


def test_reading_back_what_is_known_draws_nothing(database: Database, sage: EmbeddedSage) -> None:
    with database.writing() as session:
        riverside = work.job(session, RIVERSIDE)
        factories.requested(session, job=riverside, by=work.engineer(session))
    refresh_read_back(database, sage, [riverside.id], clock=clock)
    drawn = notices(database, RIVERSIDE)

    refresh_read_back(database, sage, [riverside.id], clock=clock)

    assert notices(database, RIVERSIDE) == drawn


def test_reading_back_a_job_that_nobody_asked_for_anything_draws_no_card(
    database: Database, sage: EmbeddedSage
) -> None:
    sage.load([LoadedRow(YARD, "Rail Yard", "", "16-100", "Electrical", "S")])
    with database.reading() as session:
        yard = work.job(session, YARD)

    refresh_read_back(database, sage, [yard.id], clock=clock)

    assert notices(database, YARD) == 0
    with database.reading() as session:
        refreshed = work.job(session, YARD)
    assert refreshed.read_back_at == clock()


def test_reading_back_from_an_unreachable_sage_changes_nothing(
    database: Database, sage: EmbeddedSage
) -> None:
    def fail(what: str) -> None:
        raise SageUnreachableError(what)

    with database.reading() as session:
        yard = work.job(session, YARD)
    with pytest.raises(SageUnreachableError):
        refresh_read_back(database, WatchedSage(sage, fail), [yard.id], clock=clock)

    with database.reading() as session:
        assert work.job(session, YARD).read_back_at is None
