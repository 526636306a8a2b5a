"""Delivery writes to each person in their own language, and to the channel in the company's."""

from collections.abc import Iterator

import pytest

from bot.delivery import drain
from bot.sandbox.client import Sandbox
from bot.sandbox.workspace import CHANNEL_ID
from tests import factories
from tests.bot.site import NEXT_SYNC, Site
from tests.factories import RULES
from workflow.database import Database
from workflow.language import say, speaking


@pytest.fixture
def site(database: Database, sandbox: Sandbox) -> Iterator[Site]:
    sandbox.put_user("U0DANA", locale="es-LA")
    sandbox.put_user("U0MARCUS", locale="pt-BR")
    yield Site(database, sandbox)
    sandbox.put_user("U0DANA", locale="en-US")
    sandbox.put_user("U0MARCUS", locale="en-US")
    sandbox.clear_faults()


def deliver(site: Site, language: str) -> None:
    drain(
        site.database,
        site.gateway,
        channel=CHANNEL_ID,
        next_sync=lambda: NEXT_SYNC,
        rules=RULES,
        language=language,
        clock=site.clock,
        sleep=site.clock.sleep,
    )


def test_a_direct_message_is_in_the_readers_language_the_card_in_the_companys(site: Site) -> None:
    site.ask(site.riverside, "03-300 L")

    deliver(site, "en")

    [told] = site.person(site.dana).sees().direct_messages
    assert "solicitó 1 asignación de 1 código de costo. Lista para actualizar." in told.words
    assert told.buttons == ["Ver lo solicitado"]
    assert "Lista para actualizar" in told.text
    [other] = site.person(site.marcus).sees().direct_messages
    assert "requested 1 assignment of 1 cost code. Ready to Update." in other.words
    assert "Ready to Update" in site.person(site.dana).sees().message("Riverside").words


def test_the_channel_and_readers_of_another_language_read_the_companys(site: Site) -> None:
    site.ask(site.riverside, "03-300 L")

    deliver(site, "es")

    assert "Lista para actualizar" in site.person(site.dana).sees().message("Riverside").words
    [other] = site.person(site.marcus).sees().direct_messages
    assert "Lista para actualizar" in other.words


def test_why_somebody_could_not_be_told_is_worded_for_whoever_reads_it(site: Site) -> None:
    with site.database.writing() as session:
        factories.approver(session, "nobody@example.com")
    site.ask(site.riverside, "03-300 L")

    deliver(site, "es")

    [notice] = site.given_up()
    assert notice.last_error == "nobody in Slack has the e-mail nobody@example.com"
    with speaking("es"):
        assert say(notice.last_error) == "nadie en Slack tiene el correo nobody@example.com"
