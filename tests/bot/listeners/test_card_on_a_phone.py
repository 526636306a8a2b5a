"""The job's card on a phone: the whole of its table can be read without pushing it aside."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.bot.listeners.conftest import Office
from workflow.database import Database
from workflow.merge import Assignment


@pytest.fixture
def database(sqlite_url: str) -> Iterator[Database]:
    """One kind of database: what differs is the browser."""
    database = Database(sqlite_url)
    yield database
    database.close()


@pytest.mark.parametrize("refused", [False, True])
def test_every_column_of_the_card_is_on_the_screen(office: Office, page: Page, refused: bool) -> None:
    update = office.request("01-100 L", "01-100 M", "01-100 S", "09-250 L")
    if refused:
        office.site.sage.refuses[Assignment("09-250", "L")] = "Cost code is not on the standard list"
        office.site.accept(update)
        office.site.data_sync()
    office.post_card()
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(office.sandbox.url)
    table = page.get_by_role("article").get_by_role("group", name="Table").last
    expect(table).to_be_visible()
    widths = table.evaluate("one => [one.scrollWidth, one.clientWidth, one.scrollHeight, one.clientHeight]")
    assert widths[0] <= widths[1]
    assert widths[2] <= widths[3]
