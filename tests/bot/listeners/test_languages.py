"""Each person reads their own language, as they have set it in Slack; the channel reads the company's."""

from typing import Any

import pytest

from bot.blocks.updates_window import COMMENT_BLOCK, COMMENT_INPUT
from bot.sandbox.client import Message, Person
from tests.bot.listeners.conftest import TITLE, Office
from workflow import directory
from workflow.vocabulary import State

ASKED_IN_SPANISH = "Quedó actualizada y sale con la próxima sincronización de datos."


@pytest.fixture
def dana(office: Office, dana: Person) -> Person:
    office.sandbox.put_user("U0DANA", locale="es-MX")
    return dana


def test_an_approver_reads_windows_answers_and_app_home_in_spanish(
    office: Office, card: Message, dana: Person
) -> None:
    assert "Ready to Update" in card.words

    dana.slash("/costcodes show 24-017")
    window = dana.wait_for_modal("Solicitado por Tom Beckett")
    assert (window.title, window.submit) == ("Códigos por actualizar", "Actualizar")
    dana.open_home()
    dana.wait_for(lambda seen: (seen.home and "1 obra lista para actualizar" in seen.home.words) or None)
    dana.submit()
    dana.wait_for(lambda seen: (seen.modal and ASKED_IN_SPANISH in seen.modal.words) or None)

    assert office.state() is State.ACCEPTED
    with office.database.reading() as session:
        person = directory.person_by_email(session, "dana.whitfield@kestrelbuilders.example")
        assert person is not None
        assert directory.languages(session, [person.id]) == {person.id: "es"}


def test_what_is_said_in_the_ack_is_in_the_readers_language_too(
    office: Office, card: Message, dana: Person
) -> None:
    dana.click("Reject", card)
    dana.wait_for_modal("¿Por qué?")
    outcome = dana.submit({COMMENT_BLOCK: {COMMENT_INPUT: " "}})

    assert "Diga el motivo" in str(outcome) or "Diga el motivo" in str(dana.sees().modal)


def test_a_command_that_is_not_understood_is_answered_in_spanish(office: Office, dana: Person) -> None:
    dana.slash("/costcodes help")
    dana.wait_for_ephemeral("muestra los contratos y las órdenes de cambio que esperan")
    dana.slash("/costcodes rady")
    dana.wait_for_ephemeral("¿Quiso decir /costcodes ready")


def test_others_read_the_companys_language(office: Office, card: Message, dana: Person, tom: Person) -> None:
    dana.slash("/costcodes whoami")
    dana.wait_for_ephemeral("Usted es Dana Whitfield")
    tom.slash("/costcodes whoami")
    tom.wait_for_ephemeral("You are Tom Beckett")


class TestACompanyThatReadsSpanish:
    @pytest.fixture
    def settings(self) -> dict[str, Any]:
        return {"language": "es"}

    def test_a_locale_that_costbot_does_not_speak_falls_back_to_it(self, office: Office, tom: Person) -> None:
        office.sandbox.put_user("U0TOM", locale="fr-FR")
        tom.slash("/costcodes whoami")
        tom.wait_for_ephemeral("Usted es Tom Beckett")

    def test_whoever_has_english_in_slack_reads_english(self, office: Office, tom: Person) -> None:
        tom.slash("/costcodes whoami")
        tom.wait_for_ephemeral("You are Tom Beckett")


def test_the_title_of_a_job_is_the_same_in_every_language(
    office: Office, card: Message, dana: Person
) -> None:
    dana.slash("/costcodes history 24-017")
    dana.wait_for_ephemeral(f"Historial de {TITLE}")
