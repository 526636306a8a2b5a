"""The data sync in the foreground."""

from tests.bot.commands.conftest import ADA, Shell


def test_a_sync_sends_what_was_accepted_and_counts_what_became_of_it(company: Shell) -> None:
    company.request(lines=["01-100,L", "03-300,L", "03-300,M", "09-250,XX"])
    company.done("update", "24-017", "--by", ADA)

    report = company.json("sync")

    assert report == {
        "batch": "DS000001",
        "state": "finished",
        "jobs": 1,
        "created": 1,
        "tied": 1,
        "already_there": 1,
        "failed": 1,
    }
    shown = company.json("show", "24-017")
    assert (shown["state"], shown["batch"]) == ("failed", "DS000001")
    assert [line["outcome"] for line in shown["lines"]] == ["created", "already_there", "tied", "failed"]


def test_sage_keeps_its_own_description(company: Shell) -> None:
    company.request(lines=["03-300,M", "09-250,L"])
    company.done("update", "24-017", "--by", ADA)
    company.done("sync")

    held = company.json("sage", "show", "24-017")

    assert held["job"] == "24-017"
    assert held["cost_codes"] == [
        {"extra": "", "code": "03-300", "description": "Concrete as Sage says", "categories": ["L", "M"]},
        {"extra": "", "code": "09-250", "description": "Gypsum board", "categories": ["L"]},
    ]


def test_a_sync_with_nothing_accepted_says_so(company: Shell) -> None:
    report = company.json("sync")

    assert (report["batch"], report["state"]) == (None, "nothing_to_send")
    assert "Nothing is accepted" in company.done("sync").out


def test_past_syncs_are_listed_newest_first(company: Shell) -> None:
    for job in ("24-017", "24-031"):
        company.request(job)
        company.done("update", job, "--by", ADA)
        company.done("sync")

    assert [sync["batch"] for sync in company.json("syncs")["syncs"]] == ["DS000002", "DS000001"]
    assert [sync["batch"] for sync in company.json("syncs", "--limit", "1")["syncs"]] == ["DS000002"]


def test_a_sync_that_cannot_reach_sage_fails_and_sends_it_the_next_time(company: Shell) -> None:
    company.request(lines=["09-250,L"])
    company.done("update", "24-017", "--by", ADA)
    sage = company.folder / "costbot-data" / "sage.db"
    aside = sage.rename(sage.with_suffix(".aside"))
    sage.mkdir()

    ran = company.run("sync", "--json")

    assert (ran.exit_code, ran.json["result"]) == (1, "failed")
    assert "embedded Sage company" in ran.err
    sage.rmdir()
    aside.rename(sage)
    assert company.json("sync")["created"] == 1
