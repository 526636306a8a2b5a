"""The address of a job's card."""

from collections.abc import Iterator

import pytest

from bot.links import card_address
from bot.sandbox.client import Sandbox
from bot.sandbox.workspace import CHANNEL_ID
from tests.bot.test_delivery import Site
from workflow.database import Database


@pytest.fixture
def site(database: Database, sandbox: Sandbox) -> Iterator[Site]:
    yield Site(database, sandbox)
    sandbox.clear_faults()


def address(site: Site) -> str | None:
    with site.database.reading() as session:
        return card_address(session, site.gateway, site.riverside.id)


def test_a_card_has_one_address_whatever_becomes_of_the_job(site: Site) -> None:
    assert address(site) is None
    requested = site.ask(site.riverside, "03-300 L")
    assert address(site) is None
    site.drain()
    before = address(site)
    site.update(requested)
    site.drain()
    [card] = site.channel()
    assert before is not None
    assert before.endswith(f"{CHANNEL_ID}/p{card.ts.replace('.', '')}")
    assert address(site) == before


def test_without_an_answer_of_slack_there_is_no_address(site: Site) -> None:
    site.ask(site.riverside, "03-300 L")
    site.drain()
    site.sandbox.fail_next("chat.getPermalink", "server_error")
    assert address(site) is None
