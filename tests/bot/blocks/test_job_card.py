"""The job card: what it says and offers in each state, and that Slack would take it."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.blocks.checking import problems
from bot.blocks.job_card import CODES_ON_CARD, job_card
from bot.blocks.pieces import Message
from bot.payloads import Action, JobButton
from tests.bot.facts import (
    HOSTILE,
    NOON,
    any_cost_code,
    any_hold,
    any_update,
    cost_code,
    finding,
    hold,
    update_facts,
)
from workflow.facts import Found
from workflow.vocabulary import Severity, Standing, State


def card(state: State = State.READY, **changes: Any) -> Message:
    return job_card(update_facts(state, **changes), [cost_code()], [], next_sync=NOON)


def buttons(message: Message) -> dict[str, dict[str, Any]]:
    return {element["action_id"]: element for element in message.blocks[-1]["elements"]}


def said(message: Message) -> str:
    return json.dumps(message.blocks, ensure_ascii=False)


def test_a_ready_card_says_what_waits_who_asked_and_when() -> None:
    message = card()
    header, state, asked, table, more, _ = message.blocks
    when = "<!date^1795435200^{date_short_pretty} at {time}|2026-11-23 12:00 UTC>"
    assert header["text"]["text"] == "24-017 Riverside Medical Center"
    assert state["text"]["text"] == ("🟡 *Ready to Update*\n3 cost codes, 7 assignments, 2 codes new to Sage")
    assert asked["elements"][0]["text"] == (
        f"Requested by Pat Rivera {when}, revision 2\nNext data sync: {when}"
    )
    assert [[cell["text"] for cell in row] for row in table["rows"]] == [
        ["Cost code", "Description", "Categories", "In Sage"],
        [
            "03-100",
            "Concrete formwork",
            "☑\N{NO-BREAK SPACE}L new, ☑\N{NO-BREAK SPACE}M new",
            "new cost code",
        ],
    ]
    assert more["elements"][0]["text"] == "… and 2 more cost codes: View Requested Updates"
    assert message.text.startswith("24-017 Riverside Medical Center: 🟡 Ready to Update. 3 cost codes")


@pytest.mark.parametrize(
    ("state", "words", "offered"),
    [
        (State.READY, "Ready to Update", [Action.VIEW, Action.UPDATE, Action.REJECT]),
        (State.ACCEPTED, "by Dana Whitfield", [Action.VIEW, Action.TAKE_BACK]),
        (State.EXPORTED, "data sync DS000003", [Action.VIEW]),
        (State.SYNCED, "✅ *Synced*", [Action.VIEW]),
        (State.FAILED, "❌ *Failed to Export*", [Action.VIEW, Action.SEND_AGAIN]),
        (State.REJECTED, "“Wrong phase”", [Action.VIEW, Action.ASK_AGAIN]),
        (State.EXPIRED, "nobody updated or rejected it in time", [Action.VIEW, Action.ASK_AGAIN]),
    ],
)
def test_each_state_has_its_words_and_its_buttons(state: State, words: str, offered: list[Action]) -> None:
    message = card(state)
    assert words in message.blocks[1]["text"]["text"]
    assert words.replace("*", "") in message.text
    assert list(buttons(message)) == offered


def test_every_button_carries_the_revision_beside_it() -> None:
    for button in buttons(card()).values():
        assert JobButton.model_validate_json(button["value"]) == JobButton(
            job_id=7, requested_update_id=12, revision=2
        )


def test_update_asks_first_and_says_what_will_happen() -> None:
    question = buttons(card())[Action.UPDATE]["confirm"]
    assert question["title"]["text"] == "Update 24-017?"
    assert question["text"]["text"].startswith("You accept revision 2: 3 cost codes, 7 assignments")


def test_only_a_card_that_waits_for_the_data_sync_says_when_it_runs() -> None:
    assert "Next data sync" in said(card(State.ACCEPTED))
    assert "Next data sync" not in said(card(State.SYNCED))
    without = job_card(update_facts(), [cost_code()], [], next_sync=None)
    assert "No data sync is scheduled" in said(without)


def test_what_sage_has_stands_beside_what_is_new() -> None:
    code = cost_code(
        sage_description="Conc formwork",
        standing=Standing.NEW_CATEGORY,
        requested=("L", "S"),
        in_sage=("E", "L"),
    )
    row = job_card(update_facts(), [code], [], next_sync=None).blocks[3]["rows"][1]
    assert [cell["text"] for cell in row] == [
        "03-100",
        "Concrete formwork (Sage keeps: Conc formwork)",
        "☑\N{NO-BREAK SPACE}L in Sage, ☑\N{NO-BREAK SPACE}S new",
        "in Sage, new category",
    ]


def test_holds_that_wait_are_named_and_released_ones_are_not() -> None:
    holds = [hold(), hold("SC-015"), hold("SC-001", waiting=False)]
    text = said(job_card(update_facts(), [cost_code()], holds, next_sync=None))
    assert "2 contracts wait until these cost codes are updated" in text
    assert "• Commitment SC-014 Steel erection" in text
    assert "SC-001" not in text


def test_a_failed_card_brings_what_sage_refused_first_with_its_words() -> None:
    codes = [cost_code(f"01-{number:03}") for number in range(40)]
    codes.append(cost_code("99-900", refused=(("L", "Category is not a standard category"),)))
    message = job_card(update_facts(State.FAILED), codes, [], next_sync=None)
    assert message.blocks[3]["rows"][1][0]["text"] == "99-900"
    assert "*Sage refused 1 line*\\n• 99-900 L: Category is not a standard category" in said(message)


def test_a_workspace_without_tables_gets_the_same_rows_as_text() -> None:
    code = cost_code(sage_description="Conc formwork")
    message = job_card(update_facts(), [code], [], next_sync=None)
    assert message.fallback_blocks is not None
    kinds = [block["type"] for block in message.fallback_blocks]
    assert "table" not in kinds
    text = message.fallback_blocks[3]["elements"][0]["elements"][0]["text"]
    assert text.splitlines() == [
        "Cost code  Categories        Description",
        "03-100     ☑\N{NO-BREAK SPACE}L new, ☑\N{NO-BREAK SPACE}M new  Concrete formwork",
        "                             Sage keeps: Conc formwork",
    ]


def test_a_description_cannot_call_the_channel() -> None:
    message = card(name=HOSTILE, requested_by=HOSTILE)
    assert "<!channel>" not in json.dumps([block for block in message.blocks if block["type"] == "section"])
    assert "<!channel>" not in message.text
    assert "<@U1>" not in message.text


def test_the_card_of_five_thousand_lines_shows_the_first_and_counts_the_rest() -> None:
    codes = [cost_code(f"{number:05}", description="x" * 200) for number in range(5_000)]
    facts = update_facts(counts=update_facts().counts.__class__(5_000, 5_000, 5_000, 5_000, 0, 0, 0, 0))
    message = job_card(facts, codes, [hold(str(number)) for number in range(50)], next_sync=None)
    assert len(message.blocks[3]["rows"]) == CODES_ON_CARD + 1
    assert "4,988 more cost codes" in said(message)
    assert "… and 45 more" in said(message)
    assert problems(message.blocks, "message") == []


@settings(max_examples=40)
@given(any_update, st.lists(any_cost_code, max_size=14), st.lists(any_hold, max_size=8))
def test_slack_takes_every_card(facts: Any, codes: Any, holds: Any) -> None:
    message = job_card(facts, codes, holds, next_sync=NOON)
    assert message.text
    assert problems(message.blocks, "message") == []
    assert message.fallback_blocks is not None
    assert problems(message.fallback_blocks, "message") == []


def test_what_sage_would_refuse_stands_in_place_of_the_update_button() -> None:
    found = Found(refusing=7, warning=1, first=(finding("cost code 3: <bad> format"), finding("job unknown")))
    message = card(found=found)

    assert list(buttons(message)) == [Action.VIEW, Action.REJECT]
    why = message.blocks[-2]["text"]["text"].splitlines()
    assert why == [
        "*Cannot be updated: Sage would refuse 7 things*",
        "🚫 cost code 3: &lt;bad&gt; format",
        "🚫 job unknown",
        "… and 5 more",
        "Correct it in Sage, or in costbot's Sage profile where that is wrong, and run `/costcodes sync`; "
        "or reject it with a comment.",
    ]


def test_a_warning_is_told_and_leaves_the_button() -> None:
    found = Found(warning=1, first=(finding("the description will be cut", Severity.WARN),))

    for state in (State.READY, State.ACCEPTED):
        assert "*To know*\\n⚠️ the description will be cut" in said(card(state, found=found))
    assert Action.UPDATE in buttons(card(found=found))
    assert "will be cut" not in said(card(State.SYNCED, found=found))
