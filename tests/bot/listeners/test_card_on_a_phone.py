"""The job's card on a phone: the whole of its table can be read without pushing it aside."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests import factories
from tests.bot.listeners.conftest import TITLE, Office
from tests.factories import NINE
from workflow import lines
from workflow.database import Database
from workflow.merge import Assignment, SageCode, SageJob


@pytest.fixture
def database(sqlite_url: str) -> Iterator[Database]:
    """One kind of database: what differs is the browser."""
    database = Database(sqlite_url)
    yield database
    database.close()


@pytest.mark.parametrize("refused", [False, True])
def test_every_column_of_the_card_is_on_the_screen(office: Office, page: Page, refused: bool) -> None:
    office.site.sage.hold("24-017", "01-1110", "Superintendent", "L")
    with office.database.writing() as session:
        factories.standard_list(session, {"01-1110": "Superintendent", "05-4000": "Cold-Formed Metal"}, {})
    update = office.request("01-100 L", "01-100 M", "01-100 S", "09-250 L", "01-1110 L", "05-4000 L")
    with office.database.writing() as session:
        held = {("", "01-1110"): SageCode("Superintendent", frozenset({"L"}))}
        lines.store_read_back(session, office.site.job, SageJob("24-017", TITLE, held), at=NINE)
        lines.mark_standing(
            session,
            lines.open_of(session, office.job_id),
            lines.held_by_sage(session, office.job_id),
        )
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
