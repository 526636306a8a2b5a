"""Reminders and escalation: what waits for long in working time, who hears of it, how often and when."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from tests import factories
from tests.factories import NINE, RULES, actor
from tests.workflow.site import Site
from workflow import directory, escalation, preferences, reminders
from workflow.calendar import Calendar
from workflow.preferences import Choices
from workflow.reminders import LONGEST_GAP, reminders_due
from workflow.tables import OutboxNotice, Person
from workflow.vocabulary import Event, NoticeKind, Notify
from workflow.waiting import Patience

CALENDAR = Calendar()
HOUR = timedelta(hours=1)
DAY = CALENDAR.day
PATIENCE = Patience(
    remind_after=DAY, escalate_after=2 * DAY, escalate_to=("boss@example.com", "x@example.com")
)
TUESDAY = NINE + timedelta(days=1)


def remind(site: Site, at: datetime) -> tuple[int, dict[str, datetime]]:
    """Look for what to remind of; of how many jobs, and when each person is told."""
    with site.database.writing() as session:
        for notice in session.scalars(select(OutboxNotice)):
            notice.done_at = at
        session.flush()
        due = reminders.due(session, patience=PATIENCE, calendar=CALENDAR, at=at)
        jobs = reminders.remind(session, due, patience=PATIENCE, calendar=CALENDAR, at=at)
        told = session.scalars(select(OutboxNotice).where(OutboxNotice.done_at.is_(None))).all()
        assert {notice.kind for notice in told} <= {NoticeKind.DIGEST}
        return jobs, {session.get_one(Person, n.person_id or 0).email: n.due_at for n in told}


def choose(site: Site, person: Person, notify: Notify) -> None:
    with site.database.writing() as session:
        preferences.choose(session, person, Choices(notify), by=actor(person), at=NINE)


def escalate(site: Site, at: datetime) -> list[bool]:
    with site.database.writing() as session:
        due = escalation.due(session, patience=PATIENCE, calendar=CALENDAR, at=at)
        return [
            escalation.escalate(session, requested_update_id=one, patience=PATIENCE, calendar=CALENDAR, at=at)
            for one in due * 2
        ]


@pytest.mark.parametrize(
    ("waited", "due"), [(0.9, 0), (1, 1), (2.9, 1), (3, 2), (7, 3), (11.9, 3), (12, 4), (17, 5)]
)
def test_reminders_come_at_growing_distances_and_never_stop(waited: float, due: int) -> None:
    assert reminders_due(waited * DAY, DAY) == due


@given(st.integers(0, 500), st.integers(1, 50))
def test_no_two_reminders_are_further_apart_than_the_longest_gap(hours: int, first: int) -> None:
    later = (hours + LONGEST_GAP * first) * HOUR

    assert reminders_due(later, first * HOUR) > reminders_due(hours * HOUR, first * HOUR)


def test_each_approver_gets_one_message_for_all_that_waited_a_working_day_in_their_working_time(
    site: Site,
) -> None:
    site.ask("03-300 L")
    site.ask("03-300 L", job=site.another_job("24-018"))
    site.ask("03-300 L", job=site.another_job("24-019", "Depot"), at=NINE + 2 * HOUR)
    with site.database.writing() as session:
        directory.link(session, site.second, team_id="T1", user_id="U2", by=actor(site.second), at=NINE)
        directory.note_time_zone(session, "T1", "U2", "America/Los_Angeles")

    jobs, told = remind(site, TUESDAY)

    in_los_angeles = datetime(2026, 11, 3, 8, tzinfo=ZoneInfo("America/Los_Angeles"))
    assert (jobs, told) == (2, {site.approver.email: TUESDAY, site.second.email: in_los_angeles})
    [reminded] = [event for event in site.events() if event.event == Event.REMINDED]
    assert reminded.facts["oldest"] == ["24-017 Riverside Medical Center", "24-018 Harbor Point"]


def test_a_look_that_comes_twice_reminds_once_and_the_next_reminder_is_further_off(site: Site) -> None:
    site.ask("03-300 L")

    assert [remind(site, TUESDAY + days * timedelta(days=1))[0] for days in (0, 0.01, 1, 2, 2.01)] == [
        1,
        0,
        0,
        1,
        0,
    ]


def test_what_is_updated_and_taken_back_waits_anew(site: Site) -> None:
    update = site.ask("03-300 L")
    remind(site, TUESDAY)
    site.accept(update, at=TUESDAY)
    site.take_back(update, at=TUESDAY)

    assert remind(site, TUESDAY + timedelta(hours=23))[0] == 0
    assert remind(site, TUESDAY + timedelta(days=1))[0] == 1


def test_who_is_not_to_be_pinged_is_not_reminded_and_a_digest_brings_the_reminder(site: Site) -> None:
    choose(site, site.approver, Notify.DO_NOT_PING)
    choose(site, site.second, Notify.DAILY)
    site.ask("03-300 L")

    jobs, told = remind(site, TUESDAY)

    assert (jobs, told) == (1, {site.second.email: datetime(2026, 11, 4, 8, tzinfo=UTC)})


def test_nobody_is_told_when_nothing_waits_for_long(site: Site) -> None:
    site.accept(site.ask("03-300 L"))
    site.ask("03-300 M", at=NINE + HOUR)

    assert remind(site, TUESDAY) == (0, {})
    assert Event.REMINDED not in site.event_names()


def add_boss(site: Site) -> None:
    with site.database.writing() as session:
        factories.person(session, "boss@example.com", name="Bo Boss")


def test_while_nobody_of_the_second_group_is_there_nothing_is_taken_for_told(site: Site) -> None:
    site.ask("03-300 L")

    assert escalate(site, TUESDAY + timedelta(days=1)) == [False, False]
    assert Event.ESCALATED not in site.event_names()
    add_boss(site)
    assert escalate(site, TUESDAY + timedelta(days=2)) == [True, False]
    assert site.notices_of(Event.ESCALATED)[1] == ["boss@example.com"]


def test_a_second_group_hears_once_of_what_nobody_decides_on(site: Site) -> None:
    add_boss(site)
    update = site.ask("03-300 L")

    assert escalate(site, TUESDAY) == []
    assert escalate(site, TUESDAY + timedelta(days=1)) == [True, False]
    assert escalate(site, TUESDAY + timedelta(days=5)) == []
    kinds, people, _ = site.notices_of(Event.ESCALATED)
    assert (kinds, people) == ([NoticeKind.THREAD, NoticeKind.DIRECT], ["boss@example.com"])
    [escalated] = [event for event in site.events() if event.event == Event.ESCALATED]
    assert escalated.facts == {"hours": 18, "to": ["Bo Boss"]}
    # a new round may be escalated again
    site.accept(update, at=TUESDAY, rules=RULES)
    site.take_back(update, at=TUESDAY + timedelta(days=1))
    assert escalate(site, TUESDAY + timedelta(days=3)) == [True, False]
