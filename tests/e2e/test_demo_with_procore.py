"""`costbot demo --source procore` as a project engineer and an approver walk it, in two tabs of a browser."""

import os
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from bot.commands import demo_procore
from tests.browser import PATIENCE_MILLISECONDS
from tests.e2e.office import answers
from tests.e2e.tree import PATIENCE, START_SECONDS, ProcessTree
from tests.e2e.walk import Walk
from tests.ports import free_ports

pytestmark = pytest.mark.timeout(600)

MAPLE, HARBOR = "25-009 Maple Street Apartments", "24-031 Harbor Point"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def demo(folder: Path) -> Iterator[str]:
    """The address of a demo with Procore beside Slack."""
    [port] = free_ports(1)
    tree = ProcessTree(folder, os.environ)
    tree.start("demo", "--source", "procore", "--port", str(port))
    try:
        url = f"http://127.0.0.1:{port}"
        tree.wait_for_start(partial(answers, f"{url}/"), "the demo can be opened")
        yield url
        assert tree.errors() == []
    finally:
        tree.stop()


@pytest.fixture
def tabs(demo: str, browser: Browser) -> Iterator[tuple[Page, Page]]:
    """Slack and Procore, each in a tab."""
    expect.set_options(timeout=PATIENCE * 1000)
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(PATIENCE * 1000)
    yield context.new_page(), context.new_page()
    context.close()
    expect.set_options(timeout=PATIENCE_MILLISECONDS)


class Project:
    """The page of a project in Procore."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def row(self, code: str) -> Locator:
        return self.page.get_by_role("row").filter(has=self.page.get_by_role("rowheader", name=code))

    def add(self, code: str, *types: str) -> None:
        self.page.get_by_label("Cost Code, of the ERP standard list").select_option(value=code)
        for kind in types:
            self.page.get_by_role("group", name="Cost Type", exact=True).get_by_label(kind).check()
        self.page.get_by_role("button", name="Add to project").click()
        expect(self.page.get_by_role("status")).to_contain_text(f"{code} ")


def _procores_directory_is_read(folder: Path, address: str) -> None:
    settings = demo_procore.settings(address) | {"COSTBOT_DATA_DIR": str(folder / ".demo")}
    command = [sys.executable, "-m", "bot.cli", "procore", "people"]
    subprocess.run(command, env={**os.environ, **settings}, check=True, timeout=START_SECONDS)


def test_a_code_added_on_procores_page_becomes_a_card_and_comes_back_as_synced(
    demo: str, tabs: tuple[Page, Page], folder: Path
) -> None:
    slack, procore = tabs
    procore.goto(demo)
    procore.get_by_role("link", name="Procore look-alike").click()
    walk, desk = Walk(slack, folder), Walk(procore, folder)
    expect(procore.get_by_role("row", name="24-038")).to_contain_text("60 cost types not in ERP yet")
    desk.photograph("1-projects")
    procore.get_by_role("link", name="Maple Street Apartments").click()
    project = Project(procore)
    project.add("04-2200", "M Material", "S Subcontract")
    expect(procore.get_by_role("row", name="Cost Codes create 04-2200")).to_contain_text("204")
    slack.goto(demo)
    expect(walk.card(MAPLE)).to_contain_text("1 cost code, 2 assignments")
    expect(walk.card(MAPLE)).to_contain_text("Requested by Tom Beckett")

    procore.get_by_label("Labor of 04-2200").check()
    project.add("09-6800", "S Subcontract")
    expect(walk.card(MAPLE)).to_contain_text("2 cost codes, 4 assignments")
    desk.photograph("2-project")
    procore.get_by_role("button", name="Remove 09-6800").click()
    expect(project.row("09-6800")).to_have_count(0)
    expect(walk.card(MAPLE)).to_contain_text("1 cost code, 3 assignments")
    procore.get_by_label("Subcontract of 04-2200").uncheck()
    expect(walk.card(MAPLE)).to_contain_text("1 cost code, 2 assignments")

    walk.press("Update", walk.card(MAPLE), confirm=True)
    walk.say("/costcodes sync")
    expect(walk.card(MAPLE)).to_contain_text("Synced")
    expect(project.row("04-2200")).to_contain_text("In ERP")
    expect(project.row("04-2200")).to_contain_text("25-009//04-2200")
    expect(procore.get_by_label("Labor of 04-2200, in ERP")).to_be_disabled()
    expect(procore.locator("#head")).to_contain_text("Synced")
    desk.photograph("3-synced")

    procore.get_by_role("link", name="Company Directory").click()
    procore.get_by_label("Dana Whitfield: Can push to accounting").uncheck()
    expect(procore.get_by_role("status")).to_contain_text("Dana Whitfield")
    desk.photograph("4-directory")
    _procores_directory_is_read(folder, demo)
    walk.press("Update", walk.card(HARBOR), confirm=True)
    expect(slack.get_by_text("Dana Whitfield does not have the Can Push to Accounting")).to_be_visible()
    expect(walk.card(HARBOR)).to_contain_text("Ready to Update")
    walk.photograph("5-refused")

    procore.set_viewport_size({"width": 390, "height": 844})
    desk.photograph("4-directory")
    for place in ("Webhooks", "Projects", "Maple Street Apartments"):
        procore.get_by_role("link", name=place).click()
        expect(procore.get_by_role("row").last).to_be_attached()
        desk.photograph(f"6-{place}")
