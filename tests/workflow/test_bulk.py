"""Many rows at once are stored as the ORM would store them, on both engines."""

from datetime import datetime

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from tests import factories
from tests.factories import NINE
from workflow import bulk
from workflow.columns import storable
from workflow.database import Database
from workflow.tables import RequestedLine, RequestedUpdate
from workflow.vocabulary import Outcome, Standing, State

COLUMNS = ("code", "description", "standing", "sage_description", "outcome")
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
        job, person = factories.job(session), factories.person(session, "engineer@example.com")
        session.add(
            update := RequestedUpdate(
                job_id=job.id, state=State.READY, revision=1, requested_by_id=person.id, requested_at=NINE
            )
        )
        session.flush()
        shared = {"requested_update_id": update.id, "requested_by_id": person.id, "requested_at": NINE}
        bulk.insert_many(
            session, RequestedLine, COLUMNS, written, extra="", category="L", added_in_revision=1, **shared
        )
        session.expire_all()
        stored = session.scalars(select(RequestedLine).order_by(RequestedLine.id)).all()
        assert [tuple(getattr(line, name) for name in COLUMNS) for line in stored] == written
        assert {line.requested_at for line in stored} <= {NINE}
        assert all(isinstance(line.requested_at, datetime) for line in stored)
        session.rollback()
