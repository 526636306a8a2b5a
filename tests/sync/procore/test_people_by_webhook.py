"""A webhook about somebody of the Company Directory: they are read at once, and what they lost bites."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr
from starlette.applications import Starlette

from bot.procore_webhooks import webhook_route
from bot.sandbox.procore.app import CLIENT_ID, CLIENT_SECRET, Procore
from bot.sandbox.procore.company import COMPANY_USERS, Change, Record
from bot.sandbox.procore.faults import Fault
from bot.sandbox.server import running
from sync.procore import hooks
from sync.procore.api import ProcoreApi
from sync.procore.client import Account, ProcoreClient
from sync.procore.events import ONE_BY_ONE, work_on_events
from sync.procore.intake import IntakeReport
from sync.procore.people import Directory
from sync.sage.embedded import EmbeddedSage
from tests.sync.procore.conftest import Clock
from workflow import directory, homes, procore_events
from workflow.database import Database
from workflow.settings import Settings, Source

SECRET = "long-and-random-0123456789"


class Office:
    """A company whose directory costbot has read, and whose webhooks reach it."""

    def __init__(self, procore: Procore, database: Database, client: ProcoreClient, clock: Clock) -> None:
        self.procore, self.database, self.client, self.clock = procore, database, client, clock
        self.dana = procore.company.add_user(
            "Dana Reyes", "dana@kestrel.example", erp_level=3, accountant=True
        )
        Directory(database, ProcoreApi(client), "erp_integrations", clock).refresh()

    def work(self, settings: Settings, folder: Path) -> tuple[IntakeReport | None, int]:
        """The webhooks that came are worked on; how many calls of Procore that took."""
        self.procore.webhooks.wait()
        before = len(self.procore.web_api.calls)
        sage = EmbeddedSage(folder / "sage.db", None)
        report = work_on_events(settings, self.database, sage, clock=self.clock)
        return report, len(self.procore.web_api.calls) - before

    def approvers(self) -> list[str]:
        with self.database.reading() as session:
            return [person.name for person in directory.accounting_approvers(session)]

    def waiting(self) -> int:
        with self.database.reading() as session:
            return procore_events.counts(session)[1]


@pytest.fixture
def settings(account: Account, database_url: str) -> Settings:
    return Settings(
        _env_file=None,
        source=Source.PROCORE,
        database_url=database_url,
        procore_client_id=CLIENT_ID,
        procore_client_secret=SecretStr(CLIENT_SECRET),
        procore_company_id=account.company_id,
        procore_api_url=account.api_url,
        procore_login_url=account.login_url,
        procore_webhook_secret=SecretStr(SECRET),
        procore_share=1.0,
    )


@pytest.fixture
def office(procore: Procore, database: Database, client: ProcoreClient, clock: Clock) -> Iterator[Office]:
    here = Office(procore, database, client, clock)
    route = webhook_route(
        secret=SECRET, company_id=procore.company.id, database=database, nudge=lambda _: None, clock=clock
    )
    with running(Starlette(routes=[route])) as url:
        made = hooks.connect(
            ProcoreApi(client), database, url=f"{url}/procore/webhooks", secret=SECRET, clock=clock
        )
        assert made.refused == ()
        yield here


def test_a_lost_privilege_bites_at_once_however_often_it_is_told(
    office: Office, settings: Settings, tmp_path: Path, clock: Clock
) -> None:
    with office.database.writing() as session:
        view = homes.open_page(session, team_id="T1", user_id="U1", at=clock())
    with office.database.writing() as session:
        homes.drawn(session, view, seq=homes.newest_event(session), at=clock())
    clock.pause(60)
    office.procore.company.change_user(office.dana, erp_integrated_accountant=False)
    office.procore.company.change_user(office.dana, job_title="Controller")
    report, calls = office.work(settings, tmp_path)
    assert report is not None
    assert (report.people, calls) == (1, 2)
    assert office.approvers() == []
    with office.database.reading() as session:
        assert [page.user_id for page in homes.out_of_date(session, now=clock())] == ["U1"]
    assert office.work(settings, tmp_path) == (None, 0)


def test_a_change_that_is_no_business_of_costbots_changes_nothing(
    office: Office, settings: Settings, tmp_path: Path
) -> None:
    office.procore.company.change_user(office.dana, job_title="Controller")
    assert office.work(settings, tmp_path) == (None, 2)
    assert office.approvers() == ["Dana Reyes"]


def test_who_was_taken_out_of_the_directory_loses_every_right(
    office: Office, settings: Settings, tmp_path: Path
) -> None:
    del office.procore.company.users[office.dana["id"]]
    _tell(office, office.dana, "delete")
    report, _ = office.work(settings, tmp_path)
    assert report is not None
    assert report.people == 1
    assert office.approvers() == []


def test_a_stranger_who_came_is_known_from_then_on(
    office: Office, settings: Settings, tmp_path: Path
) -> None:
    sam = office.procore.company.add_user("Sam Ortiz", "sam@kestrel.example", erp_level=4, accountant=True)
    _tell(office, sam, "create")
    office.work(settings, tmp_path)
    assert office.approvers() == ["Dana Reyes", "Sam Ortiz"]


def test_many_changes_are_one_reading_of_the_directory(
    office: Office, settings: Settings, tmp_path: Path
) -> None:
    for number in range(ONE_BY_ONE):
        user = office.procore.company.add_user(f"P{number}", f"p{number}@kestrel.example", erp_level=3)
        _tell(office, user, "create")
    office.procore.company.change_user(office.dana, erp_integrated_accountant=False)
    report, calls = office.work(settings, tmp_path)
    assert report is not None
    assert report.people == ONE_BY_ONE + 1
    assert calls == 2
    assert office.approvers() == []


def test_while_procore_is_away_the_webhook_waits(office: Office, settings: Settings, tmp_path: Path) -> None:
    office.procore.company.change_user(office.dana, erp_integrated_accountant=False)
    away = settings.model_copy(update={"procore_api_url": "http://127.0.0.1:9/"})
    assert office.work(away, tmp_path) == (None, 0)
    assert office.waiting() == 1
    office.work(settings, tmp_path)
    assert (office.waiting(), office.approvers()) == (0, [])


def test_people_who_cannot_be_read_keep_no_project_waiting(
    office: Office, settings: Settings, tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = ONE_BY_ONE + 2
    monkeypatch.setattr(procore_events, "EVENTS_A_READING", many)
    for user_id in range(many):
        _tell(office, {"id": user_id}, "update")
    office.procore.webhooks.wait()
    clock.pause(60)
    project = office.procore.company.add_project("24-017", "Riverside Medical Center")
    office.procore.company.add_cost_code(project, "03", "Concrete")
    path = f"/rest/v1.0/companies/{office.procore.company.id}/users"
    office.procore.faults.expect(Fault(path, 200, body=[{"id": 4711}]))
    office.work(settings, tmp_path)
    with office.database.reading() as session:
        waiting = procore_events.waiting(session, last="")
        assert {event.resource for event in waiting} == {COMPANY_USERS}
        assert procore_events.counts(session)[1] == many


def test_one_whom_the_account_may_not_see_keeps_nobody_from_being_read(
    office: Office, settings: Settings, tmp_path: Path
) -> None:
    sam = office.procore.company.add_user("Sam Ortiz", "sam@kestrel.example", erp_level=4, accountant=True)
    _tell(office, sam, "create")
    path = f"/rest/v1.0/companies/{office.procore.company.id}/users/{office.dana['id']}"
    office.procore.faults.expect(Fault(path, 403, body={"errors": "Forbidden"}))
    office.procore.company.change_user(office.dana, job_title="Controller")
    office.work(settings, tmp_path)
    assert office.approvers() == ["Dana Reyes", "Sam Ortiz"]
    assert office.waiting() == 0


def _tell(office: Office, user: Record, reason: str) -> None:
    for listener in office.procore.company.listeners:
        listener(Change(COMPANY_USERS, reason, user["id"], None, None))
