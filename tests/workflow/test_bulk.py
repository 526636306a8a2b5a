"""Many rows at once are stored as the ORM would store them, and refused as it would be, on both engines."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy import text as sql
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session

from tests import factories
from tests.factories import NINE
from tests.workflow.site import Site
from workflow import bulk
from workflow.characters import storable
from workflow.database import Database
from workflow.tables import RequestedLine, RequestedUpdate
from workflow.vocabulary import Outcome, Standing, State

COLUMNS = ("code", "description", "standing", "sage_description", "outcome")
LINE = ("03-300", "Cast-in-place concrete", Standing.NEW_CODE, None, None)
text = st.text(max_size=30).map(storable)
rows = st.lists(
    st.tuples(text, text, st.sampled_from(Standing), text | st.none(), st.sampled_from(Outcome) | st.none()),
    max_size=8,
    unique_by=lambda row: row[0],
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows)
def test_rows_come_back_as_they_went_in(
    database: Database, written: list[tuple[str, str, Standing, str | None, Outcome | None]]
) -> None:
    with database.writing() as session:
        bulk.insert_many(session, RequestedLine, COLUMNS, written, **shared_of(session))
        session.expire_all()
        stored = session.scalars(select(RequestedLine).order_by(RequestedLine.id)).all()
        assert [tuple(getattr(line, name) for name in COLUMNS) for line in stored] == written
        assert {line.requested_at for line in stored} <= {NINE}
        assert all(isinstance(line.requested_at, datetime) for line in stored)
        session.rollback()


def test_more_rows_than_one_statement_takes_are_stored_once_each_and_in_order(database: Database) -> None:
    written = [(f"03-{n:04}", "Cast-in-place concrete") for n in range(1_001)]
    with database.writing() as session:
        shared = {**shared_of(session), "standing": Standing.NEW_CODE}
        bulk.insert_many(session, RequestedLine, ("code", "description"), written, **shared)
        stored = session.execute(
            select(RequestedLine.code, RequestedLine.description).order_by(RequestedLine.id)
        )
        assert list(map(tuple, stored)) == written
        session.rollback()


def test_no_rows_are_nothing_to_insert(database: Database) -> None:
    with database.writing() as session:
        bulk.insert_many(session, RequestedLine, COLUMNS, [], **shared_of(session))
        assert session.scalars(select(RequestedLine)).all() == []
        session.rollback()


def test_what_the_database_refuses_is_told_as_of_any_other_statement(database: Database) -> None:
    with database.writing() as session:
        shared = shared_of(session)
        with pytest.raises(IntegrityError):
            bulk.insert_many(session, RequestedLine, COLUMNS, [LINE, LINE], **shared)
        session.rollback()


def test_a_connection_that_is_lost_on_the_way_is_told_and_another_is_made(postgres_site: Site) -> None:
    database = postgres_site.database

    def one_and_the_end(session: Session) -> Iterator[tuple[Any, ...]]:
        pid = session.scalar(sql("SELECT pg_backend_pid()"))
        with database.engine.connect() as other:
            other.execute(sql("SELECT pg_terminate_backend(:pid, 10000)"), {"pid": pid})
        yield LINE

    with database.writing() as session:
        shared, ending = shared_of(session), one_and_the_end(session)
        with pytest.raises(OperationalError) as lost:
            bulk.insert_many(session, RequestedLine, COLUMNS, ending, **shared)
        assert lost.value.connection_invalidated
        session.rollback()
    with database.reading() as session:
        assert session.scalars(select(RequestedLine)).all() == []


def shared_of(session: Session) -> dict[str, Any]:
    """What the lines of a requested update, made for them, share."""
    job, person = factories.job(session, "24-900"), factories.person(session, "asks@example.com")
    update = RequestedUpdate(
        job_id=job.id, state=State.READY, revision=1, requested_by_id=person.id, requested_at=NINE
    )
    session.add(update)
    session.flush()
    return {
        "requested_update_id": update.id,
        "requested_by_id": person.id,
        "requested_at": NINE,
        "extra": "",
        "category": "L",
        "added_in_revision": 1,
    }
