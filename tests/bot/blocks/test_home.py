"""App Home: each person's own page, whatever is in it within what Slack takes."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.blocks.checking import view_problems
from bot.blocks.home_company import company, health_words
from bot.blocks.home_jobs import JOBS_A_PAGE, JobList
from bot.blocks.home_tab import HomeFacts, Syncs, closed_home, home_tab
from bot.payloads import Action, FilterChoice, HomePageButton, JobButton
from bot.sandbox.blocks import elements
from tests.bot.facts import HOSTILE, NOON, any_update, counts, finding, update_facts
from workflow.administration import AccountantReport, Administration, NearlyApprover, Undelivered
from workflow.facts import Found
from workflow.merge import Assignment
from workflow.outbox import Backlog
from workflow.queues import QueuedUpdate
from workflow.vocabulary import JobFilter, Refusal, State

NOW = NOON + timedelta(days=3, hours=2)
WELL = Administration(
    AccountantReport(("Dana Whitfield",), 1, (), 0), Backlog(0, None, 0), undelivered=(), late_files=()
)


def jobs(*rows: QueuedUpdate, **more: Any) -> JobList:
    usual: dict[str, Any] = {
        "which": JobFilter.READY,
        "search": "",
        "page": 0,
        "goes_on": False,
        "ready": len(rows),
    }
    return JobList(rows=rows, **(usual | more))


def home(listed: JobList, **more: Any) -> dict[str, Any]:
    usual: dict[str, Any] = {
        "failed": 0,
        "syncs": Syncs(None, None, NOON),
        "may_update": True,
        "why_not": None,
    }
    view = home_tab(HomeFacts(listed, **(usual | more)), now=NOW)
    assert view_problems(view) == []
    return view


def said(view: dict[str, Any]) -> str:
    return json.dumps(view["blocks"], ensure_ascii=False)


def buttons(view: dict[str, Any]) -> list[str]:
    found = [element for block in view["blocks"] for element in elements(block)]
    return [element["text"]["text"] for element in found if element["type"] == "button"]


def carried(view: dict[str, Any], action: Action) -> str:
    """What the one element of this action carries."""
    found = [e for block in view["blocks"] for e in elements(block) if e["action_id"] == action]
    [element] = found
    return str(element["value"])


def test_an_approver_updates_the_revision_that_the_page_shows() -> None:
    view = home(jobs(QueuedUpdate(update_facts(holds_waiting=2))))

    assert "1 job Ready to Update" in said(view)
    assert "Ready to Update* for 3 days" in said(view)
    assert "Requested by Pat Rivera" in said(view)
    assert "3 cost codes, 7 assignments, 2 codes new to Sage" in said(view)
    assert "2 contracts and change orders wait until these cost codes are updated" in said(view)
    assert buttons(view) == ["Run a data sync now", "View Requested Updates", "Update"]
    seen = JobButton.model_validate_json(carried(view, Action.UPDATE))
    assert seen == JobButton(job_id=7, requested_update_id=12, revision=2)


def test_what_a_check_refuses_has_its_reason_in_place_of_the_button() -> None:
    refused = update_facts(found=Found(refusing=5, first=tuple(finding(f"reason {n}") for n in range(5))))

    view = home(jobs(QueuedUpdate(refused)))

    assert "Cannot be updated: Sage would refuse 5 things" in said(view)
    assert "reason 2" in said(view)
    assert "… and 2 more" in said(view)
    assert "Update" not in buttons(view)


def test_whoever_may_not_update_is_told_why_and_offered_no_update() -> None:
    view = home(jobs(QueuedUpdate(update_facts())), may_update=False, why_not="Ask Robin.")

    assert "🔒 Ask Robin." in said(view)
    assert buttons(view) == ["View Requested Updates"]


def test_what_failed_is_told_in_sages_words_and_pointed_to_from_the_other_lists() -> None:
    failed = update_facts(State.FAILED, counts=counts(created=2, failed=2))
    row = QueuedUpdate(failed, ((Assignment("03-100", "L"), "category L is not standard"),))

    view = home(jobs(row, which=JobFilter.FAILED), failed=1)
    assert "• 03-100 L: category L is not standard" in said(view)
    assert "… and 1 more line" in said(view)
    assert "Show what failed" not in buttons(view)

    view = home(jobs(), failed=1)
    assert "1 job Failed to Export" in said(view)
    assert carried_filters(view) == [JobFilter.FAILED]


def carried_filters(view: dict[str, Any]) -> list[JobFilter]:
    """Which lists the page's buttons lead to."""
    found = [e for block in view["blocks"] for e in elements(block) if e["action_id"] == Action.HOME_FILTER]
    return [FilterChoice.model_validate_json(e["value"]).filter for e in found if e["type"] == "button"]


def test_whoever_asked_reads_the_comment_and_may_ask_again() -> None:
    rejected = QueuedUpdate(update_facts(State.REJECTED))

    view = home(jobs(rejected, which=JobFilter.MINE), may_update=False)
    assert "Wrong phase" in said(view)
    assert buttons(view) == ["View Requested Updates", "Ask again"]

    mine = [replace(rejected, facts=update_facts(State.REJECTED, requested_update_id=n)) for n in range(4)]
    view = home(jobs(), turned_down=mine)
    assert buttons(view).count("Ask again") == 3
    assert carried_filters(view) == [JobFilter.MINE]


def test_a_page_says_where_in_the_list_it_is_and_turns_both_ways() -> None:
    rows = [QueuedUpdate(update_facts(requested_update_id=n)) for n in range(10)]

    view = home(jobs(*rows, page=1, goes_on=True, ready=10_000))

    assert "Jobs 11 to 20 of 10,000" in said(view)
    assert HomePageButton.model_validate_json(carried(view, Action.HOME_PREVIOUS)).page == 0
    assert HomePageButton.model_validate_json(carried(view, Action.HOME_NEXT)).page == 2
    assert buttons(home(jobs(*rows, goes_on=True, ready=11)))[-1] == "Next"


def test_a_search_says_what_it_narrowed_and_can_be_undone() -> None:
    view = home(jobs(search="<!channel>"))

    assert "No job here has “&lt;!channel&gt;”." in said(view)
    assert "Show all" in buttons(view)
    [box] = [block for block in view["blocks"] if block["type"] == "input"]
    assert box["element"]["initial_value"] == "<!channel>"
    assert box["dispatch_action"]


@pytest.mark.parametrize("which", JobFilter)
def test_an_empty_list_says_so(which: JobFilter) -> None:
    view = home(jobs(which=which))
    [menu] = [e for block in view["blocks"] for e in elements(block) if e["type"] == "static_select"]
    assert FilterChoice.model_validate_json(menu["initial_option"]["value"]).filter is which
    assert any(word in said(view) for word in ("Nothing", "not requested", "refused nothing"))


def test_the_administrator_sees_who_may_update_who_nearly_may_and_what_slack_was_not_told() -> None:
    report = AccountantReport(
        ("Dana", "Marcus"), 2, (NearlyApprover("Priya", "p@x", Refusal.PRIVILEGE_MISSING),), 1, NOON
    )
    late = Backlog(3, NOW - timedelta(hours=5), 1)
    undelivered = (Undelivered("SlackRefused: not_in_channel", 3, 1, NOON),)

    text = said(home(jobs(), administration=Administration(report, late, undelivered, ("DS000001.txt",))))

    assert "*May update (2):* Dana, Marcus" in text
    assert "• Priya: the Can Push to Accounting privilege is missing" in text
    assert "Slack has not taken 3 messages for 5 hours." in text
    assert "1 message could not be delivered." in text
    assert "As Procore's directory was read <!date" in text
    assert "DS000001.txt" in text
    assert "1 of them given up: SlackRefused: not" in text


def test_a_healthy_company_is_one_line() -> None:
    assert health_words(WELL, NOW) == "✅ *costbot is well.*"
    fresh = replace(WELL, backlog=Backlog(2, NOW - timedelta(seconds=5), 0))
    assert health_words(fresh, NOW) == "✅ *costbot is well.*"


def test_nobody_who_may_update_is_worth_a_warning() -> None:
    empty = replace(WELL, report=AccountantReport((), 0, (), 0))
    assert "Nobody may update" in json.dumps(list(company(empty, now=NOW)))


def test_whoever_may_not_look_sees_only_why() -> None:
    view = closed_home("Only members.", Refusal.FROM_OUTSIDE, can_ask=False)
    assert view_problems(view) == []
    assert said(view).count("🔒 Only members.") == 1
    assert len(view["blocks"]) == 1


_refused = st.lists(
    st.tuples(st.builds(Assignment, st.just("9" * 40), st.just("<" * 20), st.just("&" * 20)), st.text()),
    max_size=3,
).map(tuple)
_rows = st.lists(st.builds(QueuedUpdate, any_update, _refused), max_size=JOBS_A_PAGE + 1)


@settings(max_examples=40)
@given(_rows, st.sampled_from(JobFilter), st.booleans(), st.text(max_size=200))
def test_slack_takes_any_page(
    rows: list[QueuedUpdate], which: JobFilter, may_update: bool, search: str
) -> None:
    listed = [
        replace(row, facts=replace(row.facts, requested_update_id=number)) for number, row in enumerate(rows)
    ]
    crowd = tuple(NearlyApprover(HOSTILE * 5, "x", Refusal.PERMISSION_TOO_LOW) for _ in range(9))
    report = AccountantReport((HOSTILE * 5,) * 9, 900, crowd, 900)
    trouble = tuple(Undelivered(HOSTILE * 50, 10, 5, NOON) for _ in range(9))
    home(
        jobs(*listed, which=which, search=search, page=7, goes_on=True),
        failed=12,
        may_update=may_update,
        why_not=None if may_update else HOSTILE * 200,
        turned_down=listed[:4],
        administration=Administration(report, Backlog(9, NOON, 9), trouble, (HOSTILE,) * 9),
    )
