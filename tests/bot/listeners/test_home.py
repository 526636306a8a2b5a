"""App Home, drawn when a person opens it."""

from bot.sandbox.client import Person
from tests.bot.listeners.conftest import TITLE, Office
from workflow.vocabulary import Event


def test_an_approver_sees_what_is_ready_and_can_run_a_data_sync(office: Office, dana: Person) -> None:
    dana.open_home()
    home = dana.wait_for(lambda seen: seen.home)
    assert TITLE in home.words
    assert "You are an accounting approver" in home.words
    assert home.buttons == ["View Requested Updates", "Run a data sync now"]


def test_a_button_of_app_home_is_answered_in_a_window(office: Office, dana: Person) -> None:
    dana.open_home()
    home = dana.wait_for(lambda seen: seen.home)
    dana.click("Run a data sync now", home)
    dana.wait_for_modal("A data sync was asked for.")
    assert len(office.events(Event.SYNC_ASKED)) == 1
    dana.click("View Requested Updates", home)
    dana.wait_for_modal(TITLE)
    assert dana.sees().home == home


def test_who_may_not_update_sees_why(office: Office, tom: Person) -> None:
    tom.open_home()
    home = tom.wait_for(lambda seen: seen.home)
    assert "needs permission Standard or Admin" in home.words
    assert home.buttons == ["View Requested Updates"]


def test_a_guest_sees_no_job(office: Office, grace: Person) -> None:
    grace.open_home()
    home = grace.wait_for(lambda seen: seen.home)
    assert "Only members of this workspace" in home.words
    assert TITLE not in home.words


def test_a_message_to_the_bot_is_taken_quietly(office: Office, tom: Person) -> None:
    assert tom.say("hello?").error is None
    assert [sent["answer"]["error"] for sent in office.sandbox.deliveries()] == [None]
