"""Who may Update follows Procore's Company Directory, and nobody decides by what is known for too long."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import select

from bot.sandbox.procore.app import Procore
from sync.procore.api import ProcoreApi
from sync.procore.client import Account, ProcoreClient
from sync.procore.people import Directory, know_person
from tests import factories
from tests.sync.procore.conftest import Clock
from tests.workflow.test_races import DEADLINE_SECONDS, somebody_waits_for_a_lock, until
from workflow import audit, directory, procore_people
from workflow.acting import Done
from workflow.approvals import accept
from workflow.database import Database
from workflow.privileges import SCHEDULE, Actor, Refused
from workflow.settings import Settings
from workflow.tables import Person, ProcorePerson, SlackLink
from workflow.vocabulary import ErpPermission, Event, Place, Refusal


@pytest.fixture
def settings(account: Account) -> Settings:
    return Settings(
        COSTBOT_SOURCE="procore",
        COSTBOT_PROCORE_CLIENT_ID=account.client_id,
        COSTBOT_PROCORE_CLIENT_SECRET=account.client_secret.get_secret_value(),
        COSTBOT_PROCORE_COMPANY_ID=account.company_id,
        COSTBOT_PROCORE_API_URL=account.api_url,
        COSTBOT_PROCORE_LOGIN_URL=account.login_url,
    )


@pytest.fixture
def people(database: Database, client: ProcoreClient, clock: Clock) -> Directory:
    return Directory(database, ProcoreApi(client), "erp_integrations", clock)


def approvers(database: Database) -> list[str]:
    with database.reading() as session:
        return [person.name for person in directory.accounting_approvers(session)]


def test_permission_and_privilege_come_from_procore(
    people: Directory, procore: Procore, database: Database
) -> None:
    company = procore.company
    company.add_user("Dana Reyes", "Dana@kestrel.example", erp_level=3, accountant=True)
    company.add_user("Ann Admin", "ann@kestrel.example", erp_level=4, accountant=True)
    company.add_user("Rita Reader", "rita@kestrel.example", erp_level=2, accountant=True)
    company.add_user("Sam Standard", "sam@kestrel.example", erp_level=3)
    company.add_user("Nora None", "nora@kestrel.example", erp_level=None, accountant=True)
    company.add_user("Ian Idle", "ian@kestrel.example", erp_level=4, accountant=True, active=False)

    taken = people.refresh()

    assert (taken.people, taken.changed, taken.gone) == (6, 6, 0)
    assert approvers(database) == ["Ann Admin", "Dana Reyes"]
    assert people.refresh().changed == 0


def test_who_is_gone_from_procore_loses_the_right_and_keeps_the_tie_to_slack(
    people: Directory, procore: Procore, database: Database, clock: Clock
) -> None:
    dana = procore.company.add_user("Dana Reyes", "dana@kestrel.example", erp_level=3, accountant=True)
    procore.company.add_user("Sam Standard", "sam@kestrel.example", erp_level=3)
    people.refresh()
    with database.writing() as session:
        person = session.scalars(select(Person).where(Person.name == "Dana Reyes")).one()
        by = Actor(Place.COMMAND_LINE, "test")
        directory.link(session, person, team_id="T1", user_id="U1", by=by, at=clock())
    del procore.company.users[dana["id"]]

    assert people.refresh().gone == 1
    assert approvers(database) == []
    with database.reading() as session:
        assert session.get_one(SlackLink, ("T1", "U1")).person.name == "Dana Reyes"


def test_a_changed_e_mail_moves_with_the_user(
    people: Directory, procore: Procore, database: Database
) -> None:
    dana = procore.company.add_user("Dana Reyes", "dana@kestrel.example", erp_level=3, accountant=True)
    people.refresh()
    procore.company.change_user(dana, email_address="dana.r@kestrel.example")
    people.refresh()
    with database.reading() as session:
        assert session.scalars(select(Person.email)).all() == ["dana.r@kestrel.example"]


@pytest.mark.parametrize("read", ["whole", "one"])
def test_a_changed_e_mail_is_waited_for_by_nobody_for_whom_it_waits(
    postgres_url: str,
    database_of: Callable[[str], Database],
    procore: Procore,
    client: ProcoreClient,
    clock: Clock,
    read: str,
) -> None:
    # a person whose e-mail changes is locked against every row that names them
    with closing(database_of(postgres_url)) as database, ThreadPoolExecutor(1) as threads:
        people = Directory(database, ProcoreApi(client), "erp_integrations", clock)
        dana = procore.company.add_user("Dana Reyes", "dana@kestrel.example", erp_level=3, accountant=True)
        people.refresh()
        procore.company.change_user(dana, email_address="dana.r@kestrel.example")
        acts: dict[str, Callable[[], object]] = {
            "whole": people.refresh,
            "one": partial(people.read_user, dana["id"]),
        }
        with database.writing() as session:
            person = session.scalars(select(Person)).one()
            audit.record(session, Event.REFUSED, by=SCHEDULE, at=clock())  # has the end of the trail
            reading = threads.submit(acts[read])
            until(partial(somebody_waits_for_a_lock, database))
            by = Actor(Place.SLACK, person.name, person.id)
            audit.record(session, Event.REFUSED, by=by, at=clock())
        assert reading.result(DEADLINE_SECONDS)
        with database.reading() as session:
            assert session.scalars(select(Person.email)).all() == ["dana.r@kestrel.example"]
            trail = [event.event for event in audit.trail(session)]
            assert trail == [Event.IMPORTED, Event.REFUSED, Event.REFUSED, Event.IMPORTED]


@pytest.mark.parametrize("read", ["whole", "one", "gone"])
def test_a_changed_e_mail_is_on_record_though_the_run_that_saw_it_was_killed(
    people: Directory,
    procore: Procore,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    read: str,
) -> None:
    dana = procore.company.add_user("Dana Reyes", "dana@kestrel.example", erp_level=3, accountant=True)
    people.refresh()
    procore.company.change_user(dana, email_address="dana.r@kestrel.example")
    acts: dict[str, Callable[[], object]] = {
        "whole": lambda: people.refresh().changed,
        "one": partial(people.read_user, dana["id"]),
        "gone": partial(people.read_user, dana["id"]),
    }

    def killed(*_: object, **__: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        for take in ("take_all", "take_one"):
            patch.setattr(procore_people, take, killed)
        with pytest.raises(SystemExit):
            acts[read]()
    if read == "gone":
        with database.writing() as session:
            session.scalars(select(Person)).one().active = False
        del procore.company.users[dana["id"]]
    told = [acts[read]() for _ in range(2)]

    with database.reading() as session:
        assert session.scalars(select(Person.email)).all() == ["dana.r@kestrel.example"]
        assert [event.event for event in audit.trail(session)] == [Event.IMPORTED, Event.IMPORTED]
    assert told == [read != "gone", False]


def test_of_many_users_those_are_found_whose_e_mail_is_another(database: Database) -> None:
    users = [
        procore_people.ProcoreUser(
            number, f"p{number}@kestrel.example", "P", ErpPermission.STANDARD, True, True
        )
        for number in range(1, 1_003)
    ]
    with database.writing() as session:
        people = [
            Person(
                id=user.user_id,
                email=user.email,
                name=user.name,
                erp_permission=user.permission,
                can_push_to_accounting=True,
                active=True,
            )
            for user in users
        ]
        session.add_all(people)
        session.flush()
        session.add_all(
            ProcorePerson(user_id=each.id, person_id=each.id, read_at=factories.NINE) for each in people
        )
    moved = [replace(user, email="new@kestrel.example") for user in (users[0], users[-1])]
    with database.reading() as session:
        assert procore_people.moving(session, [*users[1:-1], *moved]) == moved
        assert procore_people.moving(session, moved[1:]) == moved[1:]


def test_one_person_is_found_by_the_exact_e_mail_and_not_by_the_first_hit(
    people: Directory, procore: Procore, database: Database
) -> None:
    procore.company.add_user("Other", "dana@kestrel.example.org", erp_level=4, accountant=True)
    procore.company.add_user("Dana Reyes", "DANA@kestrel.example", erp_level=2)
    with database.writing() as session:
        person_id = factories.approver(session, "dana@kestrel.example").id
    people.read_one(person_id)
    with database.reading() as session:
        person = session.get_one(Person, person_id)
        assert (person.name, person.can_push_to_accounting) == ("Dana Reyes", False)


def test_a_lost_privilege_bites_at_the_next_click_though_the_refresh_is_late(
    people: Directory, procore: Procore, database: Database, clock: Clock, settings: Settings
) -> None:
    dana = procore.company.add_user("Dana Reyes", "dana@kestrel.example", erp_level=3, accountant=True)
    people.refresh()
    with database.reading() as session:
        person_id = session.scalars(select(Person.id)).one()
    procore.company.change_user(dana, erp_integrated_accountant=False)

    know_person(settings, database, person_id, clock=clock)
    assert approvers(database) == ["Dana Reyes"]  # young enough: Procore is not asked

    clock.at += timedelta(minutes=61)
    with database.reading() as session:
        assert procore_people.is_too_old(session, person_id, at=clock(), rules=settings.rules)
    know_person(settings, database, person_id, clock=clock)
    assert approvers(database) == []


def test_nobody_decides_by_what_is_known_for_too_long(
    people: Directory, procore: Procore, database: Database, clock: Clock, settings: Settings
) -> None:
    procore.company.add_user("Dana Reyes", "dana@kestrel.example", erp_level=3, accountant=True)
    people.refresh()
    with database.writing() as session:
        person = session.scalars(select(Person)).one()
        dana = Actor(Place.SLACK, person.name, person.id)
    clock.at += timedelta(minutes=61)
    away = settings.model_copy(update={"procore_api_url": "http://127.0.0.1:9/"})

    def click() -> object:
        with database.writing() as session:
            return accept(
                session, requested_update_id=1, revision=1, by=dana, at=clock(), rules=settings.rules
            )

    know_person(away, database, dana.person_id or 0, clock=clock)
    refused = click()
    assert isinstance(refused, Refused)
    assert refused.reason is Refusal.NOT_KNOWN_NOW
    assert "Procore does not answer" in refused.words

    know_person(settings, database, dana.person_id or 0, clock=clock)
    assert not isinstance(click(), Refused | Done)  # there is nothing to Update, and that is all
