"""Update several as values: what may be ticked carries what was shown, and every size fits Slack."""

import json
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.blocks.checking import problems, view_problems
from bot.blocks.several_windows import (
    JOBS_A_PAGE,
    MOST_AT_ONCE,
    ReadyJob,
    Result,
    Unsure,
    confirm_window,
    list_window,
    result_message,
    result_window,
    tick_of,
)
from bot.payloads import Action, SeveralMetadata, Tick
from tests.bot.facts import NOON, any_update, counts, finding, update_facts
from workflow.acting import AlreadyDecided, Decision, Done, FirstOfTwo, Stale
from workflow.facts import FirstApprovalFacts, Found
from workflow.merge import Assignment
from workflow.privileges import USUAL_RULES, Refused, Rules
from workflow.vocabulary import Refusal, Severity


def window(*jobs: ReadyJob, ticked: frozenset[Tick] = frozenset(), **more: Any) -> dict[str, Any]:
    usual: dict[str, Any] = {
        "total": len(jobs),
        "pages": 1,
        "ticked": ticked,
        "metadata": SeveralMetadata(channel_id="C1"),
        "now": NOON + timedelta(days=3),
        "rules": USUAL_RULES,
    }
    return list_window(jobs, **(usual | more))


def said(view: dict[str, Any]) -> str:
    return json.dumps(view["blocks"], ensure_ascii=False)


def boxes(view: dict[str, Any]) -> list[dict[str, Any]]:
    found = [e for block in view["blocks"] if block["type"] == "actions" for e in block["elements"]]
    return [element for element in found if element["type"] == "checkboxes"]


def test_a_job_says_what_an_approver_decides_on_and_its_box_carries_the_revision_shown() -> None:
    found = Found(warning=3, first=(finding("Sage keeps its own", Severity.WARN),))
    view = window(ReadyJob(update_facts(found=found, holds_waiting=2)))
    for words in (
        "24-017 Riverside Medical Center",
        "3 cost codes, 7 assignments, 2 codes new to Sage",
        "Requested by Pat Rivera",
        "revision 2, waits for 3 days",
        "Sage keeps its own",
        "and 2 more things to know",
        "2 contracts and change orders wait until these cost codes are updated",
    ):
        assert words in said(view)
    (box,) = boxes(view)
    assert box["action_id"] == Action.TICK
    assert [(o["text"]["text"], o["value"]) for o in box["options"]] == [("Update 24-017", "12.2")]
    assert view["submit"]["text"] == "Next"


def test_what_may_not_be_updated_says_why_and_has_no_box() -> None:
    view = window(ReadyJob(update_facts(), "Sage would refuse this: cost code 03-100: no."))
    assert "Cannot be ticked. Sage would refuse this" in said(view)
    assert boxes(view) == []
    assert "submit" not in view


def test_a_tick_of_an_older_revision_is_no_tick_and_is_said() -> None:
    view = window(ReadyJob(update_facts()), ticked=frozenset({Tick.read("12.1")}))
    assert "Changed since you ticked it" in said(view)
    assert "initial_options" not in boxes(view)[0]


def test_the_ticks_of_other_pages_are_carried_and_those_of_this_page_are_shown() -> None:
    view = window(ReadyJob(update_facts()), ticked=frozenset({Tick.read("12.2"), Tick.read("99.4")}))
    carried = SeveralMetadata.model_validate_json(view["private_metadata"])
    assert (carried.ticked, carried.channel_id) == (("99.4",), "C1")
    assert boxes(view)[0]["initial_options"] == boxes(view)[0]["options"]


def test_boxes_have_other_ids_each_time_or_slack_would_keep_what_they_held() -> None:
    first = window(ReadyJob(update_facts()))
    metadata = SeveralMetadata.model_validate_json(first["private_metadata"])
    again = window(ReadyJob(update_facts()), metadata=metadata)
    ids = [{block["block_id"] for block in view["blocks"] if "tick" in str(block)} for view in (first, again)]
    assert ids[0].isdisjoint(ids[1] - {None})


@pytest.mark.parametrize("text", ["12", "12.", "a.1", "1.2.3", "²3.1", "-1.2", "9" * 30 + ".1", "1.2\n"])
def test_a_tick_that_no_costbot_made_is_not_read(text: str) -> None:
    with pytest.raises(ValueError, match=re.escape(text)):
        Tick.read(text)


def test_the_question_names_the_jobs_and_what_changed_meanwhile() -> None:
    rules = Rules(two_approvers_above=1)
    big = update_facts(counts=counts(open_lines=7), first_approval=FirstApprovalFacts("Ada", NOON))
    other = update_facts(requested_update_id=13, number="24-018", name="Bus Depot", revision=3)
    view = confirm_window([big], [other], metadata=SeveralMetadata(), rules=rules)
    assert view["submit"]["text"] == "Update 1 job"
    assert "1 of 2: Ada updated" in said(view)
    assert "1 ticked job changed since you looked" in said(view)
    assert "Bus Depot" in said(view)
    assert SeveralMetadata.model_validate_json(view["private_metadata"]).ticked == ("12.2",)


EVERY_DECISION: tuple[tuple[Decision | Unsure | None, str], ...] = (
    (Done(), "Updated. It goes out"),
    (FirstOfTwo(), "a second approver must Update"),
    (AlreadyDecided("Marcus updated it."), "Marcus updated it."),
    (Stale((Assignment("03-100", "L", ""),), "stale"), "Changed since you looked: 1 assignment"),
    (Stale((), "It joined another one."), "It joined another one."),
    (Refused(Refusal.SAGE_WOULD_REFUSE, "Sage would refuse this."), "Refused by a check. Sage would"),
    (Refused(Refusal.OWN_REQUEST, "Ada asked for these."), "Not updated. Ada asked for these."),
    (None, "Something went wrong, and nothing of this job was changed"),
    (Unsure(), "Something went wrong. It may have been saved, so look first."),
)


def test_every_result_has_one_line_in_words_and_the_head_counts_them() -> None:
    results = [
        Result(update_facts(requested_update_id=n, number=f"24-{n:03}"), decision)
        for n, (decision, _) in enumerate(EVERY_DECISION)
    ]
    view, told = result_window(results), result_message(results)
    assert (
        told.text
        == "Update several: 1 updated; 1 of 2 for 1, where a second approver must Update; 1 may be updated; "
        "6 not updated"
    )
    for number, (_, words) in enumerate(EVERY_DECISION):
        for surface in (said(view), json.dumps(told.blocks, ensure_ascii=False)):
            (line,) = [
                line for line in surface.replace("\\n", "\n").splitlines() if f"24-{number:03}" in line
            ]
            assert words in line
    looks = [block for block in view["blocks"] if block.get("accessory")]
    assert len(looks) == len(EVERY_DECISION) - 1


@settings(max_examples=5)
@given(
    st.lists(st.tuples(any_update, st.none() | st.text(min_size=1, max_size=3_000)), max_size=JOBS_A_PAGE),
    st.booleans(),
)
def test_every_window_fits_slack(drawn: list[tuple[Any, str | None]], is_ticked: bool) -> None:
    facts = [
        replace(each, requested_update_id=10**9 + n, revision=10**6) for n, (each, _) in enumerate(drawn)
    ]
    jobs = [ReadyJob(each, why) for each, (_, why) in zip(facts, drawn, strict=True)]
    elsewhere = {Tick(requested_update_id=2 * 10**9 + n, revision=10**6) for n in range(MOST_AT_ONCE)}
    ticked = frozenset(elsewhere if is_ticked else map(tick_of, facts))
    view = window(*jobs, ticked=ticked, pages=3, total=60, metadata=SeveralMetadata(page=1), note="Tick one.")
    assert view_problems(view) == []
    many = (facts * MOST_AT_ONCE)[:MOST_AT_ONCE]
    many = [replace(each, requested_update_id=n) for n, each in enumerate(many)]
    if many:
        assert view_problems(confirm_window(many, many, metadata=SeveralMetadata(), rules=USUAL_RULES)) == []
    decisions = [decision for decision, _ in EVERY_DECISION]
    results = [Result(each, decisions[n % len(decisions)]) for n, each in enumerate(many)]
    assert view_problems(result_window(results)) == []
    assert problems(result_message(results).blocks, "message") == []
