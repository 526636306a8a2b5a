"""Webhooks from Procore to a requested update, over sockets."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr
from starlette.applications import Starlette

from bot.procore_webhooks import webhook_route
from bot.sandbox.procore.app import CLIENT_ID, CLIENT_SECRET, Procore
from bot.sandbox.procore.company import Change
from bot.sandbox.procore.faults import Fault
from bot.sandbox.procore.web_api import OWN_USER_ID
from bot.sandbox.server import running
from sync.procore import hooks
from sync.procore.api import ProcoreApi
from sync.procore.client import Account, ProcoreClient
from sync.procore.events import work_on_events
from sync.sage.embedded import EmbeddedSage
from tests import factories
from tests.sync.procore.company import Kestrel
from tests.sync.procore.conftest import Clock
from workflow import procore_events
from workflow.database import Database
from workflow.settings import Settings, Source
from workflow.tables import Person, ProcorePerson, RequestedLine, RequestedUpdate

SECRET = "long-and-random-0123456789"


@pytest.fixture
def kestrel(procore: Procore, database: Database, client: ProcoreClient, clock: Clock) -> Kestrel:
    return Kestrel(procore, database, client, clock)


@pytest.fixture
def settings(account: Account, database_url: str) -> Settings:
    return Settings(
        _env_file=None,
        source=Source.PROCORE,
        database_url=database_url,
        procore_client_id=CLIENT_ID,
        procore_client_secret=SecretStr(CLIENT_SECRET),
        procore_company_id=account.company_id,
        procore_api_url=account.api_url,
        procore_login_url=account.login_url,
        procore_webhook_secret=SecretStr(SECRET),
    )


@pytest.fixture
def address(kestrel: Kestrel, clock: Clock) -> Iterator[str]:
    route = webhook_route(
        secret=SECRET,
        company_id=kestrel.procore.company.id,
        database=kestrel.database,
        nudge=lambda _: None,
        clock=clock,
    )
    with running(Starlette(routes=[route])) as url:
        yield f"{url}/procore/webhooks"


def _connect(kestrel: Kestrel, address: str) -> hooks.Connected:
    return hooks.connect(
        ProcoreApi(kestrel.client), kestrel.database, url=address, secret=SECRET, clock=kestrel.clock
    )


def test_what_somebody_adds_is_asked_for_in_their_name_as_soon_as_the_webhook_came(
    kestrel: Kestrel, settings: Settings, address: str, tmp_path: Path, clock: Clock
) -> None:
    kestrel.run()
    made = _connect(kestrel, address)
    assert made.refused == ()
    ana = kestrel.procore.company.add_user("Ana Ortiz", "ana@kestrel.example")
    with kestrel.database.writing() as session:
        person = factories.person(session, "ana@kestrel.example", name="Ana Ortiz")
        session.add(ProcorePerson(user_id=ana["id"], person_id=person.id, read_at=clock.at))
    clock.pause(60)
    kestrel.add("300", "L", by=ana)
    kestrel.procore.webhooks.wait()
    before = len(kestrel.procore.web_api.calls)
    sage = EmbeddedSage(tmp_path / "sage.db", None)
    report = work_on_events(settings, kestrel.database, sage, clock=clock)
    assert report is not None
    assert report.requested == 1
    assert len(kestrel.procore.web_api.calls) - before == 2
    [line] = kestrel.rows(RequestedLine)
    [update] = kestrel.rows(RequestedUpdate)
    people = {each.id: each.name for each in kestrel.rows(Person)}
    assert people[line.requested_by_id] == people[update.requested_by_id] == "Ana Ortiz"
    assert work_on_events(settings, kestrel.database, sage, clock=clock) is None


def test_who_added_what_has_to_wait_for_the_list_is_not_forgotten(
    kestrel: Kestrel, settings: Settings, address: str, tmp_path: Path, clock: Clock
) -> None:
    kestrel.run()
    _connect(kestrel, address)
    ana = kestrel.procore.company.add_user("Ana Ortiz", "ana@kestrel.example")
    with kestrel.database.writing() as session:
        person = factories.person(session, "ana@kestrel.example", name="Ana Ortiz")
        session.add(ProcorePerson(user_id=ana["id"], person_id=person.id, read_at=clock.at))
    clock.pause(60)
    kestrel.add("999", "L", by=ana)
    kestrel.procore.webhooks.wait()
    work_on_events(settings, kestrel.database, EmbeddedSage(tmp_path / "sage.db", None), clock=clock)
    assert kestrel.asked() == []
    erp = next(iter(kestrel.procore.company.standard_lists.values()))
    concrete = next(each for each in kestrel.procore.company.standard_codes.values() if each["code"] == "03")
    kestrel.procore.company.add_standard_code(erp, "999", "Now in Sage", parent=concrete)
    clock.pause(25 * 3600)
    kestrel.run()
    [line] = kestrel.rows(RequestedLine)
    people = {each.id: each.name for each in kestrel.rows(Person)}
    assert people[line.requested_by_id] == "Ana Ortiz"


def test_costbots_own_changes_are_ignored(
    kestrel: Kestrel, settings: Settings, address: str, tmp_path: Path, clock: Clock
) -> None:
    kestrel.run()
    _connect(kestrel, address)
    clock.pause(60)
    code = kestrel.add("300", "L", quietly=True)
    own = Change("Cost Codes", "update", code["id"], kestrel.project["id"], OWN_USER_ID)
    kestrel.procore.company.listeners[0](own)
    kestrel.procore.webhooks.wait()
    sage = EmbeddedSage(tmp_path / "sage.db", None)
    assert work_on_events(settings, kestrel.database, sage, clock=clock) is None
    with kestrel.database.reading() as session:
        assert procore_events.counts(session)[:2] == (1, 0)


def test_connecting_again_leaves_one_hook(kestrel: Kestrel, address: str) -> None:
    first = _connect(kestrel, address)
    second = _connect(kestrel, address)
    assert first.hook_id != second.hook_id
    found = kestrel.client.every(hooks.Hook, "rest/v1.0/webhooks/hooks", {"company_id": 4001})
    assert [hook.id for hook in found] == [second.hook_id]
    with kestrel.database.reading() as session:
        hook = procore_events.hook(session)
        assert hook is not None
        assert (hook.hook_id, hook.own_user_id) == (second.hook_id, OWN_USER_ID)


def test_a_trigger_that_procore_does_not_take_is_named_and_the_others_are_made(
    kestrel: Kestrel, address: str
) -> None:
    path = "/rest/v1.0/webhooks/hooks/"
    kestrel.procore.faults.expect(Fault(path, 422, body={"errors": {"resource_name": ["is unknown"]}}))
    made = _connect(kestrel, address)
    [(trigger, words)] = made.refused
    assert trigger == "Cost Codes create"
    assert "is unknown" in words
    assert made.triggers == len(hooks.TRIGGERS) - 1


def test_projects_whose_webhooks_were_discarded_are_read_again(kestrel: Kestrel, clock: Clock) -> None:
    kestrel.run()
    made = _connect(kestrel, "http://127.0.0.1:9/procore/webhooks")
    clock.pause(60)
    kestrel.add("300", "L")
    kestrel.procore.webhooks.wait()
    state = hooks.state(ProcoreApi(kestrel.client), kestrel.database, made.hook_id, clock=clock)
    assert (state.discarded, state.gaps) == (1, 1)
    assert state.failing > 1
    assert kestrel.intake.run(oldest=0).requested == 1
