"""The one look of an act under the job's lock: it sees each seldom thing, and costs one statement."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, select, update

from tests import factories
from tests.factories import NINE
from tests.workflow.site import Site
from workflow import scene
from workflow.tables import (
    Away,
    FirstApproval,
    LineFinding,
    Person,
    RequestedLine,
    RequestedUpdate,
    Table,
    WorkflowStep,
)
from workflow.vocabulary import Rule, Severity, StepKind, Until


def put(site: Site, row: Table) -> None:
    with site.database.writing() as session:
        session.add(row)


def first_of_two(site: Site, asked: RequestedUpdate) -> None:
    put(site, FirstApproval(requested_update_id=asked.id, revision=1, approver_id=site.second.id, at=NINE))


def refused(site: Site, asked: RequestedUpdate) -> None:
    with site.database.writing() as session:
        line = session.scalars(select(RequestedLine.id).where(RequestedLine.outcome.is_(None)).limit(1)).one()
        found = LineFinding(line_id=line, rule=next(iter(Rule)), severity=Severity.REFUSE, message="no")
        session.add(found)


def asked_by_others(site: Site, asked: RequestedUpdate) -> None:
    site.ask("09-250 S", by=site.second)


def awaited(site: Site, asked: RequestedUpdate) -> None:
    put(
        site,
        WorkflowStep(
            function_execution_id="Fx1",
            team_id="T1",
            kind=StepKind.WAIT,
            job_id=asked.job_id,
            requested_update_id=asked.id,
            until=Until.UPDATE,
            begun_at=NINE,
        ),
    )


def held(site: Site, asked: RequestedUpdate) -> None:
    site.hold()


def standing_in(site: Site, asked: RequestedUpdate) -> None:
    day = NINE.date()
    put(
        site,
        Away(
            person_id=site.second.id,
            delegate_id=site.approver.id,
            first_day=day,
            last_day=day,
            starts_at=NINE,
            ends_at=NINE + timedelta(hours=1),
        ),
    )


SELDOM: dict[str, Callable[[Site, RequestedUpdate], None]] = {
    "has_first": first_of_two,
    "is_refused": refused,
    "asked_by_others": asked_by_others,
    "is_awaited": awaited,
    "has_holds": held,
    "stands_in": standing_in,
}


def seen(site: Site, update_id: int | None, by: Person) -> scene.Scene:
    with site.database.writing() as session:
        return scene.enter(session, update_id, by=factories.actor(by), at=NINE)


def flags(found: scene.Scene) -> set[str]:
    return {name for name in SELDOM if getattr(found, name)}


@pytest.mark.parametrize("name", SELDOM)
def test_each_seldom_thing_is_seen_where_it_is_and_nowhere_else(site: Site, name: str) -> None:
    asked = site.ask("03-300 L", "03-300 M")
    elsewhere = site.ask("03-300 L", job=site.another_job("24-900"))
    assert flags(seen(site, asked.id, site.approver)) == set()

    SELDOM[name](site, asked)

    assert flags(seen(site, asked.id, site.approver)) == {name}
    # whom somebody stands in for is about the person, all else about the requested update
    assert flags(seen(site, elsewhere.id, site.approver)) == ({name} & {"stands_in"})
    assert flags(seen(site, asked.id, site.second)) == ({name} - {"stands_in"})


def test_the_person_is_found_where_there_is_no_requested_update(site: Site) -> None:
    for missing in (None, 4711):
        found = seen(site, missing, site.approver)
        assert found.requested is None
        assert found.person is not None
        assert found.person.id == site.approver.id
        assert flags(found) == set()


def test_what_was_read_before_is_read_anew(site: Site) -> None:
    asked = site.ask("03-300 L")
    with site.database.writing() as session:
        assert session.get_one(Person, site.approver.id).active
        assert session.get_one(RequestedUpdate, asked.id).revision == 1
        # as another process would change them
        session.connection().execute(update(Person).values(active=False))
        session.connection().execute(update(RequestedUpdate).values(revision=7))
        found = scene.enter(session, asked.id, by=factories.actor(site.approver), at=NINE)
        assert found.person is not None
        assert found.requested is not None
        assert (found.person.active, found.requested.revision) == (False, 7)
        session.rollback()


def test_a_usual_update_takes_six_statements_and_a_lock(site: Site) -> None:
    asked = site.ask("03-300 L", "03-300 M")
    sent: list[str] = []

    @event.listens_for(site.database.engine, "before_cursor_execute")
    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        sent.append(statement)

    site.accept(asked)
    event.remove(site.database.engine, "before_cursor_execute", note)

    words = [statement.split()[0] for statement in sent if not statement.startswith("BEGIN")]
    usual = ["SELECT", "UPDATE", "SELECT", "INSERT", "UPDATE", "INSERT"]
    assert words == (usual if site.database.engine.dialect.name == "sqlite" else ["SELECT", *usual])
