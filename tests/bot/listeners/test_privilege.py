"""Asking for the privilege in Slack, from the refusal to the answer in the administrator's own message."""

from typing import Any

import pytest

from bot.delivery import drain
from bot.sandbox.client import Message, Person
from bot.sandbox.workspace import CHANNEL_ID
from tests.bot.listeners.conftest import Office
from tests.factories import NINE
from workflow.vocabulary import Event

TO_TOM = "Tom Beckett"


def deliver(office: Office) -> None:
    drain(office.database, office.gateway, channel=CHANNEL_ID, next_sync=lambda: NINE, sleep=lambda _: None)


def ask(office: Office, tom: Person, card: Message) -> None:
    """Tom wants to Update, is refused, and asks with a reason."""
    tom.click("Update", card)
    tom.click("Ask for the privilege", tom.wait_for_ephemeral("needs permission"))
    tom.wait_for_modal("Why do you need it?")
    tom.submit({"reason": {"reason": " "}})
    assert tom.sees().modal.errors == {"reason": "Say why."}  # type: ignore[union-attr]
    tom.submit({"reason": {"reason": "Dana is away until Monday."}})
    tom.wait_for_modal("Priya Raman was asked")
    deliver(office)


def letter(person: Person, words: str) -> Message:
    """The direct message that says this."""
    return person.wait_for(
        lambda seen: next((one for one in seen.direct_messages if words in one.words), None)
    )


def test_an_administrator_grants_it_in_the_message_and_the_asker_hears_of_it(
    office: Office, card: Message, tom: Person, priya: Person
) -> None:
    ask(office, tom, card)
    asked = letter(priya, "asks to become an accounting approver")
    assert "Dana is away until Monday." in asked.words
    assert asked.buttons == ["Grant", "Decline"]
    priya.click("Grant", asked)
    letter(priya, "is an accounting approver now")
    deliver(office)
    answered = next(one for one in priya.sees().direct_messages if one.ts == asked.ts)
    assert answered.buttons == []
    assert "Priya Raman granted it" in answered.words
    letter(tom, "Priya Raman made Tom Beckett an accounting approver")
    tom.click("Update", card)
    tom.wait_for_ephemeral("It is updated")


def test_an_administrator_declines_with_a_comment(
    office: Office, card: Message, tom: Person, priya: Person
) -> None:
    ask(office, tom, card)
    priya.click("Decline", letter(priya, "asks to become"))
    priya.wait_for_modal("Tom Beckett gets this comment.")
    priya.submit({"comment": {"comment": "Marcus stands in."}})
    priya.wait_for_modal("is told, with your comment")
    deliver(office)
    letter(tom, "“Marcus stands in.”")
    assert letter(priya, "declined it").buttons == []


def test_a_second_ask_writes_to_nobody_again(
    office: Office, card: Message, tom: Person, priya: Person
) -> None:
    ask(office, tom, card)
    tom.click("Ask for the privilege", tom.wait_for_ephemeral("needs permission"))
    tom.wait_for_modal("Why do you need it?")
    tom.submit({"reason": {"reason": "Please."}})
    tom.wait_for_modal("You have asked already")
    deliver(office)
    assert len(priya.sees().direct_messages) == 1
    assert len(office.events(Event.PRIVILEGE_ASKED)) == 1


class TestAdministratorsWhoAreTwo:
    @pytest.fixture
    def settings(self) -> dict[str, Any]:
        return {"admin_email": "priya.raman@kestrelbuilders.example, marcus.oyelaran@kestrelbuilders.example"}

    def test_the_second_to_answer_hears_who_was_first(
        self, office: Office, card: Message, tom: Person, priya: Person, marcus: Person
    ) -> None:
        tom.click("Update", card)
        tom.click("Ask for the privilege", tom.wait_for_ephemeral("needs permission"))
        tom.wait_for_modal("Why do you need it?")
        tom.submit({"reason": {"reason": "Dana is away."}})
        tom.wait_for_modal("was asked")
        deliver(office)
        to_marcus = letter(marcus, "asks to become")
        priya.click("Grant", letter(priya, "asks to become"))
        letter(priya, "is an accounting approver now")
        marcus.click("Grant", to_marcus)
        letter(marcus, "Priya Raman has answered this already")
        deliver(office)
        assert "Priya Raman granted it" in letter(marcus, "asks to become").words
        assert len(office.events(Event.PRIVILEGE_GRANTED)) == 1
