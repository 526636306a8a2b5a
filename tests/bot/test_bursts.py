"""Many jobs at once: one digest in the channel, then the cards at Slack's pace; and a closed channel."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from bot.blocks.pieces import Message as Drawn
from bot.delivery import drain
from bot.gateway import Gateway
from bot.posting import Poster
from bot.sandbox import sample_company
from bot.sandbox.client import Message, Sandbox
from bot.sandbox.workspace import CHANNEL_ID
from bot.slack_answers import Posted, SlackUnavailable
from tests import factories
from tests.bot.site import NEXT_SYNC, Site
from workflow.database import Database
from workflow.privileges import USUAL_RULES, Rules
from workflow.tables import Job, RequestedUpdate
from workflow.vocabulary import Event, State

BURST = 4


class Works(Site):
    """The company of the delivery's tests, which asks for many jobs at once."""

    def import_jobs(self, count: int, first: int = 0) -> list[RequestedUpdate]:
        with self.database.writing() as session:
            jobs: list[Job] = [
                factories.job(session, f"40-{n:03}", "Imported") for n in range(first, first + count)
            ]
        return [self.ask(job, "03-300 L") for job in jobs]

    def run(self, *, gateway: Gateway | None = None, rules: Rules = USUAL_RULES) -> int:
        return drain(
            self.database,
            gateway or self.gateway,
            channel=CHANNEL_ID,
            next_sync=lambda: NEXT_SYNC,
            rules=rules,
            burst=BURST,
            clock=self.clock,
            sleep=self.clock.sleep,
        )

    def run_until_nothing_waits(self) -> None:
        for _ in range(20):
            self.run()
            self.clock.wait(seconds=20)
            if not self.waiting():
                return
        raise AssertionError(f"{len(self.waiting())} notices still wait")

    def digests(self) -> list[Message]:
        return [message for message in self.channel() if "became Ready to Update at once" in message.text]


@pytest.fixture
def works(sqlite_url: str, sandbox: Sandbox) -> Iterator[Works]:
    database = Database(sqlite_url)
    yield Works(database, sandbox)
    database.close()


@pytest.fixture
def works_on_either(database: Database, sandbox: Sandbox) -> Works:
    return Works(database, sandbox)


def test_a_burst_is_one_digest_and_then_the_cards_oldest_first(works_on_either: Works) -> None:
    works = works_on_either
    works.import_jobs(12)
    works.run_until_nothing_waits()
    digest, *cards = works.channel()
    assert digest.text.startswith("12 jobs became Ready to Update at once. Every one of them has its card")
    assert digest.buttons == ["Update several"]
    assert [card.text.split(" ")[0] for card in cards] == [f"40-{n:03}" for n in range(12)]
    for approver in (works.dana, works.marcus):
        (told,) = works.person(approver).sees().direct_messages
        assert "and 2 more jobs" in told.words
    posts = [call["arguments"]["channel"] for call in works.sandbox.calls("chat.postMessage")]
    assert posts.count(CHANNEL_ID) == 1 + 12 + 12


def test_cards_that_slack_did_not_answer_for_a_while_still_come_oldest_first(works: Works) -> None:
    works.import_jobs(8)

    class Away(Gateway):
        posts = 0

        def post(self, channel: str, message: Drawn, **more: Any) -> Posted:
            Away.posts += 1
            if 4 <= Away.posts <= 6:
                raise SlackUnavailable("chat.postMessage", "no answer")
            return super().post(channel, message, **more)

    works.run(gateway=works.connect(Away))
    assert 2 < len(works.channel()) < 8
    works.clock.wait(seconds=60)
    works.run_until_nothing_waits()
    digest, *cards = works.channel()
    assert digest.text.startswith("8 jobs became Ready to Update at once")
    assert [card.text.split(" ")[0] for card in cards] == [f"40-{n:03}" for n in range(8)]


def test_the_pace_of_one_message_a_second_is_kept_from_process_to_process(works: Works) -> None:
    began = works.clock.now
    for number in range(5):
        poster = Poster(works.database, works.connect(Gateway), clock=works.clock)
        poster.put(f"card:{number}", CHANNEL_ID, Drawn("A card", ()))
    assert works.clock.now - began >= timedelta(seconds=4)
    works.clock.wait(minutes=1)
    later = works.clock.now
    Poster(works.database, works.connect(Gateway), clock=works.clock).put(
        "card:9", CHANNEL_ID, Drawn("A", ())
    )
    assert works.clock.now == later


def test_fewer_jobs_than_a_burst_have_no_digest(works: Works) -> None:
    works.import_jobs(BURST - 1)
    works.run_until_nothing_waits()
    assert works.digests() == []
    assert len(works.channel()) == BURST - 1


def test_what_is_imported_meanwhile_joins_the_same_digest(works: Works) -> None:
    works.import_jobs(6)

    class Importing(Gateway):
        posts = 0

        def post(self, channel: str, message: Drawn, **more: Any) -> Posted:
            Importing.posts += 1
            if Importing.posts == 3:
                works.import_jobs(6, first=6)
            return super().post(channel, message, **more)

    works.run(gateway=works.connect(Importing))
    works.run_until_nothing_waits()
    (digest,) = works.digests()
    assert digest.text.startswith("12 jobs")


def test_a_job_that_is_decided_during_a_burst_is_drawn_before_the_cards_that_wait(works: Works) -> None:
    first, *_ = works.import_jobs(30)

    class Deciding(Gateway):
        posts = 0

        def post(self, channel: str, message: Drawn, **more: Any) -> Posted:
            posted = super().post(channel, message, **more)
            Deciding.posts += 1
            if Deciding.posts == 6:
                works.update(first)
            return posted

    works.run(gateway=works.connect(Deciding))
    order = [
        (call["method"], str(call["arguments"].get("text")).split(" ")[0]) for call in works.sandbox.calls()
    ]
    assert order.index(("chat.update", "40-000")) < order.index(("chat.postMessage", "40-029"))


def test_replies_wait_for_the_last_new_card_however_slow_slack_is(works: Works) -> None:
    works.import_jobs(30)

    class Slow(Gateway):
        def post(self, channel: str, message: Drawn, **more: Any) -> Posted:
            works.clock.wait(seconds=3)
            return super().post(channel, message, **more)

    works.run(gateway=works.connect(Slow))
    works.run_until_nothing_waits()
    posts = [call["arguments"] for call in works.sandbox.calls("chat.postMessage")]
    replies = ["thread_ts" in post for post in posts if post["channel"] == CHANNEL_ID]
    assert replies == [False] * 31 + [True] * 30


def test_in_a_burst_the_direct_message_of_a_person_is_opened_once(works: Works) -> None:
    works.import_jobs(5)
    works.run_until_nothing_waits()
    works.import_jobs(5, first=5)
    works.run_until_nothing_waits()
    assert len(works.person(works.dana).sees().direct_messages) == 2
    assert len(works.sandbox.calls("conversations.open")) == 2


class KilledAt(Gateway):
    """The process is gone after so many posts, before it could note the last."""

    left = 1

    def post(self, channel: str, message: Drawn, **more: Any) -> Posted:
        posted = super().post(channel, message, **more)
        self.left -= 1
        if self.left == 0:
            raise SystemExit
        return posted


def test_a_kill_leaves_one_digest_and_one_card_a_job(works: Works) -> None:
    works.import_jobs(6)
    for posts in (1, 3):
        gateway = works.connect(KilledAt)
        gateway.left = posts
        with suppress(SystemExit):
            works.run(gateway=gateway)
        works.clock.wait(seconds=20)
    works.run_until_nothing_waits()
    assert len(works.digests()) == 1
    assert len(works.channel()) == 7


def test_replies_of_a_burst_are_not_shown_in_the_channel(works: Works) -> None:
    updates = works.import_jobs(5)
    works.run_until_nothing_waits()
    for update in updates:
        works.update(update)
    with works.database.writing() as session:
        for update in updates:
            session.get_one(RequestedUpdate, update.id).state = State.SYNCED
    works.run_until_nothing_waits()
    for update in updates:
        with works.database.reading() as session:
            job = session.get_one(Job, update.job_id)
        works.ask(job, "09-250 L")
    works.run_until_nothing_waits()
    assert len(works.digests()) == 2
    shown = [m for m in works.person(works.dana).sees().messages if m.raw.get("broadcast")]
    assert shown == []


ADMIN = sample_company.ADMIN_WITHOUT_PRIVILEGE
TO_ADMIN = Rules(admin_emails=(ADMIN,))


@pytest.fixture
def administered(works_on_either: Works) -> Works:
    works = works_on_either
    with works.database.writing() as session:
        factories.person(session, ADMIN)
    return works


def test_the_administrator_gets_the_invite_line_once_an_outage(administered: Works) -> None:
    works, priya = administered, administered.sandbox.as_person(ADMIN)
    works.sandbox.switch(bot_in_channel=False)
    for round_ in range(3):
        works.import_jobs(2, first=2 * round_)
        works.run(rules=TO_ADMIN)
        works.clock.wait(minutes=15)
    (told,) = priya.sees().direct_messages
    assert "`/invite @costbot`" in told.words
    assert f"<#{CHANNEL_ID}>" in told.words
    works.sandbox.switch(bot_in_channel=True)
    works.run_until_nothing_waits()
    assert len([m for m in works.channel() if "View Requested Updates" in m.buttons]) == 6
    assert len(priya.sees().direct_messages) == 1

    works.sandbox.switch(bot_in_channel=False)
    works.import_jobs(1, first=90)
    works.run(rules=TO_ADMIN)
    assert len(priya.sees().direct_messages) == 2
    assert works.outages() == [Event.CHANNEL_CLOSED, Event.CHANNEL_OPEN, Event.CHANNEL_CLOSED]


def test_without_an_administrator_the_approvers_get_the_invite_line(works: Works) -> None:
    works.sandbox.switch(bot_in_channel=False)
    works.import_jobs(1)
    works.run()
    for approver in (works.dana, works.marcus):
        assert any("`/invite @costbot`" in m.words for m in works.person(approver).sees().direct_messages)
