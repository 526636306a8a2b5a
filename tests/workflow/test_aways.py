"""Standing in: messages move to the delegate, rights do not, and both names are on record."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.blocks import reach_words
from tests import factories
from tests.factories import NINE, RULES, actor
from tests.workflow.site import Site
from workflow import acting, aways, telling
from workflow.aways import AwaySet, Cannot, Unusable
from workflow.privileges import Refused
from workflow.tables import Person, RequestedUpdate
from workflow.vocabulary import Event, Refusal

UTC_ZONE = ZoneInfo("UTC")
MONDAY = date(2026, 11, 2)
NEXT_MONDAY = NINE + timedelta(days=7)


def set_away(
    site: Site,
    person: Person | None = None,
    to: Person | None = None,
    *,
    first: date = MONDAY,
    days: int = 5,
    zone: ZoneInfo = UTC_ZONE,
) -> object:
    person = person or site.approver
    with site.database.writing() as session:
        return aways.set_away(
            session,
            person=session.get_one(Person, person.id),
            delegate=session.get_one(Person, (to or site.second).id),
            first_day=first,
            last_day=first + timedelta(days=days - 1),
            zone=zone,
            by=actor(person),
            at=NINE,
            rules=RULES,
        )


def reads(site: Site, person: Person, at: datetime = NINE) -> tuple[int, Cannot | None]:
    """Who reads what is for a person, and why it is not the delegate."""
    with site.database.reading() as session:
        to = telling.addressee(session, person.id, company_zone=UTC_ZONE, at=at)
        return to.person_id, to.stand_in.cannot if to.stand_in else None


def test_messages_go_to_the_delegate_on_those_days_of_the_persons_own_zone(site: Site) -> None:
    result = set_away(site, first=date(2026, 11, 3), days=2, zone=ZoneInfo("America/Chicago"))

    assert isinstance(result, AwaySet)
    assert reads(site, site.approver) == (site.approver.id, None)
    assert reads(site, site.approver, datetime(2026, 11, 3, 6, tzinfo=UTC)) == (site.second.id, None)
    assert reads(site, site.approver, datetime(2026, 11, 5, 5, 59, tzinfo=UTC)) == (site.second.id, None)
    assert reads(site, site.approver, datetime(2026, 11, 5, 6, tzinfo=UTC)) == (site.approver.id, None)
    assert reads(site, site.second, datetime(2026, 11, 4, tzinfo=UTC)) == (site.second.id, None)
    assert site.notices_of(Event.AWAY)[1] == [site.second.email]


def test_there_are_no_chains_and_a_lost_privilege_ends_the_standing_in(site: Site) -> None:
    set_away(site)
    result = set_away(site, site.second, site.approver)

    assert isinstance(result, AwaySet)
    assert result.both_away
    assert reads(site, site.approver) == (site.approver.id, Cannot.AWAY)
    with site.database.writing() as session:
        aways.end_away(session, person=site.second, by=actor(site.second), at=NINE)
    assert reads(site, site.approver) == (site.second.id, None)
    with site.database.writing() as session:
        session.get_one(Person, site.second.id).can_push_to_accounting = False
    assert reads(site, site.approver) == (site.approver.id, Cannot.NO_PRIVILEGE)


def test_who_stands_in_acts_by_their_own_right_and_both_are_on_record(site: Site) -> None:
    set_away(site)
    update = site.ask("03-300 L")

    decision = site.accept(update, by=site.second)

    assert isinstance(decision, acting.Done)
    [updated] = [event for event in site.events() if event.event == Event.UPDATED]
    assert updated.facts["standing_in_for"] == [site.approver.name]
    assert site.row(RequestedUpdate, update.id).decided_for == site.approver.name
    again = site.accept(update)
    assert isinstance(again, acting.AlreadyDecided)
    assert f"{site.second.name}, for {site.approver.name}, updated it" in again.words
    site.take_back(update, by=site.second, at=NEXT_MONDAY)
    assert site.row(RequestedUpdate, update.id).decided_for is None
    assert "standing_in_for" not in site.events()[-1].facts
    assert site.problems() == []


def test_standing_in_gives_nobody_a_right(site: Site) -> None:
    set_away(site)
    with site.database.writing() as session:
        session.get_one(Person, site.second.id).can_push_to_accounting = False

    refused = site.accept(site.ask("03-300 L"), by=site.second)

    assert isinstance(refused, Refused)
    assert refused.reason is Refusal.PRIVILEGE_MISSING


def test_only_an_approver_hands_over_and_only_to_another_approver(site: Site) -> None:
    to_engineer = set_away(site, to=site.engineer)
    to_oneself = set_away(site, to=site.approver)
    by_engineer = set_away(site, site.engineer)

    assert [
        result.reason for result in (to_engineer, to_oneself, by_engineer) if isinstance(result, Refused)
    ] == [
        Refusal.CANNOT_STAND_IN,
        Refusal.CANNOT_STAND_IN,
        Refusal.PERMISSION_TOO_LOW,
    ]
    assert site.event_names() == [Event.REFUSED] * 3
    assert reads(site, site.approver) == (site.approver.id, None)


def test_a_new_absence_replaces_the_one_before_and_off_ends_it(site: Site) -> None:
    set_away(site)
    set_away(site, first=MONDAY + timedelta(days=7))
    assert reads(site, site.approver) == (site.approver.id, None)
    assert reads(site, site.approver, NEXT_MONDAY) == (site.second.id, None)

    with site.database.writing() as session:
        ended = aways.end_away(session, person=site.approver, by=actor(site.approver), at=NINE)
        assert ended is not None
        assert aways.end_away(session, person=site.approver, by=actor(site.approver), at=NINE) is None

    assert reads(site, site.approver, NEXT_MONDAY) == (site.approver.id, None)


def test_who_stood_in_before_hears_that_another_one_does_now(site: Site) -> None:
    with site.database.writing() as session:
        third = factories.approver(session, "third@example.com")
    set_away(site)

    result = set_away(site, to=third, first=MONDAY + timedelta(days=7))

    assert isinstance(result, AwaySet)
    assert result.replaced is not None
    assert (result.replaced.first_day, result.replaced.delegate_id) == (MONDAY, site.second.id)
    assert site.notices_of(Event.AWAY)[1] == [site.second.email, third.email]
    assert "in place of 2026-11-02 to 2026-11-06" in reach_words.away_set_words(result)


def test_a_delegate_who_leaves_as_the_person_comes_back_is_away_on_none_of_the_days(site: Site) -> None:
    set_away(site, site.second, site.approver, first=MONDAY + timedelta(days=5))

    result = set_away(site, days=5)
    longer = set_away(site, days=6)

    assert isinstance(result, AwaySet)
    assert isinstance(longer, AwaySet)
    assert (result.both_away, longer.both_away) == (False, True)


@pytest.mark.parametrize(
    ("first", "last", "why"),
    [
        (MONDAY, MONDAY - timedelta(days=1), "is before"),
        (MONDAY - timedelta(days=9), MONDAY - timedelta(days=1), "is over"),
        (MONDAY, MONDAY + timedelta(days=400), "more than a year"),
        (MONDAY - timedelta(days=9), MONDAY, None),
    ],
)
def test_days_that_cannot_be_are_refused_with_the_reason(first: date, last: date, why: str | None) -> None:
    found = aways.unusable(first, last, today=MONDAY)

    assert isinstance(found, Unusable) == (why is not None)
    assert found is None or (why or "") in found.words
