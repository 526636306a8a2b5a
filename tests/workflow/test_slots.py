"""Due times of periodic jobs: none doubled, none missed, none forgotten by a queue that lost it."""

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from tests.factories import NINE, actor, later
from tests.workflow.site import Site
from workflow import slots
from workflow.tables import ScheduleSlot
from workflow.vocabulary import Event

HOUR = timedelta(hours=1)
LOST = timedelta(minutes=5)
CRONS = st.sampled_from(["0 * * * *", "*/5 * * * *", "* * * * *", "30 6 * * 1-5", "0 0 1 * *", "0 0 29 2 *"])
MOMENTS = st.timedeltas(timedelta(), timedelta(days=4_000)).map(datetime(2024, 1, 1, tzinfo=UTC).__add__)


def take(site: Site, due_at: datetime, name: str = "data_sync") -> bool:
    with site.database.writing() as session:
        return slots.take(session, name, due_at)


def waiting(site: Site, now: datetime) -> list[datetime]:
    with site.database.reading() as session:
        return [slot.due_at for slot in slots.waiting(session, now=now, lost_after=LOST)]


def slot_of(site: Site, due_at: datetime) -> ScheduleSlot:
    with site.database.reading() as session:
        return session.get_one(ScheduleSlot, ("data_sync", due_at))


@given(CRONS, MOMENTS)
def test_the_latest_due_time_and_the_next_one_have_now_between_them_and_none_else(
    cron: str, now: datetime
) -> None:
    latest, following = slots.latest_due(cron, now), slots.next_due(cron, now)

    assert latest <= now < following
    assert slots.next_due(cron, latest) == following


@given(CRONS, MOMENTS)
def test_a_due_time_is_its_own_latest_and_comes_once(cron: str, moment: datetime) -> None:
    due = slots.next_due(cron, moment)

    assert slots.latest_due(cron, due) == due
    assert slots.latest_due(cron, due - timedelta(microseconds=1)) < due
    assert slots.next_due(cron, due - timedelta(microseconds=1)) == due
    assert slots.next_due(cron, due) > due


def test_due_times_are_utc_wherever_the_clock_is_read() -> None:
    in_india = NINE.astimezone(timezone(timedelta(hours=5, minutes=30)))

    assert slots.latest_due("0 * * * *", in_india) == NINE
    assert slots.next_due("0 * * * *", in_india) == NINE + HOUR


def test_a_slot_is_taken_once(site: Site) -> None:
    assert [take(site, NINE), take(site, NINE), take(site, NINE + HOUR)] == [True, False, True]


def test_a_slot_before_one_that_was_taken_is_covered_by_it(site: Site) -> None:
    assert [take(site, NINE), take(site, NINE - HOUR)] == [True, False]


def test_slots_of_a_clock_that_was_ahead_hold_up_nothing_when_it_is_set_back(site: Site) -> None:
    take(site, NINE + 5 * HOUR)
    with site.database.writing() as session:
        assert slots.take(session, "data_sync", NINE, now=later(1))
    with site.database.writing() as session:
        assert not slots.take(session, "data_sync", NINE, now=later(2))


def test_a_slot_that_was_put_into_the_queue_by_a_clock_that_was_ahead_is_put_there_again(site: Site) -> None:
    take(site, NINE)
    with site.database.writing() as session:
        slots.enqueued(session, slot_of(site, NINE), at=NINE + 5 * HOUR)

    assert waiting(site, NINE + 5 * HOUR) == []
    assert waiting(site, later(1)) == [NINE]


def test_periodic_jobs_do_not_take_each_other_s_slots(site: Site) -> None:
    assert [take(site, NINE), take(site, NINE, "tidy")] == [True, True]


def test_a_slot_waits_until_it_is_in_the_queue_and_again_when_it_was_lost(site: Site) -> None:
    take(site, NINE)
    assert waiting(site, NINE) == [NINE]
    with site.database.writing() as session:
        slots.enqueued(session, slot_of(site, NINE), at=NINE)

    assert waiting(site, NINE + LOST) == []
    assert waiting(site, NINE + LOST + timedelta(seconds=1)) == [NINE]


def test_a_slot_that_is_done_never_waits_again(site: Site) -> None:
    take(site, NINE)
    with site.database.writing() as session:
        slots.done(session, "data_sync", NINE, at=later(3))

    assert waiting(site, NINE + HOUR) == []
    with site.database.reading() as session:
        assert slots.last_done(session, "data_sync") == later(3)
        assert slots.last_done(session, "tidy") is None


def test_a_worker_that_is_done_before_the_scheduler_notes_the_queue_stays_done(site: Site) -> None:
    take(site, NINE)
    seen = slot_of(site, NINE)
    with site.database.writing() as session:
        slots.done(session, "data_sync", NINE, at=later(1))
    with site.database.writing() as session:
        slots.enqueued(session, seen, at=later(1))

    assert slot_of(site, NINE).done_at == later(1)
    assert waiting(site, NINE + HOUR) == []


def test_one_run_covers_what_was_due_before_it_and_not_what_came_after(site: Site) -> None:
    take(site, NINE)
    with site.database.writing() as session:
        slots.ask_now(session, "data_sync", by=actor(site.engineer), at=later(10))
    take(site, NINE + HOUR)
    with site.database.writing() as session:
        slots.done(session, "data_sync", later(10), at=later(11))

    assert waiting(site, NINE + HOUR) == [NINE + HOUR]


def test_asking_for_a_data_sync_is_a_slot_of_its_own_on_record(site: Site) -> None:
    with site.database.writing() as session:
        slots.ask_now(session, "data_sync", by=actor(site.engineer), at=later(10))

    assert waiting(site, later(10)) == [later(10)]
    assert slot_of(site, later(10)).asked_by_id == site.engineer.id
    assert [(e.event, e.actor, e.facts) for e in site.events()] == [
        (Event.SYNC_ASKED, site.engineer.email, {"job": "data_sync"})
    ]


def test_asking_between_two_due_times_misses_neither(site: Site) -> None:
    take(site, NINE)
    with site.database.writing() as session:
        slots.ask_now(session, "data_sync", by=actor(site.engineer), at=later(10))

    assert take(site, NINE + HOUR)
    assert not take(site, NINE + HOUR)


def test_what_is_asked_twice_at_the_same_moment_is_one_slot(site: Site) -> None:
    for _ in range(2):
        with site.database.writing() as session:
            slots.ask_now(session, "data_sync", by=actor(site.engineer), at=NINE)

    assert waiting(site, NINE) == [NINE]


def test_a_slot_that_could_not_be_taken_leaves_the_transaction_usable(site: Site) -> None:
    take(site, NINE)
    with site.database.writing() as session:
        assert not slots.take(session, "data_sync", NINE)
        assert slots.take(session, "tidy", NINE)

    with site.database.reading() as session:
        assert len(session.scalars(select(ScheduleSlot)).all()) == 2


def test_old_slots_are_forgotten_but_none_is_due_again_for_it(site: Site) -> None:
    for due in (NINE, NINE + HOUR):
        take(site, due)
        with site.database.writing() as session:
            slots.done(session, "data_sync", due, at=due)
    with site.database.writing() as session:
        slots.forget(session, before=NINE + 24 * HOUR)

    with site.database.reading() as session:
        assert [slot.due_at for slot in session.scalars(select(ScheduleSlot))] == [NINE + HOUR]
    assert not take(site, NINE + HOUR)
