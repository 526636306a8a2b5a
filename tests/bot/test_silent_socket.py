"""A socket of Slack's that falls silent without a close: it is noticed, said, and made anew."""

import time
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any

import httpx
import pytest

from bot.app import build_app
from bot.bot_process import SocketMode, finished, slack_check
from bot.http import http_app
from bot.sandbox.client import NO_AUTHORITIES
from bot.sandbox.server import running
from bot.sandbox.workspace import APP_TOKEN
from tests.bot.site import Site
from tests.factories import LIMITS
from tests.relay import Relay, relay
from workflow.settings import Settings

LOOK_SECONDS = 0.8
"""The SDK hangs up some two seconds after the silence is told, which has to be seen meanwhile."""
PATIENCE = 60.0


@pytest.fixture
def between(site: Site) -> Iterator[Relay]:
    """What stands between the bot and Slack."""
    with relay(site.sandbox.api_url) as between:
        yield between


@pytest.fixture
def ready(site: Site, between: Relay) -> Iterator[Callable[[], tuple[int, Any]]]:
    """`/readyz` of a bot that looks after its socket several times a second."""
    settings = Settings(
        _env_file=None, slack_api_url=f"http://127.0.0.1:{between.port}/api/", slack_app_token=APP_TOKEN
    )
    app = build_app(
        settings,
        gateway=site.gateway,
        database=site.database,
        nudge=lambda _: None,
        clock=site.clock,
        limits=LIMITS,
        read_back=lambda _: None,
    )
    with finished(app):
        socket_mode = SocketMode(app, settings, look_seconds=LOOK_SECONDS)
        web = http_app(app, takes_events=False, ready=slack_check(socket_mode))
        with running(web) as url, httpx.Client(base_url=url, timeout=60, verify=NO_AUTHORITIES) as client:

            def ready() -> tuple[int, Any]:
                answer = client.get("/readyz")
                return answer.status_code, answer.json()["slack"]

            socket_mode.start()
            yield ready
            socket_mode.stop()


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_socket_that_falls_silent_is_told_and_made_anew_and_clicks_come_again(
    site: Site, between: Relay, ready: Callable[[], tuple[int, Any]]
) -> None:
    site.sandbox.wait_for_bot()
    wait_until(lambda: ready() == (HTTPStatus.OK, "ok"))
    site.sandbox.fail_next("apps.connections.open", "server_error", times=1_000)
    between.silence()
    wait_until(lambda: ready() == (HTTPStatus.SERVICE_UNAVAILABLE, "Slack says nothing on its connection"))
    wait_until(lambda: ready() == (HTTPStatus.SERVICE_UNAVAILABLE, "no connection to Slack"))

    site.sandbox.clear_faults()
    wait_until(lambda: ready() == (HTTPStatus.OK, "ok"))
    site.person(site.dana).slash("/costcodes whoami")
    site.person(site.dana).wait_for_ephemeral("You are an accounting approver")
