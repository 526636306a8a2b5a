"""The real Slack client against the running sandbox, and two of its people."""

import pytest
from slack_sdk import WebClient

from bot.sandbox import sample_company
from bot.sandbox.client import Person, Sandbox
from bot.sandbox.workspace import BOT_TOKEN


@pytest.fixture
def slack(sandbox: Sandbox) -> WebClient:
    return WebClient(BOT_TOKEN, base_url=sandbox.api_url, timeout=60)


@pytest.fixture
def dana(sandbox: Sandbox) -> Person:
    return sandbox.as_person(sample_company.APPROVER)


@pytest.fixture
def tom(sandbox: Sandbox) -> Person:
    return sandbox.as_person(sample_company.PROJECT_ENGINEER)
