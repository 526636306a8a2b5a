"""`/costcodes notify`, `away` and Ask again in a real browser, on a desk and on a phone."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from bot.sandbox import sample_company
from tests.bot.listeners.conftest import Office
from workflow import directory, preferences
from workflow.database import Database
from workflow.vocabulary import Notify

TODAY = datetime.now(UTC).date()


@pytest.fixture
def database(sqlite_url: str) -> Iterator[Database]:
    """One kind of database: what differs is the browser."""
    database = Database(sqlite_url)
    yield database
    database.close()


def type_command(page: Page, text: str) -> None:
    box = page.get_by_role("textbox").last
    box.fill(text)
    box.press("Enter")


@pytest.mark.parametrize("width", [1280, 390])
def test_an_approver_chooses_messages_and_who_stands_in(
    office: Office, page: Page, tmp_path: Path, width: int
) -> None:
    office.site.reject(office.request("03-300 L"))
    office.post_card()
    page.set_viewport_size({"width": width, "height": 844})
    page.goto(office.sandbox.url)

    type_command(page, "/costcodes notify")
    window = page.get_by_role("dialog", name="Messages to you")
    window.get_by_role("radio", name="Daily digest").check()
    window.get_by_label("Quiet hours from").select_option("19:00")
    window.get_by_label("Quiet hours until").select_option("07:00")
    page.screenshot(path=tmp_path / "notify.png")
    window.get_by_role("button", name="Save").click()
    expect(page.get_by_role("dialog")).to_contain_text("Quiet hours 19:00 to 07:00")
    page.get_by_role("dialog").get_by_role("button", name="Close").click()
    expect(page.get_by_role("dialog")).to_have_count(0)

    type_command(page, f"/costcodes away {TODAY}..{TODAY + timedelta(days=3)} to @marcus.oyelaran")
    expect(page.get_by_text("Marcus Oyelaran stands in").last).to_be_visible()
    page.screenshot(path=tmp_path / "away.png")
    page.get_by_role("button", name="Ask again", exact=True).click()
    page.get_by_role("alertdialog").get_by_role("button", name="Ask again", exact=True).click()
    expect(page.get_by_text("It was asked for again").last).to_be_visible()
    page.screenshot(path=tmp_path / "again.png")

    with office.database.reading() as session:
        dana = directory.person_by_email(session, sample_company.APPROVER)
        assert dana is not None
        assert preferences.choices_of(session, [dana.id])[dana.id].notify is Notify.DAILY
