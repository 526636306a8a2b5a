"""What no listener knows any more: each kind is taken, and whoever did it hears that nothing was changed."""

import pytest

from bot.blocks.pieces import Message as Drawn
from bot.payloads import Window
from bot.sandbox.client import Message, Person
from bot.sandbox.workspace import CHANNEL_ID
from tests.bot.listeners.conftest import Office
from workflow.vocabulary import State

UNKNOWN = "does not know that {} any more, and nothing was changed"


def test_an_ancient_button_and_one_of_a_newer_value_are_answered(office: Office, dana: Person) -> None:
    old = {"type": "button", "text": {"type": "plain_text", "text": "Accept"}, "action_id": "approve_v0"}
    newer = {**old, "text": {"type": "plain_text", "text": "All"}, "action_id": "several:page", "value": "{}"}
    block = {"type": "actions", "elements": [old, newer]}
    office.gateway.post(CHANNEL_ID, Drawn("Old card", (block,)), key="card:0")
    message = dana.wait_for_message("Old card")
    assert dana.click("Accept", message).error is None
    dana.wait_for_ephemeral(UNKNOWN.format("button"))
    assert dana.click("All", message).error is None
    dana.wait_for_ephemeral("This button is from an older costbot, and nothing was changed")
    assert office.state() is State.READY


def test_a_shortcut_and_one_of_a_message_are_answered(office: Office, card: Message, dana: Person) -> None:
    assert dana.shortcut("ask_v0").error is None
    dana.wait_for_modal(UNKNOWN.format("shortcut"))
    dana.close()
    assert dana.shortcut("ask_v0", card).error is None
    dana.wait_for_ephemeral(UNKNOWN.format("shortcut"))


def test_a_menu_and_a_window_that_nobody_knows_are_answered(office: Office, dana: Person) -> None:
    menu = {"type": "external_select", "action_id": "codes_v0", "min_query_length": 0}
    label = {"type": "plain_text", "text": "Code"}
    window = {
        "type": "modal",
        "title": {"type": "plain_text", "text": "Ask"},
        "submit": {"type": "plain_text", "text": "Ask"},
        "callback_id": "ask_v0",
        "blocks": [{"type": "input", "label": label, "element": menu, "optional": True}],
    }
    dana.slash("/costcodes show 24-017")
    shown = dana.wait_for_modal("Read-only")
    office.gateway.update_view(shown.id, window)
    dana.wait_for(lambda seen: seen.modal if seen.modal and seen.modal.title == "Ask" else None)
    assert dana.options("codes_v0", "03") == []
    assert dana.submit().error is None
    dana.wait_for_direct_message(UNKNOWN.format("window"))
    assert office.state() is State.READY


@pytest.mark.parametrize(
    "window",
    [Window.REQUEST, Window.NOTIFY, Window.SEVERAL, Window.CATEGORIES, Window.PREVIEW, Window.UPDATES],
)
def test_a_window_of_an_older_costbot_is_answered(office: Office, dana: Person, window: Window) -> None:
    dana.slash("/costcodes show 24-017")
    shown = dana.wait_for_modal("Read-only")
    option = {"text": {"type": "plain_text", "text": "Weekly"}, "value": "weekly"}
    radio = {"type": "radio_buttons", "action_id": "notify", "options": [option], "initial_option": option}
    old = {
        "type": "modal",
        "title": {"type": "plain_text", "text": "Older"},
        "submit": {"type": "plain_text", "text": "Go"},
        "callback_id": window.value,
        "private_metadata": '{"version":0}' if window is not Window.SEVERAL else "0",
        "blocks": [
            {"type": "input", "block_id": "notify", "label": option["text"], "element": radio},
        ],
    }
    office.gateway.update_view(shown.id, old)
    dana.wait_for(lambda seen: seen.modal if seen.modal and seen.modal.title == "Older" else None)

    assert dana.submit().error is None

    dana.wait_for(lambda seen: seen.modal if seen.modal and "older costbot" in seen.modal.words else None)
    assert office.state() is State.READY
