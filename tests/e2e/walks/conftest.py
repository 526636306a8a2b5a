"""Walks through the small office that these tests share: on a desk's screen and on a phone's."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Error, expect

from tests.browser import PATIENCE_MILLISECONDS
from tests.e2e.office import Office
from tests.e2e.tree import PATIENCE
from tests.e2e.walk import Walk
from tests.turns import SCREENS

_PATIENCE_MILLISECONDS = PATIENCE * 1000


@dataclass(frozen=True)
class Screen:
    """A screen in CSS pixels; a phone's is touched."""

    width: int
    height: int
    touched: bool


_DESK = Screen(1280, 800, touched=False)
_PHONE = Screen(390, 844, touched=True)
_SCREENS = dict(zip(SCREENS, (_DESK, _PHONE), strict=True))


@pytest.fixture(params=SCREENS)
def screen(request: pytest.FixtureRequest) -> Screen:
    """Each walk is walked on one of them, and by `make engines` on the other."""
    return _SCREENS[request.param]


@pytest.fixture
def walk(office: Office, screen: Screen, browser: Browser, tmp_path: Path) -> Iterator[Walk]:
    """Dana Whitfield before her screen; what she sees at the end is kept when the walk fails."""
    expect.set_options(timeout=_PATIENCE_MILLISECONDS)
    _close_windows(office)  # the other tests of this office leave some open
    size = {"width": screen.width, "height": screen.height}
    context = browser.new_context(viewport=size, has_touch=screen.touched)  # type: ignore[arg-type]
    page = context.new_page()
    page.set_default_timeout(_PATIENCE_MILLISECONDS)
    page.goto(office.sandbox.url)
    expect(page.get_by_text("costbot is connected")).to_be_attached()
    yield Walk(page, tmp_path)
    with suppress(Error):  # the page itself may be gone: then the walk's own error says more
        page.screenshot(path=tmp_path / "at-the-end.png")
    context.close()
    _close_windows(office)  # and so might this one, for them
    expect.set_options(timeout=PATIENCE_MILLISECONDS)


def _close_windows(office: Office) -> None:
    for person in (office.dana, office.marcus, office.priya, office.tom, office.lucia):
        while person.sees().modal:
            person.close()
