"""What Slack sends costbot, and costbot with a Slack that answers it at once.

Owns what is the same for every measurement of what people do in Slack.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from functools import partial
from itertools import count
from typing import Any

from slack_bolt import Ack, App
from slack_bolt.authorization import AuthorizeResult
from sqlalchemy import event
from sqlalchemy.orm import Session

from benchmarks.apart import SECRET, Apart, Note
from benchmarks.company import TEAM, user_of
from bot.app import build_app
from bot.blocks.pieces import Json, Message
from bot.bot_process import finished
from bot.gateway import Gateway, web_client
from bot.payloads import Action
from bot.slack_answers import Bot, SlackUser
from tests.factories import LIMITS
from workflow.database import Database
from workflow.settings import Settings

COMMITTED = "committed"
_SHOWN = "shown"
_numbers = count(1)


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


class _PromptSlack(Gateway):
    """A Slack that answers at once; it notes when each page and message is sent."""

    def __init__(self, note: Note) -> None:
        super().__init__(web_client("xoxb-bench", "http://127.0.0.1:9/api/"))
        self._note = note

    def auth_test(self) -> Bot:
        return Bot(TEAM, "Bench", "UBOT", frozenset())

    def user(self, user_id: str) -> SlackUser:
        return SlackUser(
            user_id, user_id, f"{user_id}@example.com", True, TEAM, (), False, False, False,
            "America/Chicago", "en-US",
        )  # fmt: skip

    def publish_home(self, user_id: str, view: Json) -> None:
        self._note(_SHOWN, time.perf_counter())

    def respond(self, response_url: str, message: Message) -> None:
        self._note(_SHOWN, time.perf_counter())


class Costbot(Apart):
    """costbot's Slack app on a database, with a Slack that answers at once."""

    def __init__(self, url: str) -> None:
        super().__init__(partial(_costbot, url))

    def committed(self) -> float:
        """When the transaction of the next act was on record."""
        return self.when(COMMITTED)

    def shown(self) -> float:
        """When Slack had the next page or message."""
        return self.when(_SHOWN)

    def seconds_until_shown(self, body: Mapping[str, Any]) -> float:
        """From the request until Slack has what the person asked to see."""
        start = time.perf_counter()
        self.send(body)
        return self.shown() - start


@contextmanager
def _costbot(url: str, note: Note) -> Iterator[App]:
    commits = threading.local()

    def keep(_session: Session) -> None:
        commits.last = time.perf_counter()

    event.listen(Session, "after_commit", keep)
    settings = Settings(slack_signing_secret=SECRET, channel="#bench", _env_file=None)
    with closing(Database(url)) as database:
        app = build_app(
            settings,
            gateway=_PromptSlack(note),
            database=database,
            # noted as soon as delivery is asked for
            nudge=lambda _: note(COMMITTED, commits.last),
            clock=lambda: datetime.now(UTC),
            limits=LIMITS,
            read_back=lambda _: None,
        )
        with finished(app):
            yield app


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
