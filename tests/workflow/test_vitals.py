"""The figures by which costbot is watched."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from tests import factories
from tests.factories import NINE, later
from tests.workflow.site import Site
from workflow import audit, slots, vitals, waiting
from workflow.database import Database
from workflow.merge import Assignment
from workflow.privileges import SCHEDULE
from workflow.tables import RequestedUpdate
from workflow.vocabulary import Event, Outcome, PeriodicWork, State

HOURLY = "0 * * * *"


def read(site: Site, at: datetime = NINE) -> vitals.Vitals:
    with site.database.reading() as session:
        return vitals.read(session, sync_cron=HOURLY, at=at)


def test_a_new_company_has_nothing_but_a_data_sync_that_was_never_done(site: Site) -> None:
    found = read(site)
    assert set(found.updates.values()) == {0}
    assert (found.oldest_ready, found.outbox_lag, found.sync_due) == (timedelta(),) * 3
    assert (found.holds_waiting, found.refusals, found.procore) == (0, {}, None)
    assert found.sync.missed == slots.MOST_MISSED


def test_figures_follow_the_work(site: Site) -> None:
    site.sage.refuses = {Assignment("03-300", "M"): "no such category"}
    refused = site.ask("03-300 L", "03-300 M")
    site.accept(refused)
    site.data_sync()
    other = site.another_job("24-018")
    site.ask("03-300 L", job=other)
    site.hold()
    with site.database.writing() as session:
        session.execute(text("UPDATE people SET can_push_to_accounting = false"))
    site.accept(refused)

    found = read(site, later(90))

    assert {state: count for state, count in found.updates.items() if count} == {
        State.READY: 1,
        State.FAILED: 1,
    }
    assert found.oldest_ready == timedelta(minutes=90)
    assert found.outbox_lag == timedelta(minutes=90)
    assert found.holds_waiting == 1
    assert sum(found.refusals.values()) == 1
    assert (found.sync.complete, found.sync.with_failures, found.sync.unfinished) == (0, 1, 0)
    assert found.sync.lines[Outcome.FAILED] == 1


def test_due_times_are_missed_until_one_is_done(site: Site) -> None:
    def missed(minutes: float) -> tuple[int, timedelta]:
        found = read(site, later(minutes))
        return found.sync.missed, found.sync_due

    with site.database.writing() as session:
        slots.take(session, PeriodicWork.DATA_SYNC, NINE)
    assert missed(0) == (1, timedelta())
    assert missed(60) == (2, timedelta(hours=1))
    with site.database.writing() as session:
        slots.done(session, PeriodicWork.DATA_SYNC, NINE, at=later(61))
    assert missed(61) == (1, timedelta())
    # a scheduler that stands still takes no slots, and is seen all the same
    assert missed(5 * 60) == (5, timedelta())
    assert missed(50 * 60)[0] == slots.MOST_MISSED


ASKED = st.lists(st.tuples(st.integers(0, 500), st.none() | st.integers(0, 500)), max_size=8)


@given(ASKED, st.integers(1, 3))
def test_the_oldest_is_the_first_of_all_that_wait(
    sqlite_template: Path,
    database_of: Callable[[str], Database],
    asked: list[tuple[int, int | None]],
    page: int,
) -> None:
    """Each was asked for so many minutes after nine, and perhaps asked again, so many minutes after that."""
    database = database_of(f"sqlite:///{sqlite_template}")
    with database.writing() as session:
        for number, (minutes, again) in enumerate(asked):
            tom = factories.person(session, f"p{number}@example.com")
            job = factories.job(session, f"24-{number:03}", "Tower")
            update = RequestedUpdate(
                job_id=job.id, state=State.READY, requested_by_id=tom.id, requested_at=later(minutes)
            )
            session.add(update)
            session.flush()
            if again is not None:
                audit.record(
                    session,
                    Event.SENT_AGAIN,
                    by=SCHEDULE,
                    at=later(minutes + again),
                    job_id=job.id,
                    requested_update_id=update.id,
                )
        every = waiting.what_waits(session)
        oldest = waiting.oldest(session, page=page)
        session.rollback()
    database.close()
    assert oldest == (every[0].since if every else None)
