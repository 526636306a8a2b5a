"""A workflow with costbot's steps in a real browser, on a desk and on a phone."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from bot.sandbox import sample_company
from tests.bot.listeners.conftest import Office
from tests.bot.listeners.test_steps import deliver, known_steps, newest
from workflow.database import Database


@pytest.fixture
def database(sqlite_url: str) -> Iterator[Database]:
    """One kind of database: what differs is the browser."""
    database = Database(sqlite_url)
    yield database
    database.close()


@pytest.mark.parametrize("width", [1280, 390])
def test_a_person_runs_a_workflow_and_sees_what_came_of_it(
    office: Office, page: Page, tmp_path: Path, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    page.goto(f"{office.sandbox.url}/?as={sample_company.PROJECT_ENGINEER}")
    if width < 720:
        page.get_by_role("button", name="Open menu").click()
    page.get_by_role("button", name="Workflows").click()
    pane = page.get_by_role("region", name="Workflows")

    pane.get_by_label("Job number").fill("24-017")
    pane.get_by_label("Cost codes").fill("09-250 L\n99-999 M")
    pane.get_by_role("button", name="Run workflow").click()
    known_steps(office, 1)
    deliver(office)
    expect(pane).to_contain_text("line 2: cost code 99-999 is not on the standard cost code list")
    page.screenshot(path=tmp_path / "mend.png")

    pane.get_by_label("Cost codes").fill("09-250 L")
    pane.get_by_label("Note to the approver").fill("The pour is on Friday.")
    pane.get_by_role("button", name="Run workflow").click()
    known_steps(office, 2)
    deliver(office)
    expect(pane).to_contain_text("Requested 1 assignment for 24-017 Riverside Medical Center.")
    known_steps(office, 3)
    expect(pane).to_contain_text("Wait for the Update")

    office.site.accept(newest(office), at=datetime.now(UTC))
    deliver(office)
    expect(pane).to_contain_text("updated 24-017 Riverside Medical Center.")
    page.screenshot(path=tmp_path / "done.png")
    assert page.evaluate("document.documentElement.scrollWidth") <= width

    pane.get_by_role("link", name="Open the card").first.click()
    expect(page.get_by_role("log", name="Messages in #cost-codes")).to_be_visible()
    expect(page.get_by_role("article").filter(has_text="24-017").first).to_be_in_viewport()
    page.screenshot(path=tmp_path / "card.png")
