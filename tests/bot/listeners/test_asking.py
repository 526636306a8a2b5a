"""Asking for cost codes from Slack: the window's steps, what is wrong with lines, and what is never lost."""

from typing import Any

import pytest
from sqlalchemy import delete

from bot.blocks.request_window import GRID_CODES
from bot.payloads import Shortcut, Typed
from bot.sandbox.client import Message, Person, View
from tests import factories
from tests.bot.listeners.conftest import TITLE, Office
from workflow.tables import RequestDraft, StandardCostCode, StandardCostCodeCategory
from workflow.vocabulary import Event

JOB_PICK = {"text": {"type": "plain_text", "text": TITLE}}


def window(person: Person, *, with_words: str = "") -> View:
    """The open window, once it says this."""
    return person.wait_for(lambda seen: seen.modal if seen.modal and with_words in seen.modal.words else None)


def opened(person: Person, command: str = "/costcodes request 24-017") -> View:
    """The first step, open."""
    assert person.slash(command).error is None
    return person.wait_for(lambda seen: seen.modal if seen.modal and seen.modal.submit == "Next" else None)


def fill(
    office: Office, *, job: bool = True, codes: tuple[str, ...] = (), lines: str = "", file: Any = None
) -> dict[str, Any]:
    """What is put into the first step."""
    picked = [{"text": {"type": "plain_text", "text": code}, "value": code} for code in codes]
    values: dict[str, Any] = {
        "codes": {Typed.COST_CODES: picked},
        "lines": {"lines": lines},
        "job": {Typed.JOB: {**JOB_PICK, "value": str(office.job_id)} if job else None},
    }
    return values | ({"file": {"file": [file]}} if file else {})


def test_cost_codes_are_picked_ticked_previewed_and_requested(office: Office, tom: Person) -> None:
    opened(tom, "/costcodes request")
    assert [one["text"]["text"] for one in tom.options(Typed.JOB, "river")] == [TITLE]
    assert [one["value"] for one in tom.options(Typed.COST_CODES, "gypsum")] == ["09-250"]
    tom.submit(fill(office, codes=("09-250",)))
    grid = window(tom, with_words="Which categories?")
    assert [one["value"] for one in grid.element("tick")["initial_options"]] == ["L", "M", "S"]
    tom.submit({"tick:09-250": {"tick": ["L", "M"]}})
    preview = window(tom, with_words="2 assignments of 1 cost code to request")
    assert "09-250 Gypsum board: L, M" in preview.words
    assert "Joins what is Ready to Update already" in preview.words
    assert office.read_back == [office.job_id]
    tom.submit()
    assert "2 new assignments. Ready to Update, revision 2" in window(tom, with_words="Ready").words
    [joined] = office.events(Event.JOINED)
    assert joined["assignments"] == [["", "09-250", "L"], ["", "09-250", "M"]]
    with office.database.reading() as session:
        assert session.query(RequestDraft).count() == 0


def test_every_bad_line_is_named_and_everything_written_stays(office: Office, tom: Person) -> None:
    opened(tom)
    written = "09-250 L\nplease\n99-999 L\n09-250 X,Y"
    tom.submit(fill(office, lines=written))
    shown = window(tom, with_words="Nothing was requested yet")
    for told in (
        "line 2: “please” does not begin with",
        "line 3: cost code 99-999 is not on",
        "line 4: category X",
    ):
        assert told in shown.words
    assert shown.element("lines")["initial_value"] == written
    tom.submit(fill(office, lines="09-250 L\n03-300 L"))
    preview = window(tom, with_words="1 assignment of 1 cost code to request")
    assert "Waits for an approver already" in preview.words


def test_a_file_is_read_kept_with_the_draft_and_requested(office: Office, tom: Person) -> None:
    opened(tom)
    shared = tom.upload("more.csv", b"code,category\n09-250,L\n99-999,L\n")
    tom.submit(fill(office, file=shared))
    window(tom, with_words="more.csv, line 3: cost code 99-999 is not on the standard cost code list")
    tom.submit(fill(office, file=tom.upload("better.csv", b"code,category\n09-250,L\n01-100,S\n")))
    window(tom, with_words="2 assignments of 2 cost codes to request")
    tom.click("Back")
    assert "better.csv: 2 lines" in window(tom, with_words="Another file takes its place").words
    tom.submit(fill(office))
    window(tom, with_words="2 assignments of 2 cost codes to request")
    tom.submit()
    window(tom, with_words="2 new assignments")


def test_a_file_that_cannot_be_fetched_is_told_with_the_mend(office: Office, tom: Person) -> None:
    office.sandbox.switch(missing_scopes=["files:read"])
    opened(tom)
    tom.submit(fill(office, file=tom.upload("more.csv", b"code,category\n09-250,L\n")))
    window(tom, with_words="more.csv cannot be fetched: the Slack app needs the scope files:read")


def test_a_window_that_asks_for_nothing_says_so_and_stays_open(office: Office, tom: Person) -> None:
    opened(tom, "/costcodes request")
    tom.submit(fill(office, job=False, lines="  "))
    assert tom.sees().modal is not None
    assert set(window(tom).errors) == {"job"}  # Slack's own client says that it is missing
    tom.submit(fill(office, lines="  "))
    assert set(window(tom).errors) == {"lines"}
    assert office.events(Event.JOINED) == []


def test_a_draft_outlives_a_window_that_was_closed(office: Office, tom: Person) -> None:
    assert "Next keeps what you put in; Close before that loses it." in opened(tom).words
    tom.submit(fill(office, lines="09-250"))
    window(tom, with_words="Which categories?")
    tom.close()
    again = opened(tom, "/costcodes request")
    assert "You began this" in again.words
    assert again.element("lines")["initial_value"] == "09-250"
    assert again.element(Typed.JOB)["initial_option"]["value"] == str(office.job_id)
    tom.click("Start over")
    tom.wait_for(lambda seen: seen.modal and "You began" not in seen.modal.words)
    assert window(tom).element("lines").get("initial_value") is None


def test_a_preview_is_requested_once_however_often_it_is_submitted(office: Office, tom: Person) -> None:
    opened(tom)
    tom.submit(fill(office, lines="09-250 L"))
    old = window(tom, with_words="1 assignment of 1 cost code to request")
    office.sandbox.switch(deliver_twice=1)
    tom.submit()
    window(tom, with_words="1 new assignment")
    assert len(office.events(Event.JOINED)) == 1
    # a second window still shows the old preview
    opened(tom)
    office.gateway.update_view(window(tom).id, _as_sent(old))
    tom.submit()
    window(tom, with_words="requested already")
    assert len(office.events(Event.JOINED)) == 1


def _as_sent(view: View) -> dict[str, Any]:
    kept = ("type", "title", "submit", "close", "blocks", "callback_id", "private_metadata")
    return {name: view.raw[name] for name in kept if view.raw.get(name)}


def test_whoever_has_closed_the_preview_is_told_that_sage_s_list_has_changed_and_nothing_was_requested(
    office: Office, tom: Person
) -> None:
    opened(tom)
    tom.submit(fill(office, lines="09-250 L"))
    window(tom, with_words="1 assignment of 1 cost code to request")
    with office.database.writing() as session:
        session.execute(delete(StandardCostCodeCategory).where(StandardCostCodeCategory.code == "09-250"))
        session.execute(delete(StandardCostCode).where(StandardCostCode.code == "09-250"))
    office.sandbox.fail_next("views.update", "error", times=50, error="not_found")
    tom.submit()
    told = tom.wait_for_direct_message("Nothing was requested yet: 1 problem to mend.").words
    assert "cost code 09-250 is not on the standard cost code list" in told
    assert "What you put in is kept: /costcodes request opens it." in told


def test_a_message_that_lists_cost_codes_fills_the_window(office: Office, tom: Person) -> None:
    tom.say("Hi, for 24-017 we need:\n• 09-250 (labor, Material)\n• 16-100 L\nand 12-345 maybe on 2026-11-02")
    message = tom.wait_for(lambda seen: seen.message("for 24-017"))
    tom.shortcut(Shortcut.REQUEST_THESE, message)
    shown = tom.wait_for(lambda seen: seen.modal if seen.modal and seen.modal.submit == "Next" else None)
    assert shown.element("lines")["initial_value"] == "09-250 L,M\n16-100 L"
    assert shown.element(Typed.JOB)["initial_option"]["text"]["text"] == TITLE
    assert "You began this" not in shown.words, "the draft is as new as the window"


def test_a_message_adds_to_an_earlier_draft_and_the_window_says_so(office: Office, tom: Person) -> None:
    opened(tom)
    tom.submit(fill(office, lines="09-250 L"))
    window(tom, with_words="to request")
    tom.close()
    tom.say("For 24-017 we need:\n16-100 L")
    tom.shortcut(Shortcut.REQUEST_THESE, tom.wait_for(lambda seen: seen.message("For 24-017")))
    shown = tom.wait_for(lambda seen: seen.modal if seen.modal and seen.modal.submit == "Next" else None)
    assert "The cost codes of the message were added to it." in shown.words
    assert "as you left it" not in shown.words
    assert shown.element("lines")["initial_value"] == "09-250 L\n16-100 L"


def test_the_global_shortcut_opens_the_same_window(office: Office, tom: Person) -> None:
    tom.shortcut(Shortcut.REQUEST)
    assert tom.wait_for(lambda seen: seen.modal and seen.modal.submit == "Next")


def test_more_cost_codes_without_categories_than_the_grid_holds_are_told(office: Office, tom: Person) -> None:
    codes = [f"50-{number:03}" for number in range(GRID_CODES + 1)]
    with office.database.writing() as session:
        factories.standard_list(session, dict.fromkeys(codes, "Piling"), {})
    opened(tom)
    tom.submit(fill(office, lines="\n".join(codes)))
    window(tom, with_words="41 cost codes name no category, and the next step has room for 40")


def test_people_outside_the_directory_are_refused_in_words(office: Office, grace: Person) -> None:
    grace.slash("/costcodes request")
    window(grace, with_words="Only members of this workspace")
    assert [one["act"] for one in office.events(Event.REFUSED)] == ["request"]


@pytest.mark.parametrize("command", ["/costcodes request 99-999", "/costcodes request zebra"])
def test_a_job_that_is_not_there_is_chosen_in_the_window(office: Office, tom: Person, command: str) -> None:
    shown = opened(tom, command)
    assert "There is no job" in shown.words


def test_every_line_of_a_message_that_was_not_read_is_named_in_the_window(
    office: Office, tom: Person
) -> None:
    tom.say("For 24-017 please:\n01-100 L\n99-999 M\n033000 S")
    tom.shortcut(Shortcut.REQUEST_THESE, tom.wait_for(lambda seen: seen.message("please:")))
    window = tom.wait_for_modal("These lines of the message")
    assert window.element("lines")["initial_value"] == "01-100 L"
    assert "• 99-999 M\n• 033000 S" in window.words
    assert "For 24-017 please" not in window.words


def test_an_answer_in_a_thread_fills_the_window_too(office: Office, card: Message, tom: Person) -> None:
    tom.say("01-100 L", thread_ts=card.ts)
    answer = tom.wait_for(lambda seen: next((m for m in seen.thread(card) if "01-100" in m.text), None))
    tom.shortcut(Shortcut.REQUEST_THESE, answer)
    window = tom.wait_for(
        lambda seen: seen.modal if seen.modal and "Loading" not in seen.modal.words else None
    )
    assert window.element("lines")["initial_value"] == "01-100 L"


def test_a_message_without_anything_usable_says_so_and_names_what_looked_like_it(
    office: Office, tom: Person
) -> None:
    tom.say("99-999 M")
    tom.shortcut(Shortcut.REQUEST_THESE, tom.wait_for(lambda seen: seen.message("99-999")))
    window = tom.wait_for_modal("There is no cost code of the standard list in this message.")
    assert "• 99-999 M" in window.words
