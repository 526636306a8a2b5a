"""Webhooks of Procore: let in with the right header alone, whatever their shape, each once."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, select
from starlette.applications import Starlette
from structlog.testing import capture_logs

from bot.procore_webhooks import MOST_BYTES, PATH, webhook_route
from bot.sandbox.client import NO_AUTHORITIES
from bot.sandbox.server import running
from tests.bot.junk import JUNK, spoiled
from tests.bot.signing import compared_in_constant_time
from tests.factories import NINE, later
from tests.junk import much
from workflow import procore_events
from workflow.database import Database
from workflow.tables import ProcoreEvent
from workflow.vocabulary import PeriodicWork

SECRET = "long-and-random-0123456789"
V2: dict[str, Any] = {
    "id": 123456789,
    "ulid": "0A1B2C3D4F5G6H7I8J9K0LMNPQ",
    "timestamp": "2026-11-02T08:59:12.246562Z",
    "metadata": {
        "source_user_id": 9001,
        "source_project_id": 81,
        "source_operation_id": None,
        "source_company_id": 4001,
        "source_application_id": "an-app",
    },
    "user_id": 9001,
    "company_id": 4001,
    "project_id": 81,
    "api_version": "v2.0",
    "event_type": "create",
    "resource_name": "Cost Codes",
    "resource_id": 54321,
}
V3 = {**V2, "api_version": "v3.0", "related_resources": [{"id": 1234, "name": "Direct Costs"}]}
V4 = {
    "id": "0A1B2C3D4F5G6H7I8J9K0LMNPQ",
    "timestamp": "2026-11-02T08:59:12.246562Z",
    "reason": "create",
    "company_id": "4001",
    "project_id": "81",
    "user_id": "9001",
    "resource_type": "Cost Codes",
    "resource_id": "54321",
}


class Bot:
    """The bot's server and what it was nudged to."""

    def __init__(self, client: httpx.Client, database: Database, nudged: list[str]) -> None:
        self.client, self.database, self.nudged = client, database, nudged

    def post(self, body: object, authorization: str = f"Bearer {SECRET}") -> int:
        headers = {"Authorization": authorization} if authorization else {}
        return self.client.post(PATH, json=body, headers=headers).status_code

    def send(self, content: str) -> int:
        headers = {"Authorization": f"Bearer {SECRET}", "Content-Type": "application/json"}
        return self.client.post(PATH, content=content, headers=headers).status_code

    def kept(self) -> list[ProcoreEvent]:
        with self.database.reading() as session:
            return list(session.scalars(select(ProcoreEvent)))


@pytest.fixture
def bot(database_url: str) -> Iterator[Bot]:
    database, nudged = Database(database_url), list[str]()
    with _Serving(database, nudged) as made:
        yield made
    database.close()


class _Serving:
    def __init__(self, database: Database, nudged: list[str], at: datetime = NINE) -> None:
        route = webhook_route(
            secret=SECRET, company_id=4001, database=database, nudge=nudged.append, clock=lambda: at
        )
        self._running = running(Starlette(routes=[route]))
        self._database, self._nudged = database, nudged

    def __enter__(self) -> Bot:
        self._client = httpx.Client(base_url=self._running.__enter__(), timeout=60, verify=NO_AUTHORITIES)
        return Bot(self._client, self._database, self._nudged)

    def __exit__(self, *_: object) -> None:
        self._client.close()
        self._running.__exit__(None, None, None)


@pytest.mark.parametrize("body", [V2, V3, V4], ids=["v2", "v3", "v4"])
def test_every_shape_is_kept_as_the_same_event(bot: Bot, body: dict[str, Any]) -> None:
    assert bot.post(body) == 204
    [event] = bot.kept()
    assert (event.ulid, event.resource, event.reason) == (V2["ulid"], "Cost Codes", "create")
    assert (event.resource_id, event.project_id, event.user_id) == (54321, 81, 9001)
    assert event.received_at == NINE
    assert bot.nudged == [PeriodicWork.PROCORE_EVENTS]


@pytest.mark.parametrize("authorization", ["", "Bearer", f"bearer {SECRET}", f"Bearer {SECRET}x", "Bearer é"])
def test_without_the_hooks_header_nothing_is_let_in_and_the_log_says_so(bot: Bot, authorization: str) -> None:
    headers = [(b"Authorization", authorization.encode("latin-1"))] if authorization else []
    with capture_logs() as logs:
        assert bot.client.post(PATH, json=V2, headers=headers).status_code == 401
    assert [line["event"] for line in logs] == ["a webhook was refused: its Authorization is not the hook's"]
    assert bot.kept() == []


def test_the_hooks_header_is_compared_in_constant_time(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    compared = compared_in_constant_time(monkeypatch)
    bot.client.post(PATH, json=V2, headers={"Authorization": "Bearer guessed"})
    assert compared == [b"Bearer guessed"]


def test_what_comes_twice_is_kept_once_also_across_a_restart(bot: Bot) -> None:
    bot.post(V2)
    bot.post(V4)
    assert len(bot.nudged) == 1
    with bot.database.writing() as session:
        procore_events.handled(session, [str(V2["ulid"])], at=NINE)
    nudged: list[str] = []
    with _Serving(bot.database, nudged, at=later(5)) as restarted:
        assert restarted.post(V2) == 204
    assert nudged == []
    [event] = bot.kept()
    assert event.handled_at == NINE


def test_an_event_of_another_company_is_not_kept(bot: Bot) -> None:
    assert bot.post({**V2, "company_id": 5}) == 204
    assert bot.kept() == []


def test_a_body_that_is_too_long_is_refused(bot: Bot) -> None:
    assert bot.post({**V2, "more": "x" * MOST_BYTES}) == 413
    assert bot.kept() == []


def test_when_the_database_is_away_procore_is_to_send_again(database_url: str) -> None:
    away = Database("postgresql+psycopg://nobody@/nothing?host=/nonexistent")
    with _Serving(away, []) as bot:
        assert bot.post(V2) == 503
    away.close()


@pytest.mark.parametrize(
    "odd",
    [
        {"metadata": {"source_user_id": 2**63}},
        {"metadata": {"source_user_id": -1}},
        {"metadata": {"source_user_id": {}}},
        {"metadata": {"source_application_id": "a\0b\ud800"}},
        {"metadata": {"source_application_id": 7}},
        {"metadata": "none"},
        {"timestamp": "0001-01-01T00:00:00+14:00"},
    ],
    ids=str,
)
def test_what_cannot_be_read_of_who_did_it_or_when_loses_no_event(bot: Bot, odd: dict[str, Any]) -> None:
    assert bot.send(json.dumps({**V2, **odd})) == 204
    [event] = bot.kept()
    assert event.user_id == V2["user_id"]


_NUMBERS = st.integers(0, 2**63 - 1)
_ABOUT = {"company_id": st.just(4001), "resource_id": _NUMBERS}
_WHERE_AND_WHO = {"project_id": st.none() | _NUMBERS, "user_id": st.none() | _NUMBERS}
_TIMES = st.datetimes(timezones=st.just(UTC)).map(datetime.isoformat)
_RESOURCES, _REASONS = st.sampled_from(["Cost Codes", "Projects"]), st.sampled_from(["create", "update"])
_ULIDS = st.text("0123456789ABCDEFGHJKMNPQRSTVWXYZ", min_size=26, max_size=26)
_METADATA = st.fixed_dictionaries(
    {}, optional={"source_user_id": st.none() | _NUMBERS, "source_application_id": st.none() | st.text()}
)
_V2 = st.fixed_dictionaries(
    {"ulid": _ULIDS, "resource_name": _RESOURCES, "event_type": _REASONS, **_ABOUT},
    optional={**_WHERE_AND_WHO, "id": st.integers(), "timestamp": _TIMES, "metadata": _METADATA},
)
_V4 = st.fixed_dictionaries(
    {"id": _ULIDS, "resource_type": _RESOURCES, "reason": _REASONS, **_ABOUT},
    optional={**_WHERE_AND_WHO, "timestamp": _TIMES},
).map(lambda event: {name: str(v) if isinstance(v, int) else v for name, v in event.items()})


@much(60)
@given(_V2 | _V4)
def test_each_event_of_procores_shapes_is_kept_as_it_says(bot: Bot, body: dict[str, Any]) -> None:
    with bot.database.writing() as session:
        session.execute(delete(ProcoreEvent))
    assert bot.post(body) == 204
    [event] = bot.kept()
    assert event.ulid == (body["ulid"] if "ulid" in body else body["id"])
    said = body.get("metadata", {}).get("source_user_id") or body.get("user_id")
    assert str(event.resource_id) == str(body["resource_id"])
    assert (str(event.project_id), str(event.user_id)) == (str(body.get("project_id")), str(said))
    assert event.resource == body.get("resource_type", body.get("resource_name"))


@much(60)
@given((_V2 | _V4).flatmap(lambda body: spoiled(body, most=3)) | JUNK)
def test_whatever_comes_is_kept_or_passed_over_and_never_breaks(bot: Bot, body: Any) -> None:
    assert bot.send(json.dumps(body)) == 204
