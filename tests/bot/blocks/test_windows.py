"""The windows: everything read-only, every requested category shown, in pages that Slack takes."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.blocks.checking import view_problems
from bot.blocks.updates_window import (
    CODES_A_PAGE,
    COMMENT_BLOCK,
    COMMENT_INPUT,
    message_view,
    reject_window,
    updates_window,
)
from bot.payloads import Action, PageButton, Window, WindowMetadata
from tests.bot.facts import (
    CATEGORIES,
    HOSTILE,
    any_cost_code,
    any_hold,
    any_update,
    cost_code,
    finding,
    hold,
    update_facts,
)
from workflow.checks import Finding
from workflow.merge import Assignment
from workflow.vocabulary import Rule, Severity, Standing, State


def window(*codes: Any, state: State = State.READY, holds: Any = (), **more: Any) -> dict[str, Any]:
    usual: dict[str, Any] = {
        "page": 0,
        "pages": 1,
        "may_update": True,
        "why_not": None,
        "channel_id": "C1",
    }
    return updates_window(update_facts(state), codes or [cost_code()], holds, CATEGORIES, **(usual | more))


def unbroken(box: str) -> str:
    """A box whose label stays beside it where the line is full."""
    return box.replace(" ", "\N{NO-BREAK SPACE}")


def said(view: dict[str, Any]) -> str:
    return json.dumps(view["blocks"], ensure_ascii=False)


def turns(view: dict[str, Any]) -> dict[str, PageButton]:
    sections = [block for block in view["blocks"] if block.get("accessory")]
    assert all(block["accessory"]["action_id"] == Action.TURN_PAGE for block in sections)
    return {
        block["accessory"]["text"]["text"]: PageButton.model_validate_json(block["accessory"]["value"])
        for block in sections
    }


def test_a_cost_code_shows_what_is_asked_for_apart_from_what_sage_has_and_what_nobody_asked_for() -> None:
    code = cost_code(
        sage_description="Conc formwork",
        standing=Standing.NEW_CATEGORY,
        requested=("L",),
        in_sage=("E", "M"),
    )
    text = next(b["text"]["text"] for b in window(code)["blocks"] if "03-100" in str(b.get("text")))
    assert text.splitlines() == [
        "*03-100* Concrete formwork: in Sage, new category",
        f"Asked for: {unbroken('☑ L Labor (new)')}",
        f"In Sage already: {unbroken('☑ E Equipment')}   {unbroken('☑ M Material')}",
        f"Not asked for: {unbroken('☐ S Subcontract')}",
        "Sage keeps: Conc formwork",
    ]


def test_nothing_in_the_window_can_be_changed() -> None:
    kinds = {block["type"] for block in window(cost_code(), holds=[hold()], pages=3)["blocks"]}
    assert kinds == {"section", "context", "divider"}


def test_an_approver_may_update_while_it_is_ready_and_everyone_may_close() -> None:
    view = window()
    assert view["title"]["text"] == "Cost Codes for Update"
    assert view["submit"]["text"] == "Update"
    assert view["close"]["text"] == "Close"
    assert view["callback_id"] == Window.UPDATES


@pytest.mark.parametrize("more", [{"may_update": False}, {"state": State.ACCEPTED}])
def test_without_the_privilege_or_once_decided_there_is_only_close(more: dict[str, Any]) -> None:
    view = window(**more)
    assert "submit" not in view
    assert view["close"]["text"] == "Close"


def test_who_may_not_update_reads_why() -> None:
    assert "🔒 Ask <admin@example.com>" in said(window(may_update=False, why_not="Ask <admin@example.com>"))


def test_the_window_remembers_what_it_shows() -> None:
    assert WindowMetadata.model_validate_json(window(page=1, pages=3)["private_metadata"]) == WindowMetadata(
        job_id=7, requested_update_id=12, revision=2, page=1, channel_id="C1"
    )


def test_pages_turn_both_ways_and_update_says_that_it_means_every_page() -> None:
    middle = window(page=1, pages=40)
    assert {label: value.page for label, value in turns(middle).items()} == {"Previous": 0, "Next": 2}
    assert "Page 2 of 40. Update accepts every page: 3 cost codes, 7 assignments" in said(middle)
    assert list(turns(window(page=0, pages=2))) == ["Next"]
    assert list(turns(window(page=1, pages=2))) == ["Previous"]
    assert turns(window()) == {}


def test_what_came_since_the_person_looked_is_marked() -> None:
    text = said(window(new_since=frozenset({Assignment("03-100", "M")})))
    assert "1 assignment came since you looked" in text
    assert f"{unbroken('☑ L Labor (new)')}   {unbroken('☑ M Material (new)')} 🆕 since you looked" in text


def test_what_sage_refused_stands_with_its_cost_code() -> None:
    code = cost_code(refused=(("L", "Description is longer than 30 characters"),))
    assert "❌ L: Description is longer than 30 characters" in said(window(code, state=State.FAILED))


def test_holds_are_named_on_the_first_page() -> None:
    holds = [hold(str(number)) for number in range(12)]
    first = said(window(holds=holds, pages=2))
    assert "12 contracts wait until these cost codes are updated" in first
    assert "… and 2 more" in first
    assert "contracts wait" not in said(window(holds=holds, page=1, pages=2))


def test_a_cost_code_of_an_extra_says_so() -> None:
    assert "*03-100 (extra 02)*" in said(window(cost_code(extra="02")))


def test_every_category_is_shown_or_counted() -> None:
    many = tuple(f"C{number:03}" for number in range(200))
    view = window(cost_code(requested=many))
    text = said(view)
    shown = text.count("(new)")
    assert f"and {200 - shown} more" in text
    assert view_problems(view) == []


@settings(max_examples=15)
@given(st.lists(any_cost_code, min_size=1, max_size=3), st.lists(any_hold, max_size=3), any_update)
def test_slack_takes_every_full_page(codes: Any, holds: Any, facts: Any) -> None:
    page = (codes * CODES_A_PAGE)[:CODES_A_PAGE]
    view = updates_window(
        facts,
        page,
        holds,
        {HOSTILE[:20]: HOSTILE} | CATEGORIES,
        page=1,
        pages=40,
        may_update=True,
        why_not="x" * 5_000,
        channel_id="C0123456789",
        new_since=frozenset({Assignment(codes[0].code, codes[0].requested[0])}),
    )
    assert view_problems(view) == []


def test_rejecting_asks_for_a_comment() -> None:
    metadata = WindowMetadata(job_id=7, requested_update_id=12, revision=2, channel_id="C1")
    view = reject_window(update_facts(), metadata)
    asked = view["blocks"][-1]
    assert (asked["block_id"], asked["element"]["action_id"]) == (COMMENT_BLOCK, COMMENT_INPUT)
    assert asked.get("optional", False) is False
    assert WindowMetadata.model_validate_json(view["private_metadata"]) == metadata
    assert view["callback_id"] == Window.REJECT
    assert view_problems(view) == []


def test_a_short_answer_in_a_window_shows_data_as_it_is() -> None:
    view = message_view("Already updated", HOSTILE)
    assert view["blocks"][0]["text"] == {"type": "plain_text", "text": HOSTILE, "emoji": False}
    assert view_problems(view) == []


@given(any_update)
def test_slack_takes_every_reject_window(facts: Any) -> None:
    metadata = WindowMetadata(job_id=7, requested_update_id=12, revision=2)
    assert view_problems(reject_window(facts, metadata)) == []


def test_what_the_checks_found_stands_with_its_cost_code_while_it_can_still_be_acted_on() -> None:
    differs = Finding(Rule.DESCRIPTION_DIFFERS, Severity.WARN, "Sage keeps its own")
    code = cost_code(findings=(finding("no such category"), finding("cut", Severity.WARN), differs))

    text = said(window(code))

    assert "🚫 stops the Update: no such category\\n⚠️ to know: cut" in text
    assert "Sage keeps its own" not in text
    assert "no such category" not in said(window(code, state=State.SYNCED))
