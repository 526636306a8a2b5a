"""Webhooks from Procore to a requested update, over sockets."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from bot.sandbox.procore.company import Change
from bot.sandbox.procore.faults import Fault
from bot.sandbox.procore.web_api import OWN_USER_ID
from sync.procore import hooks
from sync.procore.api import ProcoreApi
from sync.procore.errors import ProcoreRefusedError
from sync.procore.events import COMPANY_USERS, work_on_events
from sync.sage.embedded import EmbeddedSage
from tests import factories
from tests.between import after
from tests.sync.procore.company import Kestrel
from tests.sync.procore.conftest import SECRET, Clock
from workflow import procore_events
from workflow.settings import Settings
from workflow.tables import Person, ProcoreEvent, ProcorePerson, RequestedLine, RequestedUpdate


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


def test_what_is_told_during_a_reading_is_read_though_a_slow_run_notes_an_older_webhook_after_it(
    kestrel: Kestrel, settings: Settings, tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    sage = EmbeddedSage(tmp_path / "sage.db", None)
    event = {"event_type": "update", "resource_name": "Cost Codes", "resource_id": 1, "company_id": 4001}

    def tell(ulid: str, code: str) -> Sequence[ProcoreEvent]:
        clock.pause(1)
        kestrel.add(code, "L")
        told = procore_events.read({**event, "ulid": ulid, "project_id": kestrel.project["id"]})
        assert told is not None
        with kestrel.database.writing() as session:
            procore_events.keep(session, told, at=clock())
            return procore_events.waiting(session, last=COMPANY_USERS)

    def another_is_told_of() -> None:
        tell("E2", "400")
        work_on_events(settings, kestrel.database, sage, clock=clock)
        monkeypatch.setattr(procore_events, "waiting", lambda *_, **__: waited)
        work_on_events(settings, kestrel.database, sage, clock=clock)

    kestrel.run()
    waited = tell("E1", "300")
    after(monkeypatch, ProcoreApi, "cost_codes", another_is_told_of)
    work_on_events(settings, kestrel.database, sage, clock=clock)

    assert kestrel.asked() == ["03-300 L", "03-400 L"]


def test_more_webhooks_than_are_read_at_one_go_are_worked_on_by_one_run(
    kestrel: Kestrel, settings: Settings, tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    kestrel.run()
    kestrel.add("300", "L")
    event = {"event_type": "update", "resource_name": "Cost Codes", "resource_id": 1, "company_id": 4001}
    with kestrel.database.writing() as session:
        for number in range(5):
            told = procore_events.read({**event, "ulid": f"E{number}", "project_id": kestrel.project["id"]})
            assert told is not None
            procore_events.keep(session, told, at=clock())
    monkeypatch.setattr(procore_events, "EVENTS_A_READING", 2)

    sage = EmbeddedSage(tmp_path / "sage.db", None)
    report = work_on_events(settings, kestrel.database, sage, clock=clock)

    assert report is not None
    assert (report.read, report.requested) == (1, 1)
    with kestrel.database.reading() as session:
        assert procore_events.counts(session)[1] == 0


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


def test_what_costbot_marks_in_procore_makes_it_nobody_s_addition(
    kestrel: Kestrel, settings: Settings, address: str, tmp_path: Path, clock: Clock
) -> None:
    kestrel.run()
    _connect(kestrel, address)
    ana = kestrel.procore.company.add_user("Ana Ortiz", "ana@kestrel.example")
    code = kestrel.add("300", "L", by=ana)
    for listener in kestrel.procore.company.listeners:
        listener(Change("Cost Codes", "update", code["id"], kestrel.project["id"], OWN_USER_ID))
    kestrel.procore.webhooks.wait()
    with kestrel.database.reading() as session:
        assert procore_events.adders(session, "Cost Codes", [code["id"]]) == {code["id"]: ana["id"]}


def test_the_newest_delivery_is_told_by_its_time(kestrel: Kestrel, clock: Clock) -> None:
    made = _connect(kestrel, "http://127.0.0.1:9/procore/webhooks")
    deliveries = [
        {"id": 2, "event": {}, "outcome": "ok", "response_status": 200, "started_at": "2026-11-24T10:00:00Z"},
        {"id": 1, "event": {}, "outcome": "bad", "response_status": 500, "started_at": "2026-11-24T09:00:00"},
    ]
    path = f"/rest/v1.0/webhooks/hooks/{made.hook_id}/deliveries"
    kestrel.procore.faults.expect(*[Fault(path, 200, body=deliveries)] * 3)
    state = hooks.state(ProcoreApi(kestrel.client), kestrel.database, made.hook_id, clock=clock)
    assert state.last_status == 200


def test_a_refusal_that_quotes_the_secret_is_told_without_it(kestrel: Kestrel, address: str) -> None:
    quoted = {"errors": {"destination_headers": f"Bearer {SECRET} is too short"}}
    kestrel.procore.faults.expect(Fault("/rest/v1.0/webhooks/hooks", 200, body=[]))
    kestrel.procore.faults.expect(Fault("/rest/v1.0/webhooks/hooks", 422, body=quoted))
    with pytest.raises(ProcoreRefusedError, match=r"Bearer \*\*\* is too short"):
        _connect(kestrel, address)


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


def test_deliveries_are_read_page_by_page_as_far_as_is_asked_for(kestrel: Kestrel) -> None:
    made = _connect(kestrel, "http://127.0.0.1:9/procore/webhooks")
    for number in range(hooks.DELIVERIES_A_CALL + 1):
        kestrel.add(f"{number:03}", "L")
    kestrel.procore.webhooks.wait()
    api = ProcoreApi(kestrel.client)
    assert len(hooks.deliveries(api, made.hook_id, "discarded")) == hooks.DELIVERIES_A_CALL
    every = hooks.deliveries(api, made.hook_id, "discarded", pages=9)
    assert len({each.id for each in every}) == len(every) == hooks.DELIVERIES_A_CALL + 1
