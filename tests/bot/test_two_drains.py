"""Two drains at once, where PostgreSQL has let go of the lock of one that goes on: all is told, and once."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from bot.blocks.pieces import Message as Drawn
from bot.delivery.loop import LOCK
from bot.gateway import Gateway
from bot.posting import Poster, UnderWay
from bot.sandbox.client import Sandbox
from bot.sandbox.workspace import CHANNEL_ID
from bot.slack_answers import Posted, SlackError
from tests.between import cut_locks
from tests.bot.site import Site
from workflow import messages
from workflow.database import Database, Held
from workflow.vocabulary import NoticeKind

CARD = Drawn("A card", ())
DEADLINE_SECONDS = 120.0


class OvertakenDatabase(Database):
    """Somebody else gets in between what is read here first and what follows from it."""

    meanwhile: Callable[[], object] | None = None

    @contextmanager
    def reading(self) -> Iterator[Session]:
        with super().reading() as session:
            yield session
        act, self.meanwhile = self.meanwhile, None
        if act is not None:
            act()


class LostLockDatabase(Database):
    """The lock is lost as soon as it is taken, so that everybody holds it."""

    @contextmanager
    def exclusive(self, name: str, *, wait_seconds: float = 0.0) -> Iterator[Held]:
        yield Held(True)


class HeldUpGateway(Gateway):
    """Something happens, once, between two calls of Slack's."""

    before_opening: Callable[[], object] | None = None
    before_posting: Callable[[], object] | None = None
    before_drawing: Callable[[], object] | None = None
    after_looking: Callable[[], object] | None = None

    def _once(self, when: str) -> None:
        act: Callable[[], object] | None = getattr(self, when)
        setattr(self, when, None)
        if act is not None:
            act()

    def open_direct_message(self, user_id: str) -> str:
        self._once("before_opening")
        return super().open_direct_message(user_id)

    def post(self, channel: str, message: Drawn, **more: Any) -> Posted:
        self._once("before_posting")
        return super().post(channel, message, **more)

    def update(self, at: Posted, message: Drawn, *, key: str) -> None:
        self._once("before_drawing")
        super().update(at, message, key=key)

    def find(self, channel: str, key: str, **more: Any) -> Posted | None:
        found = super().find(channel, key, **more)
        self._once("after_looking")
        return found


@pytest.fixture
def overtaken(database_url: str) -> Iterator[OvertakenDatabase]:
    database = OvertakenDatabase(database_url)
    yield database
    database.close()


@pytest.fixture
def lost_lock(database_url: str) -> Iterator[LostLockDatabase]:
    database = LostLockDatabase(database_url)
    yield database
    database.close()


def test_of_two_who_are_about_to_post_the_same_message_one_does(
    site: Site, overtaken: OvertakenDatabase
) -> None:
    ours = Poster(overtaken, site.gateway, clock=site.clock)
    theirs = Poster(site.database, site.gateway, clock=site.clock)

    overtaken.meanwhile = lambda: theirs.put("card:1", CHANNEL_ID, CARD)
    with pytest.raises(UnderWay):
        ours.put("card:1", CHANNEL_ID, CARD)

    assert [message.ts for message in site.channel()] == [ours.put("card:1", CHANNEL_ID, CARD).ts]
    assert site.posts() == 1


@pytest.mark.parametrize("is_known", [True, False], ids=["and knows it", "and cannot know it"])
def test_of_two_who_have_looked_in_vain_for_what_was_attempted_before_one_posts_it(
    site: Site, is_known: bool
) -> None:
    gateway = site.connect(HeldUpGateway)
    ours = Poster(site.database, gateway, clock=site.clock)
    theirs = Poster(site.database, site.gateway, clock=site.clock)
    site.sandbox.fail_next("chat.postMessage", "server_error")
    with suppress(SlackError):
        theirs.put("card:1", CHANNEL_ID, CARD)
    site.clock.wait(minutes=1)

    def post() -> None:
        if not is_known:
            site.sandbox.fail_next("chat.postMessage", "server_error", after=True)
        with suppress(SlackError):
            theirs.put("card:1", CHANNEL_ID, CARD)

    gateway.after_looking = post
    with pytest.raises(UnderWay):
        ours.put("card:1", CHANNEL_ID, CARD)

    site.clock.wait(minutes=1)
    assert [message.ts for message in site.channel()] == [ours.put("card:1", CHANNEL_ID, CARD).ts]


def test_who_has_looked_in_vain_for_what_arrives_just_then_posts_nothing_beside_it(site: Site) -> None:
    gateway = site.connect(HeldUpGateway)
    ours = Poster(site.database, gateway, clock=site.clock)
    site.sandbox.fail_next("chat.postMessage", "server_error")
    with suppress(SlackError):
        ours.put("card:1", CHANNEL_ID, CARD)
    site.clock.wait(minutes=1)

    def arrive() -> None:
        there = site.gateway.post(CHANNEL_ID, CARD, key="card:1")
        with site.database.writing() as session:
            messages.posted(session, "card:1", channel=there.channel, ts=there.ts)

    gateway.after_looking = arrive
    with pytest.raises(UnderWay):
        ours.put("card:1", CHANNEL_ID, CARD)

    assert [message.ts for message in site.channel()] == [ours.put("card:1", CHANNEL_ID, CARD).ts]


def test_of_two_who_are_about_to_show_the_same_files_one_does(site: Site) -> None:
    shown: list[str] = []
    ours = Poster(site.database, site.gateway, clock=site.clock)
    theirs = Poster(site.database, site.gateway, clock=site.clock)

    def upload_for_long() -> str:
        site.clock.wait(minutes=1)
        theirs.share("files:1", CHANNEL_ID, "week.csv", lambda: "theirs", shown.append)
        return "ours"

    with pytest.raises(UnderWay):
        ours.share("files:1", CHANNEL_ID, "week.csv", upload_for_long, shown.append)

    assert shown == ["theirs"]


def test_who_is_refused_leaves_the_message_of_another_who_came_after_them_on_record(site: Site) -> None:
    gateway = site.connect(HeldUpGateway)
    ours = Poster(site.database, gateway, clock=site.clock)
    theirs = Poster(site.database, site.gateway, clock=site.clock)

    def stand_still() -> None:
        site.clock.wait(minutes=1)
        theirs.put("card:1", CHANNEL_ID, CARD)
        site.sandbox.fail_next("chat.postMessage", "error", error="restricted_action")

    gateway.before_posting = stand_still
    with pytest.raises(SlackError):
        ours.put("card:1", CHANNEL_ID, CARD)

    assert [message.ts for message in site.channel()] == [ours.put("card:1", CHANNEL_ID, CARD).ts]


def test_a_notice_that_came_while_another_drain_told_the_one_before_it_is_told_too(
    site: Site, lost_lock: LostLockDatabase
) -> None:
    first_has_read, first_may_go_on = threading.Event(), threading.Event()
    slow, other = site.connect(HeldUpGateway), site.connect(HeldUpGateway)
    site.ask_for_privilege(site.dana)
    site.clock.wait(seconds=3)

    def wait() -> None:
        first_has_read.set()
        assert first_may_go_on.wait(DEADLINE_SECONDS)

    slow.before_opening = wait
    first = threading.Thread(target=site.drain, kwargs={"gateway": slow, "database": lost_lock})
    first.start()
    assert first_has_read.wait(DEADLINE_SECONDS)
    # the first drain does not wait for it, and the second takes it along
    site.ask_for_privilege(site.dana, not_before=site.clock.now + timedelta(seconds=10))

    def let_it_go_on() -> None:
        first_may_go_on.set()
        first.join(DEADLINE_SECONDS)

    other.before_opening = let_it_go_on
    site.drain(gateway=other, database=lost_lock)
    site.clock.wait(minutes=1)
    site.drain()

    told = site.person(site.dana).sees().direct_messages
    assert len(told) == 2
    assert all("asks to become" in message.words for message in told)
    assert site.waiting() == []


def test_a_card_that_two_draw_at_the_same_time_shows_what_is_true_in_the_end(
    site: Site, lost_lock: LostLockDatabase
) -> None:
    requested = site.ask(site.riverside, "03-300 L")
    site.drain()
    site.update(requested)
    gateway = site.connect(HeldUpGateway)

    def draw_what_is_newer() -> None:
        site.take_back(requested)
        site.drain(database=lost_lock)

    gateway.before_drawing = draw_what_is_newer
    site.drain(gateway=gateway, database=lost_lock)
    site.drain()

    (card,) = [message for message in site.channel() if message.buttons]
    assert "Update" in card.buttons
    assert "Take back" not in card.buttons
    assert site.waiting() == []


def test_a_drain_that_has_lost_its_lock_leaves_the_rest_to_who_has_it(
    postgres_url: str, sandbox: Sandbox
) -> None:
    with ExitStack() as at_work:
        database, other = (at_work.enter_context(closing(Database(postgres_url))) for _ in range(2))
        site = Site(database, sandbox)
        gateway = site.connect(HeldUpGateway)
        for job in (site.riverside, site.depot):
            site.ask(job, "03-300 L")

        def lose_it() -> None:
            cut_locks(other)
            assert at_work.enter_context(other.exclusive(LOCK, wait_seconds=DEADLINE_SECONDS))

        gateway.before_posting = lose_it
        site.drain(gateway=gateway)

        assert len(site.channel()) == 1
        assert {notice.job_id for notice in site.waiting() if notice.kind is NoticeKind.CARD} == {
            site.depot.id
        }
