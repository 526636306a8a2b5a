"""What happens in Procore, and in other processes, while one of them reads or tells Procore."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select

from bot.sandbox.procore.app import Procore
from sync.procore import work
from sync.procore.api import ProcoreApi
from sync.procore.client import Account, ProcoreClient
from sync.procore.erp_requests import ErpRequests
from sync.procore.intake import Intake
from sync.procore.people import Directory
from sync.procore.write_back import WriteBack, Written
from tests.between import after, cut_locks
from tests.sync.procore.company import Kestrel
from tests.sync.procore.conftest import Clock
from workflow import directory, procore_calls, procore_people, procore_projects, procore_requests
from workflow.checks import SageLimits
from workflow.database import Database
from workflow.privileges import Rules
from workflow.request_ids import working_for
from workflow.settings import Settings, Source
from workflow.tables import AuditEvent, Category, Job, ProcoreAssignment, ProcoreErpRequest, ProcorePerson


@pytest.mark.parametrize("behind", [0, 30], ids=["", "by a clock that is behind"])
def test_what_a_webhook_tells_while_the_project_is_read_is_read_by_the_same_run(
    kestrel: Kestrel, clock: Clock, monkeypatch: pytest.MonkeyPatch, behind: int
) -> None:
    kestrel.run()

    def changes() -> None:
        clock.pause(1)
        with kestrel.database.writing() as session:
            at = clock.at - timedelta(seconds=behind)
            procore_projects.stale(session, kestrel.project["id"], at=at)

    def somebody_adds_one_more() -> None:
        clock.pause(1)
        kestrel.add("400", "L")
        changes()
        assert kestrel.run().is_anothers

    kestrel.add("300", "L")
    changes()
    clock.pause(1)
    after(monkeypatch, ProcoreApi, "cost_codes", somebody_adds_one_more)
    assert kestrel.intake.run(oldest=0).requested == 2
    assert kestrel.asked() == ["03-300 L", "03-400 L"]
    assert kestrel.intake.run(oldest=0).read == 0


@pytest.fixture
def postgresql(
    procore: Procore,
    postgres_url: str,
    database_of: Callable[[str], Database],
    client: ProcoreClient,
    clock: Clock,
) -> Kestrel:
    """Kestrel on PostgreSQL, whose locks can be cut."""
    return Kestrel(procore, database_of(postgres_url), client, clock)


def test_a_project_that_is_listed_as_changed_too_is_read_on_with_the_id_of_who_told_of_it(
    kestrel: Kestrel, clock: Clock
) -> None:
    kestrel.run()
    clock.pause(60)
    kestrel.add("300", "L")
    kestrel.project.update(updated_at=kestrel.procore.company.now)
    with working_for("webhook"), kestrel.database.writing() as session:
        procore_projects.stale(session, kestrel.project["id"], at=clock())

    clock.pause(60)
    with working_for("run"):
        kestrel.run()

    assert kestrel.asked() == ["03-300 L"]
    assert {event.request_id for event in kestrel.rows(AuditEvent) if event.job_id} == {"webhook"}


def test_of_two_who_read_a_project_the_older_reading_brings_nothing_back(
    postgresql: Kestrel, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = postgresql.add("300", "L", "M")
    postgresql.run()

    def another_one_reads_what_is_left() -> None:
        cut_locks(postgresql.database)
        clock.pause(1)
        postgresql.procore.company.unassign(code, postgresql.types["M"])
        assert postgresql.run().removed == 1
        clock.pause(1)

    clock.pause(1)
    after(monkeypatch, ProcoreApi, "cost_codes", another_one_reads_what_is_left)
    found = postgresql.run()
    assert (found.read, found.requested) == (2, 0)
    assert postgresql.asked() == ["03-300 L"]
    assert postgresql.intake.run(oldest=0).read == 0


def test_a_request_that_a_newer_one_was_taken_in_for_brings_nothing_back(
    postgresql: Kestrel, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    company, path = postgresql.procore.company, "rest/v1.0/companies/{company_id}/erp_requests/{id}"
    code = postgresql.add("300", "L", "M")
    requests = ErpRequests(postgresql.intake, path)
    requests.run()

    def send() -> None:
        clock.pause(1)
        request = postgresql.procore.erp.send(postgresql.project)
        with postgresql.database.writing() as session:
            procore_requests.hear(session, request["id"], happened_at=clock.at, at=clock.at)

    def another_one_takes_a_newer_one_in() -> None:
        cut_locks(postgresql.database)
        company.unassign(code, postgresql.types["M"])
        send()
        requests.run(look=False)

    send()
    after(monkeypatch, Intake, "seen", another_one_takes_a_newer_one_in)
    requests.run(look=False)
    assert postgresql.asked() == ["03-300 L"]
    assert [each.taken_at is None for each in postgresql.rows(ProcoreErpRequest)] == [True, False]


def test_what_is_added_again_while_procore_is_told_is_told_once_more(
    kestrel: Kestrel, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, labor = kestrel.add("300", "L"), kestrel.types["L"]
    kestrel.run()
    kestrel.in_sage({"03-300": ("L",)})
    marked = kestrel.procore.company.synced_assignments

    def it_is_taken_away_and_added_again() -> None:
        clock.pause(1)
        kestrel.procore.company.unassign(code, labor)
        marked.remove((code["id"], labor["id"]))
        kestrel.run()
        clock.pause(1)
        kestrel.procore.company.assign(code, labor)
        kestrel.run()

    def cost_codes_are_marked() -> None:
        after(monkeypatch, ProcoreClient, "sync", it_is_taken_away_and_added_again)

    after(monkeypatch, ProcoreClient, "sync", cost_codes_are_marked)
    _write_back(kestrel)
    _write_back(kestrel)
    assert (code["id"], labor["id"]) in marked


def test_what_one_tells_late_takes_nothing_back_that_another_has_told(
    postgresql: Kestrel, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = postgresql.add("300", "L")
    other = postgresql.add("400", "L", origin_id="24-017//03-300")
    postgresql.run()
    postgresql.in_sage({"03-300": ("L",)})

    def another_one_tells_it_after_a_correction() -> None:
        other["origin_id"] = "mended"
        assert _write_back(postgresql) == Written(1, 0)

    after(monkeypatch, ProcoreClient, "sync", another_one_tells_it_after_a_correction)
    _write_back(postgresql)
    assert code["origin_id"] == "24-017//03-300"
    [row] = [each for each in postgresql.rows(ProcoreAssignment) if each.cost_code_id == code["id"]]
    assert (row.written_at is None, row.write_error) == (False, None)


def _write_back(kestrel: Kestrel) -> Written:
    api, path = ProcoreApi(kestrel.client), "rest/v1.0/cost_code_line_item_types/sync"
    return WriteBack(kestrel.database, api, kestrel.clock, assignments_path=path).run()


def test_who_closes_requests_without_the_lock_leaves_the_rest_to_who_has_it(
    postgresql: Kestrel, clock: Clock, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(
        _env_file=None,
        source=Source.PROCORE,
        procore_client_id=account.client_id,
        procore_client_secret=account.client_secret,
        procore_company_id=account.company_id,
        procore_api_url=account.api_url,
        procore_login_url=account.login_url,
    )
    for _ in range(2):
        request = postgresql.procore.erp.send(postgresql.project)
        with postgresql.database.writing() as session:
            procore_requests.hear(session, request["id"], happened_at=clock.at, at=clock.at)
    ErpRequests(postgresql.intake, "rest/v1.0/companies/{company_id}/erp_requests/{id}").run(look=False)

    def another_one_has_the_lock() -> None:
        cut_locks(postgresql.database)
        work.tell(settings, postgresql.database, clock=clock)

    after(monkeypatch, ProcoreApi, "close_detail", another_one_has_the_lock)
    work.tell(settings, postgresql.database, clock=clock)
    closed = [call for call in postgresql.procore.web_api.calls if "erp_request_details/" in call]
    assert len(closed) == 3
    assert len(set(closed)) == 2


def test_a_long_reading_of_the_directory_gives_back_no_right_that_was_read_as_lost_meanwhile(
    kestrel: Kestrel, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = _people(kestrel)
    dana, ann = (
        kestrel.procore.company.add_user(name, f"{name}@kestrel.example", erp_level=3, accountant=True)
        for name in ("dana", "ann")
    )
    people.refresh()

    def a_click_reads_what_has_changed() -> None:
        clock.pause(1)
        kestrel.procore.company.change_user(dana, erp_integrated_accountant=False)
        del kestrel.procore.company.users[ann["id"]]
        new = kestrel.procore.company.add_user("new", "new@kestrel.example", erp_level=3, accountant=True)
        for user in (dana, ann, new):
            people.read_user(user["id"])
        clock.pause(1)

    after(monkeypatch, ProcoreApi, "users", a_click_reads_what_has_changed)
    people.refresh()
    assert _approvers(kestrel) == ["new"]
    clock.pause(1)
    assert people.refresh().changed == 0
    assert _approvers(kestrel) == ["new"]


def test_who_was_added_and_read_after_the_directory_was_keeps_their_rights(
    kestrel: Kestrel, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = _people(kestrel)

    def a_webhook_tells_of_somebody_new() -> None:
        clock.pause(1)
        new = kestrel.procore.company.add_user("new", "new@kestrel.example", erp_level=3, accountant=True)
        people.read_user(new["id"])
        clock.pause(1)

    after(monkeypatch, procore_people, "moving", a_webhook_tells_of_somebody_new)
    assert people.refresh().gone == 0
    assert _approvers(kestrel) == ["new"]


def test_what_was_read_by_a_clock_that_was_ahead_is_read_anew(kestrel: Kestrel, clock: Clock) -> None:
    people = _people(kestrel)
    dana = kestrel.procore.company.add_user("dana", "dana@kestrel.example", erp_level=3, accountant=True)
    people.refresh()
    with kestrel.database.reading() as session:
        [person_id] = session.scalars(select(ProcorePerson.person_id))
        rules = Rules(people_known_for=timedelta(minutes=15))
        assert not procore_people.is_too_old(session, person_id, at=clock(), rules=rules)
        clock.pause(-3600)
        assert procore_people.is_too_old(session, person_id, at=clock(), rules=rules)
    kestrel.procore.company.change_user(dana, erp_integrated_accountant=False)
    assert people.refresh().changed == 1
    assert _approvers(kestrel) == []


def _people(kestrel: Kestrel) -> Directory:
    return Directory(kestrel.database, ProcoreApi(kestrel.client), "erp_integrations", kestrel.clock)


def _approvers(kestrel: Kestrel) -> list[str]:
    with kestrel.database.reading() as session:
        return [person.name for person in directory.accounting_approvers(session)]


def test_what_was_noted_by_a_clock_that_was_ahead_holds_up_no_look(
    kestrel: Kestrel, settings: Settings, clock: Clock
) -> None:
    clock.pause(24 * 3600)
    kestrel.run()
    with kestrel.database.writing() as session:
        procore_calls.told(session, 4001, paused_until=clock.at + timedelta(minutes=5))
    clock.pause(-24 * 3600)
    kestrel.procore.company.add_project("24-018", "Depot")
    kestrel.procore.company.add_type("S", "Subcontract")

    with work.procore_of(settings, kestrel.database, clock=clock) as api:
        assert work.take_in(settings, kestrel.database, api, SageLimits(), clock=clock).projects == 2

    assert [job.number for job in kestrel.rows(Job)] == ["24-017", "24-018"]
    assert [category.code for category in kestrel.rows(Category)] == ["L", "M", "S"]
