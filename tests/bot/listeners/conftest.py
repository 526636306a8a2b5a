"""The bot over real sockets: the sandbox posts signed requests to it, and it calls the sandbox back."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from types import ModuleType
from typing import Any

import pytest
import structlog
from slack_bolt import App
from sqlalchemy import select, update
from structlog.testing import capture_logs
from structlog.typing import EventDict

from bot import visit
from bot.app import build_app
from bot.blocks.job_card import job_card
from bot.gateway import Gateway, web_client
from bot.http import http_app
from bot.sandbox import sample_company
from bot.sandbox.client import Message, Person, Sandbox
from bot.sandbox.server import running
from bot.sandbox.workspace import BOT_TOKEN, CHANNEL_ID, SIGNING_SECRET
from sync.procore.people import know_person
from tests import factories
from tests.factories import LIMITS
from tests.workflow.site import Site
from workflow import queries
from workflow.database import Database
from workflow.settings import Settings
from workflow.tables import AuditEvent, RequestedUpdate
from workflow.tables import Person as InDirectory
from workflow.vocabulary import ErpPermission, Event, State

TITLE = "24-017 Riverside Medical Center"


@dataclass
class Office:
    """The bot in a workspace whose people are in the directory, and a job that Tom asked cost codes for."""

    sandbox: Sandbox
    gateway: Gateway
    settings: Settings
    site: Site
    tom: InDirectory
    app: App = field(init=False)
    url: str = ""
    """Where the bot listens."""
    nudged: list[str] = field(default_factory=list)
    read_back: list[int] = field(default_factory=list)

    @property
    def database(self) -> Database:
        return self.site.database

    @property
    def job_id(self) -> int:
        return self.site.job.id

    def person(self, email: str) -> Person:
        return self.sandbox.as_person(email)

    def request(self, *lines: str) -> RequestedUpdate:
        """Tom asks for cost codes of the job, such as `03-300 L`."""
        return self.site.ask(*lines, by=self.tom)

    def change_person(self, email: str, **columns: Any) -> None:
        """The directory has it otherwise from now on."""
        with self.database.writing() as session:
            session.execute(update(InDirectory).where(InDirectory.email == email).values(**columns))

    def post_card(self) -> Message:
        """Put the job's card into the channel as it is drawn now, as delivery would."""
        with self.database.reading() as session:
            facts = queries.current_update(session, self.job_id)
            assert facts is not None
            codes = queries.cost_codes(session, facts.requested_update_id)
            card = job_card(facts, codes, queries.holds_of(session, self.job_id), next_sync=None)
        posted = self.gateway.post(CHANNEL_ID, card, key=f"card:{self.job_id}")
        found = self.person(sample_company.APPROVER).sees()
        return next(message for message in found.messages if message.ts == posted.ts)

    def state(self) -> State:
        """Where the job's newest requested update stands."""
        with self.database.reading() as session:
            newest = select(RequestedUpdate.state).order_by(RequestedUpdate.id.desc()).limit(1)
            return session.scalars(newest).one()

    def events(self, event: Event) -> list[dict[str, Any]]:
        """Facts of the audit events of this kind, with the actor's name as `actor`."""
        with self.database.reading() as session:
            rows = session.scalars(
                select(AuditEvent).where(AuditEvent.event == event).order_by(AuditEvent.seq)
            )
            return [{**row.facts, "actor": row.actor} for row in rows]


@pytest.fixture(autouse=True)
def logged() -> Iterator[list[EventDict]]:
    """What the bot logs; structlog's own way to print a traceback takes seconds on a busy machine."""
    with capture_logs(processors=[structlog.contextvars.merge_contextvars]) as logs:
        yield logs


@pytest.fixture
def sandbox(patient_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """What is tested here is what follows a click, not how fast."""
    monkeypatch.setattr(visit, "_LANGUAGE_SECONDS", 60.0)
    return patient_sandbox


@pytest.fixture
def settings() -> dict[str, Any]:
    """Settings that a test may change before the bot starts."""
    return {"admin_email": sample_company.ADMIN_WITHOUT_PRIVILEGE}


@pytest.fixture
def office(database: Database, sandbox: Sandbox, settings: dict[str, Any]) -> Iterator[Office]:
    """The bot in HTTP mode, with one job that has a requested update."""
    read = Settings(
        _env_file=None,
        slack_api_url=sandbox.api_url,
        slack_bot_token=BOT_TOKEN,
        slack_signing_secret=SIGNING_SECRET,
        channel=CHANNEL_ID,
        **settings,
    )
    site = Site(database)
    with database.writing() as session:
        factories.approver(session, sample_company.APPROVER)
        factories.approver(session, sample_company.SECOND_APPROVER)
        factories.person(session, sample_company.ADMIN_WITHOUT_PRIVILEGE, erp_permission=ErpPermission.ADMIN)
        tom = factories.person(session, sample_company.PROJECT_ENGINEER)
    client = web_client(BOT_TOKEN, sandbox.api_url)
    # the pace of messages is tested with the gateway; a sandbox takes them as they come
    office = Office(sandbox, Gateway(client, sleep=lambda _seconds: None), read, site, tom)
    office.request("03-300 L", "03-300 M", "16-100 S")
    bolt = build_app(
        read,
        gateway=office.gateway,
        database=database,
        nudge=office.nudged.append,
        clock=lambda: datetime.now(UTC),
        limits=LIMITS,
        read_back=office.read_back.append,
        know_person=partial(know_person, read, database),
    )
    office.app = bolt
    with running(http_app(bolt, takes_events=True, ready={})) as url:
        office.url = url
        sandbox.switch(events_url=f"{url}/slack/events")
        yield office
        bolt.listener_runner.listener_executor.shutdown(wait=True)


@pytest.fixture
def card(office: Office) -> Message:
    """The job's card in the channel, Ready to Update."""
    return office.post_card()


@pytest.fixture
def dana(office: Office) -> Person:
    """An accounting approver."""
    return office.person(sample_company.APPROVER)


@pytest.fixture
def marcus(office: Office) -> Person:
    """Another accounting approver."""
    return office.person(sample_company.SECOND_APPROVER)


@pytest.fixture
def priya(office: Office) -> Person:
    """Admin on ERP Integrations, without the privilege; also the administrator to ask."""
    return office.person(sample_company.ADMIN_WITHOUT_PRIVILEGE)


@pytest.fixture
def tom(office: Office) -> Person:
    """A project engineer, who requested the cost codes."""
    return office.person(sample_company.PROJECT_ENGINEER)


@pytest.fixture
def grace(office: Office) -> Person:
    """A guest of the workspace."""
    return office.person(sample_company.GUEST)


def loses_the_answer_to_the_commit(
    office: Office, monkeypatch: pytest.MonkeyPatch, module: ModuleType, use_case: str
) -> None:
    """The line breaks once, when the database has kept what this use case did, before it says so."""
    dialect, act, acted = office.database.engine.dialect, getattr(module, use_case), []
    commit = dialect.do_commit

    def acts(*args: Any, **more: Any) -> Any:
        acted.append(True)
        return act(*args, **more)

    def commits_and_loses_the_line(connection: Any) -> None:
        commit(connection)
        if acted:
            monkeypatch.setattr(dialect, "do_commit", commit)
            raise ConnectionResetError("the server has gone away")

    monkeypatch.setattr(module, use_case, acts)
    monkeypatch.setattr(dialect, "do_commit", commits_and_loses_the_line)
