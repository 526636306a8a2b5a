"""The report in words, as CSV, as JSON and as one page."""

import csv

from tests.bot.commands.conftest import Shell


def test_a_report_is_told_in_words_and_as_json(company: Shell) -> None:
    assert "0 requests came, 0 updated, 0 rejected." in company.done("report").out
    facts = company.json("report", "month")
    assert (facts["period"], facts["median_hours"], len(facts["weeks"])) == ("month", None, 12)


def test_every_figure_is_a_line_of_the_csv(company: Shell) -> None:
    rows = list(csv.DictReader(company.done("report", "--csv").out.splitlines()))
    assert len(rows) == 12 * 4
    assert {row["table"] for row in rows} == {"By week"}


def test_the_page_stands_alone(company: Shell) -> None:
    company.done("report", "--html", "report.html")
    page = (company.folder / "report.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert 'src="data:image/png;base64,' in page
    assert 'alt="0 requests came' in page
    assert "http" not in page


def test_a_page_that_cannot_be_written_is_told_in_one_line(company: Shell) -> None:
    ran = company.run("report", "--html", "nowhere/report.html")
    assert ran.exit_code == 1
    assert "nowhere" in ran.err
