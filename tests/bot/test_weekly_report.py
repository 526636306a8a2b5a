"""The weekly report in the channel: with files, once whatever is killed, in words where Slack takes none."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import timedelta

import pytest

from bot.gateway import Gateway
from bot.sandbox.client import Message, Sandbox
from bot.slack_answers import SlackUnavailable
from tests.bot.site import Site
from workflow import messages, outbox
from workflow.database import Database
from workflow.vocabulary import Event

pytestmark = pytest.mark.usefixtures("pictures_at_hand")
ASKED = "1 request came, 0 updated, 0 rejected."
PLAINLY = "report in words alone"


@pytest.fixture
def site(database: Database, sandbox: Sandbox) -> Iterator[Site]:
    """A company in which a job was asked for, and the week's report is due."""
    site = Site(database, sandbox)
    site.ask(site.riverside, "03-300 L")
    site.drain()
    site.clock.wait(minutes=1)
    with database.writing() as session:
        outbox.put_report(session, until=site.clock(), at=site.clock())
    yield site
    sandbox.clear_faults()
    sandbox.switch(missing_scopes=[])


def reports(site: Site) -> list[Message]:
    return [m for m in site.channel() if "Cost code updates from" in m.words + m.text]


def test_an_outage_that_a_report_met_is_over_once_it_is_there(site: Site) -> None:
    site.sandbox.switch(bot_in_channel=False)
    site.drain()
    site.sandbox.switch(bot_in_channel=True)
    site.clock.wait(minutes=10)
    site.drain()

    assert len(reports(site)) == 1
    assert site.outages() == [Event.CHANNEL_CLOSED, Event.CHANNEL_OPEN]


def test_the_channel_gets_the_chart_with_its_words_and_a_csv_file(site: Site) -> None:
    assert site.drain() == 1
    [report] = reports(site)
    assert ASKED in report.text
    picture, figures = report.raw["files"]
    assert ASKED in picture["alt_txt"]
    assert figures["name"] == f"cost-codes-week-to-{site.clock():%Y-%m-%d}.csv"
    assert site.waiting() == []


def test_the_report_ends_when_it_was_due_however_late_it_arrives(site: Site) -> None:
    due = site.clock()
    site.sandbox.fail_next("files.getUploadURLExternal", "server_error")
    site.drain()
    site.clock.wait(days=2)
    site.drain()
    [report] = reports(site)
    since = due - timedelta(days=7)
    assert f"from {since:%Y-%m-%d} to {due:%Y-%m-%d}" in report.text


class KilledGateway(Gateway):
    """Slack shows the files, and the process is gone before it could note so."""

    killed = False

    def share_files(self, channel: str, files: Mapping[str, str], *, text: str) -> None:
        super().share_files(channel, files, text=text)
        if not self.killed:
            self.killed = True
            raise SystemExit


def test_a_kill_between_sharing_and_noting_it_doubles_nothing(site: Site) -> None:
    gateway = site.connect(KilledGateway)
    with suppress(SystemExit):
        site.drain(gateway=gateway)
    assert len(site.waiting()) == 1
    for _ in range(3):
        site.clock.wait(minutes=1)
        site.drain(gateway=gateway)
    assert len(reports(site)) == 1
    assert site.waiting() == []


class KilledBeforeGateway(Gateway):
    """The process is gone before anything was shown."""

    killed = False

    def share_files(self, channel: str, files: Mapping[str, str], *, text: str) -> None:
        if not self.killed:
            self.killed = True
            raise SystemExit
        super().share_files(channel, files, text=text)


def test_a_kill_before_sharing_loses_nothing(site: Site) -> None:
    gateway = site.connect(KilledBeforeGateway)
    with suppress(SystemExit):
        site.drain(gateway=gateway)
    assert reports(site) == []
    site.clock.wait(minutes=1)
    site.drain(gateway=gateway)
    assert len(reports(site)) == 1


@pytest.mark.parametrize("after", [False, True], ids=["not carried out", "carried out"])
@pytest.mark.parametrize("kind", ["server_error", "reset"])
def test_when_slack_does_not_say_whether_it_showed_the_files_they_are_looked_for(
    site: Site, kind: str, after: bool
) -> None:
    site.sandbox.fail_next("files.completeUploadExternal", kind, after=after)
    site.drain()
    site.clock.wait(minutes=1)
    site.drain()
    assert len(reports(site)) == 1
    assert site.waiting() == []


@pytest.mark.parametrize("method", ["files.getUploadURLExternal", "upload", "files.completeUploadExternal"])
def test_while_slack_is_busy_the_report_waits_with_its_files(site: Site, method: str) -> None:
    site.sandbox.fail_next(method, "ratelimited", retry_after=30)
    site.drain()
    assert reports(site) == []
    site.clock.wait(minutes=1)
    site.drain()
    [report] = reports(site)
    assert len(report.raw["files"]) == 2


def test_without_the_scope_the_report_is_in_words_once(site: Site) -> None:
    site.sandbox.switch(missing_scopes=["files:write"])
    site.drain()
    site.clock.wait(minutes=1)
    site.drain()
    [report] = reports(site)
    assert ASKED in report.words
    assert PLAINLY in report.words


def test_words_that_may_have_arrived_are_not_followed_by_files(site: Site) -> None:
    site.sandbox.switch(missing_scopes=["files:write"])
    site.sandbox.fail_next("chat.postMessage", "server_error", after=True)
    site.drain()
    site.sandbox.switch(missing_scopes=[])
    site.clock.wait(minutes=1)
    site.drain()
    [report] = reports(site)
    assert PLAINLY in report.words
    assert site.waiting() == []


def test_a_channel_that_costbot_is_not_in_gets_the_report_once_it_is(site: Site) -> None:
    site.sandbox.switch(bot_in_channel=False)
    site.drain()
    assert reports(site) == []
    site.sandbox.switch(bot_in_channel=True)
    site.clock.wait(minutes=10)
    site.drain()
    assert len(reports(site)) == 1


def test_files_that_may_be_in_a_channel_that_is_gone_go_to_the_new_one(site: Site) -> None:
    [due] = site.waiting()
    with site.database.writing() as session:
        messages.attempt(session, messages.report_files_key(due.id), channel="C0GONE", at=site.clock())
    site.clock.wait(minutes=1)
    site.drain()
    assert len(reports(site)) == 1
    assert site.waiting() == []


def test_an_unanswered_look_for_the_files_doubles_nothing(site: Site) -> None:
    site.sandbox.fail_next("files.completeUploadExternal", "server_error", after=True)
    site.drain()
    site.sandbox.fail_next("conversations.history", "server_error")
    for _ in range(3):
        site.clock.wait(minutes=2)
        with suppress(SlackUnavailable):
            site.drain()
    assert len(reports(site)) == 1
