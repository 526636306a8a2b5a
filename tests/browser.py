"""Headless Chromium for the tests of pages: the system's own where there is one, else Playwright's.

As a program it opens one page and says in one line what is missing when it cannot.
"""

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Error, sync_playwright

# the first draws the same without windows, which would take twice as much work as the pages in them
_SYSTEM_NAMES = (
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
)
_ARGUMENTS = (
    "--no-sandbox",  # containers and root have none to offer
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

PATIENCE_MILLISECONDS = 60_000.0
"""How long a page is waited for that takes a moment on a machine with nothing else to do."""


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser with a fresh profile; raises Playwright's error when there is none to run."""
    path = next(filter(None, map(shutil.which, _SYSTEM_NAMES)), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=_ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


def _main() -> None:
    try:
        with chromium() as browser:
            browser.new_page().goto("about:blank")
    except Error as error:
        reason = error.message.strip().splitlines()[0]
        sys.exit(f"costbot: the tests of pages need Chromium: 'sudo apt-get install chromium' ({reason})")


if __name__ == "__main__":
    _main()
