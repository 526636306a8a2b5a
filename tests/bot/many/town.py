"""Two companies on one host: their workspaces at one Slack, one bot for both, a database for each.

Kestrel's data is marked with words that Boreal's has nowhere; people have the same Slack ids in both, and the
ids of Kestrel's rows are Boreal's nowhere.
"""

import json
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Barrier
from typing import Any
from urllib.parse import urlencode

import httpx
from slack_sdk.signature import SignatureVerifier

from bot.app import WORKERS
from bot.http import http_app
from bot.installations import Installations
from bot.many import Company, Front, front
from bot.sandbox import sample_company
from bot.sandbox.client import NO_AUTHORITIES, Sandbox
from bot.sandbox.many import create_many
from bot.sandbox.oauth import CLIENT_ID, CLIENT_SECRET, OAuth
from bot.sandbox.server import running
from bot.sandbox.workspace import SIGNING_SECRET, Team, Workspace
from tests import factories
from tests.bot.kept import Kept
from tests.factories import LIMITS
from tests.workflow.site import Site
from workflow import drafts, privilege_requests
from workflow.companies import read_companies
from workflow.database import Database
from workflow.drafts import Content
from workflow.privileges import Rules
from workflow.settings import Settings
from workflow.tables import Category, StandardCostCode, StandardCostCodeCategory, Table
from workflow.vocabulary import ErpPermission

Json = dict[str, Any]
KESTREL, BOREAL = Team(), Team("T0BOREAL", "Boreal Builders", "boreal")
ORGANISATION = Team("T0BOREAL", "Boreal Group", "boreal", enterprise_id="E0BOREAL", org_wide=True)
NOBODY = Team("T0NOBODY", "Nobody's", "nobody")
SECRETS = ("Zirconium", "Xenotime", "Quillon")
"""Words of Kestrel's jobs, cost codes and people."""
STRANGER = "U0QUILLON"


@dataclass
class Member:
    """One company of the town, and its workspace."""

    team: Team
    company: Company
    workspace: Workspace
    sandbox: Sandbox
    _kept: Kept[Json]
    nudged: list[str] = field(default_factory=list)
    _calls_seen: int = 0

    @property
    def database(self) -> Database:
        return self.company.database

    def new_calls(self) -> list[Json]:
        """What the bot has called of this workspace since it was asked last."""
        calls = self.sandbox.calls(after=self._calls_seen)
        self._calls_seen += len(calls)
        return calls

    def rows(self) -> Json:
        """Everything in the company's database."""
        return self._kept.now()


def _rows(database: Database) -> Json:
    with database.reading() as session:
        return {
            table.name: sorted(map(repr, session.execute(table.select())))
            for table in Table.metadata.tables.values()
        }


@dataclass
class Town:
    """The host and what is around it."""

    host: Settings
    url: str
    slack: str
    oauth: OAuth
    front: Front
    members: dict[str, Member]
    installations: Installations

    def install(self, team: Team, *, browser: httpx.Client | None = None) -> httpx.Response:
        """Somebody installs the app in a workspace, in a browser; the page that they see in the end."""
        with browser or httpx.Client(trust_env=False, verify=NO_AUTHORITIES) as client:
            page = client.get(f"{self.url}/slack/install")
            cookie = page.headers["set-cookie"].partition(";")[0]
            asks = page.text.partition('href="')[2].partition('"')[0].replace("&amp;", "&")
            allowed = client.get(f"{asks}&{urlencode({'allow': team.id})}", follow_redirects=False)
            back = allowed.headers["location"]
            if self.host.public_url:  # as the proxy there would
                assert back.startswith(self.host.public_url)
                back = back.replace(self.host.public_url, self.url, 1)
            return client.get(back, headers={"Cookie": cookie})

    def post(
        self, kind: str, payload: Json, *, at: Member | None = None, secret: str = SIGNING_SECRET
    ) -> httpx.Response:
        """What Slack would send the bot; returns when all that follows from it is done.

        A window that the ack changes is changed in the workspace that it is in, `at`.
        """
        form = {"interactive": {"payload": json.dumps(payload)}, "slash_commands": payload}.get(kind)
        body = urlencode(form) if form else json.dumps(payload)
        stamp = str(int(time.time()))
        signature = SignatureVerifier(secret).generate_signature(timestamp=stamp, body=body) or ""
        answer = httpx.post(
            f"{self.url}/slack/events",
            content=body,
            headers={
                "Content-Type": "application/x-www-form-urlencoded" if form else "application/json",
                "X-Slack-Request-Timestamp": stamp,
                "X-Slack-Signature": signature,
            },
            timeout=60,
            trust_env=False,
            verify=NO_AUTHORITIES,
        )
        if at and "view" in answer.text and "response_action" in answer.text:
            modals = at.workspace.modals
            modals.update(modals.find(payload["view"]["id"]), answer.json()["view"])
        for app in self.front.by_team.values():
            settle(app.listener_runner.listener_executor)
        return answer


def settle(executor: Any) -> None:
    """Return when everything that was given to the threads is done: each of them is free at once."""
    barrier = Barrier(WORKERS + 1)
    for _ in range(WORKERS):
        executor.submit(barrier.wait, 60)
    barrier.wait(60)


@contextmanager
def town(
    folder: Path,
    template: Path,
    *,
    boreal: Team = BOREAL,
    token_seconds: float = 43_200,
    installed: Sequence[str] = ("kestrel", "boreal"),
    public_url: str | None = None,
    more: Mapping[str, str] | None = None,
) -> Iterator[Town]:
    """Both companies at work for the length of the block; `template` is a migrated SQLite file.

    `more` are further lines of a company's `.env`, by its name.
    """
    teams = {"kestrel": KESTREL, "boreal": boreal}
    spaces = {name: _workspace(name, team) for name, team in teams.items()}
    spaces["nobody"] = Workspace(trigger_seconds=60, team=NOBODY)
    slack_app, oauth = create_many(spaces.values(), ack_seconds=60, token_seconds=token_seconds)
    for name, team in teams.items():
        own = folder / "companies" / name
        own.mkdir(parents=True)
        (own / ".env").write_text(
            f"COSTBOT_SLACK_TEAM={team.installed_in}\nCOSTBOT_CHANNEL=C0COSTCODES\n"
            f"COSTBOT_DATABASE_URL=sqlite:///costbot.db\n"
            f"COSTBOT_ADMIN_EMAIL=priya.raman@{name}.example\n{(more or {}).get(name, '')}"
        )
        shutil.copyfile(template, own / "costbot.db")
    with ExitStack() as stack:
        slack = stack.enter_context(running(slack_app))
        host = Settings(
            _env_file=None,
            companies=folder / "companies",
            data_dir=folder / "host",
            slack_api_url=f"{slack}/api/",
            slack_client_id=CLIENT_ID,
            slack_client_secret=CLIENT_SECRET,
            slack_signing_secret=SIGNING_SECRET,
            public_url=public_url,
        )
        members = {}
        for name, settings in read_companies(host).items():
            database = stack.enter_context(closing(Database(settings.database)))
            nudged: list[str] = []
            company = Company(settings, database, nudged.append, LIMITS, lambda _: None)
            client = stack.enter_context(closing(Sandbox(f"{slack}/team/{teams[name].id}")))
            kept = stack.enter_context(closing(Kept(database, _rows)))
            members[name] = Member(teams[name], company, spaces[name], client, kept, nudged)
            _work(name, database)
        open_ = stack.enter_context(front(host, [one.company for one in members.values()]))
        web = http_app(open_.apps, takes_events=True, ready={}, more=open_.routes)
        url = stack.enter_context(running(web))
        oauth.redirect_url = f"{url}/slack/oauth_redirect"
        for member in members.values():
            member.sandbox.switch(events_url=f"{url}/slack/events")
        installations = stack.enter_context(closing(Installations(host)))
        found = Town(host, url, slack, oauth, open_, members, installations)
        for name in installed:
            assert found.install(teams[name]).status_code == 200
        yield found


def _workspace(name: str, team: Team) -> Workspace:
    people = [
        replace(user, team_id=team.id, email=f"{user.email.partition('@')[0]}@{name}.example")
        for user in sample_company.slack_users()
    ]
    stranger = replace(people[0], id=STRANGER, email="q@kestrel.example", team_id=KESTREL.id, real_name="Q")
    return Workspace([*people, *([stranger] if team != KESTREL else [])], trigger_seconds=60, team=team)


def _work(name: str, database: Database) -> None:
    """People, lists and requests; Kestrel has more of each, so that its newest ids are nobody else's."""
    site = Site(database)
    with database.writing() as session:
        dana = factories.approver(session, f"dana.whitfield@{name}.example")
        factories.person(session, f"priya.raman@{name}.example", erp_permission=ErpPermission.ADMIN)
    if name != "kestrel":
        site.ask("03-300 L")
        return
    with database.writing() as session:
        quill = factories.person(session, "quillon@kestrel.example", name="Quillon Tiberius")
        session.add(StandardCostCode(code="66-666", description="Xenotime cladding"))
        session.add(Category(code="X", name="Xenotime"))
        session.flush()
        session.add(StandardCostCodeCategory(code="66-666", category="L"))
    jobs = [site.another_job(f"77-77{number}", "Zirconium Tower") for number in (4, 5, 6, 7)]
    for job in jobs:
        site.ask("66-666 L", "03-300 M", job=job, by=quill)
    with database.writing() as session:
        rules = Rules(admin_emails=("priya.raman@kestrel.example",))
        by = factories.actor(quill)
        privilege_requests.ask(session, reason="Xenotime", by=by, at=datetime.now(UTC), rules=rules)
        content = Content(picked=("66-666",), text="66-666 L")
        drafts.save(session, factories.actor(dana), content, job_id=jobs[-1].id, at=datetime.now(UTC))
