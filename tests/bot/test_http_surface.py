"""The whole HTTP surface, as docs/openapi.yaml describes it, against whatever schemathesis makes up."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from shutil import copyfile
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from sqlalchemy import func, select
from starlette.applications import Starlette
from structlog.testing import capture_logs
from structlog.typing import EventDict

from bot.app import build_app
from bot.gateway import Gateway
from bot.http import http_app
from bot.procore_webhooks import webhook_route
from bot.sandbox import sample_company
from bot.sandbox.app import create_app
from bot.sandbox.server import running
from bot.sandbox.workspace import BOT_TOKEN, SIGNING_SECRET
from tests.bot.signing import signed
from tests.factories import LIMITS
from workflow.database import Database
from workflow.settings import Settings
from workflow.tables import Table

DESCRIPTION = Path(__file__).parents[2] / "docs" / "openapi.yaml"
HOOK_SECRET = "long-and-random-0123456789"
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
MAY_CHANGE = {"alembic_version", "audit_events", "audit_head", "procore_events", "seen_deliveries"}
"""What is on record of requests that came to nothing."""

schema = schemathesis.openapi.from_path(DESCRIPTION)


@dataclass(frozen=True)
class Surface:
    """The bot's server with every route, and what it has logged and stored."""

    web: Starlette
    url: str
    database: Database
    logged: list[EventDict]

    def rows(self) -> dict[str, int]:
        with self.database.reading() as session:
            tables = [table for table in Table.metadata.sorted_tables if table.name not in MAY_CHANGE]
            return {each.name: session.scalar(select(func.count()).select_from(each)) or 0 for each in tables}


@pytest.fixture(scope="module")
def slack_url() -> Iterator[str]:
    with running(create_app(sample_company.workspace())) as url:
        yield f"{url}/api/"


@pytest.fixture(scope="module")
def surface(
    slack_url: str, sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Surface]:
    path = copyfile(sqlite_template, tmp_path_factory.mktemp("surface") / "costbot.db")
    database = Database(f"sqlite:///{path}")
    read = Settings(
        _env_file=None,
        slack_api_url=slack_url,
        slack_bot_token=BOT_TOKEN,
        slack_signing_secret=SIGNING_SECRET,
    )
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)  # noqa: E731
    bolt = build_app(
        read,
        gateway=Gateway.connect(read),
        database=database,
        nudge=lambda _: None,
        clock=clock,
        limits=LIMITS,
        read_back=lambda _: None,
    )
    hook = webhook_route(
        secret=HOOK_SECRET, company_id=4001, database=database, nudge=lambda _: None, clock=clock
    )
    web = http_app(bolt, takes_events=True, ready={"database": lambda: None}, more=[hook], card_of=_card_of)
    with capture_logs() as logged, running(web) as url:
        yield Surface(web, url, database, logged)
        bolt.listener_runner.listener_executor.shutdown(wait=True)
    database.close()


def _card_of(number: str) -> str | None:
    return "https://kestrel.slack.com/archives/C1/p1" if number == "24-017" else None


def test_every_route_is_described_and_nothing_else(surface: Surface) -> None:
    served = {
        path.replace(":path", "") for route in surface.web.routes if (path := getattr(route, "path", ""))
    }
    assert served == set(schema.raw_schema["paths"])


@schema.parametrize()
@settings(max_examples=25, derandomize=True, deadline=None, database=None)
def test_whatever_comes_is_answered_as_described_and_changes_nothing(
    case: schemathesis.Case[Any], surface: Surface
) -> None:
    before, heard = surface.rows(), len(surface.logged)
    asked = requests.Request(**case.as_transport_kwargs(base_url=surface.url)).prepare()
    if case.operation.path == "/slack/events" and isinstance(asked.body, str | bytes):
        # as if Slack had signed it: what is behind the signature is what is tried
        slacks = signed(asked.body)["headers"]
        asked.headers.update({name: slacks[name] for name in slacks if name.startswith("X-Slack")})
    if case.operation.path == "/procore/webhooks":
        asked.headers["Authorization"] = f"Bearer {HOOK_SECRET}"
    with requests.Session() as session:
        session.trust_env = False
        answer = session.send(asked, allow_redirects=False)
    case.validate_response(answer, checks=CHECKS)
    assert surface.rows() == before
    assert [line for line in surface.logged[heard:] if line.get("exc_info")] == []
