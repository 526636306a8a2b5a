"""What the HTTP server lets in, and what it tells whoever watches it."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from structlog.testing import capture_logs

from bot.app import build_app
from bot.gateway import Gateway
from bot.health import Check
from bot.http import MOST_BYTES, http_app
from bot.identity import Identity
from bot.sandbox.client import NO_AUTHORITIES
from bot.sandbox.server import running
from bot.sandbox.workspace import BOT_TOKEN, SIGNING_SECRET
from tests.bot.signing import compared_in_constant_time, interactive, posted, signed
from tests.bot.slack_samples import SAMPLES
from tests.bot.threads import AtOnce, Never
from tests.factories import LIMITS
from workflow.database import Database
from workflow.settings import Settings

CHALLENGE = json.dumps({"type": "url_verification", "challenge": "3eZbrw1aB"})


@contextmanager
def serving(sqlite_url: str, ready: dict[str, Check], notes: dict[str, Check]) -> Iterator[httpx.Client]:
    settings = Settings(
        _env_file=None,
        slack_api_url="http://127.0.0.1:9/api/",
        slack_bot_token=BOT_TOKEN,
        slack_signing_secret=SIGNING_SECRET,
    )
    database = Database(sqlite_url)
    bolt = build_app(
        settings,
        gateway=Gateway.connect(settings),
        database=database,
        nudge=lambda _: None,
        clock=lambda: datetime.now(UTC),
        limits=LIMITS,
        read_back=lambda _: None,
    )
    app = http_app(bolt, takes_events=True, ready=ready, notes=notes)
    with running(app) as url, httpx.Client(base_url=url, timeout=60, verify=NO_AUTHORITIES) as client:
        yield client
    bolt.listener_runner.listener_executor.shutdown(wait=True)
    database.close()


@pytest.fixture
def web(sqlite_url: str) -> Iterator[httpx.Client]:
    ready: dict[str, Check] = {"database": lambda: None, "redis": lambda: "ConnectionError"}
    with serving(sqlite_url, ready, {}) as client:
        yield client


@pytest.fixture
def quiet(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[httpx.Client]:
    """The server without what listeners do after the ack, which has tests of its own."""
    monkeypatch.setattr("bot.app.ThreadPoolExecutor", Never)
    with serving(sqlite_url, {}, {}) as client:
        yield client


def test_slacks_challenge_is_answered(web: httpx.Client) -> None:
    answer = web.post("/slack/events", **signed(CHALLENGE))
    assert (answer.status_code, answer.json()) == (200, {"challenge": "3eZbrw1aB"})


@pytest.mark.parametrize(
    "asked",
    [
        signed(CHALLENGE, X_Slack_Signature="v0=" + "0" * 64),
        {"content": CHALLENGE},
        signed(CHALLENGE, at=time.time() - 301),
    ],
    ids=["forged", "missing", "older than five minutes"],
)
def test_a_request_without_a_good_signature_is_refused_and_on_the_log(
    web: httpx.Client, asked: dict[str, Any]
) -> None:
    with capture_logs() as logs:
        assert web.post("/slack/events", **asked).status_code == 401
    [refused] = [line for line in logs if line["event"] == "a request was refused: not from Slack"]
    assert refused["sender"] == "127.0.0.1"


def test_signatures_are_compared_in_constant_time(web: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    compared = compared_in_constant_time(monkeypatch)
    web.post("/slack/events", **signed(CHALLENGE, X_Slack_Signature="v0=" + "0" * 64))
    assert len(compared) == 1


def test_a_signature_does_not_serve_another_body(web: httpx.Client) -> None:
    replaced = signed(CHALLENGE) | {"content": CHALLENGE.replace("3eZ", "4eZ")}
    assert web.post("/slack/events", **replaced).status_code == 401


@pytest.mark.parametrize(
    "junk",
    [b"{", b"[]", b'"x"', b"{" * 50_000, b"\xff\xfe", b"[" * 90_000, b"payload=[1", b"null"],
    ids=["cut off", "a list", "a string", "deep", "no UTF-8", "deep list", "bad form", "null"],
)
def test_junk_is_refused_and_the_server_lives_on(web: httpx.Client, junk: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    assert 400 <= web.post("/slack/events", content=junk, headers=headers).status_code < 500
    assert 400 <= web.post("/slack/events", **signed(junk)).status_code < 500
    assert web.get("/healthz").text == "ok"


@pytest.mark.parametrize("stamp", ["soon", "1e400", "-1", "", "²", "9" * 5_000])
def test_a_time_that_is_none_is_refused(web: httpx.Client, stamp: str) -> None:
    wrong = signed(CHALLENGE)
    wrong["headers"]["X-Slack-Request-Timestamp"] = stamp.encode("latin-1")
    assert web.post("/slack/events", **wrong).status_code == 401


def test_a_signature_beyond_ascii_is_refused(web: httpx.Client) -> None:
    wrong = signed(CHALLENGE)
    wrong["headers"]["X-Slack-Signature"] = b"v0=\xff"
    assert web.post("/slack/events", **wrong).status_code == 401


def test_a_body_that_is_too_long_is_refused_whatever_it_says_of_its_length(web: httpx.Client) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(MOST_BYTES // 50_000 + 2):
            yield b"x" * 50_000

    assert web.post("/slack/events", content=b"x" * (MOST_BYTES + 1)).status_code == 413
    assert web.post("/slack/events", content=endless()).status_code == 413


def test_headers_that_drive_bolts_own_machinery_are_not_passed_on(web: httpx.Client) -> None:
    event = json.dumps({"type": "event_callback", "event": {"type": "message"}, "event_id": "Ev1"})
    answer = web.post("/slack/events", **signed(event, X_Slack_Bolt_Lazy_Only="1"))
    assert answer.status_code == 200


def test_an_event_that_costbot_does_not_listen_to_is_taken(web: httpx.Client) -> None:
    event = json.dumps(
        {"type": "event_callback", "event": {"type": "reaction_added", "user": "U1"}, "event_id": "Ev1"}
    )
    assert web.post("/slack/events", **signed(event)).status_code == 200


def test_other_methods_and_paths_are_refused(web: httpx.Client) -> None:
    assert web.get("/slack/events").status_code == 405
    assert web.post("/slack/install").status_code == 404


def test_all_that_slack_says_it_sends_is_taken(quiet: httpx.Client) -> None:
    refused = [
        name
        for kind, samples in SAMPLES.items()
        for name, payload in samples.items()
        if quiet.post("/slack/events", **posted(kind, payload)).status_code != 200
    ]
    assert refused == []
    of_next_year = {"type": "of_next_year", "user": {"id": "U1"}, "team": {"id": "T1"}}
    assert quiet.post("/slack/events", **posted("interactive", of_next_year)).status_code == 200


@pytest.mark.parametrize(
    "wrong",
    [
        {"authorizations": {"0": "no list"}},
        {"event": []},
        {"event": {"type": "app_mention", "user": {"id": 5}}},
    ],
    ids=["authorizations", "event", "user"],
)
def test_an_event_of_another_shape_is_refused_without_a_traceback(
    quiet: httpx.Client, wrong: dict[str, Any]
) -> None:
    event = SAMPLES["events_api"]["app_mention"] | wrong
    with capture_logs() as logs:
        assert quiet.post("/slack/events", **posted("events_api", event)).status_code == 400
    assert [line for line in logs if line["log_level"] == "error" or "exc_info" in line] == []


def test_a_command_of_another_name_is_taken(quiet: httpx.Client) -> None:
    typed = urlencode({"command": "/costcodes-old", "text": "", "user_id": "U1", "team_id": "T1"})
    asked = signed(typed, Content_Type="application/x-www-form-urlencoded")
    assert quiet.post("/slack/events", **asked).status_code == 200


def test_what_people_have_left_undone_is_said_and_takes_nothing_from_slack(sqlite_url: str) -> None:
    notes: dict[str, Check] = {"sage": lambda: "DS000001.jce is not imported yet", "else": lambda: None}
    with serving(sqlite_url, {"database": lambda: None}, notes) as client:
        answer = client.get("/readyz")

    assert (answer.status_code, answer.json()) == (
        200,
        {"database": "ok", "sage": "DS000001.jce is not imported yet", "else": "ok"},
    )


def test_readiness_names_what_is_not_ready(web: httpx.Client) -> None:
    answer = web.get("/readyz")
    assert (answer.status_code, answer.json()) == (503, {"database": "ok", "redis": "ConnectionError"})


def test_what_fails_after_the_ack_is_on_the_log(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: Any) -> None:
        raise OSError("the database is away")

    monkeypatch.setattr("bot.app.ThreadPoolExecutor", AtOnce)
    monkeypatch.setattr(Identity, "language", away)
    click = {
        "type": "block_actions",
        "trigger_id": "1.1",
        "actions": [{"action_id": "job:update", "value": "{}"}],
    }
    with serving(sqlite_url, {}, {}) as client, capture_logs() as logs:
        assert client.post("/slack/events", **interactive(click)).status_code == 200
    [failed] = [line for line in logs if line["log_level"] == "error"]
    assert failed["event"] == "a request could not be handled"
    assert failed["exc_info"]
