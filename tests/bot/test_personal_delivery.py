"""Digests, quiet hours and people who are away, as delivery finds them at the moment it writes."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from bot import drawing
from bot.blocks.pieces import Message
from bot.gateway import Gateway
from bot.slack_answers import Posted, SlackUnavailable
from tests import factories
from tests.between import after
from tests.bot.site import Site
from tests.factories import RULES, actor
from workflow import aways, outbox, preferences, privilege_requests
from workflow.calendar import Calendar
from workflow.preferences import Choices, QuietHours
from workflow.privileges import Rules
from workflow.tables import Person
from workflow.vocabulary import Notify

CHICAGO_QUIET = QuietHours(time(0), time(23, 30))


def choose(site: Site, person: Person, choices: Choices) -> None:
    with site.database.writing() as session:
        preferences.choose(session, person, choices, by=actor(person), at=site.clock.now)


def away(site: Site, person: Person, to: Person) -> None:
    today = site.clock.now.date()
    with site.database.writing() as session:
        aways.set_away(
            session,
            person=session.get_one(Person, person.id),
            delegate=session.get_one(Person, to.id),
            first_day=today - timedelta(days=1),
            last_day=today + timedelta(days=9),
            zone=Calendar().zone,
            by=actor(person),
            at=site.clock.now,
            rules=RULES,
        )
    site.drain()


def said_to(site: Site, person: Person) -> list[str]:
    return [message.words for message in site.person(person).sees().direct_messages]


def test_a_digest_has_the_queue_as_it_is_when_it_is_delivered(site: Site) -> None:
    choose(site, site.dana, Choices(Notify.DAILY))
    riverside = site.ask(site.riverside, "03-300 L")
    site.ask(site.depot, "03-300 L")
    site.drain()
    assert said_to(site, site.dana) == []
    site.update(riverside, by=site.marcus)

    site.clock.wait(days=4)
    site.drain()

    [digest] = said_to(site, site.dana)
    assert "Your digest: 1 job waits for an approver" in digest
    assert "24-018 Bus Depot" in digest
    assert "24-017" not in digest


def test_what_comes_while_a_digest_is_written_is_in_it(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    choose(site, site.dana, Choices(Notify.HOURLY))
    choose(site, site.marcus, Choices(Notify.DO_NOT_PING))
    site.ask(site.riverside, "03-300 L")
    site.clock.wait(days=4)

    after(monkeypatch, Gateway, "open_direct_message", lambda: site.ask(site.depot, "03-300 L"))
    site.drain()
    site.clock.wait(days=4)
    site.drain()

    assert ["24-018 Bus Depot" in said for said in said_to(site, site.dana)] == [True]


def test_what_comes_while_a_digest_is_found_empty_is_told(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose(site, site.dana, Choices(Notify.HOURLY))
    choose(site, site.marcus, Choices(Notify.DO_NOT_PING))
    site.update(site.ask(site.riverside, "03-300 L"), by=site.marcus)
    site.clock.wait(days=4)

    after(monkeypatch, drawing, "digest", lambda: site.ask(site.depot, "03-300 L"))
    site.drain()
    site.clock.wait(days=4)
    site.drain()

    assert ["24-018 Bus Depot" in said for said in said_to(site, site.dana)] == [True]


def test_a_digest_whose_process_is_killed_before_it_is_posted_comes_once(site: Site) -> None:
    class Killed(Gateway):
        """The process is gone when the digest is fixed and drawn, and its post on record as attempted."""

        def post(self, channel: str, message: Message, **more: Any) -> Posted:
            if channel.startswith("D"):
                raise SystemExit
            return super().post(channel, message, **more)

    choose(site, site.dana, Choices(Notify.HOURLY))
    choose(site, site.marcus, Choices(Notify.DO_NOT_PING))
    site.ask(site.riverside, "03-300 L")
    site.clock.wait(days=4)
    with pytest.raises(SystemExit):
        site.drain(gateway=site.connect(Killed))
    assert said_to(site, site.dana) == []

    for _ in range(2):
        site.clock.wait(minutes=1)
        site.drain()

    [digest] = said_to(site, site.dana)
    assert "24-017 Riverside" in digest


def test_a_digest_of_an_empty_queue_is_not_sent(site: Site) -> None:
    choose(site, site.dana, Choices(Notify.HOURLY))
    site.update(site.ask(site.riverside, "03-300 L"), by=site.marcus)

    site.clock.wait(days=4)
    site.drain()

    assert said_to(site, site.dana) == []
    assert site.waiting() == []


def test_in_quiet_hours_on_the_readers_own_clock_a_message_waits(site: Site) -> None:
    site.clock.now = datetime.now(UTC).replace(hour=18, minute=0) + timedelta(days=1)  # about noon in Chicago
    site.ask_for_privilege(site.dana)
    site.clock.wait(seconds=5)
    site.drain()
    assert len(said_to(site, site.dana)) == 1
    choose(site, site.dana, Choices(quiet=CHICAGO_QUIET))

    site.ask_for_privilege(site.dana)
    site.clock.wait(hours=6)  # midnight has passed in London, not in Chicago
    site.drain()
    assert len(said_to(site, site.dana)) == 1
    [waiting] = site.waiting()
    assert waiting.last_error is None  # it is meant to wait, so nobody needs to look after it
    with site.database.reading() as session:
        assert outbox.backlog(session, now=site.clock.now).waiting == 0

    site.clock.now = waiting.due_at
    site.drain()
    assert len(said_to(site, site.dana)) == 2


def test_an_administrator_is_not_asked_in_quiet_hours_and_sees_the_answer_at_once(site: Site) -> None:
    site.clock.now = datetime.now(UTC).replace(hour=18, minute=0) + timedelta(days=1)  # about noon in Chicago
    rules = Rules(admin_emails=(site.marcus.email,))
    choose(site, site.marcus, Choices(quiet=CHICAGO_QUIET))
    with site.database.writing() as session:
        asked = privilege_requests.ask(
            session, reason="I close the month.", by=actor(site.tom), at=site.clock.now, rules=rules
        )
    assert isinstance(asked, privilege_requests.Asked)
    site.drain()
    assert said_to(site, site.marcus) == []

    [waiting] = site.waiting()
    site.clock.now = waiting.due_at
    site.drain()
    assert "I close the month." in said_to(site, site.marcus)[0]

    site.clock.wait(hours=1)
    with site.database.writing() as session:
        privilege_requests.grant(
            session,
            privilege_request_id=asked.privilege_request.id,
            by=actor(site.marcus),
            at=site.clock.now,
            rules=rules,
        )
    site.drain()
    assert len(said_to(site, site.marcus)) == 1
    assert "is an accounting approver" in said_to(site, site.marcus)[0]


@pytest.mark.parametrize("notify", [Notify.EVERY_REQUEST, Notify.HOURLY])
def test_a_day_in_which_slack_takes_no_message_is_no_flood_afterwards(site: Site, notify: Notify) -> None:
    class Deaf(Gateway):
        """Slack answers, except when something is to be posted."""

        def post(self, channel: str, message: Message, **more: Any) -> Posted:
            raise SlackUnavailable("chat.postMessage", "no answer")

    choose(site, site.dana, Choices(notify))
    with site.database.writing() as session:
        jobs = [factories.job(session, f"50-{number:03}", "Tower") for number in range(5)]
    for job in jobs:
        site.ask(job, "03-300 L")
        for _ in range(2):
            site.clock.wait(hours=1)
            site.drain(gateway=site.connect(Deaf))
    while site.waiting():
        site.clock.wait(minutes=5)
        site.drain()

    told = said_to(site, site.dana)
    assert len(told) <= 2  # the one that was tried may be in Slack, so it comes alone
    assert all(f"50-{number:03}" in "".join(told) for number in range(5))


def test_what_is_for_somebody_away_goes_to_the_delegate_with_their_name_and_once(site: Site) -> None:
    away(site, site.dana, site.marcus)
    site.ask(site.riverside, "03-300 L")
    site.drain()
    site.ask_for_privilege(site.dana)
    site.clock.wait(seconds=5)
    site.drain()

    assert said_to(site, site.dana) == []
    told, request, forwarded = said_to(site, site.marcus)
    assert "Dana Whitfield is away from" in told
    assert "24-017 Riverside Medical Center" in request
    assert "This is for Dana Whitfield, who is away until" in forwarded
    assert "asks to become an accounting approver" in forwarded


def test_what_a_delegate_hears_as_themselves_names_no_message_that_tells_them_something_else(
    site: Site,
) -> None:
    class Breaking(Gateway):
        """The line breaks after Slack has taken what is handed on."""

        def post(self, channel: str, message: Message, **more: Any) -> Posted:
            posted = super().post(channel, message, **more)
            if "This is for Dana Whitfield" in str(message):
                raise SlackUnavailable("chat.postMessage", "no answer")
            return posted

    away(site, site.dana, site.marcus)
    site.ask(site.riverside, "03-300 L")
    site.ask_for_privilege(site.dana)
    site.clock.wait(seconds=5)
    site.drain(gateway=site.connect(Breaking))

    site.ask_for_privilege(site.dana)
    while site.waiting():
        site.clock.wait(minutes=1)
        site.drain()

    told = [said for said in said_to(site, site.marcus) if "asks to become an accounting approver" in said]
    assert len(told) == 2


def test_there_are_no_chains_and_the_person_is_told_why_it_comes_to_them(site: Site) -> None:
    away(site, site.dana, site.marcus)
    away(site, site.marcus, site.dana)
    site.ask_for_privilege(site.dana)
    site.clock.wait(seconds=5)
    site.drain()

    assert "but so is Marcus Oyelaran, who stands in for you" in said_to(site, site.dana)[-1]
