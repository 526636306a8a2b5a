"""`make pictures`: walks the sandbox as the sample company's people and photographs it for `docs/`.

The pictures are the program's own: the same processes as `costbot demo`, clicked through in a browser.
What a clock shows is fixed, so that a picture changes only when the program does.
"""

import tempfile
from pathlib import Path

from PIL import Image, ImageChops
from playwright.sync_api import Browser, Locator, Page, ViewportSize, expect

from bot.commands import demo_company
from bot.sandbox import sample_company, workspace
from bot.sandbox.server import running
from bot.sandbox.with_procore import create_both
from tests.browser import chromium
from tests.e2e.office import READY, Office
from tests.e2e.tree import PATIENCE
from tests.e2e.walk import Walk

FOLDER = Path(__file__).parent.parent / "docs" / "images"
_DESK = ViewportSize(width=1160, height=800)
_TALL = ViewportSize(width=1160, height=830)
_PHONE = ViewportSize(width=390, height=780)
_COLOURS, _WITH_PALE_ONES = 96, 256
_MARGIN = 24
_SAME_CLOCK = """
const dated = Date.prototype.toLocaleString;
const clock = (d) => d > Date.now() ? '10:00 AM' : '9:30 AM';
Date.prototype.toLocaleTimeString = function () { return clock(this); };
Date.prototype.toLocaleString = function (l, o) {
    return o && o.hour ? clock(this) : dated.call(this, l, o);
};
"""
RIVERSIDE, HARBOR, CITY_HALL, STATION = "24-017", "24-031", "25-003", "25-014"
MAPLE, FAIRVIEW = "25-009", "25-026"


class _SampleCompany(Office):
    """Kestrel Builders as the demo has it, with nothing that happens by itself."""

    def load_company(self) -> None:
        demo_company.load(self.line)

    def has_asked_for(self, *jobs: str) -> None:
        """Tom has requested what the sample company's files list, and the cards are there."""
        for request in sample_company.requests():
            if request.job in jobs:
                rows = request.path.read_text(encoding="utf-8").splitlines()[1:]
                self.ask(request.job, *rows)
        self.nudge()
        for job in jobs:
            self.card(job, READY)


class _Photographer:
    """One screen, and where its pictures go."""

    def __init__(
        self, browser: Browser, url: str, size: ViewportSize, ready: str = "costbot is connected"
    ) -> None:
        context = browser.new_context(viewport=size, device_scale_factor=2, has_touch=size == _PHONE)
        context.add_init_script(_SAME_CLOCK)
        self.page: Page = context.new_page()
        self.page.set_default_timeout(PATIENCE * 1000)
        self.page.goto(url)
        expect(self.page.get_by_text(ready)).to_be_attached()
        self.walk = Walk(self.page, FOLDER)

    def take(self, name: str, of: Locator | None = None, colours: int = _COLOURS) -> None:
        """Save one picture, of part of the page or of all that is on the screen."""
        path = FOLDER / f"{name}.png"
        self.page.evaluate("document.activeElement && document.activeElement.blur()")
        self.page.mouse.move(0, 0)
        if of is None:
            self.page.screenshot(path=path, animations="disabled")
        else:
            of.scroll_into_view_if_needed()
            of.screenshot(path=path, animations="disabled")
        with Image.open(path) as taken:
            picture = _without_empty_end(taken.convert("RGB"))
        # the method that keeps the few dots of colour which tell the state
        few = picture.quantize(colours, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
        few.save(path, optimize=True)


def _without_empty_end(picture: Image.Image) -> Image.Image:
    """The picture without the white below the last thing in it."""
    drawn = ImageChops.invert(picture).getbbox()
    bottom = min(drawn[3] + _MARGIN, picture.height) if drawn else picture.height
    return picture.crop((0, 0, picture.width, bottom))


def _of_approvers(office: _SampleCompany, desk: _Photographer, phone: _Photographer) -> None:
    walk = desk.walk
    desk.take("card", walk.card(CITY_HALL))
    walk.press("View Requested Updates", walk.card(RIVERSIDE))
    expect(walk.window).to_contain_text("03-3000")
    desk.take("view", walk.window)
    office.ask(RIVERSIDE, "09-5100,S")
    walk.press("Update", walk.window)
    expect(walk.window).to_contain_text("since you looked")
    desk.take("stale", walk.window)
    walk.close_window()

    walk.say("/costcodes update")
    for job in (CITY_HALL, STATION):
        walk.window.get_by_label(f"Update {job}").check()
    walk.press("Next", walk.window)
    expect(walk.window).to_contain_text("Update 2 jobs?")
    office.ask(STATION, "09-5100,S")
    walk.press("Update 2 jobs", walk.window)
    expect(walk.window).to_contain_text("1 updated; 1 not updated")
    desk.take("several", walk.window)
    walk.close_window()

    phone.walk.choose("costbot Home")
    expect(phone.walk.home).to_contain_text("Riverside Medical Center")
    phone.take("home-phone")


def _of_project_teams(office: _SampleCompany, desk: _Photographer) -> None:
    walk = desk.walk
    walk.choose("Tom Beckett")
    walk.say(f"/costcodes request {MAPLE}")
    walk.window.get_by_label("Or write or paste them").fill("03-3030 L,M\n04-2200 M\n09-211O S")
    walk.press("Next", walk.window)
    expect(walk.window).to_contain_text("line 3")
    desk.take("ask", walk.window)
    walk.window.get_by_label("Or write or paste them").fill("03-3030 L,M\n04-2200 M\n09-2110 S")
    walk.press("Next", walk.window)
    expect(walk.window).to_contain_text("to request")
    desk.take("preview", walk.window)
    walk.close_window()

    office.dana.click("Reject", office.card(HARBOR, READY))
    office.dana.wait_for_modal("Why?")
    office.dana.submit(
        {"comment": {"comment": "The deck's waterproofing is one code: use 07-1400 for all of it."}}
    )
    walk.choose("costbot Home")
    walk.search_home("Requested by you", HARBOR)
    expect(walk.home).to_contain_text("Rejected")
    desk.take("rejected", walk.home)


def _of_procore(browser: Browser, folder: Path) -> None:
    """The page of the Procore look-alike with a cost code that was just added; costbot has no part in it."""
    app = create_both(sample_company.workspace(), folder / "procore.json")
    with running(app) as url:
        desk = _Photographer(browser, f"{url}/procore/projects/{FAIRVIEW}", _TALL, ready="Add a cost code")
        page = desk.page
        page.get_by_label("Cost Code, of the ERP").select_option(value="01-1100")
        for kind in ("L Labor", "LB Labor Burden"):
            page.get_by_label(kind, exact=True).check()
        page.get_by_role("button", name="Add to project").click()
        expect(page.get_by_role("status")).to_contain_text("was added")
        desk.take("procore", colours=_WITH_PALE_ONES)


def main() -> None:
    """Make every picture anew."""
    expect.set_options(timeout=PATIENCE * 1000)
    settings = {
        "COSTBOT_CHANNEL": f"#{workspace.CHANNEL_NAME}",
        "COSTBOT_SYNC_CRON": "0 * * * *",
        "SLACK_APP_TOKEN": workspace.APP_TOKEN,
    }
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        office = _SampleCompany(Path(folder), settings, None)
        try:
            office.open()
            office.has_asked_for(HARBOR, CITY_HALL, STATION, RIVERSIDE)
            desk, phone = (_Photographer(browser, office.sandbox.url, size) for size in (_DESK, _PHONE))
            _of_approvers(office, desk, phone)
            _of_project_teams(office, desk)
            _of_procore(browser, Path(folder))
        finally:
            office.close()


if __name__ == "__main__":
    main()
