"""One id tells the whole way of a request in the log: click, decision, Sage, read-back, notices."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select
from structlog.typing import EventDict

from bot.delivery import deliver_waiting
from bot.sandbox.client import Message, Person
from bot.sandbox.workspace import BOT_TOKEN, CHANNEL_ID
from sync import worker
from sync.sage import embedded_company
from sync.sage.embedded import LoadedRow
from tests import factories
from tests.bot.listeners.conftest import Office
from workflow import slots, tally
from workflow.settings import read_settings
from workflow.tables import ScheduleSlot
from workflow.vocabulary import State


@pytest.fixture
def company(office: Office, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The settings that workers read, and a Sage that knows the job; the address of its Redis."""
    for name, value in {
        "COSTBOT_DATA_DIR": str(tmp_path),
        "COSTBOT_DATABASE_URL": office.database.engine.url.render_as_string(hide_password=False),
        "COSTBOT_REDIS_URL": redis_url,
        "COSTBOT_CHANNEL": CHANNEL_ID,
        "SLACK_API_URL": office.sandbox.api_url,
        "SLACK_BOT_TOKEN": BOT_TOKEN,
    }.items():
        monkeypatch.setenv(name, value)
    sage = embedded_company(read_settings())
    sage.load_categories(factories.CATEGORIES)
    sage.load([LoadedRow("24-017", "Riverside")])
    return redis_url


def test_a_grep_for_the_id_of_a_click_tells_all_that_came_of_it(
    office: Office, card: Message, dana: Person, company: str, logged: list[EventDict]
) -> None:
    deliver_waiting()
    logged.clear()
    dana.click("Update", card)
    dana.wait_for_ephemeral("It is updated")
    deliver_waiting()
    with office.database.writing() as session:
        slots.take(session, "data_sync", datetime.now(UTC).replace(microsecond=0))
    worker.data_sync()
    deliver_waiting()

    assert office.state() is State.SYNCED
    click = next(line["request_id"] for line in logged if line["event"] == "a request of Slack's")
    way = [line["event"] for line in logged if line.get("request_id") == click]
    assert way[0] == "a request of Slack's"
    assert [event for event in way if event.startswith("requested_update:")] == [
        "requested_update:updated",
        "requested_update:exported",
        "requested_update:synced",
    ]
    # the card, the thread and whoever asked hear of the Update, and of what Sage holds
    assert way.index("a notice was delivered") < way.index("requested_update:exported")
    assert way[-1] == "a notice was delivered"
    batch = {line["batch"] for line in logged if line["event"] == "data sync"}
    assert batch == {"DS000001"}


def test_a_data_sync_that_was_asked_for_now_is_done_for_whoever_asked(
    office: Office, dana: Person, company: str, logged: list[EventDict]
) -> None:
    dana.slash("/costcodes sync")
    dana.wait_for_ephemeral("data sync")
    with office.database.reading() as session:
        asked = session.scalars(select(ScheduleSlot.request_id)).one()
    worker.data_sync()

    [ran] = [line for line in logged if line["event"] == "data sync"]
    [typed] = [line for line in logged if line["event"] == "a request of Slack's"]
    assert asked == ran["request_id"] == typed["request_id"]
    assert tally.read(company)[tally.SYNC_RUNS, "nothing_to_send"] == 1


def test_the_calls_of_a_worker_are_counted_with_those_of_others(office: Office, company: str) -> None:
    assert deliver_waiting() > 0
    counts = tally.read(company)
    posts = [call for call in office.sandbox.calls("chat.postMessage") if call["ok"]]
    assert counts[tally.SLACK_CALLS, "chat.postMessage", "ok"] == len(posts) > 0
