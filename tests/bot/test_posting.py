"""One message per key, on both databases: whatever is killed, goes unanswered or is deleted on the way."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from slack_sdk import WebClient
from structlog.testing import capture_logs

from bot.blocks.pieces import Message as Drawn
from bot.gateway import Gateway
from bot.posting import Poster
from bot.sandbox.workspace import BOT_TOKEN, CHANNEL_ID, TEAM_ID
from bot.slack_answers import Posted, SlackError
from tests.bot.site import Site, warned
from workflow import directory, messages, outbox
from workflow.vocabulary import NoticeKind


@pytest.mark.parametrize("kind", ["reset", "server_error"])
def test_a_card_that_slack_took_without_saying_so_is_found_and_not_posted_twice(
    site: Site, kind: str
) -> None:
    site.ask(site.riverside, "03-300 L")
    site.sandbox.fail_next("chat.postMessage", kind, after=True)
    site.drain()
    assert "SlackUnavailable" in str(site.waiting()[0].last_error)
    site.clock.wait(minutes=1)
    site.drain()
    assert len(site.channel()) == 1
    assert len(site.thread()) == 1
    assert site.waiting() == []


def test_a_card_that_slack_never_got_is_posted_after_looking_for_it(site: Site) -> None:
    site.ask(site.riverside, "03-300 L")
    site.sandbox.fail_next("chat.postMessage", "server_error")
    site.drain()
    site.clock.wait(minutes=1)
    site.drain()
    assert len(site.channel()) == 1
    assert len(site.sandbox.calls("conversations.history")) == 1


def test_a_reply_that_slack_took_without_saying_so_is_not_posted_twice(site: Site) -> None:
    requested = site.ask(site.riverside, "03-300 L")
    site.drain()
    site.update(requested)
    site.sandbox.fail_next("chat.postMessage", "reset", after=True)
    site.drain()
    site.clock.wait(minutes=1)
    site.drain()
    assert len(site.thread()) == 2
    assert site.waiting() == []


def test_a_direct_message_that_slack_took_without_saying_so_is_not_sent_twice(site: Site) -> None:
    site.ask_for_privilege(site.dana)
    site.sandbox.fail_next("chat.postMessage", "reset", after=True)
    site.drain()
    site.ask_for_privilege(site.dana)
    site.clock.wait(minutes=1)
    site.drain()
    told = site.person(site.dana).sees().direct_messages
    assert len(told) == 2
    assert all(message.words.count("asks to become") == 2 for message in told)
    assert site.waiting() == []


def test_a_direct_message_of_unknown_result_in_a_channel_that_is_gone_goes_to_the_new_one(site: Site) -> None:
    site.ask_for_privilege(site.dana)
    site.sandbox.fail_next("chat.postMessage", "server_error")
    site.drain()
    [waiting] = site.waiting()
    with site.database.writing() as session:
        messages.attempt(session, messages.direct_key(waiting.id), channel="D0GONE", at=site.clock.now)
        directory.note_direct_channel(session, TEAM_ID, "U0DANA", "D0GONE")
    for _ in range(2):
        site.clock.wait(minutes=11)
        site.drain()
    assert len(site.person(site.dana).sees().direct_messages) == 1
    assert site.waiting() == site.given_up() == []


def test_a_card_of_unknown_result_in_a_channel_that_is_gone_is_drawn_in_the_new_one(site: Site) -> None:
    site.ask(site.riverside, "03-300 L")
    with site.database.writing() as session:
        messages.attempt(session, messages.card_key(site.riverside.id), channel="C0GONE", at=site.clock.now)
    site.clock.wait(minutes=1)
    site.drain()
    assert len(site.channel()) == 1
    assert site.waiting() == []


def test_what_was_told_by_a_clock_that_was_ahead_comes_when_it_is_set_back(site: Site) -> None:
    site.clock.wait(hours=5)
    requested = site.ask(site.riverside, "03-300 L")
    site.update(requested)
    site.clock.wait(hours=-5)
    site.drain()
    site.clock.wait(minutes=1)
    site.drain()
    assert len(site.thread()) == 2
    assert site.waiting() == []


@pytest.mark.parametrize(
    ("before", "after"),
    [(5, 0), (5, -5), (-5, 0), (-5, 5), (0, -5), (0, 5)],
    ids=["ahead", "ahead, then right", "behind", "behind, then right", "set back", "set ahead"],
)
def test_a_card_that_slack_took_without_saying_so_is_found_whatever_the_clock_did(
    site: Site, before: int, after: int
) -> None:
    site.ask(site.depot, "03-300 L")
    site.drain()
    site.clock.wait(hours=before)
    site.ask(site.riverside, "03-300 L")
    site.sandbox.fail_next("chat.postMessage", "reset", after=True)
    site.drain()
    site.clock.wait(hours=after)
    for _ in range(3):
        site.clock.wait(minutes=5)
        site.drain()
    assert len(site.channel()) == 2
    assert site.waiting() == []


class KilledOnceGateway(Gateway):
    """Slack takes the first message, and the process is gone before it could note so."""

    killed = False

    def post(self, channel: str, message: Drawn, **more: Any) -> Posted:
        posted = super().post(channel, message, **more)
        if not self.killed:
            self.killed = True
            raise SystemExit
        return posted


def test_a_kill_between_posting_and_noting_it_doubles_nothing(site: Site) -> None:
    site.ask(site.riverside, "03-300 L")
    gateway = site.connect(KilledOnceGateway)
    with suppress(SystemExit):
        site.drain(gateway=gateway)
    site.drain(gateway=gateway)
    assert site.thread() == []
    site.clock.wait(minutes=1)
    site.drain(gateway=gateway)
    assert len(site.thread()) == 1
    assert len(site.channel()) == 1
    assert site.waiting() == []


class OvertakenGateway(Gateway):
    """While the first message is on its way to Slack, somebody else comes to post the same."""

    somebody_else: Callable[[], object]

    def post(self, channel: str, message: Drawn, **more: Any) -> Posted:
        with suppress(SlackError):
            self.somebody_else()
        return super().post(channel, message, **more)


def test_a_message_on_its_way_is_not_posted_by_who_takes_over_when_the_lock_is_lost(site: Site) -> None:
    # PostgreSQL lets go of the lock when its connection breaks, while its holder goes on
    card = Drawn("A card", ())
    gateway = site.connect(OvertakenGateway)
    other = Poster(site.database, site.gateway, clock=site.clock)
    gateway.somebody_else = lambda: other.put("card:1", CHANNEL_ID, card)

    posted = Poster(site.database, gateway, clock=site.clock).put("card:1", CHANNEL_ID, card)

    assert [message.ts for message in site.channel()] == [posted.ts]
    assert other.put("card:1", CHANNEL_ID, card) == posted
    assert site.posts() == 1


def test_where_slack_does_not_let_us_look_the_message_goes_out_with_a_line_in_the_log(site: Site) -> None:
    site.ask(site.riverside, "03-300 L")
    site.sandbox.fail_next("chat.postMessage", "server_error")
    site.drain()
    site.sandbox.switch(missing_scopes=["channels:history"])
    site.clock.wait(minutes=1)
    with capture_logs() as logs:
        site.drain()
    assert len(site.channel()) == 1
    assert ["may appear twice" in line["event"] for line in warned(logs)] == [True]


def test_a_card_that_somebody_deleted_comes_back_and_its_thread_goes_on_there(site: Site) -> None:
    requested = site.ask(site.riverside, "03-300 L")
    site.drain()
    slack = WebClient(BOT_TOKEN, base_url=site.sandbox.api_url)
    slack.chat_delete(channel=CHANNEL_ID, ts=site.channel()[0].ts)
    site.update(requested)
    site.drain()
    (card,) = [message for message in site.channel() if message.buttons]
    assert "Take back" in card.buttons
    replies = site.person(site.dana).sees().thread(card)
    assert [reply.text.startswith("Dana Whitfield updated") for reply in replies] == [True]


def test_a_card_deleted_between_drawing_and_answering_comes_back_for_the_answer(site: Site) -> None:
    site.ask(site.riverside, "03-300 L")
    site.sandbox.fail_next("chat.postMessage", "error", error="thread_not_found")
    with site.database.writing() as session:
        key = messages.card_key(site.riverside.id)
        messages.attempt(session, key, channel=CHANNEL_ID, at=site.clock.now)
        messages.posted(session, key, channel=CHANNEL_ID, ts="1.000001")
        outbox.done(
            session, outbox.waiting_for_job(session, site.riverside.id, NoticeKind.CARD), at=site.clock.now
        )
    site.drain()
    site.clock.wait(minutes=1)
    site.drain()
    assert len(site.channel()) == 1
    assert len(site.thread()) == 1
