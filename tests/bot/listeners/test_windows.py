"""Cost Codes for Update as a window: looking, turning pages, and the Update that is pressed in it."""

import threading
from typing import Any

import pytest
from sqlalchemy import event

from bot import visit
from bot.blocks.updates_window import CODES_A_PAGE
from bot.sandbox import sample_company
from bot.sandbox.client import Message, Person
from tests.bot.listeners.conftest import TITLE, Office
from workflow.tables import StandardCostCode
from workflow.vocabulary import Event, Refusal, State

DONE = f"{TITLE}: It is updated, and goes out with the next data sync."


def test_update_is_pressed_in_the_window_and_the_result_is_told_in_it(
    office: Office, card: Message, dana: Person
) -> None:
    dana.click("View Requested Updates", card)
    dana.wait_for_modal(TITLE)
    assert dana.submit().error is None
    result = dana.wait_for_modal(DONE)
    assert result.submit is None
    assert office.state() is State.ACCEPTED
    assert office.nudged == ["deliver"]


def test_a_database_that_does_not_tell_the_language_holds_up_no_window(
    office: Office, card: Message, dana: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(visit, "_LANGUAGE_SECONDS", 1.0)
    told = threading.Event()

    def hang(*arguments: Any) -> None:
        if str(arguments[2]).startswith("SELECT slack_links.locale"):
            told.wait(60)

    event.listen(office.database.engine, "before_cursor_execute", hang)
    try:
        dana.click("View Requested Updates", card)
        assert dana.wait_for_modal(TITLE).submit == "Update"
    finally:
        told.set()
        event.remove(office.database.engine, "before_cursor_execute", hang)


def test_every_line_is_shown_read_only_with_what_sage_has_apart(
    office: Office, card: Message, tom: Person
) -> None:
    tom.click("View Requested Updates", card)
    window = tom.wait_for_modal(TITLE)
    said = window.words.replace("\N{NO-BREAK SPACE}", " ")
    assert "☑ L Labor (new)" in said
    assert "☐ S Subcontract" in said
    assert window.buttons == []
    tom.close()
    tom.wait_for(lambda seen: seen.modal is None)


def test_the_loser_of_a_race_is_told_inside_the_window(
    office: Office, card: Message, dana: Person, marcus: Person
) -> None:
    for approver in (dana, marcus):
        approver.click("View Requested Updates", card)
        approver.wait_for_modal(TITLE)
    dana.submit()
    dana.wait_for_modal(DONE)
    marcus.submit()
    marcus.wait_for_modal("Dana Whitfield updated it on")
    assert len(office.events(Event.UPDATED)) == 1


def test_what_came_since_the_window_opened_is_shown_in_it_and_can_be_updated_then(
    office: Office, card: Message, dana: Person
) -> None:
    dana.click("View Requested Updates", card)
    dana.wait_for_modal(TITLE)
    office.request("09-250 M")
    dana.submit()
    dana.wait_for_modal("1 assignment came since you looked")
    assert office.state() is State.READY
    dana.submit()
    dana.wait_for_modal(DONE)
    assert office.state() is State.ACCEPTED


def test_the_privilege_is_judged_at_the_press_not_when_the_window_opened(
    office: Office, card: Message, dana: Person
) -> None:
    dana.click("View Requested Updates", card)
    assert dana.wait_for_modal(TITLE).submit == "Update"
    office.change_person(sample_company.APPROVER, can_push_to_accounting=False)
    dana.submit()
    denial = dana.wait_for_modal("does not have the Can Push to Accounting privilege")
    assert denial.buttons == ["Ask for the privilege"]
    assert office.state() is State.READY
    assert [event["reason"] for event in office.events(Event.REFUSED)] == [Refusal.PRIVILEGE_MISSING]
    dana.click("Ask for the privilege", denial)
    dana.wait_for_modal("Why do you need it?")
    dana.submit({"reason": {"reason": "I lost it."}})
    dana.wait_for_modal("Priya Raman was asked")


def test_a_submitted_window_that_slack_delivers_twice_acts_once(
    office: Office, card: Message, dana: Person
) -> None:
    dana.click("View Requested Updates", card)
    dana.wait_for_modal(TITLE)
    office.sandbox.switch(deliver_twice=1)
    dana.submit()
    dana.wait_for_modal(DONE)
    assert len(office.events(Event.UPDATED)) == 1


def test_a_window_that_was_closed_meanwhile_is_answered_where_it_was_opened(
    office: Office, card: Message, dana: Person
) -> None:
    dana.click("View Requested Updates", card)
    dana.wait_for_modal(TITLE)
    office.sandbox.fail_next("views.update", "error", times=50, error="not_found")
    dana.submit()
    dana.wait_for_ephemeral(DONE)
    assert office.state() is State.ACCEPTED


def test_a_window_closed_before_it_shows_anything_is_left_alone(
    office: Office, card: Message, dana: Person
) -> None:
    office.sandbox.fail_next("views.update", "error", error="not_found")
    dana.click("View Requested Updates", card)
    dana.wait_for(lambda _: office.sandbox.calls("views.update") or None)
    dana.slash("/costcodes whoami")
    dana.wait_for_ephemeral("You are an accounting approver")
    assert len(dana.sees().ephemerals) == 1


@pytest.mark.parametrize("kind", ["error", "server_error"])
def test_what_came_since_is_told_in_words_when_the_window_cannot_show_it(
    office: Office, card: Message, dana: Person, kind: str
) -> None:
    dana.click("View Requested Updates", card)
    dana.wait_for_modal(TITLE)
    office.request("09-250 M")
    office.sandbox.fail_next("views.update", kind, times=50, error="not_found")
    dana.submit()
    dana.wait_for_ephemeral("you saw revision 1, it is revision 2 now")
    assert office.state() is State.READY


def request_pages(office: Office, pages: int) -> list[str]:
    """Tom asks for that many full pages of cost codes, beside those of the office; returns them."""
    codes = [f"50-{number:03}" for number in range(CODES_A_PAGE * pages)]
    with office.database.writing() as session:
        session.add_all(StandardCostCode(code=code, description="Finishes") for code in codes)
    office.request(*(f"{code} L" for code in codes))
    return codes


def test_many_cost_codes_are_turned_by_pages(office: Office, dana: Person) -> None:
    codes = request_pages(office, 2)
    dana.click("View Requested Updates", office.post_card())
    first = dana.wait_for_modal("Page 1 of 3")
    assert first.buttons == ["Next"]
    dana.click("Next", first)
    second = dana.wait_for_modal("Page 2 of 3")
    assert second.buttons == ["Previous", "Next"]
    dana.click("Next", second)
    last = dana.wait_for_modal("Page 3 of 3")
    assert codes[-1] in last.words
    dana.click("Previous", last)
    dana.wait_for_modal("Page 2 of 3")
    dana.submit()
    dana.wait_for_modal(DONE)


def test_what_joins_while_the_pages_are_turned_stays_marked_on_every_page(
    office: Office, dana: Person
) -> None:
    request_pages(office, 1)
    dana.click("View Requested Updates", office.post_card())
    first = dana.wait_for_modal("Page 1 of 2")
    office.request("09-250 M")
    dana.click("Next", first)
    second = dana.wait_for_modal("Page 2 of 2")
    assert "1 assignment came since you looked" in second.words
    dana.click("Previous", second)
    again = dana.wait_for_modal("Page 1 of 2")
    assert again.words.count("since you looked") == 2
    dana.submit()
    dana.wait_for_modal(DONE)
    assert [event["revision"] for event in office.events(Event.UPDATED)] == [3]


def test_turning_a_page_of_what_was_decided_meanwhile_begins_with_the_next_request_at_its_first_page(
    office: Office, dana: Person, marcus: Person
) -> None:
    codes = request_pages(office, 1)
    card = office.post_card()
    dana.click("View Requested Updates", card)
    first = dana.wait_for_modal("Page 1 of 2")
    marcus.click("Reject", card)
    marcus.wait_for_modal("Why?")
    marcus.submit({"comment": {"comment": "Ask again"}})
    marcus.wait_for_modal("It is rejected")
    office.request("03-300 L", "16-100 S", *(f"{code} L" for code in codes))
    dana.click("Next", first)
    assert "Page 1 of 2" in dana.wait_for_modal("revision 1").words


def test_a_click_that_comes_too_late_for_a_window_is_answered_in_words(
    office: Office, card: Message, dana: Person
) -> None:
    office.sandbox.fail_next("views.open", "error", error="expired_trigger_id")
    dana.click("View Requested Updates", card)
    dana.wait_for_ephemeral("Slack did not open the window in time. Nothing was changed")
