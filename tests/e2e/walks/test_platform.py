"""Section 6, Slack as a platform: workflows, ancient buttons, and a reader of another language.

The message shortcut 'Request these cost codes' is walked in `test_asking`, once a request comes of it.
"""

import pytest
from playwright.sync_api import expect

from bot.blocks.pieces import Message
from bot.gateway import Gateway
from bot.sandbox.workspace import CHANNEL_ID
from tests.e2e.conftest import in_small_office
from tests.e2e.office import READY, Office
from tests.e2e.walk import Walk

pytestmark = [in_small_office, pytest.mark.timeout(600)]


@pytest.fixture
def gateway(office: Office) -> Gateway:
    """The way in which costbot posts: for a message of long ago."""
    return Gateway.connect(office.settings)


def test_cost_codes_of_a_message_are_added_to_what_was_begun(walk: Walk, office: Office) -> None:
    job = office.new_job()
    walk.choose("Tom Beckett")
    walk.say(f"For {job}, please:\n03-3110 S\n03-311O M")
    said = walk.page.get_by_role("log").get_by_role("article").filter(has_text=f"For {job}, please").last
    for shown in ("1-from-message", "2-added"):
        said.hover()
        said.get_by_role("button", name="Message shortcuts").click()
        walk.page.get_by_role("menuitem", name="Request these cost codes").click()
        expect(walk.window.get_by_label("Or write or paste them")).to_have_value("03-3110 S")
        expect(walk.window).to_contain_text("03-311O")
        if shown == "1-from-message":
            expect(walk.window).not_to_contain_text("You began this")
        else:
            expect(walk.window).to_contain_text("The cost codes of the message were added to it.")
        walk.photograph(shown)
        if shown == "2-added":
            walk.press("Start over", walk.window)
            expect(walk.window).not_to_contain_text("You began this")
        walk.close_window()


def test_a_workflow_asks_waits_and_goes_on_with_the_outcome(walk: Walk, office: Office) -> None:
    job = office.new_job()
    walk.choose("Tom Beckett")
    walk.choose("Workflows")
    pane = walk.page.get_by_role("region", name="Workflows")
    pane.get_by_label("Job number").fill(job)
    pane.get_by_label("Cost codes").fill("03-3110 S")
    pane.get_by_label("Note to the approver").fill("The pour is on Friday.")
    walk.photograph("1-form")
    walk.press("Run workflow", pane)
    run = pane.get_by_role("region", name="Workflow").first
    expect(run).to_contain_text(f"Requested 1 assignment for {job}")
    expect(run).to_contain_text("Wait for the Update Waits")
    run.scroll_into_view_if_needed()
    walk.photograph("2-waits")

    walk.choose("Dana Whitfield")
    walk.choose("# cost-codes")
    assert any("The pour is on Friday." in told for told in office.thread(job, "requested"))
    walk.press("Update", walk.card(job), confirm=True)
    expect(walk.card(job)).to_contain_text("Updated, waits for the data sync")

    walk.choose("Tom Beckett")
    walk.choose("Workflows")
    expect(run).to_contain_text("Dana Whitfield updated")
    expect(run).to_contain_text("Wait for the Update Done")
    run.scroll_into_view_if_needed()
    walk.photograph("3-outcome")
    run.get_by_role("link", name="Open the card").last.click()
    expect(walk.card(job)).to_be_in_viewport()


def test_an_ancient_button_is_answered(walk: Walk, office: Office, gateway: Gateway) -> None:
    old = {"type": "button", "text": {"type": "plain_text", "text": "Accept"}, "action_id": "approve_v0"}
    words = {"type": "section", "text": {"type": "mrkdwn", "text": "A card of two years ago"}}
    card = Message("A card of two years ago", (words, {"type": "actions", "elements": [old]}))
    gateway.post(CHANNEL_ID, card, key="card:0")
    shown = walk.page.get_by_role("article").filter(has_text="A card of two years ago").last
    walk.press("Accept", shown)
    answer = walk.answer("This costbot does not know that button any more, and nothing was changed.")
    expect(answer).to_be_visible()
    walk.photograph("1-answer")


def test_a_spanish_reader_sees_the_window_of_the_same_card_in_spanish(walk: Walk, office: Office) -> None:
    job, _ = office.requested("03-3110,S")
    walk.choose("Lucía Herrera")
    walk.press("View Requested Updates", walk.card(job))
    window = walk.window
    expect(window).to_contain_text("Solicitado por")
    expect(window).not_to_contain_text("Requested by")
    walk.photograph("1-window")
    window.get_by_role("button", name="Cerrar", exact=True).click()
    expect(window).to_be_hidden()
    office.card(job, READY)
