"""The address by which an app answers later: five times, within thirty minutes."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from bot.sandbox import sample_company
from bot.sandbox.client import NO_AUTHORITIES, Person, Sandbox
from bot.sandbox.response_urls import ResponseUrls
from bot.sandbox.server import running
from bot.sandbox.workspace import CHANNEL_ID
from tests.bot.sandbox.trial_app import CARD, TrialApp


@pytest.fixture
def app(sandbox: Sandbox) -> Iterator[TrialApp]:
    with TrialApp(sandbox).connected(sandbox) as app:
        yield app


def answer(url: str, **body: Any) -> tuple[int, str]:
    response = httpx.post(url, json=body, trust_env=False, timeout=60, verify=NO_AUTHORITIES)
    return response.status_code, response.text


def test_an_address_takes_five_answers(app: TrialApp, dana: Person, tom: Person) -> None:
    dana.slash("/costcodes jobs")
    url = app.told[0][1]["response_url"]
    assert answer(url, text="for you") == (200, "ok")
    assert answer(url, text="for all", response_type="in_channel") == (200, "ok")
    assert answer(url, blocks=[{"type": "section"}]) == (400, "invalid_blocks")
    assert answer(url) == (400, "no_text")
    assert (
        httpx.post(url, content=b"not json", trust_env=False, timeout=60, verify=NO_AUTHORITIES).text
        == "invalid_payload"
    )
    assert answer(url, text="a sixth") == (404, "used_url")
    assert answer(url[:-3], text="elsewhere") == (404, "no_service")
    assert [message.text for message in dana.sees().messages] == ["for you", "for all"]
    assert [message.text for message in tom.sees().messages] == ["for all"]


def test_a_click_lets_its_message_be_replaced_and_deleted(app: TrialApp, dana: Person) -> None:
    app.client.chat_postEphemeral(channel=CHANNEL_ID, user="U0DANA", text="x", blocks=CARD)
    dana.click("View", dana.wait_for_ephemeral("Riverside"))
    url = app.told[0][1]["response_url"]
    assert answer(url, text="changed", replace_original=True) == (200, "ok")
    assert [message.words for message in dana.sees().ephemerals] == ["changed"]
    assert answer(url, delete_original=True) == (200, "ok")
    assert dana.sees().ephemerals == []
    assert answer(url, text="gone", replace_original=True) == (400, "message_not_found")


def test_an_address_grows_too_old() -> None:
    workspace = sample_company.workspace()
    urls = ResponseUrls(workspace, seconds=-1)
    app = Starlette(routes=[Route("/response/{key}", urls.endpoint, methods=["POST"])])
    with running(app) as base_url:
        url = urls.new(base_url, workspace.conversation(CHANNEL_ID), "U0DANA")
        assert answer(url, text="late") == (404, "expired_url")
