"""The whole HTTP surface, as docs/openapi.yaml describes it, against whatever schemathesis makes up.

Of one company's bot, on either engine, and of a host for many, with data to lose. What follows an ack is over
with the answer.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from shutil import copyfile
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from sqlalchemy import Connection, NullPool, create_engine
from starlette.applications import Starlette
from structlog.testing import capture_logs
from structlog.typing import EventDict

from bot.app import build_app
from bot.gateway import Gateway
from bot.health import database_check, files_check, sync_check
from bot.http import http_app
from bot.links import cards_by_number
from bot.metrics import Metrics, Watched, metrics_route
from bot.procore_webhooks import webhook_route
from bot.sandbox import sample_company
from bot.sandbox.app import create_app
from bot.sandbox.client import Sandbox
from bot.sandbox.server import running
from bot.sandbox.workspace import BOT_TOKEN, SIGNING_SECRET
from tests.bot.junk import BARE
from tests.bot.many.town import town
from tests.bot.signing import signed
from tests.bot.site import Site
from tests.bot.threads import AtOnce
from tests.engines import BOTH
from tests.factories import LIMITS
from tests.servers import PostgresServer
from tests.workflow.everything import raw
from workflow.database import Database
from workflow.settings import Settings
from workflow.tables import Job, ProcoreEvent
from workflow.vocabulary import Event

DESCRIPTION = Path(__file__).parents[2] / "docs" / "openapi.yaml"
HOOK_SECRET = "long-and-random-0123456789"
COMPANY = 4001
METRICS_TOKEN = "another-long-and-random-one"
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
MAY_CHANGE = {
    "seen_deliveries",  # so that nothing is handled twice
    "procore_events",  # what Procore said, until the worker has looked
    "home_views",  # who opened App Home, for it is drawn anew
    "audit_head",
}
"""What is on record of requests that came to nothing; of the trail nothing but refusals."""
VERSION = {
    "sqlite": "PRAGMA data_version",
    "postgresql": "SELECT CAST(pg_snapshot_xmax(pg_current_snapshot()) AS TEXT)",
}
"""Another one after each write of anybody else's."""
PUBLIC = "https://costbot.example"
KESTRELS = f"""COSTBOT_SOURCE=procore
COSTBOT_PROCORE_CLIENT_ID=id
COSTBOT_PROCORE_CLIENT_SECRET=secret
COSTBOT_PROCORE_COMPANY_ID={COMPANY}
COSTBOT_PROCORE_WEBHOOK_SECRET={HOOK_SECRET}
"""

schema = schemathesis.openapi.from_path(DESCRIPTION)


@dataclass(frozen=True)
class Surface:
    """A server, the paths that it has, and the databases behind it."""

    paths: frozenset[str]
    url: str
    databases: Mapping[str, Database]
    _looks: dict[str, Connection] = field(default_factory=dict)
    _seen: dict[str, tuple[Any, dict[str, list[Any]]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, database in self.databases.items():
            engine = create_engine(database.engine.url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
            self._looks[name] = engine.connect()
        self.changed()

    def changed(self) -> list[str]:
        """The tables whose rows no request of a stranger's may change, and which have others than before."""
        found = []
        for name, database in self.databases.items():
            # rows are read only where there may be new ones
            look = self._looks[name]
            version = look.exec_driver_sql(VERSION[look.dialect.name]).scalar_one()
            if self._seen.get(name, (None, {}))[0] == version:
                continue
            rows = _kept(database)
            before = self._seen.get(name, (None, rows))[1]
            found += [f"{name}: {table}" for table in rows if rows[table] != before[table]]
            self._seen[name] = version, rows
        return found

    def close(self) -> None:
        for look in self._looks.values():
            look.close()


def _kept(database: Database) -> dict[str, list[Any]]:
    """The rows that are to stay as they are; of the trail, what is no refusal."""
    rows = {table: rows for table, rows in raw(database).items() if table not in MAY_CHANGE}
    del rows["audit_events.facts"]
    rows["audit_events"] = [row for row in rows["audit_events"] if f"'{Event.REFUSED}'" not in row]
    return rows


@pytest.fixture(scope="module")
def logged() -> Iterator[list[EventDict]]:
    with capture_logs() as logged, pytest.MonkeyPatch.context() as patch:
        patch.setattr("bot.app.ThreadPoolExecutor", AtOnce)
        yield logged


@pytest.fixture(scope="module", params=BOTH)
def database_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if request.param == "sqlite":
        template: Path = request.getfixturevalue("sqlite_template")
        yield f"sqlite:///{copyfile(template, tmp_path_factory.mktemp('surface') / 'costbot.db')}"
    else:
        server: PostgresServer = request.getfixturevalue("postgres_server")
        with server.database(template="template") as url:
            yield url


@pytest.fixture(scope="module")
def of_one(database_url: str, logged: list[EventDict]) -> Iterator[Surface]:
    with ExitStack() as stack:
        slack = stack.enter_context(running(create_app(sample_company.workspace())))
        database = Database(database_url)
        stack.callback(database.close)
        client = Sandbox(slack)
        stack.callback(client.close)
        site = Site(database, client)
        site.ask(site.riverside, "03-300 L")
        site.update(site.ask(site.depot, "03-300 L"))
        site.drain()
        read = Settings(
            _env_file=None,
            slack_api_url=f"{slack}/api/",
            slack_bot_token=BOT_TOKEN,
            slack_signing_secret=SIGNING_SECRET,
            public_url=PUBLIC,
        )
        clock: Callable[[], datetime] = lambda: datetime.now(UTC)  # noqa: E731
        gateway = Gateway.connect(read)
        bolt = build_app(
            read,
            gateway=gateway,
            database=database,
            nudge=lambda _: None,
            clock=clock,
            limits=LIMITS,
            read_back=lambda _: None,
        )
        hook = webhook_route(
            secret=HOOK_SECRET, company_id=COMPANY, database=database, nudge=lambda _: None, clock=clock
        )
        metrics = Metrics([Watched(read, database)], slack_connected=None, clock=clock)
        more = [hook, metrics_route(metrics, METRICS_TOKEN)]
        card_of = cards_by_number(database, gateway, clock=clock)
        assert card_of("24-017") is not None  # and what Slack says of it is kept before anybody asks
        web = http_app(
            bolt,
            takes_events=True,
            ready={"database": database_check(database)},
            notes={"sage": files_check(database), "data sync": sync_check(read, database, clock=clock)},
            more=more,
            card_of=card_of,
        )
        url = stack.enter_context(running(web))
        yield stack.enter_context(closing(Surface(_paths(web), url, {"one": database})))


@pytest.fixture(scope="module")
def of_many(
    logged: list[EventDict], sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Surface]:
    folder = tmp_path_factory.mktemp("many")
    with town(folder, sqlite_template, public_url=PUBLIC, more={"kestrel": KESTRELS}) as here:
        web = http_app(here.front.apps, takes_events=True, ready={}, more=here.front.routes)
        databases = {name: member.database for name, member in here.members.items()}
        with closing(Surface(_paths(web), here.url, databases)) as surface:
            yield surface


def _paths(web: Starlette) -> frozenset[str]:
    """The paths of a server as the description has them."""
    served = (getattr(route, "path", "").replace(":path", "") for route in web.routes)
    return frozenset(
        path.replace(f"/companies/{name}/", "/companies/{company}/")
        for path in served
        for name in ("kestrel", "boreal")
        if path and (name in path or "/companies/" not in path)
    )


def test_every_route_is_described_and_nothing_else(of_one: Surface, of_many: Surface) -> None:
    assert of_one.paths | of_many.paths == set(schema.raw_schema["paths"])


def test_a_change_is_seen(of_one: Surface) -> None:
    assert of_one.changed() == []
    with of_one.databases["one"].writing() as session:
        session.add(Job(number="24-099", name="Noticed"))
    assert "one: jobs" in of_one.changed()


@schema.parametrize()
@settings(
    max_examples=max(settings().max_examples // 5, 1),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    database=None,
)
def test_whatever_comes_is_answered_as_described_and_changes_nothing(
    case: schemathesis.Case[Any], of_one: Surface, of_many: Surface, logged: list[EventDict]
) -> None:
    for surface in (of_one, of_many):
        if case.operation.path in surface.paths:
            _check(case, surface, logged)
    if "company" in case.path_parameters:
        case.path_parameters["company"] = "kestrel"
        _check(case, of_many, logged)


def _check(case: schemathesis.Case[Any], surface: Surface, logged: list[EventDict]) -> None:
    heard = len(logged)
    if case.operation.path.endswith("/procore/webhooks") and isinstance(case.body, dict):
        case.body["company_id"] = COMPANY  # of another company's nothing is kept
    asked = requests.Request(**case.as_transport_kwargs(base_url=surface.url)).prepare()
    if case.operation.path == "/slack/events" and isinstance(asked.body, str | bytes):
        # as if Slack had signed it: what is behind the signature is what is tried
        slacks = signed(asked.body)["headers"]
        asked.headers.update({name: slacks[name] for name in slacks if name.startswith("X-Slack")})
    if case.operation.path.endswith("/procore/webhooks"):
        asked.headers["Authorization"] = f"Bearer {HOOK_SECRET}"
    if case.operation.path == "/metrics":
        asked.headers["Authorization"] = f"Bearer {METRICS_TOKEN}"
    with requests.Session() as session:
        session.trust_env = False
        answer = session.send(asked, allow_redirects=False)
    case.validate_response(answer, checks=CHECKS)
    if case.operation.path.endswith("/procore/webhooks") and _as_described(case):
        assert answer.status_code == HTTPStatus.NOT_FOUND or _is_kept(case.body, surface)
    assert BARE.search(answer.text) is None
    assert surface.changed() == []
    assert [line for line in logged[heard:] if line.get("exc_info")] == []


def _as_described(case: schemathesis.Case[Any]) -> bool:
    return case.meta is not None and case.meta.generation.mode.is_positive


def _is_kept(webhook: Any, surface: Surface) -> bool:
    [database] = [one for name, one in surface.databases.items() if name in ("one", "kestrel")]
    with database.reading() as session:
        return session.get(ProcoreEvent, webhook.get("ulid") or webhook["id"]) is not None
