"""A click by somebody whom Procore's Company Directory speaks for, when what is known of them is old."""

from collections.abc import Iterator
from typing import Any

import pytest

from bot.sandbox import sample_company
from bot.sandbox.client import Message, Person
from bot.sandbox.procore.app import CLIENT_ID, CLIENT_SECRET, Procore, create_procore
from bot.sandbox.procore.company import Company
from bot.sandbox.server import running
from tests.bot.listeners.conftest import Office
from workflow.settings import Source
from workflow.vocabulary import Event, Refusal, State


@pytest.fixture
def settings(procore: Procore, procore_url: list[str]) -> dict[str, Any]:
    [url] = procore_url
    return {
        "source": Source.PROCORE,
        "procore_client_id": CLIENT_ID,
        "procore_client_secret": CLIENT_SECRET,
        "procore_company_id": procore.company.id,
        "procore_api_url": url,
        "procore_login_url": url,
        "procore_share": 1.0,
    }


@pytest.fixture
def procore_url() -> list[str]:
    return []


@pytest.fixture
def procore(procore_url: list[str]) -> Iterator[Procore]:
    made = create_procore(Company())
    with running(made.app) as url:
        procore_url.append(url + "/")
        yield made
    made.webhooks.close()


def test_who_still_holds_the_privilege_in_procore_updates(
    office: Office, card: Message, dana: Person, procore: Procore
) -> None:
    procore.company.add_user("Dana Whitfield", sample_company.APPROVER, erp_level=3, accountant=True)
    dana.click("Update", card)
    dana.wait_for_ephemeral("It is updated")
    assert office.state() is State.ACCEPTED


def test_who_lost_the_privilege_in_procore_is_refused_at_the_next_click(
    office: Office, card: Message, dana: Person, procore: Procore
) -> None:
    procore.company.add_user("Dana Whitfield", sample_company.APPROVER, erp_level=3)
    dana.click("Update", card)
    dana.wait_for_ephemeral("does not have the Can Push to Accounting privilege")
    assert office.state() is State.READY


class TestProcoreAway:
    """Procore does not answer."""

    @pytest.fixture
    def settings(self, settings: dict[str, Any]) -> dict[str, Any]:
        return settings | {"procore_api_url": "http://127.0.0.1:9/"}

    def test_the_click_is_refused_with_what_to_do_and_nothing_is_lost(
        self, office: Office, card: Message, dana: Person
    ) -> None:
        dana.click("Update", card)
        dana.wait_for_ephemeral("could not ask Procore just now", seconds=40)
        assert office.state() is State.READY
        assert [one["reason"] for one in office.events(Event.REFUSED)] == [Refusal.NOT_KNOWN_NOW]
