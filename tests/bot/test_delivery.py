"""Delivery against a Slack look-alike, on both databases: one card a job, nothing lost, nothing twice."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import pytest
from slack_sdk import WebClient
from sqlalchemy import select
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs
from structlog.typing import EventDict

from bot.blocks.pieces import Message as Drawn
from bot.delivery import LOCK, deliver_waiting, drain, outcomes
from bot.gateway import Gateway, Posted, SlackError, web_client
from bot.posting import Poster
from bot.sandbox import sample_company
from bot.sandbox.client import Message, Person, Sandbox
from bot.sandbox.workspace import BOT_TOKEN, CHANNEL_ID, TEAM_ID
from tests import factories
from tests.factories import RULES, actor
from workflow import approvals, audit, directory, messages, outbox
from workflow.database import Database
from workflow.request_ids import working_for
from workflow.tables import Job, OutboxNotice, RequestedUpdate
from workflow.tables import Person as DirectoryPerson
from workflow.vocabulary import Event, NoticeKind, Place, Refusal, State

NEXT_SYNC = datetime(2026, 12, 1, 10, 0, tzinfo=UTC)

AnyGateway = TypeVar("AnyGateway", bound=Gateway)


def warned(logs: list[EventDict]) -> list[EventDict]:
    """What somebody ought to look at."""
    return [line for line in logs if line["log_level"] not in ("debug", "info")]


class Clock:
    """Time that moves only when somebody waits; it begins now, for Slack's look-alike has its own clock."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now

    def monotonic(self) -> float:
        return self.now.timestamp()

    def sleep(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def wait(self, **time: float) -> None:
        self.now += timedelta(**time)


class Site:
    """A company with two approvers and a project engineer, its Slack, and acts of its people."""

    def __init__(self, database: Database, sandbox: Sandbox) -> None:
        self.database = database
        self.sandbox = sandbox
        self.clock = Clock()
        self.gateway = self.connect(Gateway)
        with database.writing() as session:
            factories.standard_list(session)
            self.dana = factories.approver(session, sample_company.APPROVER)
            self.marcus = factories.approver(session, sample_company.SECOND_APPROVER)
            self.tom = factories.person(session, sample_company.PROJECT_ENGINEER)
            self.riverside = factories.job(session)
            self.depot = factories.job(session, "24-018", "Bus Depot")

    def connect(self, kind: type[AnyGateway]) -> AnyGateway:
        client = web_client(BOT_TOKEN, self.sandbox.api_url)
        client.timeout = 1
        return kind(client, monotonic=self.clock.monotonic, sleep=self.clock.sleep)

    def ask(self, job: Job, *lines: str) -> RequestedUpdate:
        with self.database.writing() as session:
            return factories.requested(session, job=job, by=self.tom, lines=lines, at=self.clock.now)

    def update(self, requested: RequestedUpdate, by: DirectoryPerson | None = None) -> None:
        with self.database.writing() as session:
            done = approvals.accept(
                session,
                requested_update_id=requested.id,
                revision=requested.revision,
                by=actor(by or self.dana, Place.SLACK),
                at=self.clock.now,
                rules=RULES,
            )
        assert isinstance(done, approvals.Done), done

    def ask_for_privilege(self, admin: DirectoryPerson) -> None:
        """An event that is told in one direct message, and nowhere else."""
        with self.database.writing() as session:
            event = audit.record(
                session,
                Event.PRIVILEGE_ASKED,
                by=actor(self.tom, Place.SLACK),
                at=self.clock.now,
                reason=Refusal.PERMISSION_TOO_LOW.value,
            )
            outbox.tell_people(session, event, [admin.id])

    def drain(self, *, gateway: Gateway | None = None, channel: str | None = CHANNEL_ID) -> int:
        return drain(
            self.database,
            gateway or self.gateway,
            channel=channel,
            next_sync=lambda: NEXT_SYNC,
            clock=self.clock,
            sleep=self.clock.sleep,
        )

    def waiting(self) -> list[OutboxNotice]:
        with self.database.reading() as session:
            notices = session.scalars(select(OutboxNotice).order_by(OutboxNotice.id)).all()
        return [notice for notice in notices if notice.done_at is None and not notice.given_up]

    def given_up(self) -> list[OutboxNotice]:
        with self.database.reading() as session:
            return list(session.scalars(select(OutboxNotice).where(OutboxNotice.given_up)))

    def channel(self) -> list[Message]:
        """The messages of the approvals channel that stand in no thread."""
        seen = self.person(self.dana).sees()
        return [message for message in seen.messages if message.thread_ts in (None, message.ts)]

    def thread(self) -> list[str]:
        """What was answered in the only card's thread."""
        card = self.channel()[0]
        return [reply.text for reply in self.person(self.dana).sees().thread(card)]

    def person(self, who: DirectoryPerson) -> Person:
        return self.sandbox.as_person(who.email)

    def posts(self) -> int:
        return sum(call["ok"] for call in self.sandbox.calls("chat.postMessage"))


@pytest.fixture
def site(database: Database, sandbox: Sandbox) -> Iterator[Site]:
    yield Site(database, sandbox)
    sandbox.clear_faults()


def test_a_request_becomes_a_card_a_reply_and_a_direct_message_to_each_approver(site: Site) -> None:
    site.ask(site.riverside, "03-300 L", "03-300 M")
    assert site.drain() == 4
    (card,) = site.channel()
    assert "24-017 Riverside Medical Center" in card.words
    assert card.buttons == ["View Requested Updates", "Update", "Reject"]
    assert str(int(NEXT_SYNC.timestamp())) in card.words
    assert site.thread() == [
        "Tom Beckett requested 2 assignments of 1 cost code. Ready to Update. (command line)"
    ]
    for approver in (site.dana, site.marcus):
        (told,) = site.person(approver).sees().direct_messages
        assert "Tom Beckett requested 2 assignments" in told.words
        assert f"/#/{CHANNEL_ID}/p{card.ts.replace('.', '')}|Open the card" in told.words
    assert site.person(site.tom).sees().direct_messages == []
    assert site.waiting() == []


def test_a_job_has_one_card_that_changes_in_place_and_a_thread_that_tells_its_history(site: Site) -> None:
    requested = site.ask(site.riverside, "03-300 L")
    site.drain()
    (before,) = site.channel()
    site.update(requested)
    site.drain()
    (after,) = site.channel()
    assert after.ts == before.ts
    assert "Updated, waits for the data sync" in after.words
    assert after.buttons == ["View Requested Updates", "Take back"]
    assert [line.split(" ", 2)[2].split(" ")[0] for line in site.thread()] == ["requested", "updated"]
    (told,) = site.person(site.tom).sees().direct_messages
    assert "updated revision 1" in told.words


def test_a_job_that_changed_often_is_drawn_once(site: Site) -> None:
    site.ask(site.riverside, "03-300 L")
    site.drain()
    for line in ("03-300 M", "01-100 L", "09-250 L"):
        site.ask(site.riverside, line)
    site.drain()
    assert len(site.sandbox.calls("chat.update")) == 1
    assert len(site.thread()) == 4
    assert "4 cost codes" not in site.channel()[0].words
    assert "3 cost codes, 4 assignments" in site.channel()[0].words


def test_a_burst_is_one_direct_message_a_person(site: Site) -> None:
    site.ask(site.riverside, "03-300 L")
    site.clock.wait(seconds=1)
    site.ask(site.depot, "03-300 L")
    site.drain()
    (told,) = site.person(site.dana).sees().direct_messages
    assert "24-017 Riverside Medical Center" in told.words
    assert "24-018 Bus Depot" in told.words
    assert len(site.channel()) == 2


def test_a_reply_that_concerns_the_channel_is_shown_there_too(site: Site) -> None:
    requested = site.ask(site.riverside, "03-300 L")
    site.update(requested)
    site.drain()
    with site.database.writing() as session:
        session.get_one(RequestedUpdate, requested.id).state = State.SYNCED
    site.ask(site.riverside, "09-250 L")
    site.drain()
    replies = [m for m in site.person(site.dana).sees().messages if m.thread_ts not in (None, m.ts)]
    assert [reply.raw["broadcast"] for reply in replies] == [False, False, True]


def test_with_nothing_due_slack_is_not_called(site: Site) -> None:
    assert site.drain() == 0
    assert site.sandbox.calls() == []


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


def test_outside_the_channel_cards_wait_and_direct_messages_go_on(site: Site) -> None:
    site.ask(site.riverside, "03-300 L")
    site.ask(site.depot, "03-300 L")
    site.sandbox.switch(bot_in_channel=False)
    with capture_logs() as logs:
        assert site.drain() == 4 + 2
    assert [line["mend"] for line in warned(logs)] == ["type `/invite @costbot` in the channel"]
    assert len(site.person(site.dana).sees().direct_messages) == 1
    assert len(site.sandbox.calls("chat.postMessage")) == 3
    assert all("not_in_channel" in str(notice.last_error) for notice in site.waiting())
    assert len(site.waiting()) == 4
    site.sandbox.switch(bot_in_channel=True)
    site.clock.wait(minutes=1)
    assert site.drain() == 4
    assert len(site.channel()) == 2


def test_an_archived_channel_loses_nothing_and_a_new_one_gets_the_card(site: Site) -> None:
    requested = site.ask(site.riverside, "03-300 L")
    site.drain()
    site.sandbox.switch(archived=True)
    site.update(requested)
    site.drain()
    assert {str(notice.kind) for notice in site.waiting()} == {"card", "thread"}
    private = site.gateway.open_direct_message("U0PRIYA")
    site.clock.wait(minutes=10)
    site.drain(channel=private)
    assert site.waiting() == []
    priya = site.sandbox.as_person(sample_company.ADMIN_WITHOUT_PRIVILEGE)
    assert "Take back" in priya.sees().direct_messages[0].buttons


def test_a_revoked_token_stops_everything_and_loses_nothing(site: Site) -> None:
    site.ask(site.riverside, "03-300 L")
    site.ask(site.depot, "03-300 L")
    site.sandbox.switch(token_revoked=True)
    with capture_logs() as logs:
        assert site.drain() == 0
    assert ["SLACK_BOT_TOKEN" in line["mend"] for line in warned(logs)] == [True]
    assert len(site.sandbox.calls()) == 1
    assert len(site.waiting()) == 8
    site.sandbox.switch(token_revoked=False)
    site.clock.wait(minutes=1)
    assert site.drain() == 8


def test_an_outage_is_logged_once_until_it_is_over(site: Site) -> None:
    def warnings_of_a_drain(error: str) -> int:
        site.sandbox.fail_next("*", "error", times=100, error=error)
        with capture_logs() as logs:
            site.drain()
        site.sandbox.clear_faults()
        site.clock.wait(minutes=30)
        return sum("notices wait" in line["event"] for line in logs)

    site.ask(site.riverside, "03-300 L")
    assert [warnings_of_a_drain("invalid_auth") for _ in range(3)] == [1, 0, 0]
    # trouble of another kind is news
    assert [warnings_of_a_drain("account_inactive") for _ in range(2)] == [1, 0]
    site.drain()
    assert site.waiting() == []
    site.ask(site.depot, "03-300 L")
    assert [warnings_of_a_drain("invalid_auth") for _ in range(2)] == [1, 0]


def test_a_delivered_notice_is_logged_with_the_request_that_it_is_of(site: Site) -> None:
    with working_for("asks"):
        requested = site.ask(site.riverside, "03-300 L")
    with working_for("decides"):
        site.update(requested)
    with capture_logs(processors=[merge_contextvars]) as logs:
        delivered = site.drain()
    told = [line for line in logs if line["event"] == "a notice was delivered"]
    assert len(told) == delivered
    assert {line["request_id"] for line in told} == {"asks", "decides"}


def test_a_message_that_gathers_many_notices_is_one_line_of_the_log(site: Site) -> None:
    for _ in range(3):
        site.ask_for_privilege(site.dana)
    site.clock.wait(seconds=5)
    with capture_logs() as logs:
        assert site.drain() == 3
    told = [line for line in logs if "delivered" in line["event"] and line["log_level"] == "info"]
    assert [(line["event"], line["notices"], line["seconds"]) for line in told] == [
        ("gathered notices were delivered", 3, 5.0)
    ]


def test_a_rate_limit_is_waited_for_and_is_nobodys_fault(site: Site) -> None:
    site.ask(site.riverside, "03-300 L")
    site.sandbox.fail_next("chat.postMessage", "ratelimited", retry_after=2)
    assert site.drain() == 4
    assert site.waiting() == []
    assert len(site.channel()) == 1
    assert site.sandbox.calls("conversations.history") == []


def test_slacks_own_rate_limits_lose_nothing(site: Site) -> None:
    site.sandbox.switch(rate_limits=True)
    site.ask(site.riverside, "03-300 L")
    for _ in range(20):
        site.drain()
        site.clock.wait(seconds=30)
        if not site.waiting():
            break
    assert site.waiting() == []
    assert len(site.channel()) == 1
    assert len(site.thread()) == 1


def test_while_slack_is_down_a_drain_ends_soon_and_the_rest_stays_due(site: Site) -> None:
    with site.database.writing() as session:
        jobs = [factories.job(session, f"25-{number:03}", "Tower") for number in range(6)]
    for job in jobs:
        site.ask(job, "03-300 L")
    site.sandbox.fail_next("*", "server_error", times=100)
    assert site.drain() == 0
    assert len(site.sandbox.calls()) == outcomes.UNANSWERED_CALLS
    site.sandbox.clear_faults()
    site.clock.wait(minutes=1)
    site.drain()
    assert len(site.channel()) == 6


def test_replies_keep_their_order_when_one_has_to_wait(site: Site) -> None:
    requested = site.ask(site.riverside, "03-300 L")
    site.drain()
    site.update(requested)
    site.sandbox.fail_next("chat.postMessage", "server_error")
    site.drain()
    with site.database.writing() as session:
        approvals.take_back(
            session,
            requested_update_id=requested.id,
            by=actor(site.dana, Place.SLACK),
            at=site.clock.now,
            rules=RULES,
        )
    site.drain()
    assert len(site.thread()) == 1
    assert "Ready to Update" in site.channel()[0].words
    site.clock.wait(minutes=1)
    site.drain()
    assert [
        words in line
        for words, line in zip(("requested", "updated revision", "took"), site.thread(), strict=True)
    ]
    assert site.waiting() == []


def test_a_person_without_a_slack_user_is_given_up_and_the_others_are_told(site: Site) -> None:
    with site.database.writing() as session:
        factories.approver(session, "nobody@example.com")
        factories.approver(session, sample_company.GUEST)
    site.ask(site.riverside, "03-300 L")
    site.drain()
    assert sorted(str(notice.last_error) for notice in site.given_up()) == [
        "nobody in Slack has the e-mail nobody@example.com",
        f"the Slack user with the e-mail {sample_company.GUEST} is no confirmed member",
    ]
    assert len(site.person(site.dana).sees().direct_messages) == 1


def test_a_person_is_pinned_at_the_first_message_and_a_change_of_e_mail_moves_nothing(site: Site) -> None:
    site.ask_for_privilege(site.dana)
    site.drain()
    with site.database.writing() as session:
        assert directory.slack_user_of(session, TEAM_ID, site.dana.id) == "U0DANA"
        session.get_one(DirectoryPerson, site.dana.id).email = sample_company.SECOND_APPROVER + ".old"
    site.ask_for_privilege(site.dana)
    site.drain()
    assert len(site.sandbox.as_person(sample_company.APPROVER).sees().direct_messages) == 2
    assert len(site.sandbox.calls("users.lookupByEmail")) == 1


def test_a_slack_user_who_is_somebody_else_already_gets_no_message_for_this_person(site: Site) -> None:
    with site.database.writing() as session:
        tom = session.get_one(DirectoryPerson, site.tom.id)
        by = actor(tom, Place.COMMAND_LINE)
        directory.link(session, tom, team_id=TEAM_ID, user_id="U0DANA", by=by, at=site.clock.now)
    site.ask_for_privilege(site.dana)
    site.drain()
    assert "is tied to tom.beckett" in str(site.given_up()[0].last_error)


def test_a_notice_that_can_never_be_delivered_is_given_up_after_hours_and_blocks_nobody(site: Site) -> None:
    with site.database.writing() as session:
        session.add(
            OutboxNotice(
                kind=NoticeKind.DIRECT,
                person_id=site.marcus.id,
                created_at=site.clock.now,
                due_at=site.clock.now,
            )
        )
    site.ask_for_privilege(site.dana)
    started = site.clock.now
    with capture_logs() as logs:
        assert site.drain() == 1
        (poison,) = site.waiting()
        assert poison.attempts == 1
        assert "tells of no event" in str(poison.last_error)
        while site.waiting():
            assert site.clock.now - started < timedelta(hours=8)
            site.clock.wait(hours=1)
            site.drain()
    assert site.clock.now - started > outcomes.GIVE_UP_AGE
    assert len(logs) > outcomes.GIVE_UP_ATTEMPTS
    assert "tells of no event" in str(site.given_up()[0].last_error)


def test_a_notice_of_a_job_without_requests_needs_no_card(site: Site) -> None:
    with site.database.writing() as session:
        outbox.refresh_card(session, site.depot.id, at=site.clock.now)
    assert site.drain() == 1
    assert site.sandbox.calls() == []


def test_only_one_process_delivers_at_a_time(site: Site) -> None:
    site.ask(site.riverside, "03-300 L")
    with site.database.exclusive(LOCK) as held:
        assert held
        assert site.drain() == 0
    assert site.sandbox.calls() == []
    assert site.drain() == 4


def test_the_channel_may_be_given_by_name(site: Site) -> None:
    requested = site.ask(site.riverside, "03-300 L")
    site.drain(channel="#cost-codes")
    site.update(requested)
    site.drain(channel="#cost-codes")
    assert len(site.channel()) == 1
    assert "Take back" in site.channel()[0].buttons


def test_a_channel_name_that_slack_does_not_look_up_is_used_as_it_is(site: Site) -> None:
    site.sandbox.fail_next("conversations.list", "error", error="unknown_method")
    site.ask(site.riverside, "03-300 L")
    with capture_logs() as logs:
        assert site.drain(channel="#cost-codes") == 4
    assert [line["error"] for line in warned(logs)] == ["unknown_method"]
    assert len(site.channel()) == 1


def test_a_person_whom_slack_does_not_let_us_write_to_holds_up_no_card(site: Site) -> None:
    site.ask(site.riverside, "03-300 L")
    site.sandbox.fail_next("conversations.open", "error", times=2, error="channel_not_found")
    with capture_logs() as logs:
        assert site.drain() == 2
        site.ask(site.depot, "03-300 L")
        assert site.drain() == 6
    assert [line["event"] for line in warned(logs)] == ["a notice could not be delivered"] * 2
    assert len(site.channel()) == 2


def test_without_a_channel_cards_wait_and_the_log_says_which_setting_is_missing(site: Site) -> None:
    site.ask(site.riverside, "03-300 L")
    with capture_logs() as logs:
        assert site.drain(channel=None) == 2 + 2
    assert [("COSTBOT_CHANNEL" in line["error"]) for line in warned(logs)] == [True]
    assert len(site.waiting()) == 2


def test_the_worker_delivers_with_the_settings_in_force(
    site: Site, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with site.database.writing() as session:
        factories.requested(session, job=site.riverside, by=site.tom)
    monkeypatch.setenv("COSTBOT_DATABASE_URL", database_url)
    monkeypatch.setenv("SLACK_API_URL", site.sandbox.api_url)
    monkeypatch.setenv("COSTBOT_CHANNEL", CHANNEL_ID)
    monkeypatch.delenv("SLACK_BOT_TOKEN", raising=False)
    assert deliver_waiting() == 0
    assert len(site.waiting()) == 4
    monkeypatch.setenv("SLACK_BOT_TOKEN", BOT_TOKEN)
    assert deliver_waiting() == 4
    assert len(site.channel()) == 1
