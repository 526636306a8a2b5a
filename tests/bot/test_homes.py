"""Open App Home pages are drawn anew by delivery, at Slack's pace, against a Slack look-alike."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

import bot.homes
from bot.delivery import drain
from bot.homes import Homes
from bot.identity import Identity
from bot.sandbox.client import Sandbox
from bot.sandbox.workspace import BOT_TOKEN, CHANNEL_ID, TEAM_ID
from tests.between import after
from tests.bot.site import NEXT_SYNC, Site
from workflow import homes, slots
from workflow.database import Database
from workflow.homes import OPEN_FOR, REST
from workflow.settings import Settings
from workflow.vocabulary import PeriodicWork

DANA, MARCUS = "U0DANA", "U0MARCUS"


class Pages:
    """A company whose approvers have their App Home open."""

    def __init__(self, site: Site) -> None:
        self.site = site
        clock = site.clock
        self.identity = Identity(site.gateway, site.database, clock=clock, monotonic=clock.monotonic)
        settings = Settings(_env_file=None, slack_bot_token=BOT_TOKEN, channel=CHANNEL_ID)
        self.homes = Homes(site.database, site.gateway, self.identity, settings, clock=clock)

    def open(self, user_id: str) -> None:
        actor = self.identity.actor(user_id, TEAM_ID)
        with self.site.database.writing() as session:
            view = homes.open_page(session, team_id=TEAM_ID, user_id=user_id, at=self.site.clock.now)
        self.homes.show(view, actor)

    def drain(self) -> int:
        return drain(
            self.site.database,
            self.site.gateway,
            channel=CHANNEL_ID,
            next_sync=lambda: NEXT_SYNC,
            pages=self.homes,
            clock=self.site.clock,
            sleep=self.site.clock.sleep,
        )

    def published(self) -> list[str]:
        """To whom a page was published, in order."""
        calls = self.site.sandbox.calls("views.publish")
        return [call["arguments"]["user_id"] for call in calls if call["ok"]]

    def words(self) -> str:
        home = self.site.person(self.site.dana).sees().home
        assert home is not None
        return home.words


@pytest.fixture
def pages(database: Database, sandbox: Sandbox) -> Iterator[Pages]:
    site = Site(database, sandbox)
    pages = Pages(site)
    pages.open(DANA)
    site.clock.wait(minutes=1)
    yield pages
    sandbox.clear_faults()


def test_many_acts_are_one_new_page_for_each_who_has_it_open(pages: Pages) -> None:
    site = pages.site
    pages.open(MARCUS)
    site.clock.wait(minutes=1)
    for line in ("03-300 L", "03-300 M", "16-100 S"):
        site.ask(site.riverside, line)
    site.ask(site.depot, "03-300 L")

    pages.drain()

    assert pages.published() == [DANA, MARCUS, DANA, MARCUS]
    assert "2 jobs Ready to Update" in pages.words()


def test_a_page_is_not_drawn_when_nothing_happened_nor_when_nobody_looks(pages: Pages) -> None:
    pages.drain()
    assert pages.published() == [DANA]
    pages.site.clock.wait(seconds=OPEN_FOR.total_seconds())
    pages.site.ask(pages.site.riverside, "03-300 L")
    pages.drain()
    assert pages.published() == [DANA]


def test_a_change_right_after_another_is_on_the_page_when_the_drain_ends(pages: Pages) -> None:
    pages.site.ask(pages.site.riverside, "03-300 L")
    pages.homes.refresh()
    pages.site.ask(pages.site.depot, "03-300 L")
    due = pages.homes.next_due()
    assert due is not None
    assert due - pages.site.clock.now == REST
    pages.drain()
    assert "2 jobs Ready to Update" in pages.words()


@pytest.mark.parametrize("seconds", [1, -1], ids=["", "and is kept a moment later"])
def test_a_data_sync_that_ends_while_a_page_is_drawn_has_it_drawn_again(
    pages: Pages, monkeypatch: pytest.MonkeyPatch, seconds: int
) -> None:
    clock = pages.site.clock

    def a_data_sync_ends() -> None:
        ended = clock.now + timedelta(seconds=seconds)
        clock.wait(seconds=2)
        with pages.site.database.writing() as session:
            slots.take(session, PeriodicWork.DATA_SYNC, ended)
            slots.done(session, PeriodicWork.DATA_SYNC, ended, at=ended)

    after(monkeypatch, bot.homes, "home_page", a_data_sync_ends)
    pages.open(DANA)
    clock.wait(seconds=2)
    pages.drain()

    assert pages.published() == [DANA, DANA, DANA]
    pages.drain()
    assert pages.published() == [DANA, DANA, DANA]


def test_slack_that_wants_no_more_pages_gets_none_until_it_does(pages: Pages) -> None:
    site = pages.site
    site.sandbox.fail_next("views.publish", "ratelimited", retry_after=60)
    site.ask(site.riverside, "03-300 L")
    asked = site.clock.now
    assert pages.drain() == 4
    assert len(site.sandbox.calls("views.publish")) == 2
    due = pages.homes.next_due()
    assert due is not None
    assert (due - asked).total_seconds() >= 60
    site.clock.wait(seconds=61)
    pages.drain()
    assert "1 job Ready to Update" in pages.words()


def test_a_page_that_slack_refuses_stops_nobody_elses(pages: Pages) -> None:
    site = pages.site
    pages.open(MARCUS)
    site.clock.wait(minutes=1)
    site.sandbox.fail_next("views.publish", "error", error="not_enabled")
    site.ask(site.riverside, "03-300 L")
    pages.drain()
    assert pages.published() == [DANA, MARCUS, MARCUS]
    pages.drain()
    assert len(site.sandbox.calls("views.publish")) == 4


def test_when_slack_does_not_say_who_it_is_the_page_stays_as_it_is(pages: Pages) -> None:
    site = pages.site
    before = pages.words()
    site.sandbox.fail_next("users.info", "server_error")
    site.ask(site.riverside, "03-300 L")
    pages.homes.refresh()
    assert pages.words() == before
    site.clock.wait(seconds=31)
    pages.homes.refresh()
    assert "1 job Ready to Update" in pages.words()


def test_whoever_became_a_guest_sees_nothing_more(pages: Pages) -> None:
    pages.site.sandbox.put_user(DANA, is_restricted=True)
    pages.site.ask(pages.site.riverside, "03-300 L")
    pages.homes.refresh()
    assert "Only members of this workspace" in pages.words()
    assert "Riverside" not in pages.words()
