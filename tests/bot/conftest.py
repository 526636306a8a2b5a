"""The sandbox as a running server for whatever talks to Slack."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, time
from functools import cache

import pytest

from bot import report_files
from bot.charts import chart
from bot.sandbox import sample_company
from bot.sandbox.app import create_app
from bot.sandbox.client import Sandbox
from bot.sandbox.server import running
from bot.sandbox.workspace import Workspace
from tests.bot.held_open import watched
from tests.bot.site import Site
from workflow.database import Database
from workflow.language import speaking, spoken
from workflow.report import Report


@pytest.fixture(scope="session")
def held_open() -> Iterator[list[str]]:
    """The calls of Slack during which a transaction was open."""
    with watched() as found:
        yield found


@pytest.fixture(autouse=True)
def no_transaction_waits_for_slack(held_open: list[str]) -> Iterator[None]:
    """Holds for every test here, whatever it is about."""
    held_open.clear()
    yield
    assert held_open == []


@pytest.fixture(scope="session")
def drawn() -> Callable[[str, Report], bytes]:
    """The picture of a report in a language, drawn once: it takes half a second, and has tests of its own."""

    def draw(language: str, report: Report) -> bytes:
        with speaking(language):
            return chart(report)

    return cache(draw)


@pytest.fixture
def pictures_at_hand(drawn: Callable[[str, Report], bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests of how a report reaches people; its picture shows days, and no hours."""

    def picture(report: Report) -> bytes:
        return drawn(spoken(), replace(report, since=_day(report.since), until=_day(report.until)))

    monkeypatch.setattr(report_files, "chart", picture)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A fresh workspace with the sample company's people."""
    with running(create_app(sample_company.workspace())) as url:
        client = Sandbox(url)
        yield client
        client.close()


@pytest.fixture
def patient_sandbox() -> Iterator[Sandbox]:
    """The same, waiting a minute where Slack waits three seconds: for tests of what is done, not how fast."""
    workspace = Workspace(sample_company.slack_users(), trigger_seconds=60)
    with running(create_app(workspace, ack_seconds=60)) as url:
        client = Sandbox(url)
        yield client
        client.close()


@pytest.fixture
def site(database: Database, sandbox: Sandbox) -> Iterator[Site]:
    """The sample company at work, and its Slack."""
    yield Site(database, sandbox)
    sandbox.clear_faults()


def _day(moment: datetime) -> datetime:
    return datetime.combine(moment, time.min, moment.tzinfo)
