"""Slack's limits as rules: what passes, what is refused, and why."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.blocks.checking import problems, view_problems
from bot.blocks.limits import Surface, total_characters

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def plain(text: str = "Text") -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str = "Text") -> dict[str, Any]:
    return {"type": "mrkdwn", "text": text}


def section(text: str = "Text", **more: Any) -> dict[str, Any]:
    return {"type": "section", "text": mrkdwn(text), **more}


def button(**more: Any) -> dict[str, Any]:
    return {"type": "button", "text": plain("Update"), "action_id": "update", "value": "1", **more}


def actions(*elements: dict[str, Any]) -> dict[str, Any]:
    return {"type": "actions", "elements": list(elements)}


def option(text: str = "Choice", value: str = "1", **more: Any) -> dict[str, Any]:
    return {"text": plain(text), "value": value, **more}


def choice(kind: str, count: int = 1, **more: Any) -> dict[str, Any]:
    options = [option(value=str(number)) for number in range(count)]
    return {"type": kind, "action_id": kind, "options": options, **more}


def confirm(**more: Any) -> dict[str, Any]:
    return {"title": plain(), "text": mrkdwn(), "confirm": plain("Yes"), "deny": plain("No"), **more}


def field(**more: Any) -> dict[str, Any]:
    element = {"type": "plain_text_input", "action_id": "comment"}
    return {"type": "input", "label": plain("Comment"), "element": element, **more}


def table(rows: int = 2, columns: int = 3, text: str = "x") -> dict[str, Any]:
    return {"type": "table", "rows": [[{"type": "raw_text", "text": text}] * columns] * rows}


def rich_text(text: str = "x", kind: str = "rich_text_preformatted") -> dict[str, Any]:
    run = {"type": "text", "text": text}
    return {"type": "rich_text", "elements": [{"type": kind, "elements": [run]}]}


def modal(*blocks: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "modal", "title": plain("Cost Codes"), "blocks": list(blocks), **more}


ACCEPTED: list[dict[str, Any]] = [
    {"type": "header", "text": plain("x" * 150)},
    section("x" * 3000),
    {"type": "section", "fields": [mrkdwn("x" * 500)] * 10},
    section(accessory=button(confirm=confirm())),
    section(accessory=choice("overflow", 5)),
    section(accessory=choice("static_select", 100)),
    section(accessory={"type": "image", "image_url": "https://example.com/a.png", "alt_text": "a"}),
    {"type": "context", "elements": [mrkdwn(), plain()]},
    {"type": "divider"},
    actions(*[button(action_id=str(number)) for number in range(25)]),
    field(hint=plain()),
    table(100, 20),
    rich_text(),
    {"type": "markdown", "text": "**x**"},
    {"type": "image", "image_url": "https://example.com/a.png", "alt_text": "a"},
]

REFUSED: list[tuple[dict[str, Any], str]] = [
    (
        {"type": "header", "text": plain("x" * 151)},
        "less than 151 characters [json-pointer:/blocks/0/text/text]",
    ),
    ({"type": "header", "text": mrkdwn()}, "must be plain_text"),
    (section(""), "must be more than 0 characters [json-pointer:/blocks/0/text/text]"),
    (section("x" * 3001), "less than 3001"),
    ({"type": "section"}, "text or fields"),
    ({"type": "section", "fields": [mrkdwn("x")] * 11}, "no more than 10 items"),
    ({"type": "section", "fields": [mrkdwn("x" * 2001)]}, "less than 2001"),
    ({"type": "context", "elements": [mrkdwn()] * 11}, "no more than 10 items"),
    ({"type": "context", "elements": []}, "no fewer than 1 item"),
    (actions(), "no fewer than 1 item"),
    (actions(*[button(action_id=str(number)) for number in range(26)]), "no more than 25 items"),
    (actions(button(), button()), "action_id 'update' already exists"),
    (actions(button(text=plain("x" * 76))), "less than 76"),
    (actions(button(text=mrkdwn("x"))), "must be plain_text"),
    (actions(button(value="x" * 2001)), "less than 2001"),
    (actions(button(url="x" * 3001)), "less than 3001"),
    (actions(button(action_id="x" * 256)), "less than 256"),
    (actions(button(style="warning")), "primary or danger"),
    (actions(button(confirm=confirm(title=plain("x" * 101)))), "less than 101"),
    (actions(button(confirm=confirm(text=plain("x" * 301)))), "less than 301"),
    (actions(button(confirm=confirm(confirm=plain("x" * 31)))), "less than 31"),
    (actions({"type": "image", "image_url": "u", "alt_text": "a"}), "unsupported type: image"),
    (section(block_id="x" * 256), "less than 256"),
    (section(accessory=choice("overflow", 6)), "no more than 5 items"),
    (section(accessory=choice("checkboxes", 11)), "no more than 10 items"),
    (section(accessory=choice("radio_buttons", 11)), "no more than 10 items"),
    (section(accessory=choice("static_select", 101)), "no more than 100 items"),
    (section(accessory=choice("overflow") | {"options": [option("x" * 76)]}), "less than 76"),
    (section(accessory=choice("overflow") | {"options": [option(value="x" * 151)]}), "less than 151"),
    (
        section(accessory=choice("overflow") | {"options": [option(description=plain("x" * 76))]}),
        "less than 76",
    ),
    (section(accessory=choice("static_select", initial_option=option("Other"))), "among the options"),
    (field(label=plain("x" * 2001)), "less than 2001"),
    (field(element=button()), "unsupported type: button"),
    ({"type": "image", "image_url": "https://example.com/a.png"}, "missing required field"),
    ({"type": "alert", "text": plain()}, "unsupported type: alert"),
    ({"type": "sparkle"}, "unsupported type: sparkle"),
    (table(101), "no more than 100 items"),
    (table(1, 21), "between 1 and 20 cells"),
    (table(text=""), "more than 0 characters [json-pointer:/blocks/0/rows/0/0/text]"),
    (rich_text(""), "more than 0 characters"),
    (rich_text(kind="rich_text_song"), "unsupported type: rich_text_song"),
    ({"type": "markdown", "text": "x" * 12_001}, "less than 12001"),
]


@pytest.mark.parametrize("block", ACCEPTED)
def test_blocks_at_the_limit_are_accepted(block: dict[str, Any]) -> None:
    assert problems([block], "message") == []


@pytest.mark.parametrize(("block", "reason"), REFUSED)
def test_blocks_beyond_a_limit_are_refused_with_the_reason(block: dict[str, Any], reason: str) -> None:
    assert reason in " | ".join(problems([block], "message"))


def test_a_message_takes_fifty_blocks_and_a_window_a_hundred() -> None:
    divider = {"type": "divider"}
    assert problems([divider] * 50, "message") == []
    assert "no more than 50 items" in problems([divider] * 51, "message")[0]
    assert problems([divider] * 100, "modal") == []
    assert "no more than 100 items" in problems([divider] * 101, "home")[0]


def test_a_message_takes_one_table_and_a_window_none() -> None:
    assert "only one table" in problems([table(), table()], "message")[0]
    assert "unsupported type: table" in problems([table()], "modal")[0]


def test_a_message_without_blocks_is_refused_and_an_empty_home_is_not() -> None:
    assert problems([], "message") != []
    assert problems([], "home") == []


def test_two_blocks_may_not_share_a_block_id() -> None:
    assert (
        "block_id 'a' already exists" in problems([section(block_id="a"), section(block_id="a")], "home")[0]
    )
    assert problems([section(block_id="a"), section(block_id="b"), section()], "home") == []


def test_all_text_of_a_message_together_is_limited() -> None:
    assert total_characters([section("x" * 3000, block_id="not counted")] * 4) == 12_000
    assert problems([section("x" * 3000)] * 4, "message") == []
    assert "12001 characters in all" in problems([*[section("x" * 3000)] * 4, section("x")], "message")[0]
    assert problems([section("x" * 3000)] * 5, "modal") == []


def test_a_window_is_checked_as_a_whole() -> None:
    assert view_problems(modal(section(), submit=plain("Update"), close=plain("Close"))) == []
    assert "less than 25" in view_problems(modal(section(), title=plain("x" * 25)))[0]
    assert "less than 25" in view_problems(modal(section(), submit=plain("x" * 25)))[0]
    assert "less than 25" in view_problems(modal(section(), close=plain("x" * 25)))[0]
    assert "less than 3001" in view_problems(modal(section(), private_metadata="x" * 3001))[0]
    assert "less than 256" in view_problems(modal(section(), callback_id="x" * 256))[0]
    assert "modal or home" in view_problems({"type": "dialog"})[0]
    assert "bytes" in view_problems(modal(*[section("ü" * 3000)] * 50))[0]


def test_a_window_that_asks_for_input_needs_a_submit_button() -> None:
    assert "is required" in view_problems(modal(field()))[0]
    assert view_problems(modal(field(), submit=plain("Send"))) == []


@given(st.lists(JSON, max_size=3), st.sampled_from(["message", "modal", "home"]))
def test_whatever_json_is_sent_it_is_judged_and_never_crashes(blocks: Any, surface: Surface) -> None:
    assert all("json-pointer:" in problem for problem in problems(blocks, surface))


@given(st.sampled_from([*ACCEPTED, modal(field())]), st.data())
def test_a_block_with_any_part_spoilt_is_judged_and_never_crashes(
    block: dict[str, Any], data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(sorted(block)))
    spoilt = block | {name: data.draw(JSON)}
    problems([spoilt], "message")
    view_problems(spoilt)


def test_a_menu_that_is_looked_up_has_fit_options_picked_and_a_file_input_few_files() -> None:
    def window(element: dict[str, Any]) -> list[str]:
        block = {"type": "input", "label": {"type": "plain_text", "text": "x"}, "element": element}
        return problems([block], "modal")

    picked = {"text": {"type": "plain_text", "text": "x" * 76}, "value": "x"}
    fit = picked | {"text": {"type": "plain_text", "text": "x" * 75}}
    assert window({"type": "external_select", "initial_option": fit}) == []
    assert "less than 76 characters" in window({"type": "external_select", "initial_option": picked})[0]
    assert "less than 76" in window({"type": "multi_external_select", "initial_options": [fit, picked]})[0]
    assert window({"type": "file_input", "max_files": 1}) == []
    assert "between 1 and 10" in window({"type": "file_input", "max_files": 11})[0]
