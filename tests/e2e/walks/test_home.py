"""Section 1, App Home: the page of an approver, of a project engineer and of the administrator."""

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import in_small_office
from tests.e2e.office import Office
from tests.e2e.walk import Walk

pytestmark = [in_small_office, pytest.mark.timeout(600)]


def test_an_approver_finds_a_job_looks_and_updates_it_on_their_own_page(walk: Walk, office: Office) -> None:
    job, _ = office.requested("03-3000,M", "03-3110,S")
    walk.choose("costbot Home")
    home = walk.home
    expect(home).to_contain_text("You are an accounting approver")
    walk.search_home("Ready to Update", job)
    expect(home).to_contain_text(f"{job} Building {job}")
    expect(home).to_contain_text("2 cost codes, 2 assignments, 1 code new to Sage. Requested by Tom Beckett")
    walk.photograph("1-ready")

    walk.press("View Requested Updates", home)
    expect(walk.window).to_contain_text("Concrete as Sage has it")
    walk.photograph("2-window")
    walk.close_window()
    walk.press("Update", home, confirm=True)
    expect(walk.window).to_contain_text("It is updated, and goes out with the next data sync")
    walk.close_window()
    expect(home).to_contain_text(f"No job here has “{job}”")
    walk.photograph("3-gone")

    walk.search_home("Updated, on their way to Sage", job)
    expect(home).to_contain_text("Updated, waits for the data sync: by Dana Whitfield")
    walk.photograph("4-on-its-way")


def test_a_project_engineer_reads_why_and_asks_again(walk: Walk, office: Office) -> None:
    job, card = office.requested("03-3110,S")
    office.dana.click("Reject", card)
    office.dana.wait_for_modal("Why?")
    office.dana.submit({"comment": {"comment": "Pumping is in the concrete contract."}})
    office.dana.wait_for_modal("It is rejected")
    office.dana.close()
    expect(walk.window).to_be_hidden()
    walk.choose("Tom Beckett")
    walk.choose("costbot Home")
    expect(walk.home).to_contain_text("Tom Beckett needs permission Standard or Admin")
    walk.search_home("Requested by you", job)
    expect(walk.home).to_contain_text("by Dana Whitfield")
    expect(walk.home).to_contain_text("“Pumping is in the concrete contract.”")
    walk.photograph("1-rejected")

    walk.press("Ask again", walk.home, confirm=True)
    expect(walk.window).to_contain_text("It was asked for again, and is Ready to Update.")
    walk.close_window()
    expect(walk.home).to_contain_text("Ready to Update for less than a minute")
    walk.photograph("2-again")


def test_the_administrator_reads_who_may_update_and_who_nearly_may(walk: Walk) -> None:
    walk.choose("Marcus Oyelaran")
    walk.choose("costbot Home")
    expect(walk.home).to_contain_text("For the administrator")
    expect(walk.home).to_contain_text("May update (3): Dana Whitfield, Lucía Herrera, Marcus Oyelaran")
    expect(walk.home).to_contain_text("Priya Raman: the Can Push to Accounting privilege is missing")
    walk.photograph("1-administrator")
