"""Two companies on one host, all processes real: each people's day goes on in its own workspace alone."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx
import pytest

from bot.sandbox import sample_company
from bot.sandbox.client import NO_AUTHORITIES, Sandbox, Seen
from bot.sandbox.many import create_many
from bot.sandbox.oauth import CLIENT_ID, CLIENT_SECRET
from bot.sandbox.server import running
from bot.sandbox.workspace import APP_TOKEN, SIGNING_SECRET, Team, User, Workspace
from tests import factories
from tests.e2e.office import answers, cards
from tests.e2e.tree import PATIENCE, ProcessTree
from tests.ports import free_ports
from tests.workflow.site import Site
from workflow.database import Database

pytestmark = pytest.mark.timeout(600)

TEAMS = {"kestrel": Team(), "boreal": Team("T0BOREAL", "Boreal Builders", "boreal")}
TAKEN = ("🔵 *Updated", "✅ *Synced")


@dataclass
class Host:
    """What runs, and the two workspaces."""

    address: str
    tree: ProcessTree
    slack: dict[str, Sandbox]
    folder: Path

    def install(self, name: str) -> str:
        """Install the app in a workspace; the words of the last page."""
        with httpx.Client(trust_env=False, timeout=PATIENCE, verify=NO_AUTHORITIES) as browser:
            page = browser.get(f"{self.address}/slack/install")
            cookie = page.headers["set-cookie"].partition(";")[0]
            asks = page.text.partition('href="')[2].partition('"')[0].replace("&amp;", "&")
            allowed = browser.get(f"{asks}&allow={TEAMS[name].id}")
            return browser.get(allowed.headers["location"], headers={"Cookie": cookie}).text


@pytest.fixture(params=["SLACK_SIGNING_SECRET", "SLACK_APP_TOKEN"])
def host(request: pytest.FixtureRequest, tmp_path: Path, sqlite_template: Path) -> Iterator[Host]:
    """`costbot run` for Kestrel and Boreal, in HTTP mode and in Socket Mode, installed nowhere yet."""
    workspaces = [Workspace(_people(team), team=team) for team in TEAMS.values()]
    slack_app, oauth = create_many(workspaces)
    (port,) = free_ports(1)
    address = f"http://127.0.0.1:{port}"
    oauth.redirect_url = f"{address}/slack/oauth_redirect"
    for name, team in TEAMS.items():
        own = tmp_path / "companies" / name
        own.mkdir(parents=True)
        (own / ".env").write_text(
            f"COSTBOT_SLACK_TEAM={team.id}\nCOSTBOT_CHANNEL=#cost-codes\nCOSTBOT_SYNC_CRON=0 0 1 1 *\n"
            "COSTBOT_DATABASE_URL=sqlite:///costbot.db\n"
        )
        database = shutil.copyfile(sqlite_template, own / "costbot.db")
        _work(f"sqlite:///{database}", name)
    with running(slack_app) as url:
        environment = {
            "PATH": os.environ["PATH"],
            "COSTBOT_COMPANIES": "companies",
            "COSTBOT_DATA_DIR": str(tmp_path / "host"),
            "COSTBOT_HTTP_PORT": str(port),
            "SLACK_API_URL": f"{url}/api/",
            "SLACK_CLIENT_ID": CLIENT_ID,
            "SLACK_CLIENT_SECRET": CLIENT_SECRET,
            request.param: {"SLACK_SIGNING_SECRET": SIGNING_SECRET, "SLACK_APP_TOKEN": APP_TOKEN}[
                request.param
            ],
        }
        tree = ProcessTree(tmp_path, environment)
        slack = {name: Sandbox(f"{url}/team/{team.id}") for name, team in TEAMS.items()}
        if request.param == "SLACK_SIGNING_SECRET":
            for sandbox in slack.values():
                sandbox.switch(events_url=f"{address}/slack/events")
        tree.start("run")
        try:
            tree.wait_for_start(partial(answers, f"{address}/readyz"), "the bot is ready")
            yield Host(address, tree, slack, tmp_path)
        finally:
            for sandbox in slack.values():
                sandbox.close()
            codes = tree.stop()
        assert codes == [0]


def test_two_companies_work_side_by_side(host: Host) -> None:
    assert "costbot is installed in Kestrel Builders" in host.install("kestrel")
    kestrel, boreal = (host.slack[name].as_person(sample_company.APPROVER) for name in TEAMS)
    card = kestrel.wait_for_message("kestrel Tower", PATIENCE)
    kestrel.click("Update", card)
    # the data sync that is made up for at the start may come before or after
    kestrel.wait_for(lambda seen: any(state in card_of(seen, "kestrel") for state in TAKEN), PATIENCE)
    assert boreal.sees().messages == []

    assert "costbot is installed in Boreal Builders" in host.install("boreal")
    boreal.wait_for_message("boreal Tower", PATIENCE)
    boreal.slash("/costcodes jobs all")
    told = boreal.wait_for_ephemeral("boreal Tower", PATIENCE).words
    assert "kestrel" not in told
    assert "🟡 *Ready to Update" in card_of(boreal.sees(), "boreal")
    assert host.tree.errors() == []


def card_of(seen: Seen, name: str) -> str:
    """What the card of the company's job says."""
    (card,) = cards(seen, f"77-001 {name} Tower:")
    return card.words


def _people(team: Team) -> list[User]:
    users = sample_company.slack_users()
    for user in users:
        user.team_id = team.id
    return users


def _work(url: str, name: str) -> None:
    """An approver, and a job that is named after the company and Ready to Update."""
    database = Database(url)
    site = Site(database)
    with database.writing() as session:
        factories.approver(session, sample_company.APPROVER)
    site.ask("03-300 L", job=site.another_job("77-001", f"{name} Tower"))
    database.close()
