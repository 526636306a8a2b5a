"""The sample company's files agree with each other and hold what the demo needs to show."""

import csv
import re
from pathlib import Path

from bot.sandbox import sample_company
from bot.sandbox.sample_company import requests, slack_users
from bot.sandbox.workspace import TEAM_ID


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def standard_codes() -> dict[str, set[str]]:
    return {row["code"]: set(row["categories"].split(";")) for row in rows(sample_company.STANDARD_CODES)}


def test_standard_codes_are_sectioned_and_short_enough_for_sage() -> None:
    codes = rows(sample_company.STANDARD_CODES)
    assert 200 <= len(codes) == len({row["code"] for row in codes})
    assert all(re.fullmatch(r"[0-9]{2}-[0-9]{4}", row["code"]) for row in codes)
    assert sum(len(row["description"]) > 30 for row in codes) == 2
    known = {row["category"] for row in rows(sample_company.CATEGORIES)}
    assert all(categories <= known for categories in standard_codes().values())


def test_sage_lacks_one_category_that_a_request_asks_for() -> None:
    categories = {row["category"] for row in rows(sample_company.CATEGORIES)}
    in_sage = {row["category"] for row in rows(sample_company.SAGE_CATEGORIES)}
    assert categories - in_sage == {"CW"}
    refused = [
        request.job for request in requests() if "CW" in {row["category"] for row in rows(request.path)}
    ]
    assert refused == ["25-003"]


def test_requests_ask_for_standard_codes_of_known_jobs_with_their_categories() -> None:
    jobs = {row["number"] for row in rows(sample_company.JOBS)}
    codes = standard_codes()
    sizes = []
    for request in requests():
        lines = [(row["code"], row["category"]) for row in rows(request.path)]
        assert request.job in jobs
        assert all(category in codes[code] for code, category in lines)
        assert len(set(lines)) == len(lines)
        sizes.append(len(lines))
    assert (len(sizes), min(sizes), max(sizes)) == (6, 3, 60)


def test_sage_holds_every_job_and_some_of_what_is_requested() -> None:
    sage = rows(sample_company.SAGE)
    jobs = {row["number"]: row["name"] for row in rows(sample_company.JOBS)}
    assert {row["job"]: row["job_name"] for row in sage} == jobs
    assert all(len(job) <= 10 for job in jobs)
    assert all(len(row["description"]) <= 30 and len(row["category"]) <= 3 for row in sage)
    held = {(row["job"], row["code"], row["category"]) for row in sage}
    requested = {(r.job, row["code"], row["category"]) for r in requests() for row in rows(r.path)}
    assert held & requested == {("24-017", "31-2300", "S")}
    assert ("24-017", "09-2110", "L") in held
    assert ("24-017", "09-2110", "M") in requested


def test_sage_words_one_requested_code_in_its_own_way() -> None:
    standard = {row["code"]: row["description"] for row in rows(sample_company.STANDARD_CODES)}
    different = {
        row["code"] for row in rows(sample_company.SAGE) if row["description"] != standard[row["code"]]
    }
    assert different == {"03-3000"}


def test_holds_wait_on_a_job_that_has_a_request() -> None:
    holds = rows(sample_company.HOLDS)
    assert {hold["job"] for hold in holds} == {"24-017"}
    assert {hold["kind"] for hold in holds} == {
        "commitment",
        "commitment_change_order",
        "prime_contract_change_order",
    }


def test_the_six_people_of_the_workspace_are_who_the_demo_needs() -> None:
    people = {row["email"]: row for row in rows(sample_company.PEOPLE)}
    users = {user.email: user for user in slack_users()}
    assert len(users) == 6
    assert all(user.team_id == TEAM_ID for user in users.values())
    for approver in (
        sample_company.APPROVER,
        sample_company.SECOND_APPROVER,
        sample_company.SPANISH_APPROVER,
    ):
        assert people[approver]["can_push_to_accounting"] == "yes"
        assert people[approver]["erp_permission"] in ("standard", "admin")
    assert users[sample_company.SPANISH_APPROVER].locale == "es-LA"
    admin = people[sample_company.ADMIN_WITHOUT_PRIVILEGE]
    assert (admin["erp_permission"], admin["can_push_to_accounting"]) == ("admin", "no")
    assert people[sample_company.PROJECT_ENGINEER]["erp_permission"] == "read_only"
    assert users[sample_company.GUEST].is_restricted
    assert sample_company.GUEST not in people
