"""A running sandbox, the real Slack clients against it, and its people."""

from collections.abc import Iterator

import pytest
from slack_sdk import WebClient

from bot.sandbox import sample_company
from bot.sandbox.app import create_app
from bot.sandbox.client import Person, Sandbox
from bot.sandbox.server import running
from bot.sandbox.workspace import BOT_TOKEN


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with running(create_app(sample_company.workspace())) as url:
        client = Sandbox(url)
        yield client
        client.close()


@pytest.fixture
def slack(sandbox: Sandbox) -> WebClient:
    return WebClient(BOT_TOKEN, base_url=sandbox.api_url, timeout=5)


@pytest.fixture
def dana(sandbox: Sandbox) -> Person:
    return sandbox.as_person(sample_company.APPROVER)


@pytest.fixture
def tom(sandbox: Sandbox) -> Person:
    return sandbox.as_person(sample_company.PROJECT_ENGINEER)
