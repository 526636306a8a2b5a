"""Section 3, many at once: several jobs are ticked, one changes meanwhile, each has its own result."""

import pytest
from playwright.sync_api import Locator, expect

from tests.e2e.conftest import in_small_office
from tests.e2e.office import Office
from tests.e2e.walk import Walk

pytestmark = [in_small_office, pytest.mark.timeout(600)]


def test_several_jobs_are_updated_at_once_and_the_changed_one_is_not(walk: Walk, office: Office) -> None:
    quiet, changing = (office.requested("03-3110,S")[0] for _ in range(2))
    walk.say("/costcodes update")
    window = walk.window
    expect(window).to_contain_text("oldest first. Tick those to update, then Next.")
    _turn_to_the_newest(window)
    for job in (quiet, changing):
        _tick(window, job)
    walk.photograph("1-ticked")
    walk.press("Next", window)
    expect(window).to_contain_text("Update 2 jobs?")
    walk.photograph("2-question")

    office.ask(changing, "03-6000,L")
    walk.press("Update 2 jobs", window)
    expect(window).to_contain_text("Update several: 1 updated; 1 not updated")
    expect(window).to_contain_text(
        f"{changing} Building {changing}: Changed since you looked: 1 assignment came"
    )
    expect(window).to_contain_text(f"{quiet} Building {quiet}: Updated.")
    walk.photograph("3-results")
    walk.close_window()
    expect(walk.card(quiet)).to_contain_text("Updated, waits for the data sync")
    expect(walk.card(changing)).to_contain_text("Ready to Update")


def _turn_to_the_newest(window: Locator) -> None:
    """Other walks may have left so many jobs that the newest are not on the first page."""
    page, onward = 1, window.get_by_role("button", name="Next page")
    while onward.is_visible():
        onward.click()
        page += 1
        expect(window).to_contain_text(f"Page {page} of")


def _tick(window: Locator, job: str) -> None:
    box = window.get_by_label(f"Update {job}")
    box.check()
    expect(box).to_be_checked()
