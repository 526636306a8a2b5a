"""`/costcodes history JOB` and the thread of the job's card tell the same story in the same words."""

from datetime import timedelta

import pytest

from bot.blocks import notices
from bot.delivery import drain
from bot.gateway import Gateway, web_client
from bot.sandbox import sample_company
from bot.sandbox.client import Sandbox
from bot.sandbox.workspace import BOT_TOKEN, CHANNEL_ID
from tests.bot.site import NEXT_SYNC, Clock
from tests.factories import NINE, assignments
from tests.workflow.site import Site
from workflow import expiry, queries
from workflow.database import Database
from workflow.privileges import Rules
from workflow.vocabulary import State
from workflow.waiting import Patience


class Story:
    """A job whose life is delivered to Slack as it goes on."""

    def __init__(self, database: Database, sandbox: Sandbox) -> None:
        self.site, self.sandbox, self.clock = Site(database), sandbox, Clock()
        client = web_client(BOT_TOKEN, sandbox.api_url)
        self.gateway = Gateway(client, monotonic=self.clock.monotonic, sleep=self.clock.sleep)

    def deliver(self) -> None:
        self.clock.now = max(self.clock.now, NINE) + timedelta(minutes=1)
        drain(
            self.site.database,
            self.gateway,
            channel=CHANNEL_ID,
            next_sync=lambda: NEXT_SYNC,
            clock=self.clock,
            sleep=self.clock.sleep,
        )

    def thread(self) -> list[str]:
        """What the replies below the card say, oldest first."""
        seen = self.sandbox.as_person(sample_company.APPROVER).sees()
        [card] = [message for message in seen.messages if message.thread_ts in (None, message.ts)]
        return [reply.blocks[0]["text"]["text"] for reply in seen.thread(card) if reply.ts != card.ts]

    def history(self) -> list[str]:
        """The lines of `/costcodes history`, without the times before them."""
        with self.site.database.reading() as session:
            told = notices.history(self.site.job.title, queries.history(session, self.site.job.id))
        return [block["text"]["text"].partition(">: ")[2] for block in told.blocks[1:]]


@pytest.fixture
def story(database: Database, sandbox: Sandbox) -> Story:
    return Story(database, sandbox)


def test_the_thread_and_the_history_of_a_whole_life_agree_line_by_line(story: Story) -> None:
    site = story.site
    site.ask("03-300 L")
    site.hold("SC-1")
    story.deliver()
    corrected = site.ask("03-300 M")
    site.accept(corrected)
    site.take_back(corrected)
    story.deliver()
    site.reject(site.row(type(corrected), corrected.id))
    story.deliver()
    again = site.ask("16-100 S")
    story.deliver()
    site.accept(again)
    site.data_sync()
    story.deliver()
    assert site.state(again) is State.SYNCED
    told = story.history()
    assert story.thread() == told
    assert any("registered" in line for line in told)
    assert any(line.startswith("On hold until") for line in told)


def test_what_sage_refused_and_what_was_sent_again_are_told_alike(story: Story) -> None:
    site = story.site
    update = site.ask("03-300 L", "09-250 M")
    [refused] = assignments("09-250 M")
    site.sage.refuses[refused] = "Category M is not a standard category"
    site.accept(update)
    site.data_sync()
    story.deliver()
    assert site.state(update) is State.FAILED
    site.sage.refuses.clear()
    site.send_again(update)
    story.deliver()
    site.accept(site.row(type(update), update.id))
    site.data_sync()
    story.deliver()
    assert site.state(update) is State.SYNCED
    told = story.history()
    assert story.thread() == told
    assert any(line.startswith("Sage refused 1 line") for line in told)
    assert any("sent again what Sage refused" in line for line in told)


def test_what_nobody_updated_in_time_and_what_was_asked_again_are_told_alike(story: Story) -> None:
    site = story.site
    update = site.ask("03-300 L")
    story.deliver()
    with site.database.writing() as session:
        patience = Patience(remind_after=timedelta(hours=1), expire_after=timedelta(days=1))
        expiry.expire(session, requested_update_id=update.id, patience=patience, at=NINE + timedelta(days=2))
    story.deliver()
    assert site.state(update) is State.EXPIRED
    site.ask("03-300 L", at=NINE + timedelta(days=3))
    story.deliver()
    told = story.history()
    assert story.thread() == told
    assert len(told) == 3


def test_the_first_and_the_second_approver_are_told_alike(story: Story) -> None:
    site, two = story.site, Rules(two_approvers_above=0)
    update = site.ask("03-300 L")
    site.accept(update, rules=two)
    story.deliver()
    assert site.state(update) is State.READY
    site.accept(update, by=site.second, rules=two)
    site.data_sync()
    story.deliver()
    assert site.state(update) is State.SYNCED
    told = story.history()
    assert story.thread() == told
    assert [line for line in told if "first of two approvers" in line]
    assert [line for line in told if "as the second approver" in line]
