"""How events reach the app: sockets in turn, twice, again, dropped; and signed HTTP."""

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import httpx
import pytest
import websockets.sync.client
from slack_bolt.adapter.starlette import SlackRequestHandler
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from websockets.sync.client import ClientConnection

from bot.sandbox import sample_company
from bot.sandbox.app import create_app
from bot.sandbox.client import NO_AUTHORITIES, Person, Sandbox
from bot.sandbox.server import running
from bot.sandbox.workspace import APP_TOKEN, CHANNEL_ID
from tests.bot.sandbox.trial_app import CARD, REJECT, TrialApp, errors, eventually


def test_each_event_goes_to_one_of_several_sockets(sandbox: Sandbox, dana: Person) -> None:
    with TrialApp(sandbox).connected(sandbox, connections=3) as app:
        for _ in range(4):
            assert dana.slash("/costcodes help").error is None
        assert app.kinds() == ["command"] * 4


def test_dropped_sockets_come_back_by_themselves(sandbox: Sandbox, dana: Person) -> None:
    with TrialApp(sandbox).connected(sandbox):
        for warn in (True, False):
            assert sandbox.drop_sockets(warn=warn) == 1
            # the SDK may come back twice, for the word and for the close, and hang the first of the two up
            eventually(lambda: dana.slash("/costcodes help").error is None)


def test_an_event_can_be_delivered_twice_and_once_more(sandbox: Sandbox, dana: Person) -> None:
    with TrialApp(sandbox).connected(sandbox) as app:
        sandbox.switch(deliver_twice=1)
        dana.slash("/costcodes help")
        sandbox.deliver_again()
        eventually(lambda: len(app.told) == 3)
        dana.slash("/costcodes help")
        assert len(app.told) == 4
        triggers = [delivered["payload"]["trigger_id"] for delivered in sandbox.deliveries()]
        assert len(set(triggers)) == 2
        assert [delivered["retry"] for delivered in sandbox.deliveries()].count(0) == 2


def test_two_people_can_click_at_once(sandbox: Sandbox, dana: Person, tom: Person) -> None:
    with TrialApp(sandbox).connected(sandbox) as app, ThreadPoolExecutor() as threads:
        app.client.chat_postMessage(channel=CHANNEL_ID, text="24-017", blocks=CARD)
        card = dana.wait_for_message("Riverside")
        outcomes = list(threads.map(lambda person: person.click("Update", card), (dana, tom)))
        assert [outcome.error for outcome in outcomes] == [None, None]
        assert {body["user"]["id"] for _, body in app.told} == {"U0DANA", "U0TOM"}


def test_a_socket_address_is_good_once(slack: WebClient) -> None:
    url = str(slack.apps_connections_open(app_token=APP_TOKEN)["url"])
    with websockets.sync.client.connect(url, proxy=None) as first:
        assert json.loads(first.recv())["type"] == "hello"
        with websockets.sync.client.connect(url, proxy=None) as second:
            assert json.loads(second.recv())["reason"] == "link_disabled"


def test_http_delivery_is_signed_so_that_bolt_believes_it(sandbox: Sandbox, dana: Person) -> None:
    app = TrialApp(sandbox)
    handler = SlackRequestHandler(app.bolt)

    async def events(request: Request) -> Response:
        return await handler.handle(request)

    with running(Starlette(routes=[Route("/slack/events", events, methods=["POST"])])) as url:
        sandbox.switch(events_url=f"{url}/slack/events")
        assert dana.slash("/costcodes help").error is None
        dana.wait_for_ephemeral("/costcodes jobs")
        dana.slash("/costcodes reject")
        dana.wait_for_modal("Reject")
        assert dana.options("pick", "cost")[0]["value"] == "L"
        dana.submit({"comment": {"text": "short"}})
        assert "comment" in dana.wait_for(errors)
        dana.open_home()
        eventually(lambda: app.kinds()[-1] == "event")
        assert (
            httpx.post(
                f"{url}/slack/events",
                json={"type": "event_callback"},
                trust_env=False,
                timeout=60,
                verify=NO_AUTHORITIES,
            ).status_code
            == 401
        )
    assert dana.slash("/costcodes help").error == "dispatch_failed"


def test_a_repeated_http_delivery_says_so(sandbox: Sandbox, dana: Person) -> None:
    received: list[Request] = []

    async def events(request: Request) -> Response:
        await request.body()
        received.append(request)
        return Response()

    with running(Starlette(routes=[Route("/slack/events", events, methods=["POST"])])) as url:
        sandbox.switch(events_url=f"{url}/slack/events")
        dana.open_home()
        sandbox.deliver_again()
    first, again = (request.headers for request in received)
    assert "x-slack-retry-num" not in first
    assert (again["x-slack-retry-num"], again["x-slack-retry-reason"]) == ("1", "http_timeout")
    assert again["x-slack-signature"].startswith("v0=")


def test_an_app_has_ten_sockets_at_most(sandbox: Sandbox, slack: WebClient) -> None:
    def open_socket() -> ClientConnection:
        url = str(slack.apps_connections_open(app_token=APP_TOKEN)["url"])
        return websockets.sync.client.connect(url, proxy=None)

    with ExitStack() as stack:
        said = [json.loads(stack.enter_context(open_socket()).recv()) for _ in range(11)]
    assert [message["type"] for message in said] == ["hello"] * 10 + ["disconnect"]
    assert said[9]["num_connections"] == 10
    assert said[10]["reason"] == "too_many_websockets"


def test_a_trigger_opens_one_window_within_its_time() -> None:
    workspace = sample_company.workspace()
    workspace.modals.trigger_seconds = 60
    with running(create_app(workspace)) as url:
        sandbox = Sandbox(url)
        dana = sandbox.as_person(sample_company.APPROVER)
        with TrialApp(sandbox).connected(sandbox) as app:
            dana.slash("/costcodes jobs")
            trigger_id = app.told[0][1]["trigger_id"]
            app.client.views_open(trigger_id=trigger_id, view=REJECT)
            with pytest.raises(SlackApiError, match="exchanged_trigger_id"):
                app.client.views_open(trigger_id=trigger_id, view=REJECT)
            workspace.modals.trigger_seconds = 0
            dana.slash("/costcodes jobs")
            with pytest.raises(SlackApiError, match="expired_trigger_id"):
                app.client.views_open(trigger_id=app.told[1][1]["trigger_id"], view=REJECT)
        sandbox.close()
