"""Looking up jobs and cost codes while somebody types: what is found, in which order, with how much work."""

import json
from typing import Any

import pytest
from sqlalchemy import event, insert, text

from tests import factories
from tests.workflow.site import Site
from workflow import search
from workflow.database import Database
from workflow.tables import StandardCostCode

LIST = 25_000


def codes(site: Site, typed: str, limit: int = 100) -> list[str]:
    with site.database.reading() as session:
        return [code.code for code in search.cost_codes(session, typed, limit=limit)]


def test_a_code_is_found_by_its_beginning_and_by_words_of_its_description(site: Site) -> None:
    assert codes(site, "") == ["01-100", "03-300", "09-250", "16-100"]
    assert codes(site, "03") == ["03-300"]
    assert codes(site, "CONC place") == ["03-300"]
    assert codes(site, "100") == ["01-100", "16-100"]
    assert codes(site, "zebra") == []
    assert codes(site, "", limit=2) == ["01-100", "03-300"]


def test_letter_case_does_not_count_in_any_alphabet(site: Site) -> None:
    with site.database.writing() as session:
        factories.standard_list(session, {"26-100": "Éclairage", "26-200": "ÜBERGABE 100% A/C"}, {})

    assert codes(site, "éclair") == codes(site, "ÉCLAIR") == ["26-100"]
    assert codes(site, "übergabe") == codes(site, "100%") == codes(site, "a/c") == ["26-200"]


@pytest.mark.parametrize("typed", ["%", "_", "\\", "\0", "\ud800"])
def test_what_means_something_to_a_database_is_only_text(site: Site, typed: str) -> None:
    assert codes(site, typed) == []


def test_a_job_is_found_by_number_first_and_by_name(site: Site) -> None:
    site.another_job("17-024", "Pier 24-01")
    with site.database.reading() as session:
        assert [job.number for job in search.jobs(session, "24-01", limit=9)] == ["24-017", "17-024"]
        assert [job.number for job in search.jobs(session, "med river", limit=9)] == ["24-017"]


def test_25_000_cost_codes_are_looked_through_once_and_100_come_back(database: Database) -> None:
    rows = [{"code": f"{n // 1000:02}-{n % 1000:04}", "description": f"Work item {n}"} for n in range(LIST)]
    with database.writing() as session:
        factories.person(session, "a@example.com")
        session.execute(insert(StandardCostCode), rows)
    with database.writing() as session:
        session.execute(text("ANALYZE"))
    asked: list[tuple[str, Any]] = []

    @event.listens_for(database.engine, "before_cursor_execute")
    def note(_c: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.startswith("SELECT"):
            asked.append((statement, parameters))

    with database.reading() as session:
        found = search.cost_codes(session, "item 24", limit=100)

    assert len(found) == 100
    [(statement, parameters)] = asked
    with database.engine.connect() as connection:
        if database.engine.dialect.name == "sqlite":
            steps = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
            assert [step for *_, step in steps if "SCAN" in step or "SEARCH" in step] == [
                "SCAN standard_cost_codes"
            ]
        else:
            explain = f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}"
            plan = connection.exec_driver_sql(explain, parameters).scalar_one()
            assert rows_looked_at(plan if isinstance(plan, list) else json.loads(plan)) == LIST


def rows_looked_at(plan: list[dict[str, Any]]) -> int:
    """How many rows a plan took from tables, all scans together."""

    def of(node: dict[str, Any]) -> float:
        inner = sum(of(one) for one in node.get("Plans", ()))
        if "Scan" not in node["Node Type"]:
            return inner
        looked_at = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
        return float(looked_at * node["Actual Loops"]) + inner

    return round(of(plan[0]["Plan"]))
