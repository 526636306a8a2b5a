"""Asking for cost codes, and looking at what was asked for."""

from datetime import UTC, datetime, timedelta

from tests.bot.commands.conftest import ENGINEER, Shell


def test_a_request_makes_the_job_ready_and_shows_how_it_stands_against_sage(company: Shell) -> None:
    company.request(lines=["03-300,L", "03-300,M", "09-250,L"])

    shown = company.json("show", "24-017")

    assert shown["job"] == {"number": "24-017", "name": "Riverside Medical Center"}
    assert (shown["state"], shown["revision"]) == ("ready", 1)
    assert shown["requested_by"] == ENGINEER
    asked_at = datetime.fromisoformat(shown["requested_at"])
    assert asked_at.utcoffset() == timedelta(0)
    assert abs(datetime.now(UTC) - asked_at) < timedelta(minutes=1)
    assert [(x["code"], x["category"], x["standing"]) for x in shown["lines"]] == [
        ("03-300", "L", "in_sage"),
        ("03-300", "M", "new_category"),
        ("09-250", "L", "new_code"),
    ]
    assert shown["lines"][0]["description"] == "Cast-in-place concrete"
    assert shown["lines"][0]["sage_description"] == "Concrete as Sage says"
    assert shown["lines"][2]["sage_description"] is None
    assert {x["outcome"] for x in shown["lines"]} == {None}
    assert shown["holds"] == []


def test_a_second_request_joins_the_open_one(company: Shell) -> None:
    company.request(lines=["03-300,M"])
    file = company.file("more.csv", "code,category\n03-300,M\n09-250,L\n")

    answer = company.json("request", "24-017", file, "--by", ENGINEER)

    assert answer == {
        "job": {"number": "24-017", "name": "Riverside Medical Center"},
        "state": "ready",
        "revision": 2,
        "added": 1,
        "joined": True,
    }


def test_asking_for_what_waits_already_changes_nothing(company: Shell) -> None:
    company.request(lines=["03-300,M"])

    ran = company.request(lines=["03-300,M"])

    assert "nothing was changed" in ran.out
    assert company.json("show", "24-017")["revision"] == 1


def test_every_line_that_cannot_be_asked_for_is_named_and_none_is_taken(company: Shell) -> None:
    file = company.file("bad.csv", "code,category\n03-300,L\n99-999,L\n03-300,Q\n")

    ran = company.run("request", "24-017", file, "--by", ENGINEER)

    assert ran.exit_code == 1
    assert "line 3, column code: cost code 99-999 is not on the standard cost code list" in ran.err
    assert "line 4, column category: category Q is not a standard category" in ran.err
    assert company.json("show", "24-017")["state"] is None


def test_a_repeated_line_is_named(company: Shell) -> None:
    file = company.file("twice.csv", "code,category\n03-300,L\n03-300,L\n")

    ran = company.run("request", "24-017", file, "--by", ENGINEER)

    assert ran.exit_code == 1
    assert "line 3, column code: 03-300 L is on line 2 already" in ran.err


def test_an_unknown_job_is_named_with_the_mend(company: Shell) -> None:
    file = company.file("request.csv", "code,category\n03-300,L\n")

    ran = company.run("request", "99-999", file, "--by", ENGINEER, "--json")

    assert ran.exit_code == 1
    assert ran.json["reason"] == "unknown_job"
    assert "There is no job 99-999" in ran.err


def test_somebody_whom_nobody_knows_may_not_ask(company: Shell) -> None:
    file = company.file("request.csv", "code,category\n03-300,L\n")

    ran = company.run("request", "24-017", file, "--by", "stranger@example.com", "--json")

    assert ran.exit_code == 3
    assert (ran.json["result"], ran.json["reason"]) == ("refused", "no_matching_person")
    assert "stranger@example.com" in ran.err


def test_a_request_is_kept_when_sage_cannot_be_read(company: Shell) -> None:
    (company.folder / "costbot-data" / "sage.db").unlink()
    (company.folder / "costbot-data" / "sage.db").mkdir()

    ran = company.request(lines=["03-300,M"])

    assert ran.exit_code == 0
    assert "embedded Sage company" in ran.err
    assert company.json("show", "24-017")["state"] == "ready"


def test_jobs_are_listed_by_state_and_text(company: Shell) -> None:
    company.request("24-017")
    company.request("24-031")

    def numbers(*arguments: str) -> list[str]:
        return [row["job"]["number"] for row in company.json(*arguments)["jobs"]]

    assert numbers("ready") == ["24-017", "24-031"]
    assert numbers("jobs") == ["24-017", "24-031"]
    assert numbers("jobs", "ready", "harbor") == ["24-031"]
    assert numbers("jobs", "synced") == []


def test_lists_are_lines_of_cells_when_nobody_looks_at_a_terminal(company: Shell) -> None:
    company.request("24-017")

    header, row = company.done("ready").out.splitlines()

    assert header.split("\t")[:2] == ["Job", "State"]
    assert row.split("\t")[:2] == ["24-017 Riverside Medical Center", "Ready to Update"]


def test_history_tells_who_did_what(company: Shell) -> None:
    company.request("24-017", lines=["03-300,M"])

    events = company.json("history", "24-017")["events"]

    assert [event["event"] for event in events] == ["requested_update:requested"]
    assert events[0]["actor"] == "Eve Engineer"
    assert events[0]["place"] == "command line"
    assert "Eve Engineer requested 1 assignment of 1 cost code" in company.done("history", "24-017").out


def test_what_a_terminal_would_obey_is_not_printed(company: Shell) -> None:
    company.done("hold", "add", "24-017", "commitment", "C-1", "\x1b[31mred\x07")

    assert "\x1b" not in company.done("hold", "list").out
