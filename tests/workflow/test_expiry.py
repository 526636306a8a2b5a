"""Expiry, and asking again for what expired or was rejected."""

from datetime import datetime, timedelta

from sqlalchemy import delete

from tests.factories import LIMITS, NINE, RULES, actor
from tests.workflow.site import Site
from workflow import acting, expiry, requests
from workflow.columns import Unfit
from workflow.privileges import Refused
from workflow.requests import NothingNew, Requested
from workflow.tables import Person, RequestedUpdate, StandardCostCode, StandardCostCodeCategory
from workflow.vocabulary import Event, Refusal, State
from workflow.waiting import Patience

MONTH = timedelta(days=30)
PATIENCE = Patience(remind_after=timedelta(hours=9), expire_after=MONTH)


def expire(site: Site, at: datetime) -> list[bool]:
    """What came of expiring everything that is due, tried twice."""
    with site.database.writing() as session:
        due = expiry.due(session, patience=PATIENCE, at=at)
        return [
            expiry.expire(session, requested_update_id=one, patience=PATIENCE, at=at) for one in [*due, *due]
        ]


def ask_again(site: Site, update: RequestedUpdate, by: Person | None = None) -> object:
    with site.database.writing() as session:
        return requests.ask_again(
            session,
            requested_update_id=update.id,
            by=actor(by or site.engineer),
            at=NINE + MONTH,
            rules=RULES,
            limits=LIMITS,
        )


def test_what_nobody_decides_on_expires_once_and_frees_its_holds(site: Site) -> None:
    update = site.ask("03-300 L")
    site.hold()
    assert not site.check().free

    assert expire(site, NINE + MONTH - timedelta(minutes=1)) == []
    assert expire(site, NINE + MONTH) == [True, False]

    assert site.state(update) is State.EXPIRED
    assert site.check().free
    assert site.event_names()[-2:] == [Event.EXPIRED, Event.HOLD_RELEASED]
    assert site.notices_of(Event.EXPIRED)[1] == [site.engineer.email]
    decision = site.accept(update)
    assert isinstance(decision, acting.AlreadyDecided)
    assert decision.words == "It expired on 2026-12-02 09:00 UTC, because nobody updated or rejected it."


def test_a_line_that_joins_begins_the_days_anew(site: Site) -> None:
    update = site.ask("03-300 L")
    site.ask("03-300 M", at=NINE + timedelta(days=20))

    assert expire(site, NINE + MONTH) == []
    assert expire(site, NINE + timedelta(days=50)) == [True, False]
    assert site.state(update) is State.EXPIRED


def test_nothing_expires_unless_the_company_wants_it(site: Site) -> None:
    site.ask("03-300 L")
    with site.database.reading() as session:
        patience = Patience(remind_after=timedelta(hours=9))
        assert expiry.due(session, patience=patience, at=NINE + 100 * MONTH) == []


def test_the_same_lines_are_asked_for_again_after_they_expired_or_were_rejected(site: Site) -> None:
    expired = site.ask("03-300 L", "16-100 M")
    expire(site, NINE + MONTH)

    again = ask_again(site, expired)

    assert isinstance(again, Requested)
    assert site.pairs(again.requested_update) == ["03-300 L", "16-100 M"]
    assert isinstance(ask_again(site, expired), NothingNew)
    site.reject(again.requested_update)
    once_more = ask_again(site, again.requested_update)
    assert isinstance(once_more, Requested)
    assert site.updates() == [(State.EXPIRED, 1), (State.REJECTED, 1), (State.READY, 1)]
    assert [event.facts.get("again") for event in site.events() if event.event == Event.REQUESTED] == [
        None,
        True,
        True,
    ]


def test_what_went_out_since_is_not_asked_for_again(site: Site) -> None:
    rejected = site.ask("03-300 L", "16-100 M")
    site.reject(rejected)
    site.accept(site.ask("16-100 M"))

    again = ask_again(site, rejected)

    assert isinstance(again, Requested)
    assert site.pairs(again.requested_update) == ["03-300 L"]
    site.accept(again.requested_update)
    refused = ask_again(site, rejected)
    assert isinstance(refused, Refused)
    assert refused.reason is Refusal.NOT_TURNED_DOWN
    assert "updated since" in refused.words
    assert isinstance(ask_again(site, again.requested_update), Refused)


def test_asking_again_follows_the_rules_of_asking(site: Site) -> None:
    rejected = site.ask("03-300 L")
    site.reject(rejected)
    with site.database.writing() as session:
        session.execute(delete(StandardCostCodeCategory).where(StandardCostCodeCategory.code == "03-300"))
        session.execute(delete(StandardCostCode).where(StandardCostCode.code == "03-300"))
        session.get_one(Person, site.second.id).active = False

    assert isinstance(ask_again(site, rejected), Unfit)
    refused = ask_again(site, rejected, by=site.second)
    assert isinstance(refused, Refused)
    assert refused.reason is Refusal.DEACTIVATED
    assert site.problems() == []
