"""`costbot demo` as a newcomer walks it: in a browser, by clicks, as three people, and on a phone."""

import os
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import FilePayload, Page, expect

from tests.browser import PATIENCE_MILLISECONDS
from tests.e2e.office import answers, free_ports
from tests.e2e.tree import PATIENCE, ProcessTree
from tests.e2e.walk import Walk
from tests.turns import SCREENS

pytestmark = pytest.mark.timeout(600)

RIVERSIDE, HARBOR, COLD_STORAGE = "24-017 Riverside Medical Center", "24-031 Harbor Point", "24-038 Miller"
WINDOW = "Cost Codes for Update"
WIDTHS = dict(zip(SCREENS, (1280, 390), strict=True))


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a demo of these tests' own."""
    [port] = free_ports(1)
    tree = ProcessTree(tmp_path_factory.mktemp("demo"), os.environ)
    tree.start("demo", "--port", str(port))
    try:
        url = f"http://127.0.0.1:{port}/"
        tree.wait_for_start(partial(answers, url), "the demo can be opened")
        yield url
    finally:
        tree.stop()


@pytest.fixture
def walk(demo: str, page: Page, tmp_path: Path) -> Iterator[Walk]:
    expect.set_options(timeout=PATIENCE * 1000)
    page.set_default_timeout(PATIENCE * 1000)
    page.goto(demo)
    expect(page.get_by_text("costbot is connected")).to_be_visible()
    yield Walk(page, tmp_path)
    expect.set_options(timeout=PATIENCE_MILLISECONDS)


def test_cost_codes_go_from_a_card_to_sage_by_clicks_alone(walk: Walk) -> None:
    page, card = walk.page, walk.card(RIVERSIDE)
    expect(card).to_contain_text("Ready to Update")
    walk.photograph("1-ready")

    walk.choose("Tom Beckett")
    walk.press("Update", card, confirm=True)
    expect(page.get_by_text("Tom Beckett needs permission Standard or Admin")).to_be_visible()
    walk.photograph("2-denied")

    walk.choose("Dana Whitfield")
    walk.press("View Requested Updates", card)
    window = page.get_by_role("dialog", name=WINDOW)
    expect(window).to_contain_text("03-3000")
    expect(window.locator("input, textarea, select")).to_have_count(0)
    expect(window.get_by_role("button", name="Update")).to_be_visible()
    walk.photograph("3-window")
    walk.press("Close", window)
    expect(window).to_be_hidden()

    walk.press("Update", card, confirm=True)
    # the data sync of each full minute may come first
    expect(card).to_contain_text(re.compile("Updated, waits for the data sync|Synced"))
    walk.photograph("4-updated")
    walk.say("/costcodes sync")
    expect(card).to_contain_text("Synced")
    card.get_by_role("button", name="replies").click()
    thread = page.get_by_role("complementary", name="Thread")
    expect(thread).to_contain_text("Sage holds every line")
    expect(thread).to_contain_text("Released, may be exported now")
    walk.photograph("5-synced")


def test_a_reject_reaches_whoever_requested_by_clicks_alone(walk: Walk) -> None:
    page, card = walk.page, walk.card(HARBOR)
    walk.press("Reject", card)
    window = page.get_by_role("dialog", name="Reject")
    window.get_by_label("Why?").fill("The deck has no excavation any more.")
    walk.photograph("1-reject")
    walk.press("Reject", window)
    expect(page.get_by_text("It is rejected")).to_be_visible()
    walk.press("Close", page.get_by_role("dialog"))

    expect(card).to_contain_text("The deck has no excavation any more.")
    walk.photograph("2-rejected")
    walk.choose("Tom Beckett")
    walk.choose("costbot Messages")
    told = page.get_by_role("log").get_by_text("The deck has no excavation any more.")
    expect(told).to_be_visible()
    walk.photograph("3-told")


def test_many_jobs_are_ticked_and_asked_about_on_a_phone(walk: Walk) -> None:
    page = walk.page
    page.set_viewport_size({"width": 390, "height": 844})
    walk.choose("Marcus Oyelaran")
    # the demo may still be asking for what waits at its start, and the window shows what does as it opens
    expect(walk.card(COLD_STORAGE)).to_contain_text("Ready to Update")
    walk.say("/costcodes update")
    window = page.get_by_role("dialog", name="Update several")
    expect(window).to_contain_text(COLD_STORAGE)
    window.get_by_label("Update 24-038").check()
    walk.photograph("1-list")
    walk.press("Next", window)
    expect(window).to_contain_text("Update 1 job?")
    expect(window.get_by_role("button", name="Update 1 job")).to_be_visible()
    walk.photograph("2-question")
    walk.press("Back to the list", window)
    expect(window.get_by_label("Update 24-038")).to_be_checked()
    walk.press("Close", window)
    expect(window).to_be_hidden()


@pytest.mark.parametrize(("width", "reader"), [(1280, "Dana Whitfield"), (390, "Marcus Oyelaran")])
def test_everything_fits_the_screen_of_a_desk_and_of_a_phone(walk: Walk, width: int, reader: str) -> None:
    page, card = walk.page, walk.card(COLD_STORAGE)
    page.set_viewport_size({"width": width, "height": 844})
    walk.choose(reader)
    expect(card).to_contain_text("Ready to Update")
    card.scroll_into_view_if_needed()
    walk.photograph("1-card")

    walk.press("View Requested Updates", card)
    window = page.get_by_role("dialog", name=WINDOW)
    expect(window).to_contain_text("07-1100")
    walk.photograph("2-window")
    walk.press("Close", window)
    card.get_by_role("button", name="replies").or_(card.get_by_role("button", name="1 reply")).click()
    thread = page.get_by_role("complementary", name="Thread")
    expect(thread).to_contain_text("Tom Beckett requested 60 assignments")
    walk.photograph("3-thread")
    thread.get_by_role("button", name="Close thread").click()

    walk.say("/costcodes jobs all")
    # the list may be taller than a phone: its end is in view
    expect(page.get_by_text("Jobs with requested cost codes").last).to_be_visible()
    expect(page.get_by_role("log").get_by_role("button").last).to_be_in_viewport()
    walk.photograph("4-jobs")
    walk.choose("costbot Home")
    expect(page.get_by_role("region", name="App Home")).to_contain_text(COLD_STORAGE)
    walk.photograph("5-home")
    walk.choose("costbot Messages")
    expect(page.get_by_role("log")).to_contain_text(COLD_STORAGE)
    walk.photograph("6-messages")


@pytest.mark.parametrize("screen", SCREENS)
def test_cost_codes_are_asked_for_by_clicks_and_typing_alone(walk: Walk, screen: str) -> None:
    page, job = walk.page, {"desk": "Fairview High School Gym", "phone": "Cedar Ridge Water Plant"}[screen]
    page.set_viewport_size({"width": WIDTHS[screen], "height": 844})
    walk.choose("Tom Beckett")
    page.get_by_role("button", name="Shortcuts", exact=True).click()
    page.get_by_role("menuitem", name="Request cost codes").click()
    window = page.get_by_role("dialog", name="Request cost codes")
    window.get_by_label("Job", exact=True).fill(job[:5].lower())
    window.get_by_role("option", name=job).click()
    window.get_by_label("Cost codes of the standard list").fill("gypsum")
    window.get_by_role("option", name="09-2110").click()
    window.get_by_label("Or write or paste them").fill("03-3030 L,M\nplease")
    walk.press("Next", window)
    expect(window).to_contain_text("line 2: “please” does not begin with a cost code")
    walk.photograph("1-problems")

    window.get_by_label("Or write or paste them").fill("03-3030 L,M")
    more = FilePayload(name="more.csv", mimeType="text/csv", buffer=b"code,category\n04-2200,M\n")
    window.locator("input[type=file]").set_input_files(files=[more])
    expect(window).to_contain_text("more.csv")
    walk.press("Next", window)
    expect(window).to_contain_text("Which categories?")
    walk.photograph("2-grid")
    walk.press("Next", window)
    expect(window).to_contain_text("6 assignments of 3 cost codes to request")
    walk.photograph("3-preview")
    walk.press("Request", window)
    answer = page.get_by_role("dialog", name="Cost codes")
    expect(answer).to_contain_text("6 new assignments. Ready to Update, revision 1")
    walk.photograph("4-requested")
    walk.press("Close", answer)
    expect(walk.card(job)).to_contain_text("Ready to Update")


@pytest.mark.parametrize("screen", SCREENS)
def test_an_approver_who_has_set_slack_to_spanish_reads_spanish_from_end_to_end(
    walk: Walk, screen: str
) -> None:
    job = {"desk": "25-003 City Hall Seismic Retrofit", "phone": "25-014 Union Station Concourse"}[screen]
    page, card = walk.page, walk.card(job)
    page.set_viewport_size({"width": WIDTHS[screen], "height": 844})
    walk.choose("Lucía Herrera")
    expect(card).to_contain_text("Ready to Update")  # the channel reads the company's language
    walk.choose("costbot Messages")
    expect(page.get_by_role("log")).to_contain_text("solicitó")
    walk.photograph("1-told")

    walk.choose("costbot Home")
    home = page.get_by_role("region", name="App Home")
    expect(home).to_contain_text("Última sincronización de datos")
    expect(home).to_contain_text("listas para actualizar")
    walk.photograph("2-home")

    walk.choose("cost-codes")
    walk.press("View Requested Updates", card)
    window = page.get_by_role("dialog", name="Códigos por actualizar")
    expect(window).to_contain_text("Solo lectura.")
    walk.photograph("3-window")
    walk.press("Actualizar", window)
    answer = page.get_by_role("dialog").get_by_text("Quedó actualizada")
    expect(answer).to_be_visible()
    walk.photograph("4-updated")
    walk.press("Cerrar", page.get_by_role("dialog"))
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(card).not_to_contain_text("Ready to Update")

    walk.say("/costcodes update")
    several = page.get_by_role("dialog", name="Actualizar varias")
    expect(several).to_contain_text(re.compile("Márquela|Marque las que desea"))
    walk.photograph("5-several")
    walk.press("Cerrar", several)
    expect(several).to_be_hidden()
    walk.say("/costcodes request")
    request = page.get_by_role("dialog", name="Solicitar códigos")
    expect(request).to_contain_text("Códigos de costo de la lista estándar")
    walk.photograph("6-request")
    walk.press("Cerrar", request)
    expect(request).to_be_hidden()
    walk.say("/costcodes help")
    expect(page.get_by_text("muestra los contratos y las órdenes de cambio que esperan").last).to_be_visible()
    walk.photograph("7-help")
