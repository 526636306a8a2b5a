"""Upgrading a database that is in use: nothing of it is lost, and the models fit the newest schema."""

from collections.abc import Iterator
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import (
    Select,
    TableClause,
    column,
    create_engine,
    insert,
    inspect,
    select,
    table,
    text,
    update,
)
from sqlalchemy.orm import Session

from tests.factories import NINE
from tests.workflow import everything
from workflow import audit, queries, request_ids
from workflow.database import Database, alembic_config, migrate, newest_revision
from workflow.facts import Found
from workflow.privileges import SCHEDULE
from workflow.tables import AuditEvent, AuditHead, Job, RequestedLine, Table
from workflow.vocabulary import Event, Standing, State

BEFORE = r"""
INSERT INTO people (id, email, name, erp_permission, can_push_to_accounting, active)
    VALUES (1, 'ada@example.com', 'Ada', 'standard', true, true);
INSERT INTO jobs (id, number, name) VALUES (1, '24-017', 'Riverside');
INSERT INTO data_syncs (id, state, place, started_at, jobs, created, tied, already_there, failed)
    VALUES (1, 'finished', 'schedule', '2026-11-02 09:00:00', 1, 1, 0, 0, 0);
INSERT INTO requested_updates (id, job_id, state, revision, requested_by_id, requested_at)
    VALUES (1, 1, 'ready', 3, 1, '2026-11-02 09:00:00');
INSERT INTO requested_lines (id, requested_update_id, extra, code, category, description, requested_by_id,
        requested_at, added_in_revision, standing)
    VALUES (1, 1, '', '03-300', 'L', 'Concrete', 1, '2026-11-02 09:00:00', 1, 'new_code');
INSERT INTO audit_events (seq, at, event, place, actor_id, actor, job_id, requested_update_id, facts,
        previous_hash, hash)
    VALUES (1, '2026-11-02 09:00:00', 'requested_update\:requested', 'Slack', 1, 'Ada', 1, 1,
        '{"revision"\: 3}',
        '0000000000000000000000000000000000000000000000000000000000000000',
        '3a01baff822bb80519bc4d35ceefb9167421a6a08ab3e1fb85fe7d98c4c23821');
UPDATE audit_head SET seq = 1, hash = '3a01baff822bb80519bc4d35ceefb9167421a6a08ab3e1fb85fe7d98c4c23821';
"""


@pytest.fixture
def old(unmigrated_url: str) -> Iterator[Database]:
    """A database of version 0001, in use."""
    command.upgrade(alembic_config(unmigrated_url), "0001")
    database = Database(unmigrated_url)
    with database.writing() as session:
        for statement in BEFORE.split(";\n"):
            if statement.strip():
                session.execute(text(statement))
    yield database
    database.close()


def test_an_upgrade_keeps_what_is_there_and_what_is_new_is_empty(old: Database, unmigrated_url: str) -> None:
    migrate(unmigrated_url)

    assert old.revision() == newest_revision()
    with old.reading() as session:
        facts = queries.current_update(session, 1)
        assert facts is not None
        assert (facts.state, facts.revision, facts.found) == (State.READY, 3, Found())
        [line] = queries.lines_of(session, facts.requested_update_id)
        assert (line.code, line.standing, line.findings) == ("03-300", Standing.NEW_CODE, ())
        job = session.get_one(Job, 1)
        assert (job.known_in_sage, job.sage_name, job.sage_extras) == (None, None, None)
        [sync] = queries.data_syncs(session, limit=5)
        assert (sync.created, sync.file, sync.alerted_at) == (1, None, None)
        assert list(audit.problems(session)) == []
    with request_ids.working_for("of a request"), old.writing() as session:
        audit.record(session, Event.REMINDED, by=SCHEDULE, at=NINE)
        assert [row.request_id for row in audit.trail(session)] == [None, "of a request"]
        assert list(audit.problems(session)) == []


def test_an_upgraded_database_takes_what_is_new(old: Database, unmigrated_url: str) -> None:
    migrate(unmigrated_url)

    with old.writing() as session:
        session.execute(
            insert(Table.metadata.tables["line_findings"]),
            {"line_id": 1, "rule": "code_format", "severity": "refuse", "message": "no"},
        )
        session.get_one(Job, 1).sage_extras = ["CO-1"]
        session.delete(session.get_one(RequestedLine, 1))
    with old.reading() as session:
        assert session.execute(select(Table.metadata.tables["line_findings"])).all() == []
        assert session.get_one(Job, 1).sage_extras == ["CO-1"]


def test_a_downgrade_gives_the_old_schema_back(old: Database, unmigrated_url: str) -> None:
    migrate(unmigrated_url)

    command.downgrade(alembic_config(unmigrated_url), "0001")

    assert old.revision() == "0001"
    with old.reading() as session:
        assert session.scalar(text("SELECT number FROM jobs")) == "24-017"


def test_what_any_released_schema_held_is_there_after_the_upgrade(unmigrated_url: str) -> None:
    database = Database(unmigrated_url)
    config = alembic_config(unmigrated_url)
    held: list[tuple[Rows, TableClause, Select[Any]]] = []
    for number, revision in enumerate(_revisions(config)):
        command.upgrade(config, revision)
        with database.writing() as session:
            for table in _fill(session, range(3 * number + 1, 3 * number + 4)):
                everything_of = select(*table.columns)
                held.append((_rows(session, everything_of), table, everything_of))

    assert database.revision() == newest_revision()
    with database.reading() as session:
        for before, table, everything_of in held:
            assert before <= _rows(session, everything_of), table.name
        for model in Table.registry.mappers:
            assert session.scalars(select(model.class_)).all(), model
        assert list(audit.problems(session)) == []
        assert compare_metadata(MigrationContext.configure(session.connection()), Table.metadata) == []
    database.close()


Rows = frozenset[str]


def _revisions(config: Config) -> list[str]:
    """Every revision, oldest first."""
    scripts = ScriptDirectory.from_config(config).walk_revisions()
    return [script.revision for script in scripts][::-1]


def _go_on_with_trail(session: Session, now: TableClause, numbers: range) -> None:
    """Events as a costbot of that schema has written them: what it did not know, it could not write."""
    today = create_engine("sqlite://")  # which asks for no rows that are referred to
    Table.metadata.create_all(today)
    seq, hash_ = session.execute(select(AuditHead.seq, AuditHead.hash)).one()
    with Session(today) as other:
        other.add(AuditHead(id=1, seq=seq, hash=hash_))
        everything.trail(other, numbers)
        rows = other.execute(select(AuditEvent.__table__)).mappings().all()
        end = other.get_one(AuditHead, 1)
        names = [each.name for each in now.columns]
        session.execute(insert(now), [{name: row[name] for name in names} for row in rows])
        session.execute(update(AuditHead).values(seq=end.seq, hash=end.hash))
    today.dispose()


def _fill(session: Session, numbers: range) -> Iterator[TableClause]:
    """Rows with these ids in every table that there is by now; yields each table as it is by now."""
    schema = inspect(session.connection())
    for model in Table.metadata.sorted_tables:
        if not schema.has_table(model.name):
            continue
        names = [there["name"] for there in schema.get_columns(model.name)]
        now = table(model.name, *(column(name, model.c[name].type) for name in names))
        if model.name == "audit_events":
            _go_on_with_trail(session, now, numbers)
        elif model.name != "audit_head":
            rows = everything.rows(model, numbers)
            session.execute(insert(now), [{name: row[name] for name in names} for row in rows])
        if model.name != "audit_head":
            yield now


def _rows(session: Session, query: Select[Any]) -> Rows:
    return frozenset(map(repr, session.execute(query)))


def test_the_models_are_the_newest_schema(unmigrated_url: str) -> None:
    migrate(unmigrated_url)
    database = Database(unmigrated_url)
    with database.engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), Table.metadata)
    database.close()

    assert differences == []
