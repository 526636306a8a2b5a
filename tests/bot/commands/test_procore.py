"""`costbot procore`, run against a Procore look-alike on a socket."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

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


def test_the_status_says_what_is_known_and_what_cannot_be_asked_for(shell: Shell, procore: Procore) -> None:
    _kestrel(procore)
    shell.done("procore", "look")
    facts = shell.json("procore", "status")
    assert (facts["projects"], facts["to_read"], facts["hook_id"]) == (1, 0, None)
    assert facts["calls_last_hour"] == len(procore.web_api.calls)
    [problem] = facts["problems"]
    assert "99-999" in problem
    assert "costbot procore connect" in shell.done("procore", "status").out


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


def test_people_come_from_procore_and_not_from_a_file(shell: Shell, procore: Procore, tmp_path: Path) -> None:
    procore.company.add_user("Dana Reyes", "dana@kestrel.example", erp_level=3, accountant=True)
    procore.company.add_user("Sam Standard", "sam@kestrel.example", erp_level=3)

    told = shell.json("procore", "people")
    assert told == {"people": 2, "changed": 2, "gone": 0, "approvers": ["Dana Reyes"]}
    report = shell.json("approvers")
    assert [one["lacks"] for one in report["nearly"]] == ["privilege_missing"]
    assert report["read_at"] is not None
    assert "As Procore's directory was read on" in shell.done("approvers").out

    file = tmp_path / "people.csv"
    file.write_text("email,name,erp_permission,can_push_to_accounting,active\n")
    ran = shell.run("import", "people", str(file))
    assert ran.exit_code == 3
    assert "costbot procore people" in ran.err


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
