"""Section 2, asking from Slack: by the command and by a message's menu, and for the privilege."""

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import in_small_office
from tests.e2e.office import Office
from tests.e2e.walk import Walk

pytestmark = [in_small_office, pytest.mark.timeout(600)]


def test_pasted_lines_are_corrected_previewed_and_become_a_card(walk: Walk, office: Office) -> None:
    job = office.new_job()
    walk.choose("Tom Beckett")
    walk.say(f"/costcodes request {job}")
    window = walk.window
    expect(window.get_by_label("Or write or paste them")).to_be_visible()
    window.get_by_label("Or write or paste them").fill("03-3000 M\n03-311O S")
    walk.photograph("1-lines")
    walk.press("Next", window)
    expect(window).to_contain_text("line 2")
    walk.photograph("2-bad-line")

    window.get_by_label("Or write or paste them").fill("03-3000 M\n03-3110 S")
    walk.press("Next", window)
    expect(window).to_contain_text("2 assignments of 2 cost codes to request")
    walk.photograph("3-preview")
    walk.press("Request", window)
    expect(window).to_contain_text("2 new assignments. Ready to Update, revision 1")
    walk.close_window()
    expect(walk.card(job)).to_contain_text("Requested by Tom Beckett")
    walk.card(job).scroll_into_view_if_needed()
    walk.photograph("4-card")


def test_a_message_that_lists_cost_codes_becomes_a_request(walk: Walk, office: Office) -> None:
    job = office.new_job()
    walk.choose("Tom Beckett")
    walk.say(f"For {job} we need:\n03-3110 S")
    said = walk.page.get_by_role("log").get_by_role("article").filter(has_text=f"For {job} we need").last
    said.hover()
    said.get_by_role("button", name="Message shortcuts").click()
    walk.page.get_by_role("menuitem", name="Request these cost codes").click()
    expect(walk.window.get_by_label("Or write or paste them")).to_have_value("03-3110 S")
    walk.photograph("1-from-message")
    walk.press("Next", walk.window)
    expect(walk.window).to_contain_text("1 assignment of 1 cost code to request")
    walk.press("Request", walk.window)
    expect(walk.window).to_contain_text("1 new assignment. Ready to Update, revision 1")
    walk.close_window()
    expect(walk.card(job)).to_contain_text("03-3110")


def test_who_may_not_update_hears_why_and_is_answered_by_the_administrator(
    walk: Walk, office: Office
) -> None:
    job, _ = office.requested("03-3110,S")
    walk.choose("Tom Beckett")
    walk.press("Update", walk.card(job), confirm=True)
    denial = walk.answer("Tom Beckett needs permission Standard or Admin")
    expect(denial).to_be_visible()
    walk.photograph("1-refused")
    walk.press("Ask for the privilege", denial)
    walk.window.get_by_label("Why do you need it?").fill("Dana is away until Monday.")
    walk.photograph("2-reason")
    walk.press("Ask", walk.window)
    expect(walk.window).to_contain_text("Marcus Oyelaran was asked")
    walk.close_window()

    walk.choose("Marcus Oyelaran")
    walk.choose("costbot Messages")
    asked = walk.page.get_by_role("article").filter(has_text="Tom Beckett asks to become").last
    expect(asked).to_contain_text("Dana is away until Monday.")
    walk.photograph("3-asked")
    walk.press("Decline", asked)
    walk.window.get_by_label("Why?").fill("Two approvers are enough for now.")
    walk.press("Decline", walk.window)
    expect(walk.window).to_contain_text("Tom Beckett is told, with your comment.")
    walk.close_window()
    expect(asked).to_contain_text("Two approvers are enough for now.")
    walk.photograph("4-declined")
