"""The audit trail: verified, and exported so that a spreadsheet runs nothing of it."""

import csv
import io
import json

import pytest
from sqlalchemy import text

from tests.bot.commands.conftest import ADA, JOBS, PEOPLE, Shell
from workflow.database import Database


def test_a_whole_trail_verifies(company: Shell) -> None:
    company.request()

    assert company.json("audit", "verify") == {"events": 5, "problems": []}


def test_an_edited_row_is_found(company: Shell, database: Database) -> None:
    with database.writing() as session:
        session.execute(text("UPDATE audit_events SET actor = 'somebody else' WHERE seq = 2"))

    ran = company.run("audit", "verify", "--json")

    assert ran.exit_code == 1
    assert ran.json["problems"] == ["Event 2 was changed after it was written."]
    assert "Event 2 was changed" in ran.err


def test_the_export_has_every_event_in_both_forms(company: Shell) -> None:
    company.request()

    rows = list(csv.DictReader(io.StringIO(company.done("audit", "export", "--format", "csv").out)))
    events = [json.loads(x) for x in company.done("audit", "export", "--format", "jsonl").out.splitlines()]

    assert [row["seq"] for row in rows] == [str(event["seq"]) for event in events] == list("12345")
    assert list(rows[0]) == list(events[0])
    assert events[-1]["event"] == "requested_update:requested"
    assert (events[-1]["job"], events[-1]["actor_email"]) == ("24-017", "eve.engineer@example.com")
    assert json.loads(rows[-1]["facts"]) == events[-1]["facts"]


def test_cells_that_a_spreadsheet_would_run_are_made_safe(shell: Shell) -> None:
    people = "email,name,erp_permission,can_push_to_accounting,active\n" + "".join(
        f"{n}@example.com,{name},admin,true,true\n"
        for n, name in enumerate(['=HYPERLINK("x")', "+1", "-1", "@SUM(A1)"])
    )
    shell.done("import", "people", shell.file("people.csv", people.replace('"', "'")))
    shell.done("import", "jobs", shell.file("jobs.csv", "number,name,procore_project_id\n=1+1,Job,\n"))
    for n in range(4):
        shell.run("update", "=1+1", "--by", f"{n}@example.com")

    rows = csv.DictReader(io.StringIO(shell.done("audit", "export", "--format", "csv").out))
    acts = [row for row in rows if row["event"] == "act:refused"]

    assert [row["actor"] for row in acts] == ["'=HYPERLINK('x')", "'+1", "'-1", "'@SUM(A1)"]
    assert {row["job"] for row in acts} == {"'=1+1"}
    exported = shell.done("audit", "export", "--format", "jsonl").out
    assert '"actor":"+1"' in exported


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_an_export_masks_what_is_secret_in_both_forms(
    company: Shell, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    secret = "20261126"
    monkeypatch.setenv("SLACK_SIGNING_SECRET", secret)
    company.done("import", "people", company.file("people.csv", PEOPLE.replace("Eve", f"Eve {secret}")))
    company.done("import", "jobs", company.file(f"jobs-{secret}.csv", JOBS))
    company.request()

    exported = company.done("audit", "export", "--format", form).out

    assert "Eve ***" in exported
    assert "jobs-***.csv" in exported
    assert secret not in exported


def test_the_format_must_be_named(company: Shell) -> None:
    assert company.run("audit", "export").exit_code == 2
    assert company.run("audit", "export", "--format", "pdf").exit_code == 2


def test_export_shows_the_acts_of_people(company: Shell) -> None:
    company.request()
    company.done("update", "24-017", "--by", ADA)

    last = json.loads(company.done("audit", "export", "--format", "jsonl").out.splitlines()[-1])

    assert (last["event"], last["actor"], last["place"]) == (
        "requested_update:updated",
        "Ada Approver",
        "command line",
    )
