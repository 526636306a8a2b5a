"""Signed requests of Slack's to costbot over HTTP, and a Slack that answers costbot at once.

Owns what is the same for every measurement of what people do in Slack.
"""

import hmac
import http.client
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from itertools import count
from queue import SimpleQueue
from typing import Any
from urllib.parse import urlencode, urlsplit

from slack_bolt import Ack, App
from slack_bolt.authorization import AuthorizeResult
from sqlalchemy import event
from sqlalchemy.orm import Session

from benchmarks.company import TEAM, user_of
from bot.app import build_app
from bot.blocks.pieces import Json, Message
from bot.bot_process import finished
from bot.gateway import Bot, Gateway, SlackUser, web_client
from bot.http import Dispatcher, http_app
from bot.payloads import Action
from bot.sandbox.server import running
from tests.factories import LIMITS
from workflow.database import Database
from workflow.settings import Settings

SECRET = "0123456789abcdef"
_numbers = count(1)


class Signed:
    """A connection to `/slack/events` on which Slack's requests are signed."""

    def __init__(self, address: str) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(address).netloc)

    def send(self, body: Mapping[str, Any]) -> float:
        """Send an interaction, a command or an event; seconds until it is acknowledged."""
        if "event" in body:
            kind, content = "application/json", json.dumps(body).encode()
        else:
            form = body if "command" in body else {"payload": json.dumps(body)}
            kind, content = "application/x-www-form-urlencoded", urlencode(form).encode()
        stamp = str(int(time.time()))
        signature = hmac.new(SECRET.encode(), b"v0:%s:%s" % (stamp.encode(), content), sha256).hexdigest()
        headers = {
            "Content-Type": kind,
            "X-Slack-Request-Timestamp": stamp,
            "X-Slack-Signature": f"v0={signature}",
        }
        # a new connection, for the server ends one that nobody used for a while
        self._connection.close()
        self._connection.connect()
        start = time.perf_counter()
        self._connection.request("POST", "/slack/events", content, headers)
        answer = self._connection.getresponse()
        answer.read()
        took = time.perf_counter() - start
        if answer.status != 200:
            raise RuntimeError(f"the request was answered with {answer.status}")
        return took

    def close(self) -> None:
        self._connection.close()


@contextmanager
def served(app: Dispatcher) -> Iterator[Signed]:
    """An app behind costbot's own HTTP server."""
    with running(http_app(app, takes_events=True, ready={})) as address, closing(Signed(address)) as signed:
        yield signed


def bare_app(work: Callable[[dict[str, Any]], None]) -> App:
    """A Bolt app with Bolt's defaults and one listener, which acknowledges and then does the work."""
    app = App(
        signing_secret=SECRET,
        authorize=lambda enterprise_id, team_id, user_id: AuthorizeResult(
            enterprise_id=enterprise_id, team_id=team_id, user_id=user_id
        ),
    )

    def acknowledge(ack: Ack, body: dict[str, Any]) -> None:
        ack()
        work(body)

    app.action(Action.UPDATE.value)(acknowledge)
    return app


class PromptSlack(Gateway):
    """A Slack that answers at once; `shown` hears of each page and message when it is sent."""

    def __init__(self) -> None:
        super().__init__(web_client("xoxb-bench", "http://127.0.0.1:9/api/"))
        self.shown: SimpleQueue[float] = SimpleQueue()

    def auth_test(self) -> Bot:
        return Bot(TEAM, "Bench", "UBOT", frozenset())

    def user(self, user_id: str) -> SlackUser:
        return SlackUser(
            user_id, user_id, f"{user_id}@example.com", True, TEAM, (), False, False, False,
            "America/Chicago", "en-US",
        )  # fmt: skip

    def publish_home(self, user_id: str, view: Json) -> None:
        self.shown.put(time.perf_counter())

    def respond(self, response_url: str, message: Message) -> None:
        self.shown.put(time.perf_counter())


class Costbot:
    """costbot's Slack app on a database, served over HTTP, with a Slack that answers at once."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.slack = PromptSlack()
        self.committed: SimpleQueue[float] = SimpleQueue()
        """When the transaction of each act was on record, as soon as delivery is asked for."""
        self._commit = 0.0

    def __enter__(self) -> "Costbot":
        self._stack = ExitStack()
        database = self._stack.enter_context(closing(Database(self._url)))
        event.listen(Session, "after_commit", self._note_commit)
        self._stack.callback(event.remove, Session, "after_commit", self._note_commit)
        settings = Settings(slack_signing_secret=SECRET, channel="#bench", _env_file=None)
        app = build_app(
            settings,
            gateway=self.slack,
            database=database,
            nudge=lambda _: self.committed.put(self._commit),
            clock=lambda: datetime.now(UTC),
            limits=LIMITS,
            read_back=lambda _: None,
        )
        self._stack.enter_context(finished(app))
        self.signed = self._stack.enter_context(served(app))
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _note_commit(self, _session: Session) -> None:
        self._commit = time.perf_counter()

    def seconds_until_shown(self, body: Mapping[str, Any]) -> float:
        """From the request until Slack has what the person asked to see."""
        start = time.perf_counter()
        self.signed.send(body)
        return self.slack.shown.get(timeout=60) - start


def update_click(person_id: int, job_id: int, requested_update_id: int) -> dict[str, Any]:
    """A click on Update on a card."""
    number = next(_numbers)
    button = {"job_id": job_id, "requested_update_id": requested_update_id, "revision": 1}
    return {
        "type": "block_actions",
        "team": {"id": TEAM, "domain": "bench"},
        "user": {"id": user_of(person_id), "username": "approver", "team_id": TEAM},
        "api_app_id": "A0BENCH",
        "channel": {"id": "C0BENCH", "name": "bench"},
        "trigger_id": f"{number}.bench",
        "response_url": "http://127.0.0.1:9/response",
        "container": {"type": "message", "message_ts": "1.1", "channel_id": "C0BENCH"},
        "message": {"ts": "1.1", "type": "message", "text": "A card"},
        "actions": [
            {
                "action_id": Action.UPDATE.value,
                "block_id": "buttons",
                "type": "button",
                "value": json.dumps(button),
                "action_ts": f"{number}.0",
            }
        ],
    }


def home_opened(person_id: int) -> dict[str, Any]:
    """A person opens App Home."""
    number = next(_numbers)
    event = {
        "type": "app_home_opened",
        "user": user_of(person_id),
        "channel": "D0BENCH",
        "tab": "home",
        "event_ts": f"{number}.0",
    }
    return {
        "type": "event_callback",
        "team_id": TEAM,
        "api_app_id": "A0BENCH",
        "event": event,
        "event_id": f"Ev{number}",
        "event_time": 1,
        "authorizations": [{"team_id": TEAM, "user_id": "UBOT", "is_bot": True}],
    }


def command(person_id: int, text: str) -> dict[str, Any]:
    """Somebody types `/costcodes` and this."""
    return {
        "command": "/costcodes",
        "text": text,
        "team_id": TEAM,
        "user_id": user_of(person_id),
        "channel_id": "C0BENCH",
        "trigger_id": f"{next(_numbers)}.bench",
        "response_url": "http://127.0.0.1:9/response",
        "api_app_id": "A0BENCH",
    }
