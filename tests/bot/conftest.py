"""The sandbox as a running server for whatever talks to Slack."""

from collections.abc import Iterator

import pytest

from bot.sandbox import sample_company
from bot.sandbox.app import create_app
from bot.sandbox.client import Sandbox
from bot.sandbox.server import running


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A fresh workspace with the sample company's people."""
    with running(create_app(sample_company.workspace())) as url:
        client = Sandbox(url)
        yield client
        client.close()
