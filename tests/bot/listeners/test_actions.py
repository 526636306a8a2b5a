"""Clicks on a card: signed payload in, result in the database and calls to Slack out."""

from bot.sandbox.client import Message, Person
from tests.bot.listeners.conftest import TITLE, Office
from workflow.vocabulary import Event, State


def test_an_approver_updates_from_the_card(office: Office, card: Message, dana: Person) -> None:
    dana.click("Update", card)
    dana.wait_for_ephemeral("It is updated, and goes out with the next data sync.")
    assert office.state() is State.ACCEPTED
    assert office.nudged == ["deliver"]
    assert [event["actor"] for event in office.events(Event.UPDATED)] == ["Dana Whitfield"]


def test_everyone_may_look_and_an_approver_finds_update_in_the_window(
    office: Office, card: Message, dana: Person, tom: Person
) -> None:
    dana.click("View Requested Updates", card)
    assert dana.wait_for_modal(TITLE).submit == "Update"
    tom.click("View Requested Updates", card)
    window = tom.wait_for_modal(TITLE)
    assert window.submit is None
    assert "needs permission Standard or Admin" in window.words
