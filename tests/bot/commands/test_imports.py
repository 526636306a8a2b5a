"""Taking over the company's lists, from the file to the answer."""

import pytest

from tests.bot.commands.conftest import CATEGORIES, JOBS, PEOPLE, STANDARD_CODES, Shell


def test_each_list_is_imported_and_counted(shell: Shell) -> None:
    assert shell.json("import", "people", shell.file("p.csv", PEOPLE))["rows"] == 6
    assert shell.json("import", "categories", shell.file("c.csv", CATEGORIES))["rows"] == 3
    assert shell.json("import", "standard-codes", shell.file("s.csv", STANDARD_CODES))["rows"] == 3
    assert shell.json("import", "jobs", shell.file("j.csv", JOBS))["rows"] == 2


def test_a_file_from_a_windows_spreadsheet_is_taken(shell: Shell) -> None:
    text = '\ufeffnumber,name,procore_project_id\r\n24-100,"Lofts, Phase 2",\r\n'
    (shell.folder / "jobs.csv").write_bytes(text.encode())

    shell.done("import", "jobs", "jobs.csv")

    assert shell.json("show", "24-100")["job"] == {"number": "24-100", "name": "Lofts, Phase 2"}


def test_categories_that_only_the_standard_list_names_are_told(shell: Shell) -> None:
    answer = shell.json("import", "standard-codes", shell.file("s.csv", STANDARD_CODES))

    assert answer == {"rows": 3, "new_categories": ["L", "M"]}


def test_a_file_with_bad_rows_is_refused_whole_with_every_bad_row_named(shell: Shell) -> None:
    file = shell.file(
        "jobs.csv", "number,name,procore_project_id\n24-1,Good,\n,Nameless number,\n24-2,Bad,abc\n"
    )

    ran = shell.run("import", "jobs", file)

    assert ran.exit_code == 1
    assert ran.out == ""
    assert "line 3, column number: is empty" in ran.err
    assert "line 4, column procore_project_id: abc is not a Procore project id" in ran.err
    assert shell.run("show", "24-1").exit_code == 1


def test_bad_rows_are_listed_as_json_too(shell: Shell) -> None:
    ran = shell.run("import", "people", shell.file("people.csv", "email,name\nx,y\n"), "--json")

    assert ran.exit_code == 1
    assert ran.json["reason"] == "bad_file"
    assert {"line": 1, "column": "active"}.items() <= ran.json["problems"][-1].items()


def test_a_project_that_belongs_to_another_job_is_named_by_its_line(company: Shell) -> None:
    file = company.file("more.csv", "number,name,procore_project_id\n24-050,Annex,\n24-051,Tower,1001\n")

    ran = company.run("import", "jobs", file)

    assert ran.exit_code == 1
    assert "line 3, column procore_project_id: 1001 belongs to job 24-017 already" in ran.err


def test_only_the_first_of_many_bad_rows_are_printed(shell: Shell) -> None:
    rows = "\n".join(f"24-{n},Job,x" for n in range(30))
    ran = shell.run("import", "jobs", shell.file("jobs.csv", f"number,name,procore_project_id\n{rows}\n"))

    assert ran.err.count("column procore_project_id") == 20
    assert "and 10 more" in ran.err


@pytest.mark.parametrize("name", ["missing.csv", "."])
def test_a_file_that_cannot_be_read_is_named_in_one_line(shell: Shell, name: str) -> None:
    ran = shell.run("import", "people", name)

    assert ran.exit_code == 1
    assert "cannot be read" in ran.err
    assert "Traceback" not in ran.err
