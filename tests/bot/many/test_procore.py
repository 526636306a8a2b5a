"""Two companies with a Procore each on one host: webhooks, people, calls and work are each company's own."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from bot.sandbox.client import NO_AUTHORITIES
from bot.sandbox.procore.app import CLIENT_ID, CLIENT_SECRET, Procore, create_procore
from bot.sandbox.procore.company import Company
from bot.sandbox.server import running
from sync.procore.events import work_on_events
from sync.procore.people import refresh_people
from sync.sage.embedded import EmbeddedSage
from sync.schedule import periodic_jobs
from tests.bot.many.town import Member, Town, town
from workflow import directory, procore_calls, procore_events
from workflow.vocabulary import PeriodicWork

IDS = {"kestrel": 4001, "boreal": 4002}
SECRETS = {name: f"the-long-secret-of-{name}-0123456789" for name in IDS}
EVENT = "01KESTREL00000000000000000"


@pytest.fixture
def procores() -> Iterator[dict[str, tuple[Procore, str]]]:
    with ExitStack() as stack:
        found = {}
        for name, number in IDS.items():
            made = create_procore(Company(id=number))
            stack.callback(made.webhooks.close)
            found[name] = made, stack.enter_context(running(made.app)) + "/"
        yield found


@pytest.fixture
def here(tmp_path: Path, sqlite_template: Path, procores: dict[str, tuple[Procore, str]]) -> Iterator[Town]:
    more = {
        name: f"COSTBOT_SOURCE=procore\nCOSTBOT_PROCORE_CLIENT_ID={CLIENT_ID}\n"
        f"COSTBOT_PROCORE_CLIENT_SECRET={CLIENT_SECRET}\nCOSTBOT_PROCORE_COMPANY_ID={IDS[name]}\n"
        f"COSTBOT_PROCORE_API_URL={url}\nCOSTBOT_PROCORE_LOGIN_URL={url}\nCOSTBOT_PROCORE_SHARE=1\n"
        f"COSTBOT_PROCORE_WEBHOOK_SECRET={SECRETS[name]}\n"
        for name, (_, url) in procores.items()
    }
    with town(tmp_path, sqlite_template, more=more, installed=()) as found:
        yield found


def post(here: Town, path: str, secret: str, *, company: int, user: int = 7) -> int:
    """A webhook of Procore's arrives at the host; the status that it gets."""
    answer = httpx.post(
        f"{here.url}{path}",
        json={
            "id": EVENT,
            "reason": "update",
            "resource_type": "Company Users",
            "resource_id": str(user),
            "company_id": str(company),
        },
        headers={"Authorization": f"Bearer {secret}"},
        timeout=60,
        trust_env=False,
        verify=NO_AUTHORITIES,
    )
    return answer.status_code


def kept(member: Member) -> int:
    with member.database.reading() as session:
        return procore_events.counts(session)[0]


def path_of(name: str) -> str:
    return f"/companies/{name}/procore/webhooks"


def test_a_webhook_is_for_the_company_whose_address_and_secret_it_has(
    here: Town, kestrel: Member, boreal: Member
) -> None:
    for path, secret in (
        (path_of("boreal"), SECRETS["kestrel"]),
        (path_of("kestrel"), SECRETS["boreal"]),
        (path_of("kestrel"), "x"),
    ):
        assert post(here, path, secret, company=IDS["kestrel"]) == 401
    for path in ("/procore/webhooks", path_of("nobody")):
        assert post(here, path, SECRETS["kestrel"], company=IDS["kestrel"]) == 404
    # with the right secret, but about another company of Procore's
    assert post(here, path_of("boreal"), SECRETS["boreal"], company=IDS["kestrel"]) == 204
    assert (kept(kestrel), kept(boreal), kestrel.nudged, boreal.nudged) == (0, 0, [], [])

    assert post(here, path_of("kestrel"), SECRETS["kestrel"], company=IDS["kestrel"]) == 204
    assert (kept(kestrel), kept(boreal)) == (1, 0)
    assert (kestrel.nudged, boreal.nudged) == ([PeriodicWork.PROCORE_EVENTS], [])
    # what one company has seen is new to another
    assert post(here, path_of("boreal"), SECRETS["boreal"], company=IDS["boreal"]) == 204
    assert kept(boreal) == 1


def test_people_calls_and_work_of_one_company_are_never_anothers(
    here: Town,
    kestrel: Member,
    boreal: Member,
    procores: dict[str, tuple[Procore, str]],
    tmp_path: Path,
) -> None:
    users = {
        name: procore.company.add_user(f"Ann {name}", f"ann@{name}.example", erp_level=3, accountant=True)
        for name, (procore, _) in procores.items()
    }
    before = boreal.rows()
    assert refresh_people(kestrel.company.settings, kestrel.database, clock=_now)
    assert boreal.rows() == before
    refresh_people(boreal.company.settings, boreal.database, clock=_now)
    assert (approvers(kestrel), approvers(boreal)) == (["Ann kestrel"], ["Ann boreal"])

    procores["kestrel"][0].company.change_user(users["kestrel"], erp_integrated_accountant=False)
    post(here, path_of("kestrel"), SECRETS["kestrel"], company=IDS["kestrel"], user=users["kestrel"]["id"])
    before = boreal.rows()
    for member in (kestrel, boreal):
        sage = EmbeddedSage(tmp_path / f"{member.company.name}.db", None)
        work_on_events(member.company.settings, member.database, sage, clock=_now)
    assert boreal.rows() == before
    assert (approvers(kestrel), approvers(boreal)) == ([], ["Ann boreal"])
    for name, member in (("kestrel", kestrel), ("boreal", boreal)):
        with member.database.reading() as session:
            made = {each: procore_calls.made(session, number, at=_now()) for each, number in IDS.items()}
        assert made == dict.fromkeys(IDS, 0) | {name: len(procores[name][0].web_api.calls)}
        work = {job.work.name for job in periodic_jobs(member.company.settings)}
        assert {PeriodicWork.PROCORE, PeriodicWork.PROCORE_EVENTS, PeriodicWork.PROCORE_PEOPLE} <= work


def test_a_company_that_works_with_files_takes_no_webhooks(tmp_path: Path, sqlite_template: Path) -> None:
    secret = f"COSTBOT_PROCORE_WEBHOOK_SECRET={SECRETS['kestrel']}\nCOSTBOT_PROCORE_COMPANY_ID=4001\n"
    with town(tmp_path, sqlite_template, more={"kestrel": secret}, installed=()) as found:
        assert post(found, path_of("kestrel"), SECRETS["kestrel"], company=4001) == 404


def approvers(member: Member) -> list[str]:
    with member.database.reading() as session:
        return [person.name for person in directory.accounting_approvers(session)]


def _now() -> datetime:
    return datetime.now(UTC)
