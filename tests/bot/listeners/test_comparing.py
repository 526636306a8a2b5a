"""`/costcodes diff`: the window of what Procore, costbot and Sage have of a job."""

from bot.blocks.comparison_window import ROWS_A_PAGE
from bot.sandbox.client import Person
from tests import factories
from tests.bot.listeners.conftest import TITLE, Office


def test_the_window_shows_what_waits_after_sage_was_asked(office: Office, tom: Person) -> None:
    tom.slash("/costcodes diff 24-017")
    window = tom.wait_for_modal("An accounting approver has to Update or Reject it.")
    assert TITLE in window.words
    assert window.submit is None
    assert "costbot works with files here" in window.words
    assert office.read_back == [office.job_id]


def test_a_long_job_is_turned_over_page_by_page(office: Office, tom: Person) -> None:
    codes = {f"50-{number:03}": "Piping" for number in range(ROWS_A_PAGE)}
    with office.database.writing() as session:
        factories.standard_list(session, codes, {"W": "Water"})
    office.request(*(f"{code} W" for code in codes))
    tom.slash("/costcodes diff 24-017")
    assert "50-039" not in tom.wait_for_modal("Page 1 of 2.").words
    tom.click("Next")
    window = tom.wait_for_modal("Page 2 of 2.")
    assert "50-039" in window.words
    assert office.read_back == [office.job_id]
