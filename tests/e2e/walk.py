"""Somebody in front of the sandbox's page: goes places, presses, types, looks whether all fits the screen."""

from pathlib import Path

from playwright.sync_api import Locator, Page, expect

_HOME = "App Home"
_CUT_OFF = """() => {
    const wide = window.innerWidth;
    const seen = (e) => e.checkVisibility({visibilityProperty: true}) && e.getClientRects().length > 0;
    // what scrolls sideways by itself, as Slack's tables do, may be wider than the screen; what lies
    // beside the screen as a whole, as the closed menu does, is not looked at
    const scrolls = (e) => e && (/auto|scroll/.test(getComputedStyle(e).overflowX) && e.closest('.table')
        || scrolls(e.parentElement));
    const found = [];
    for (const e of document.querySelectorAll('body *')) {
        if (!seen(e) || scrolls(e)) continue;
        const box = e.getBoundingClientRect();
        const beside = box.width > 0 && box.right > wide + 1 && box.left < wide;
        const inside = ['BUTTON', 'H1', 'H2', 'H3', 'LABEL'].includes(e.tagName)
            && e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 0;
        if (beside || inside) found.push(`${e.tagName} ${e.className}: ${e.textContent.slice(0, 60)}`);
    }
    return found;
}"""


class Walk:
    """Somebody in front of the page, who photographs what there is to see."""

    def __init__(self, page: Page, album: Path) -> None:
        self.page = page
        self._album = album

    @property
    def window(self) -> Locator:
        """The open window."""
        return self.page.get_by_role("dialog")

    @property
    def home(self) -> Locator:
        """App Home."""
        return self.page.get_by_role("region", name=_HOME)

    def choose(self, name: str) -> None:
        """Press this in the side bar: a person to be, or a place to look at."""
        menu = self.page.get_by_role("button", name="Open menu")
        if menu.is_visible():
            menu.click()
        self.page.get_by_role("button", name=name).click()

    def card(self, job: str) -> Locator:
        """The card of a job in the channel."""
        view = self.page.get_by_role("button", name="View Requested Updates")
        everything = self.page.get_by_role("log", name="Messages in #cost-codes").get_by_role("article")
        return everything.filter(has_text=job, has_not_text="Only visible to you").filter(has=view)

    def answer(self, saying: str) -> Locator:
        """What costbot says to this person alone."""
        mine = self.page.get_by_role("article").filter(has_text="Only visible to you")
        return mine.filter(has_text=saying).last

    def press(self, name: str, on: Locator, confirm: bool = False) -> None:
        """Press a button, and say yes where it asks."""
        on.get_by_role("button", name=name, exact=True).click()
        if confirm:
            asked = self.page.get_by_role("alertdialog")
            asked.get_by_role("button", name=name, exact=True).click()

    def close_window(self) -> None:
        """Close the open window, and return once it is gone."""
        self.press("Close", self.window)
        expect(self.window).to_be_hidden()

    def say(self, text: str) -> None:
        """Type a message or a command into the channel."""
        self.page.get_by_role("textbox", name="Message #cost-codes").fill(text)
        self.page.keyboard.press("Enter")

    def search_home(self, which: str, text: str) -> None:
        """Narrow App Home's list of jobs to a filter and a text."""
        menu = self.home.get_by_role("combobox", name="Which jobs")
        if menu.locator("option:checked").inner_text() != which:
            menu.select_option(label=which)
            expect(self.home.get_by_role("heading", name=which)).to_be_visible()
        box = self.home.get_by_role("textbox", name="Search by job number or name, then press Enter")
        box.fill(text)
        box.press("Enter")
        expect(self.home).to_contain_text(f"“{text}”")

    def photograph(self, name: str) -> None:
        """Keep what is on the screen; nothing of it may lie beside the screen, or be cut off."""
        width = self.page.evaluate("window.innerWidth")
        self.page.screenshot(path=self._album / f"{name}-{width}.png", animations="disabled")
        assert self.page.evaluate("document.documentElement.scrollWidth") <= width, name
        assert self.page.evaluate(_CUT_OFF) == [], name
