"""The page in a real browser: what people see of the workspace, and that their clicks and words arrive."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from bot.blocks.limits import escape
from bot.sandbox import sample_company
from bot.sandbox.client import Sandbox
from bot.sandbox.workspace import CHANNEL_ID
from tests.bot.sandbox.trial_app import CARD, TrialApp, button, eventually, plain

DATA = "Pipe & fittings <!channel> *not bold* _x_ `code` :tada:"


@pytest.fixture
def app(sandbox: Sandbox) -> Iterator[TrialApp]:
    with TrialApp(sandbox).connected(sandbox) as app:
        yield app


@pytest.fixture
def dana(page: Page, sandbox: Sandbox, app: TrialApp) -> Page:
    """The page, with Dana in front of it, and nothing asked of any other host."""
    page.on("request", lambda request: _only_here(request.url, sandbox.url))
    page.goto(sandbox.url)
    expect(page.get_by_text("costbot is connected")).to_be_visible()
    return page


def _only_here(url: str, home: str) -> None:
    assert url.startswith((home, "data:")), f"the page asked for {url}"


def post(app: TrialApp, *blocks: dict[str, Any], **more: Any) -> str:
    answer = app.client.chat_postMessage(channel=CHANNEL_ID, text="card", blocks=list(blocks), **more)
    return str(answer["ts"])


def mrkdwn(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def test_a_card_is_drawn_as_slack_draws_it(dana: Page, app: TrialApp) -> None:
    rows = [
        [{"type": "raw_text", "text": "Cost code"}, {"type": "raw_text", "text": "Lines"}],
        [{"type": "raw_text", "text": "03-3000 & more"}, {"type": "raw_number", "value": 3}],
    ]
    now = int(time.time())
    post(
        app,
        {"type": "header", "text": plain("Ready to Update")},
        mrkdwn(f"*Bold* by <@U0TOM> <!date^{now}^{{date_short_pretty}}|then>\n{escape(DATA)}"),
        {"type": "table", "rows": rows},
        {"type": "context", "elements": [{"type": "mrkdwn", "text": "Revision 2 :warning:"}]},
        {
            "type": "rich_text",
            "elements": [
                {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "L  ☑  M  ☐"}]}
            ],
        },
    )
    card = dana.get_by_role("article", name="costbot")
    expect(card.get_by_text("Ready to Update")).to_be_visible()
    expect(card.locator("strong", has_text="Bold")).to_be_visible()
    expect(card.get_by_text("@Tom Beckett")).to_be_visible()
    expect(card.get_by_text("today")).to_be_visible()
    expect(card.get_by_role("columnheader", name="Cost code")).to_be_visible()
    expect(card.get_by_role("cell", name="03-3000 & more")).to_be_visible()
    expect(card.get_by_role("cell", name="3", exact=True)).to_be_visible()
    expect(card.get_by_text("Revision 2 ⚠️")).to_be_visible()
    expect(card.locator("pre", has_text="L  ☑  M  ☐")).to_be_visible()
    assert DATA in card.inner_text().replace("\u200b", "")


def test_a_button_asks_before_it_acts(dana: Page, app: TrialApp) -> None:
    post(app, *CARD)
    dana.get_by_role("button", name="Update").click()
    asked = dana.get_by_role("alertdialog", name="Update?")
    expect(asked.get_by_text("14 lines")).to_be_visible()
    asked.get_by_role("button", name="Back").click()
    expect(asked).to_be_hidden()
    assert app.told == []
    dana.get_by_role("button", name="Update").click()
    asked.get_by_role("button", name="Update").click()
    eventually(lambda: app.kinds() == ["click"])
    dana.get_by_role("button", name="More actions").click()
    dana.get_by_role("menuitem", name="History").click()
    eventually(lambda: app.kinds() == ["click", "click"])


def test_windows_open_stack_and_close(dana: Page, app: TrialApp) -> None:
    post(app, *CARD)
    dana.get_by_role("button", name="View").click()
    window = dana.get_by_role("dialog", name="Codes")
    window.get_by_role("button", name="Next").click()
    second = dana.get_by_role("dialog", name="Second")
    second.get_by_role("button", name="Close").click()
    expect(window).to_be_visible()
    dana.keyboard.press("Escape")
    expect(dana.get_by_role("dialog")).to_have_count(0)


def test_a_window_takes_words_and_shows_what_is_wrong(dana: Page, app: TrialApp) -> None:
    dana.get_by_role("textbox", name="Message #cost-codes").fill("/costcodes reject")
    dana.keyboard.press("Enter")
    window = dana.get_by_role("dialog", name="Reject")
    window.get_by_role("button", name="Send").click()
    expect(window.get_by_role("alert")).to_have_text("Please complete this required field.")
    window.get_by_label("Comment").fill("short")
    window.get_by_role("button", name="Send").click()
    expect(window.get_by_role("alert")).to_have_text("Say a little more")
    window.get_by_label("Comment").fill("Wrong category")
    window.get_by_label("Category").fill("cost")
    window.get_by_role("option", name="Labor cost").click()
    window.get_by_role("button", name="Send").click()
    expect(window).to_be_hidden()
    values = app.told[-1][1]["view"]["state"]["values"]
    assert values["comment"]["text"]["value"] == "Wrong category"
    assert values["category"]["pick"]["selected_option"]["value"] == "L"


def test_a_command_is_answered_to_its_person_alone(dana: Page, app: TrialApp) -> None:
    dana.get_by_role("textbox", name="Message #cost-codes").fill("/costcodes help")
    dana.get_by_role("button", name="Send").click()
    answer = dana.get_by_role("article", name="costbot")
    expect(answer.get_by_text("Only visible to you")).to_be_visible()
    expect(answer.locator("code", has_text="/costcodes jobs")).to_be_visible()
    dana.get_by_role("button", name="Tom Beckett").click()
    expect(dana.get_by_text("Nothing here yet")).to_be_visible()


def test_an_answer_to_the_reader_alone_comes_into_view(dana: Page, app: TrialApp) -> None:
    for _ in range(8):
        post(app, *CARD)
    expect(dana.get_by_role("button", name="View")).to_have_count(8)
    dana.get_by_role("button", name="View").first.scroll_into_view_if_needed()
    app.client.chat_postEphemeral(channel=CHANNEL_ID, user="U0DANA", text="You may not update")
    expect(dana.get_by_text("You may not update")).to_be_in_viewport()


def test_a_thread_is_read_and_answered_beside_its_card(dana: Page, app: TrialApp) -> None:
    ts = post(app, *CARD)
    app.client.chat_postMessage(channel=CHANNEL_ID, thread_ts=ts, text="Tom requested 14 lines")
    dana.get_by_role("button", name="1 reply").click()
    thread = dana.get_by_role("complementary", name="Thread")
    expect(thread.get_by_text("Tom requested 14 lines")).to_be_visible()
    thread.get_by_role("textbox", name="Reply").fill("Thanks & <bye>")
    dana.keyboard.press("Enter")
    expect(thread.get_by_text("Thanks & <bye>")).to_be_visible()
    expect(dana.get_by_role("button", name="2 replies")).to_be_visible()
    thread.get_by_role("button", name="Close thread").click()
    expect(thread).to_be_hidden()


def test_direct_messages_and_home_are_each_persons_own(dana: Page, app: TrialApp) -> None:
    app.client.chat_postMessage(channel="U0DANA", text="*24-017* waits for you")
    home = [mrkdwn("Jobs Ready to Update") | {"accessory": button("view", "Open")}]
    app.client.views_publish(user_id="U0DANA", view={"type": "home", "blocks": home})
    messages = dana.get_by_role("button", name="costbot Messages")
    expect(messages.get_by_label("1 unread")).to_be_visible()
    messages.click()
    expect(dana.get_by_text("24-017 waits for you")).to_be_visible()
    dana.get_by_role("button", name="costbot Home").click()
    expect(dana.get_by_text("Jobs Ready to Update")).to_be_visible()
    dana.get_by_role("button", name="Open").click()
    expect(dana.get_by_role("dialog", name="Codes")).to_be_visible()
    eventually(lambda: {"event", "click"} <= set(app.kinds()))


def test_an_error_is_shown_as_a_toast(dana: Page, app: TrialApp, sandbox: Sandbox) -> None:
    post(app, *CARD)
    expect(dana.get_by_role("button", name="View")).to_be_visible()
    sandbox.switch(events_url="http://127.0.0.1:9/")
    dana.get_by_role("button", name="View").click()
    expect(dana.get_by_role("alert")).to_contain_text("We had some trouble connecting")


@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_fits_its_screen(dana: Page, app: TrialApp, width: int) -> None:
    dana.set_viewport_size({"width": width, "height": 844})
    for _ in range(5):
        post(app, *CARD)
    expect(dana.get_by_role("button", name="Update").last).to_be_in_viewport()
    expect(dana.get_by_role("textbox", name="Message #cost-codes")).to_be_in_viewport()
    assert dana.evaluate("document.documentElement.scrollWidth") <= width
    menu = dana.get_by_role("button", name="Open menu")
    assert menu.is_visible() == (width < 720)
    if menu.is_visible():
        menu.click()
    dana.get_by_role("button", name="Marcus Oyelaran").click()
    expect(dana.get_by_role("main").get_by_text("Marcus Oyelaran")).to_be_visible()


def test_a_link_to_the_page_may_name_its_person(dana: Page, sandbox: Sandbox) -> None:
    dana.goto(f"{sandbox.url}/?as={sample_company.GUEST}")
    expect(dana.get_by_role("main").get_by_text("Grace Lindqvist")).to_be_visible()


@pytest.mark.parametrize("width", [1280, 390])
def test_the_address_of_a_message_leads_to_that_message_for_whoever_follows_it(
    dana: Page, app: TrialApp, sandbox: Sandbox, width: int
) -> None:
    dana.set_viewport_size({"width": width, "height": 844})
    first = post(app, mrkdwn("The card of 24-017"))
    reply = post(app, mrkdwn("Updated by Dana"), thread_ts=first)
    address = app.client.chat_getPermalink(channel=CHANNEL_ID, message_ts=first)["permalink"]
    in_thread = app.client.chat_getPermalink(channel=CHANNEL_ID, message_ts=reply)["permalink"]
    for _ in range(12):
        post(app, *CARD)
    post(app, mrkdwn(f"<{address}|Open the card> <{in_thread}|Open the answer>"))
    dana.goto(f"{sandbox.url}/?as={sample_company.SECOND_APPROVER}")
    card = dana.get_by_role("article").filter(has_text="The card of 24-017")
    expect(card).not_to_be_in_viewport()

    dana.get_by_role("link", name="Open the card").click()
    expect(card).to_be_in_viewport(ratio=1)
    post(app, *CARD)
    expect(dana.get_by_role("article")).to_have_count(15)
    expect(card).to_be_in_viewport(ratio=1)
    expect(dana.get_by_role("main").get_by_text("Marcus Oyelaran")).to_be_visible()

    dana.get_by_role("link", name="Open the answer").click()
    thread = dana.get_by_role("complementary", name="Thread")
    expect(thread.get_by_text("Updated by Dana")).to_be_in_viewport()

    dana.goto("about:blank")
    dana.goto(address)
    expect(card).to_be_in_viewport(ratio=1)
