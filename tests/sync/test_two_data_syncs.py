"""A data sync whose lock PostgreSQL has let go of, and that goes on beside the next one."""

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from sync.data_sync import RunState, SyncReport, run
from sync.sage.company import SageCompany
from sync.sage.embedded import EmbeddedSage
from tests.between import cut_locks
from tests.sync import company_at_work as work
from tests.sync.company_at_work import YARD, WatchedSage, clock
from workflow import audit, exports, lines
from workflow.checks import SageLimits
from workflow.database import Database
from workflow.privileges import SCHEDULE
from workflow.vocabulary import Event

DEADLINE_SECONDS = 120.0
_SOMEBODY_WAITS = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


@pytest.fixture
def database(postgres_url: str, database_of: Callable[[str], Database]) -> Database:
    return database_of(postgres_url)


@pytest.fixture
def sage(database: Database, tmp_path: Path) -> EmbeddedSage:
    """A Sage company that takes nothing of a job that it does not know."""
    sage = EmbeddedSage(tmp_path / "sage.db", SageLimits(job_must_exist=True))
    work.set_up(database, sage)
    return sage


def sync(database: Database, sage: SageCompany) -> SyncReport:
    return run(database, sage, by=SCHEDULE, clock=clock)


class Forgetful(WatchedSage):
    """Sage as it was read before anybody made its jobs."""

    def read(self, numbers):  # type: ignore[no-untyped-def]
        for held in super().read(numbers):
            yield replace(held, name=None, cost_codes={})


def test_a_plan_that_comes_late_is_that_of_the_batch_or_nothing(
    database: Database, postgres_url: str, sage: EmbeddedSage, monkeypatch: pytest.MonkeyPatch
) -> None:
    work.accept(database, YARD, "16-100 S")
    planned_by_another, go_on = threading.Event(), threading.Event()
    store, planned, first = lines.store_read_backs, exports.planned, threading.current_thread()

    def another_one_plans(what: str) -> None:
        if what == f"read {YARD}" and not others:
            cut_locks(database)
            others.append(threads.submit(sync, other, sage))
            assert planned_by_another.wait(DEADLINE_SECONDS)

    def waits_before_it_is_planned(*args):  # type: ignore[no-untyped-def]
        if threading.current_thread() is not first:
            planned_by_another.set()
            assert go_on.wait(DEADLINE_SECONDS)
        return planned(*args)

    def goes_on(*args, **named):  # type: ignore[no-untyped-def]
        if threading.current_thread() is first and not go_on.is_set():
            go_on.set()
            while not others[0].done() and not _somebody_waits(database):
                threading.Event().wait(0.005)
        return store(*args, **named)

    monkeypatch.setattr(exports, "planned", waits_before_it_is_planned)
    monkeypatch.setattr(lines, "store_read_backs", goes_on)
    others: list[Future[SyncReport]] = []
    with ThreadPoolExecutor(1) as threads, closing(Database(postgres_url)) as other:
        report = sync(database, Forgetful(sage, another_one_plans))
        assert others[0].result(DEADLINE_SECONDS).state is RunState.FINISHED

    is_held = "16-100" in work.in_sage(sage, YARD)
    assert is_held == (work.outcomes(database, YARD) == {"16-100 S": "created"})
    assert report.state is RunState.ANOTHER_IS_RUNNING


@pytest.mark.parametrize(("when", "sends"), [(f"read {YARD}", 0), ("sent", 1)])
def test_who_is_overtaken_leaves_the_rest_of_the_batch_to_who_has_the_lock(
    database: Database, postgres_url: str, sage: EmbeddedSage, when: str, sends: int
) -> None:
    work.accept(database, YARD, "16-100 S")
    others: list[SyncReport] = []

    def another_one_does_it(what: str) -> None:
        if what == when and not others:
            cut_locks(database)
            others.append(sync(other, sage))

    with closing(Database(postgres_url)) as other:
        watched = WatchedSage(sage, another_one_does_it)
        report = sync(database, watched)

    assert [each.state for each in others] == [RunState.FINISHED]
    assert (report.state, len(watched.sent)) == (RunState.ANOTHER_IS_RUNNING, sends)
    assert work.outcomes(database, YARD) == {"16-100 S": "created"}
    with database.reading() as session:
        happened = Counter(event.event for event in audit.trail(session))
    assert (happened[Event.EXPORTED], happened[Event.SYNCED], happened[Event.SYNC_FINISHED]) == (1, 1, 1)


def _somebody_waits(database: Database) -> bool:
    with database.engine.connect() as connection:
        return bool(connection.scalar(_SOMEBODY_WAITS))
