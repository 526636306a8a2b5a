"""What each person hears of, and their quiet hours."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.factories import NINE, actor
from tests.workflow.site import Site
from workflow import outbox, preferences
from workflow.calendar import Calendar
from workflow.preferences import Choices, QuietHours, digest_due, quiet_until
from workflow.tables import Person
from workflow.vocabulary import NoticeKind, Notify

CHICAGO = ZoneInfo("America/Chicago")
NIGHT = QuietHours(time(19), time(7))
LUNCH = QuietHours(time(12), time(13, 30))

clocks = st.builds(time, st.integers(0, 23), st.sampled_from([0, 15, 30]))
quiet_hours = st.builds(QuietHours, clocks, clocks).filter(lambda quiet: quiet.since != quiet.until)
moments = st.integers(0, 366 * 24 * 4).map(
    lambda quarters: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=15 * quarters)
)


def chicago(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=CHICAGO)


def told(site: Site) -> set[tuple[str, NoticeKind, datetime]]:
    """Who hears of what is new, as what, and when."""
    with site.database.reading() as session:
        waiting = outbox.due(session, now=NINE + timedelta(days=9), limit=100)
        return {
            (session.get_one(Person, n.person_id).email, n.kind, n.due_at)
            for n in waiting
            if n.person_id is not None
        }


@pytest.mark.parametrize(
    ("quiet", "at", "until"),
    [
        (NIGHT, chicago(4, 18, 59), None),
        (NIGHT, chicago(4, 19), chicago(5, 7)),
        (NIGHT, chicago(5, 6, 59), chicago(5, 7)),
        (NIGHT, chicago(5, 7), None),
        (LUNCH, chicago(4, 12, 15), chicago(4, 13, 30)),
        (LUNCH, chicago(4, 11), None),
        (None, chicago(4, 3), None),
    ],
)
def test_quiet_hours_are_the_readers_own_and_may_go_over_midnight(
    quiet: QuietHours | None, at: datetime, until: datetime | None
) -> None:
    assert quiet_until(quiet, CHICAGO, at) == until


@given(quiet_hours, moments)
def test_quiet_hours_end_within_a_day_and_are_over_then(quiet: QuietHours, at: datetime) -> None:
    until = quiet_until(quiet, CHICAGO, at)

    if until is not None:
        assert at < until <= at + timedelta(hours=25)
        assert quiet_until(quiet, CHICAGO, until) is None


def test_digests_come_on_the_hour_or_in_the_morning_of_working_days() -> None:
    office = Calendar(zone=CHICAGO)

    assert digest_due(Notify.HOURLY, office, chicago(4, 9, 20)) == chicago(4, 10)
    assert digest_due(Notify.HOURLY, office, chicago(6, 16, 20)) == chicago(9, 8)
    assert digest_due(Notify.DAILY, office, chicago(4, 9, 20)) == chicago(5, 8)


def test_each_approver_hears_of_a_request_as_they_chose(site: Site) -> None:
    with site.database.writing() as session:
        choice = Choices(Notify.HOURLY, NIGHT)
        preferences.choose(session, site.second, choice, by=actor(site.second), at=NINE)
        assert preferences.choices_of(session, [site.second.id, site.approver.id]) == {
            site.second.id: choice,
            site.approver.id: Choices(),
        }
    at_ten = NINE + timedelta(hours=1)

    site.ask("03-300 L")
    site.ask("03-300 L", job=site.another_job("24-018"))

    assert told(site) == {
        (site.approver.email, NoticeKind.DIRECT, NINE + outbox.GATHER),
        (site.second.email, NoticeKind.DIGEST, at_ten),
    }
    with site.database.reading() as session:
        digests = outbox.waiting_for_person(session, site.second.id)
        assert [notice.kind for notice in digests] == [NoticeKind.DIGEST]


@pytest.mark.parametrize("notify", [Notify.MENTIONS, Notify.DO_NOT_PING])
def test_who_wants_mentions_alone_hears_of_no_request_and_of_what_became_of_their_own(
    sqlite_site: Site, notify: Notify
) -> None:
    site = sqlite_site
    with site.database.writing() as session:
        preferences.choose(session, site.approver, Choices(notify), by=actor(site.approver), at=NINE)

    update = site.ask("03-300 L", by=site.approver)
    site.ask("03-300 L", job=site.another_job("24-018"))
    assert {email for email, _, _ in told(site)} == {site.second.email}
    site.reject(update, by=site.second)

    assert (site.approver.email, NoticeKind.DIRECT, NINE + outbox.GATHER) in told(site)
