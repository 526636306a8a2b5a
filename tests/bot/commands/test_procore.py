"""`costbot procore`, run against a Procore look-alike on a socket."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta

import pytest
from sqlalchemy import select

from bot.sandbox.procore.app import CLIENT_ID, CLIENT_SECRET, Procore, create_procore
from bot.sandbox.procore.company import Company
from bot.sandbox.procore.faults import Fault
from bot.sandbox.procore.limits import Limits
from bot.sandbox.server import running
from tests.bot.commands.conftest import Shell
from workflow.database import Database
from workflow.settings import read_settings
from workflow.tables import ProcorePerson


@pytest.fixture
def procore(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Iterator[Procore]:
    made = create_procore(Company(), limits=Limits(spike=10_000))
    with running(made.app) as address:
        for name, value in {
            "SOURCE": "procore",
            "PROCORE_CLIENT_ID": CLIENT_ID,
            "PROCORE_CLIENT_SECRET": CLIENT_SECRET,
            "PROCORE_COMPANY_ID": str(made.company.id),
            "PROCORE_API_URL": address,
            "PROCORE_LOGIN_URL": address,
            "PROCORE_WEBHOOK_SECRET": "long-and-random-0123456789",
        }.items():
            monkeypatch.setenv(f"COSTBOT_{name}", value)
        yield made
    made.webhooks.close()


def _kestrel(procore: Procore) -> None:
    company = procore.company
    labor = company.add_type("L", "Labor")
    company.add_standard_code(company.add_standard_list(), "03-300", "Concrete")
    project = company.add_project("24-017", "Riverside Medical Center")
    company.add_cost_code(project, "03-300", "Concrete", types=[labor])
    company.add_cost_code(project, "99-999", "Not in Sage", types=[labor])


def test_looking_takes_in_what_a_project_team_added(shell: Shell, procore: Procore) -> None:
    _kestrel(procore)
    assert shell.json("procore", "look") == {
        "projects": 1,
        "read": 1,
        "requested": 1,
        "removed": 0,
        "problems": 1,
    }
    [job] = shell.json("jobs")["jobs"]
    assert (job["job"]["number"], job["state"]) == ("24-017", "ready")


def test_looking_while_another_process_does_says_so(
    shell: Shell, procore: Procore, database: Database
) -> None:
    _kestrel(procore)
    with database.exclusive("procore_intake"):
        ran = shell.run("procore", "look", "--json")
    assert (ran.exit_code, ran.json["reason"]) == (1, "another_is_looking")


def test_the_status_says_what_is_known_and_what_cannot_be_asked_for(shell: Shell, procore: Procore) -> None:
    _kestrel(procore)
    shell.done("procore", "look")
    facts = shell.json("procore", "status")
    assert (facts["projects"], facts["to_read"], facts["hook_id"]) == (1, 0, None)
    assert facts["calls_last_hour"] == len(procore.web_api.calls)
    [problem] = facts["problems"]
    assert "99-999" in problem
    assert facts["troubles"] == []
    assert "costbot procore connect" in shell.done("procore", "status").out


def test_the_status_names_a_project_that_cannot_be_read(shell: Shell, procore: Procore) -> None:
    _kestrel(procore)
    procore.faults.expect(Fault("/rest/v1.0/cost_codes", 403))
    shell.done("procore", "look")
    [trouble] = shell.json("procore", "status")["troubles"]
    assert "check the service account's permissions" in trouble["words"]
    words = f"Project {trouble['project_id']} cannot be used: {trouble['words']}"
    assert words in shell.done("procore", "status").out.splitlines()


def test_connecting_makes_the_hook_for_the_address_given(shell: Shell, procore: Procore) -> None:
    facts = shell.json("procore", "connect", "https://costbot.example/")
    assert facts["url"] == "https://costbot.example/procore/webhooks"
    assert facts["refused"] == []
    assert shell.json("procore", "status")["hook_id"] == facts["hook_id"]


def test_an_address_that_procore_would_not_take_is_refused(shell: Shell, procore: Procore) -> None:
    ran = shell.run("procore", "connect", "http://costbot.example")
    assert ran.exit_code == 1
    assert "https://" in ran.err


def test_without_a_secret_one_is_proposed(
    shell: Shell, procore: Procore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COSTBOT_PROCORE_WEBHOOK_SECRET")
    ran = shell.run("procore", "connect", "https://costbot.example")
    assert ran.exit_code == 1
    assert "COSTBOT_PROCORE_WEBHOOK_SECRET" in ran.err


def test_what_procore_refuses_is_said_with_the_mend(shell: Shell, procore: Procore) -> None:
    procore.faults.expect(Fault("/rest/v1.0/me", 403))
    ran = shell.run("procore", "status")
    assert ran.exit_code == 1
    assert "permissions" in ran.err


def test_with_files_as_the_source_the_setting_is_named(shell: Shell) -> None:
    ran = shell.run("procore", "status")
    assert ran.exit_code == 1
    assert "COSTBOT_SOURCE" in ran.err


def test_a_setting_that_is_missing_for_procore_is_named(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COSTBOT_SOURCE", "procore")
    ran = shell.run("procore", "status")
    assert ran.exit_code != 0
    assert "COSTBOT_PROCORE_CLIENT_ID" in ran.err


def test_people_come_from_procore(shell: Shell, procore: Procore) -> None:
    procore.company.add_user("Dana Reyes", "dana@kestrel.example", erp_level=3, accountant=True)
    procore.company.add_user("Sam Standard", "sam@kestrel.example", erp_level=3)

    told = shell.json("procore", "people")
    assert told == {"people": 2, "changed": 2, "gone": 0, "approvers": ["Dana Reyes"]}
    report = shell.json("approvers")
    assert [one["lacks"] for one in report["nearly"]] == ["privilege_missing"]
    assert report["read_at"] is not None
    assert "As Procore's directory was read on" in shell.done("approvers").out


@pytest.mark.parametrize(
    ("what", "mend"),
    [
        ("people", "costbot procore people"),
        ("jobs", "costbot procore look"),
        ("categories", "costbot procore look"),
        ("standard-codes", "costbot procore look"),
    ],
)
def test_a_list_that_procore_has_is_taken_from_no_file(
    shell: Shell, procore: Procore, what: str, mend: str
) -> None:
    ran = shell.run("import", what, shell.file("list.csv", "any\n"), "--json")
    assert ran.exit_code == 3
    assert ran.json["reason"] == "source_is_procore"
    assert mend in ran.json["words"]


def test_looking_reads_the_lists_anew_and_what_is_missing_names_the_look(
    shell: Shell, procore: Procore
) -> None:
    _kestrel(procore)
    shell.done("procore", "look")
    assert "`costbot procore look`" in shell.run("show", "24-018").err
    [erp] = procore.company.standard_lists.values()
    procore.company.add_standard_code(erp, "99-999", "In Sage now")
    assert shell.json("procore", "look")["requested"] == 1
    assert shell.json("procore", "status")["problems"] == []


def _doctor(shell: Shell) -> dict[str, dict[str, object]]:
    found = shell.run("doctor", "--json").json["findings"]
    return {each["name"]: each for each in found if each["name"].startswith("Procore")}


def test_the_doctor_finds_procore_well_once_it_is_connected(shell: Shell, procore: Procore) -> None:
    _kestrel(procore)
    found = _doctor(shell)
    assert [name for name, each in found.items() if not each["ok"]] == ["Procore webhooks"]
    assert "costbot procore connect" in str(found["Procore webhooks"]["mend"])
    assert len(procore.web_api.calls) <= 7

    shell.done("procore", "connect", "https://costbot.example")
    assert all(each["ok"] for each in _doctor(shell).values())

    hooks = "/rest/v1.0/webhooks/hooks"
    procore.faults.expect(Fault(hooks, 200, body=[]))  # somebody removed it in Procore
    lost = _doctor(shell)["Procore webhooks"]
    assert (lost["ok"], "no more" in str(lost["words"])) == (False, True)


def test_the_doctor_names_what_the_account_may_not_read(shell: Shell, procore: Procore) -> None:
    _kestrel(procore)
    company = f"/rest/v1.0/companies/{procore.company.id}"
    procore.faults.expect(Fault(f"{company}/users", 403), Fault("/rest/v1.0/cost_codes", 403))
    found = _doctor(shell)["Procore permissions"]
    assert found["words"] == "costbot may not read Cost Codes, Company Directory"
    assert "permission template" in str(found["mend"])


def test_the_doctor_says_that_procore_has_no_project_and_no_list_for_the_erp(
    shell: Shell, procore: Procore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COSTBOT_PROCORE_WEBHOOK_SECRET")
    found = _doctor(shell)
    wrong = [name for name, each in found.items() if not each["ok"]]
    assert wrong == ["Procore projects", "Procore list"]
    assert str(found["Procore webhooks"]["words"]).startswith("off;")


def test_the_doctor_says_what_to_do_about_an_account_that_procore_does_not_take(
    shell: Shell, procore: Procore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COSTBOT_PROCORE_CLIENT_SECRET", "an old one")
    found = _doctor(shell)
    assert found.keys() == {"Procore"}
    assert found["Procore"]["ok"] is False
    assert "COSTBOT_PROCORE_CLIENT_SECRET" in str(found["Procore"]["mend"])
    assert "an old one" not in str(found)


def test_a_lost_privilege_bites_at_the_next_update_by_command(shell: Shell, procore: Procore) -> None:
    _kestrel(procore)
    dana = procore.company.add_user("Dana Reyes", "dana@kestrel.example", erp_level=3, accountant=True)
    shell.done("procore", "people")
    shell.done("procore", "look")
    procore.company.change_user(dana, erp_integrated_accountant=False)
    with closing(Database(read_settings().database)) as database, database.writing() as session:
        session.scalars(select(ProcorePerson)).one().read_at -= timedelta(hours=2)

    ran = shell.run("update", "24-017", "--by", "dana@kestrel.example")
    assert ran.exit_code == 3
    assert "Can Push to Accounting" in ran.err


def test_what_is_asked_for_beside_procore_stands_beside_what_was_added_there(
    shell: Shell, procore: Procore
) -> None:
    _kestrel(procore)
    company = procore.company
    company.add_user("Dana Reyes", "dana@kestrel.example", erp_level=3, accountant=True)
    company.add_user("Tom Beckett", "tom@kestrel.example", erp_level=2)
    [erp] = company.standard_lists.values()
    company.add_standard_code(erp, "04-200", "Masonry")
    shell.done("procore", "people")
    shell.done("procore", "look")
    shell.done("hold", "add", "24-017", "commitment", "SC-1", "Concrete works")

    file = shell.file("more.csv", "code,category\n04-200,L\n")
    shell.done("request", "24-017", file, "--by", "tom@kestrel.example")
    shell.done("procore", "look")
    facts = shell.json("show", "24-017")
    assert [line["code"] for line in facts["lines"]] == ["03-300", "04-200"]
    assert [hold["number"] for hold in facts["holds"]] == ["SC-1"]

    shell.done("update", "24-017", "--by", "dana@kestrel.example")
    shell.done("sync")
    assert shell.json("show", "24-017")["state"] == "synced"
    assert "1 request" in shell.done("report").out
    shell.done("procore", "look")
    assert shell.json("show", "24-017")["state"] == "synced"


def test_a_dry_run_says_who_would_lose_what_and_changes_nothing(shell: Shell, procore: Procore) -> None:
    rows = ["Ada,standard,true", "Ben,admin,true", "Eve,none,false", "Sam,none,false"]
    header = "email,name,erp_permission,can_push_to_accounting,active\n"
    people = "".join(f"{row.partition(',')[0].lower()}@kestrel.example,{row},true\n" for row in rows)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COSTBOT_SOURCE", "files")
        shell.done("import", "people", shell.file("people.csv", header + people))
    company = procore.company
    company.add_user("Ben", "BEN@kestrel.example", erp_level=4)
    company.add_user("Sam", "sam@kestrel.example", erp_level=3, accountant=True)
    company.add_user("New", "new@kestrel.example", erp_level=3, accountant=True)

    found = shell.json("procore", "people", "--dry-run")
    assert found["people"] == 3
    assert [each["name"] for each in found["deactivated"]] == ["Ada", "Eve"]
    assert [(each["name"], each["lacks"]) for each in found["lose"]] == [
        ("Ada", "deactivated"),
        ("Ben", "privilege_missing"),
    ]
    assert [each["email"] for each in found["gain"]] == ["new@kestrel.example", "sam@kestrel.example"]
    told = shell.done("procore", "people", "--dry-run").out
    assert "Ben <ben@kestrel.example> (the Can Push to Accounting privilege is missing)" in told
    assert shell.json("people", "approvers")["approvers"] == ["Ada", "Ben"]

    # what was foreseen is what happens
    assert shell.json("procore", "people")["approvers"] == ["New", "Sam"]
    after = shell.json("procore", "people", "--dry-run")
    assert (after["deactivated"], after["lose"], after["gain"]) == ([], [], [])
    assert "Nobody would lose or gain anything." in shell.done("procore", "people", "--dry-run").out


def test_as_erp_integrator_the_status_lists_open_requests_with_their_age_and_what_procore_refused(
    shell: Shell, procore: Procore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COSTBOT_PROCORE_INTAKE", "erp-requests")
    _kestrel(procore)
    [project] = procore.company.projects.values()
    request = procore.erp.send(project)
    procore.erp.details[request["request_detail_id"]]["request_id"] = request["id"]
    ran = shell.done("procore", "look")
    assert "ERP requests read: 1. Requested: 1." in ran.out
    lost = procore.erp.send(project)

    facts = shell.json("procore", "status")
    [waits] = facts["requests"]
    assert (waits["request_id"], waits["detail_id"]) == (request["id"], request["request_detail_id"])
    assert (waits["job"], waits["taken_in"], waits["answer"]) == ("24-017", True, None)
    assert [each["detail_id"] for each in facts["unknown_details"]] == [lost["request_detail_id"]]
    out = shell.done("procore", "status").out
    assert f"ERP request {request['id']} of 24-017, open for less than a minute: waits for Sage" in out
    assert f"ERP request detail {lost['request_detail_id']}, open for less than a minute" in out


def test_a_data_sync_by_command_tells_procore_at_once_as_one_of_the_schedule_does(
    shell: Shell, procore: Procore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COSTBOT_PROCORE_INTAKE", "erp-requests")
    _kestrel(procore)
    company = procore.company
    company.add_user("Dana Reyes", "dana@kestrel.example", erp_level=3, accountant=True)
    [project] = company.projects.values()
    request = procore.erp.send(project)
    detail = procore.erp.details[request["request_detail_id"]]
    detail["request_id"] = request["id"]
    shell.done("procore", "people")
    shell.done("procore", "look")
    shell.done("update", "24-017", "--by", "dana@kestrel.example")

    shell.done("sync")

    assert [code["origin_id"] for code in company.cost_codes.values()] == ["24-017//03-300", None]
    assert detail["messages"][0].startswith("Sage holds 1 assignment that Dana Reyes updated")
