"""`costbot check` and `diff`: what would be refused, and how Sage differs."""

import json
import os

import pytest

from tests.bot.commands.conftest import ADA, Shell


@pytest.fixture
def strict(company: Shell, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """The company with a profile: codes of two sections, Standard Categories L and M."""
    profile = company.file("profile.toml", "cost_code.sections = [2, 3]\ncategory.standard = ['L', 'M']\n")
    monkeypatch.setenv("COSTBOT_SAGE_PROFILE", profile)
    return company


def test_a_file_without_fault_is_said_so(strict: Shell) -> None:
    file = strict.file("file.csv", "code,category\n03-300,M\n09-250,L\n")

    ran = strict.done("check", file, "--job", "24-017")

    assert "Nothing of file.csv would be refused for 24-017 Riverside Medical Center." in ran.out


def test_what_sage_would_refuse_is_named_by_line_and_exits_3(strict: Shell) -> None:
    file = strict.file("file.csv", "code,category\n03-300,M\n09-250,XX\n")

    ran = strict.run("check", file, "--job", "24-017", "--json")

    assert ran.exit_code == 3
    assert "Sage would refuse 1 line of file.csv" in ran.err
    assert not ran.json["ok"]
    assert [line["line"] for line in ran.json["lines"]] == [2, 3]
    assert ran.json["lines"][0]["findings"] == [
        {
            "rule": "description_differs",
            "severity": "warn",
            "message": "cost code 03-300: Sage keeps its own “Concrete as Sage says”",
        }
    ]
    assert ran.json["lines"][1]["findings"] == [
        {
            "rule": "category_unknown",
            "severity": "refuse",
            "message": "category XX is not a Standard Category in Sage: use one of L, M",
        }
    ]
    assert strict.json("jobs")["jobs"] == []


def test_a_code_that_cannot_even_be_asked_for_is_a_bad_row(strict: Shell) -> None:
    file = strict.file("file.csv", "code,category\n99-999,M\n")

    ran = strict.run("check", file, "--job", "24-017")

    assert ran.exit_code == 1
    assert "line 2, column code: cost code 99-999 is not on the standard cost code list" in ran.err


def test_a_request_that_sage_would_refuse_cannot_be_updated_and_shows_why(strict: Shell) -> None:
    strict.request(lines=["09-250,XX"])

    ran = strict.run("update", "24-017", "--by", ADA, "--json")

    assert ran.exit_code == 3
    assert ran.json["reason"] == "sage_would_refuse"
    assert "category XX is not a Standard Category in Sage" in ran.json["words"]
    shown = strict.json("show", "24-017")
    assert shown["state"] == "ready"
    assert shown["lines"][0]["findings"][0]["rule"] == "category_unknown"
    assert "🚫 category XX" in strict.done("show", "24-017").out
    strict.done("reject", "24-017", "--by", ADA, "--comment", "Use M")


def test_diff_shows_what_sage_does_not_hold_as_it_was_asked_for(company: Shell) -> None:
    company.request(lines=["03-300,M", "09-250,L"])
    assert [line["difference"] for line in company.json("diff", "24-017")["lines"]] == [
        "category_missing",
        "missing",
    ]
    company.done("update", "24-017", "--by", ADA)
    company.done("sync")

    found = company.json("diff", "24-017")

    assert (found["known_in_sage"], found["ok"]) == (True, False)
    assert [(x["code"], x["state"], x["difference"], x["sage_description"]) for x in found["lines"]] == [
        ("03-300", "synced", "other_description", "Concrete as Sage says"),
        ("09-250", "synced", None, "Gypsum board"),
    ]
    told = company.done("diff", "24-017").out
    assert "there, as Concrete as Sage says\tSage keeps its own description" in told
    assert "costbot works with files here" in told
    assert [row.split("\t")[3:] for row in told.splitlines() if row.startswith("09-250")] == [
        ["Synced", "there", ""]
    ]
    [row] = [each for each in found["rows"] if each["code"] == "03-300" and each["category"] == "M"]
    assert (row["procore"], row["costbot"]["state"], row["sage"]["has_category"]) == (None, "synced", True)
    assert [each["verdict"] for each in row["differences"]] == ["other_description"]
    assert found["procore"] is None


def test_a_description_that_was_cut_is_in_sage_as_it_was_sent(company: Shell) -> None:
    long = "Domestic Water Piping Copper Type L"
    codes = company.file("codes.csv", f"code,description,categories\n22-111,{long},M\n")
    company.done("import", "standard-codes", codes)
    company.request(lines=["22-111,M"])
    company.done("update", "24-017", "--by", ADA)
    company.done("sync")

    found = company.json("diff", "24-017")

    assert found["ok"]
    assert [(x["difference"], x["sage_description"]) for x in found["lines"]] == [(None, long[:30].rstrip())]


def test_diff_tells_the_lines_that_sage_refused_from_those_it_took(company: Shell) -> None:
    company.request(lines=["09-250,XX", "09-250,L"])
    company.done("update", "24-017", "--by", ADA)
    company.done("sync")

    lines = company.json("diff", "24-017")["lines"]
    assert [(x["category"], x["state"], x["outcome"]) for x in lines] == [
        ("L", "failed", "created"),
        ("XX", "failed", "failed"),
    ]
    rows = company.done("diff", "24-017").out.splitlines()
    assert [row.split("\t")[3] for row in rows if row.startswith("09-250")] == ["Synced", "Failed to Export"]


def test_diff_of_a_job_without_requests_says_so(company: Shell) -> None:
    assert "Nothing differs." in company.done("diff", "24-031").out


def test_the_example_profile_is_printed_and_the_profile_in_force_shown(
    bare_shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    example = bare_shell.done("sage", "profile", "--example").out
    assert example.startswith("# How Sage 300 CRE Job Cost is set up")
    monkeypatch.setenv("COSTBOT_SAGE_PROFILE", bare_shell.file("profile.toml", example))

    assert bare_shell.json("sage", "profile")["cost_code"]["sections"] == [2, 4]


def test_a_profile_with_a_mistake_is_one_line(bare_shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COSTBOT_SAGE_PROFILE", bare_shell.file("profile.toml", "file.encoding = 'x'"))

    ran = bare_shell.run("sage", "profile")

    assert ran.exit_code == 1
    assert ran.err.startswith("profile.toml: file.encoding is not usable: no encoding is called x")


def test_sage_can_be_checked(company: Shell) -> None:
    assert company.json("sage", "check") == {
        "target": "embedded",
        "standard_cost_codes": None,
        "only_in_sage": [],
        "only_in_costbot": [],
    }


@pytest.mark.parametrize(
    ("settings", "mend"),
    [
        ({"COSTBOT_SAGE": "import-file"}, "COSTBOT_SAGE=import-file needs COSTBOT_SAGE_FOLDER"),
        (
            {"COSTBOT_SAGE": "import-file", "COSTBOT_SAGE_FOLDER": "sage"},
            "needs COSTBOT_SAGE_ODBC or COSTBOT_SAGE_EXPORT",
        ),
        ({"COSTBOT_SAGE_FOLDER": "sage"}, "COSTBOT_SAGE_FOLDER is set but not used"),
        (
            {
                "COSTBOT_SAGE": "import-file",
                "COSTBOT_SAGE_FOLDER": "sage",
                "COSTBOT_SAGE_ODBC": "DSN=secret-word",
                "COSTBOT_SAGE_EXPORT": "export.csv",
            },
            "are both set: remove one",
        ),
        ({"COSTBOT_SAGE": "telepathy"}, "COSTBOT_SAGE is not usable: Input should be 'embedded' or"),
    ],
)
def test_settings_that_do_not_fit_together_are_one_line(
    bare_shell: Shell, monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], mend: str
) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(name, value)

    ran = bare_shell.run("sage", "check")

    assert ran.exit_code == 1
    assert mend in ran.err
    assert len(ran.err.splitlines()) == 1
    assert "secret-word" not in ran.err


def test_a_data_sync_by_import_file_is_listed_with_its_file(
    company: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    header = "job,job_name,extra,code,description,category"
    export = company.file("export.csv", f"{header}\n24-017,Riverside,,,,\n")
    os.utime(export, (0, 0))
    monkeypatch.setenv("COSTBOT_SAGE", "import-file")
    monkeypatch.setenv("COSTBOT_SAGE_FOLDER", "sage")
    monkeypatch.setenv("COSTBOT_SAGE_EXPORT", export)
    folders = [str(company.folder / "sage" / name) for name in ("outgoing", "rejected", "done")]
    assert "`costbot sage set-up`" in company.run("sage", "check").err
    assert company.json("sage", "set-up") == {"made": folders}
    assert company.json("sage", "set-up") == {"made": []}
    company.request(lines=["09-250,L"])
    company.done("update", "24-017", "--by", ADA)

    assert company.json("sync")["state"] == "sent"

    [row] = company.json("syncs")["syncs"]
    manifest = json.loads((company.folder / "sage" / "outgoing" / "DS000001.json").read_text())
    assert (row["file"], row["file_sha256"], row["seconds"]) == ("DS000001.jce", manifest["sha256"], None)
    assert "DS000001.jce" in company.done("syncs").out
    ran = company.run("sage", "load", export)
    assert (ran.exit_code, "COSTBOT_SAGE=import-file" in ran.err) == (1, True)
