"""Processes killed in the middle, a Redis flushed or gone: nothing is lost, and nothing happens twice."""

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager

import pytest
from redis import Redis
from sqlalchemy import select

from bot.sandbox.client import Seen
from sync.schedule import LOST_AFTER
from tests.e2e.conftest import OpenOffice, in_head_office, in_small_office
from tests.e2e.office import READY, UPDATED, Office, cards
from tests.e2e.tree import PATIENCE, wait_until
from tests.turns import OFFICES
from workflow import slots
from workflow.tables import DataSync
from workflow.vocabulary import SyncState

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module", params=OFFICES)
def office(request: pytest.FixtureRequest, open_office: OpenOffice) -> Iterator[Office]:
    """An office of these tests' own."""
    with open_office(request.param) as office:
        yield office


@contextmanager
def sage_is_busy(office: Office) -> Iterator[None]:
    """Somebody else writes into the Sage company's file, so that a data sync waits to send."""
    file = office.settings.data_dir / "sage.db"
    with closing(sqlite3.connect(file, isolation_level=None, timeout=PATIENCE)) as sage:
        sage.execute("BEGIN IMMEDIATE")
        yield


@contextmanager
def data_syncs_are_locked(office: Office) -> Iterator[None]:
    """Nobody can note how far a data sync came."""
    with office.line.database.writing() as session:
        session.execute(select(DataSync.id).with_for_update())
        yield


@contextmanager
def redis_is_gone(office: Office) -> Iterator[None]:
    """Redis is killed, with all that it held, and is back after the block."""
    assert office.redis
    office.redis.kill()
    yield
    office.redis.start()


def newest_sync(office: Office) -> tuple[str, SyncState]:
    with office.line.database.reading() as session:
        sync = session.scalars(select(DataSync).order_by(DataSync.id.desc()).limit(1)).first()
    return (sync.batch, sync.state) if sync else ("", SyncState.FINISHED)


def is_planned(office: Office) -> bool:
    """A data sync knows what it will send, and goes on to send it."""
    return newest_sync(office)[1] is SyncState.PLANNED


def no_data_sync_is_left(office: Office) -> bool:
    with office.line.database.reading() as session:
        return slots.undone(session, "data_sync") is None


def accepted(office: Office) -> str:
    """A job whose cost codes wait for the data sync that is asked for next."""
    wait_until(
        lambda: no_data_sync_is_left(office),
        "the data syncs before are through, one that was killed a minute later",
        seconds=LOST_AFTER.total_seconds() + PATIENCE,
    )
    job, card = office.requested("03-3110,S", "03-3000,M")
    office.dana.click("Update", card)
    office.card(job, UPDATED)
    return job


def ask_for_a_data_sync(office: Office) -> None:
    """Ask in Slack, and return once it is on record."""

    def answers(seen: Seen) -> int:
        return sum("A data sync was asked for" in message.words for message in seen.ephemerals)

    before = answers(office.dana.sees())
    office.dana.slash("/costcodes sync")
    office.dana.wait_for(lambda seen: answers(seen) > before, PATIENCE)


def assert_in_sage_once(office: Office, job: str) -> None:
    office.card(job, "1 created, 1 tied to cost codes Sage had")
    office.wait_until_told()
    told = office.thread(job, "Sage holds every line")
    assert ["sent it to Sage" in words for words in told].count(True) == 1
    assert ["Sage holds every line" in words for words in told].count(True) == 1
    assert office.in_sage(job) == {"03-3000": ["L", "M"], "03-3110": ["S"]}
    assert office.done("audit", "verify")["problems"] == []


def test_a_data_sync_killed_before_sage_has_the_batch_is_finished_by_the_next_one(office: Office) -> None:
    job = accepted(office)
    with sage_is_busy(office):
        office.dana.slash("/costcodes sync")
        wait_until(lambda: is_planned(office), "the data sync wants to send")
        office.tree.kill("worker", "sync")
        batch, _ = newest_sync(office)
        assert "03-3110" not in office.in_sage(job)

    office.done("sync")

    assert_in_sage_once(office, job)
    wait_until(lambda: newest_sync(office) == (batch, SyncState.FINISHED), "the data sync is through")


def test_a_data_sync_killed_when_sage_took_the_batch_but_nobody_noted_it_sends_nothing_twice(
    office: Office,
) -> None:
    job = accepted(office)
    with ExitStack() as locked:
        with sage_is_busy(office):
            office.dana.slash("/costcodes sync")
            wait_until(lambda: is_planned(office), "the data sync wants to send")
            locked.enter_context(data_syncs_are_locked(office))
        wait_until(lambda: "03-3110" in office.in_sage(job), "Sage took the batch")
        office.tree.kill("worker", "sync")
        batch, state = newest_sync(office)
        assert state is SyncState.PLANNED

    office.dana.slash("/costcodes sync")

    assert_in_sage_once(office, job)
    wait_until(lambda: newest_sync(office) == (batch, SyncState.FINISHED), "the data sync is through")


@in_small_office
def test_a_worker_killed_while_slack_is_answering_posts_no_second_card(office: Office) -> None:
    office.wait_until_told()
    job = office.new_job()
    office.sandbox.fail_next("chat.postMessage", "hang", after=True)
    office.ask(job, "03-3110,S")
    office.nudge()
    office.card(job, READY)

    office.tree.kill("worker", "notices")

    office.wait_until_told()
    seen = office.dana.sees()
    [card] = cards(seen, job)
    assert len(seen.thread(card)) == 1


@in_small_office
def test_a_redis_that_is_flushed_in_the_middle_loses_nothing(office: Office) -> None:
    job, card = office.requested("03-3110,S", "03-3000,M")
    office.wait_until_told()
    with office.frozen("worker", "notices"), office.frozen("worker", "sync"), office.frozen("scheduler"):
        office.dana.click("Update", card)
        office.dana.wait_for_ephemeral(f"{job} Building {job}: It is updated", PATIENCE)
        ask_for_a_data_sync(office)
        with Redis.from_url(office.settings.redis) as client:
            client.flushall()

    assert_in_sage_once(office, job)


@in_head_office
def test_what_is_done_while_redis_is_gone_arrives_when_it_is_back(office: Office) -> None:
    job, card = office.requested("03-3110,S", "03-3000,M")
    with redis_is_gone(office):
        office.dana.click("Update", card)
        office.dana.wait_for_ephemeral(f"{job} Building {job}: It is updated", PATIENCE)
        ask_for_a_data_sync(office)

    assert_in_sage_once(office, job)


def test_the_button_of_a_card_still_works_when_the_bot_was_killed_since(office: Office) -> None:
    job, card = office.requested("03-3110,S")

    office.tree.kill("bot")
    office.wait_for_bot()
    office.dana.click("Update", card)

    office.card(job, UPDATED)


def test_the_process_that_forks_the_others_holds_nothing_that_they_would_get(office: Office) -> None:
    keeper = office.tree.process("bot").parent()

    assert keeper
    assert keeper == office.tree.process("scheduler").parent()
    assert keeper.net_connections("all") == []
    assert [file.path for file in keeper.open_files() if file.fd > 2] == []
