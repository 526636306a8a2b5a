"""Windows as Slack keeps them: stacked to three, guarded by hashes, triggers and sizes."""

from typing import Any

import pytest

from bot.sandbox.errors import SlackError
from bot.sandbox.modals import Modals


@pytest.fixture
def modals() -> Modals:
    return Modals("T1", "A1", "B1", trigger_seconds=3)


def window(**more: Any) -> dict[str, Any]:
    title = {"type": "plain_text", "text": "Window"}
    return {"type": "modal", "title": title, "blocks": [{"type": "divider"}], **more}


def refused(code: str) -> Any:
    return pytest.raises(SlackError, match=f"^{code}$")


def test_at_most_three_windows_stack_and_closing_uncovers_the_one_below(modals: Modals) -> None:
    first = modals.open(modals.trigger("U1"), window())
    second = modals.push(modals.trigger("U1"), window())
    third = modals.push(modals.trigger("U1"), window())
    with refused("push_limit_reached"):
        modals.push(modals.trigger("U1"), window())
    assert (third.root_id, third.previous_id) == (first.id, second.id)
    modals.close(third)
    assert modals.top("U1") is second
    assert modals.close(second, everything=True) == [second, first]
    assert modals.top("U1") is None
    with refused("not_found"):
        modals.push(modals.trigger("U1"), window())


def test_an_update_on_an_old_hash_is_refused(modals: Modals) -> None:
    view = modals.open(modals.trigger("U1"), window())
    seen = view.hash
    modals.update(view, window(), seen)
    with refused("hash_conflict"):
        modals.update(view, window(), seen)
    modals.update(view, window())


def test_a_window_is_found_by_either_id_while_it_is_open(modals: Modals) -> None:
    view = modals.open(modals.trigger("U1"), window(external_id="job-24-017"))
    assert modals.find(view.id) is view
    assert modals.find(None, "job-24-017") is view
    with refused("duplicate_external_id"):
        modals.push(modals.trigger("U1"), window(external_id="job-24-017"))
    modals.close(view)
    with refused("not_found"):
        modals.find(view.id)


def test_a_refused_window_leaves_its_trigger_unused(modals: Modals) -> None:
    trigger = modals.trigger("U1")
    with refused("invalid_arguments"):
        modals.open(trigger, window(blocks=[]))
    with refused("invalid_arguments"):
        modals.open(trigger, {"type": "home", "blocks": []})
    with refused("view_too_large"):
        modals.open(trigger, window(blocks=[{"type": "header", "text": "x" * 250_000}]))
    assert modals.open(trigger, window()).user == "U1"


def test_what_was_typed_survives_an_update_of_other_blocks(modals: Modals) -> None:
    view = modals.open(modals.trigger("U1"), window(blocks=[{"type": "divider", "block_id": "kept"}]))
    view.state = {"kept": {"a": {"value": "x"}}, "gone": {"a": {"value": "y"}}}
    modals.update(view, window(blocks=[{"type": "divider", "block_id": "kept"}]))
    assert modals.to_slack(view)["state"] == {"values": {"kept": {"a": {"value": "x"}}}}
