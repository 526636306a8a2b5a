"""What was picked or typed, in the field names of Slack's payloads."""

from typing import Any

import pytest

from bot.sandbox.errors import SlackError
from bot.sandbox.inputs import entry, missing, state_of

LABOR = {"text": {"type": "plain_text", "text": "Labor"}, "value": "L"}
MATERIAL = {"text": {"type": "plain_text", "text": "Material"}, "value": "M"}
OPTIONS = [LABOR, MATERIAL]


def element(kind: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, "action_id": "a", **more}


def block(inner: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "input", "block_id": "b", "element": inner, **more}


@pytest.mark.parametrize(
    ("used", "value", "told"),
    [
        (element("static_select", options=OPTIONS), "M", {"selected_option": MATERIAL}),
        (element("static_select", option_groups=[{"options": OPTIONS}]), "L", {"selected_option": LABOR}),
        (element("radio_buttons", options=OPTIONS), None, {"selected_option": None}),
        (element("external_select"), LABOR, {"selected_option": LABOR}),
        (element("checkboxes", options=OPTIONS), ["L", "M"], {"selected_options": OPTIONS}),
        (element("datepicker"), "2026-11-22", {"selected_date": "2026-11-22"}),
        (element("users_select"), "U0DANA", {"selected_user": "U0DANA"}),
        (element("plain_text_input"), "words", {"value": "words"}),
        (element("plain_text_input"), "", {"value": None}),
    ],
)
def test_each_kind_of_element_tells_its_choice_in_its_own_field(
    used: dict[str, Any], value: Any, told: dict[str, Any]
) -> None:
    assert entry(used, value) == told


def test_an_option_that_is_not_offered_cannot_be_picked() -> None:
    with pytest.raises(SlackError, match="option_not_found"):
        entry(element("static_select", options=OPTIONS), "XX")


def test_the_state_holds_what_was_given_or_else_what_was_there_at_first() -> None:
    blocks = [block(element("plain_text_input", initial_value="before"))]
    assert state_of(blocks)["b"]["a"]["value"] == "before"
    assert state_of(blocks, {"b": {"a": "after"}})["b"]["a"]["value"] == "after"
    checked = [block(element("checkboxes", options=OPTIONS, initial_options=[MATERIAL]))]
    assert state_of(checked)["b"]["a"]["selected_options"] == [MATERIAL]


def test_buttons_have_no_state() -> None:
    assert state_of([{"type": "actions", "block_id": "b", "elements": [element("button")]}]) == {}


def test_required_inputs_must_be_filled_in_and_long_enough() -> None:
    required = [block(element("plain_text_input", min_length=5))]
    assert "required" in missing(required, state_of(required))["b"]
    assert "at least 5" in missing(required, state_of(required, {"b": {"a": "abc"}}))["b"]
    assert missing(required, state_of(required, {"b": {"a": "abcde"}})) == {}
    optional = [block(element("plain_text_input"), optional=True)]
    assert missing(optional, state_of(optional)) == {}
