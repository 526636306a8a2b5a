"""What the embedded Sage company holds, loaded and shown."""

from tests.bot.commands.conftest import Shell


def test_what_was_loaded_is_shown(company: Shell) -> None:
    held = company.json("sage", "show", "24-017")

    assert (held["job"], held["name"]) == ("24-017", "Riverside")
    assert held["cost_codes"] == [
        {"extra": "", "code": "03-300", "description": "Concrete as Sage says", "categories": ["L"]}
    ]


def test_a_job_that_sage_does_not_know_is_named(company: Shell) -> None:
    ran = company.run("sage", "show", "99-999", "--json")

    assert (ran.exit_code, ran.json["reason"]) == (1, "unknown_job")


def test_loading_sage_changes_how_waiting_lines_stand(company: Shell) -> None:
    company.request(lines=["09-250,L"])
    assert company.json("show", "24-017")["lines"][0]["standing"] == "new_code"

    more = "job,job_name,extra,code,description,category\n24-017,Riverside,,09-250,Drywall,M\n"
    company.done("sage", "load", company.file("more.csv", more))

    line = company.json("show", "24-017")["lines"][0]
    assert (line["standing"], line["sage_description"]) == ("new_category", "Drywall")
