"""All data from one engine to the other, exactly, or nothing of it."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import func, select, text, update

from tests import factories
from tests.servers import PostgresServer
from tests.workflow import everything
from workflow import audit
from workflow.copying import Copied, NotCopied, Why, copy
from workflow.database import Database, alembic_config, migrate
from workflow.tables import AuditEvent, Job, Person, Table
from workflow.vocabulary import State

DEADLINE_SECONDS = 30.0
TABLES = Table.metadata.sorted_tables


def quiet(_what: str, _done: int, _total: int) -> None:
    """Nobody watches."""


@pytest.fixture
def other_url(
    database_url: str, sqlite_template: Path, tmp_path: Path, postgres_server: PostgresServer
) -> Iterator[str]:
    """A migrated, empty database on the other engine."""
    if database_url.startswith("sqlite"):
        with postgres_server.database(template="template") as url:
            yield url
    else:
        path = tmp_path / "other.sqlite"
        path.write_bytes(sqlite_template.read_bytes())
        yield f"sqlite:///{path}"


@pytest.fixture
def other(other_url: str) -> Iterator[Database]:
    database = Database(other_url)
    yield database
    database.close()


def assert_empty(database: Database) -> None:
    with database.reading() as session:
        counts = {t.name: session.scalar(select(func.count()).select_from(t)) for t in TABLES}
    assert counts == {**dict.fromkeys(counts, 0), "audit_head": 1}


def test_every_row_comes_over_as_it_is_there_and_back(
    database: Database, other: Database, tmp_path: Path
) -> None:
    everything.fill(database)

    there = copy(database, other, tell=quiet)
    with database.writing() as session:
        for table in reversed(TABLES):
            if table.name != "audit_head":
                session.execute(table.delete())
        session.execute(text("UPDATE audit_head SET seq = 0"))
    back = copy(other, database, tell=quiet)

    assert there == back == Copied({t.name: 1 if t.name == "audit_head" else everything.ROWS for t in TABLES})
    assert everything.raw(database) == everything.raw(other)
    fresh = f"sqlite:///{tmp_path / 'fresh.sqlite'}"
    migrate(fresh)
    untouched = Database(fresh)
    everything.fill(untouched)
    assert everything.raw(other) == everything.raw(untouched)
    untouched.close()
    with other.reading() as session:
        assert list(audit.problems(session)) == []


def test_ids_go_on_after_the_last_one_that_was_ever_given(database: Database, other: Database) -> None:
    with database.writing() as session:
        job, person = factories.job(session), factories.approver(session)
        factories.standard_list(session)
        gone = 0
        for _ in range(3):
            request = factories.requested(session, job=job, by=person)
            gone = request.id
            request.state = State.REJECTED
            session.flush()
    with database.writing() as session:
        for table in ("outbox", "waits", "requested_lines"):
            session.execute(text(f"DELETE FROM {table}"))
        session.execute(text("DELETE FROM requested_updates"))

    assert isinstance(copy(database, other, tell=quiet), Copied)

    with other.writing() as session:
        there = session.scalars(select(Job)).one()
        by = session.scalars(select(Person)).one()
        assert factories.requested(session, job=there, by=by).id == gone + 1
        assert factories.job(session, "25-001").id == there.id + 1


def test_a_database_in_which_nothing_happened_yet_can_be_copied_and_used(
    database: Database, other: Database
) -> None:
    assert isinstance(copy(database, other, tell=quiet), Copied)
    with other.writing() as session:
        assert factories.job(session).id == 1


def test_nothing_is_copied_into_data(database: Database, other: Database) -> None:
    everything.fill(database)
    with other.writing() as session:
        factories.job(session, "other")
    before = everything.raw(other)

    assert copy(database, other, tell=quiet) == NotCopied(Why.NOT_EMPTY, "jobs", of_target=True)
    assert everything.raw(other) == before


def test_nothing_is_copied_onto_itself(database: Database, database_url: str, tmp_path: Path) -> None:
    again = database_url
    if database_url.startswith("sqlite"):
        link = tmp_path / "link.sqlite"
        link.symlink_to(database_url.removeprefix("sqlite:///"))
        again = f"sqlite:///{link}"
    same = Database(again)

    assert copy(database, same, tell=quiet) == NotCopied(Why.SAME_DATABASE)
    same.close()


def test_nothing_is_copied_between_schemas(database: Database, unmigrated_url: str) -> None:
    bare = Database(unmigrated_url)

    assert copy(database, bare, tell=quiet) == NotCopied(Why.OTHER_SCHEMA, None, of_target=True)
    command.upgrade(alembic_config(unmigrated_url), "0001")
    assert copy(bare, database, tell=quiet) == NotCopied(Why.OTHER_SCHEMA, "0001")
    bare.close()


def test_nothing_is_copied_while_work_goes_on(database: Database, other: Database, database_url: str) -> None:
    everything.fill(database)
    running = Database(database_url)
    with running.exclusive("data_sync"):
        assert copy(database, other, tell=quiet, alone=["data_sync"]) == NotCopied(Why.IN_USE)
    running.close()
    assert_empty(other)
    assert isinstance(copy(database, other, tell=quiet, alone=["data_sync"]), Copied)


def test_another_copy_is_said_to_be_one(database: Database, other: Database, database_url: str) -> None:
    everything.fill(database)
    running, seconds = Database(database_url), []

    def copy_meanwhile(what: str, _done: int, _total: int) -> None:
        if what == "Verifying waits":
            seconds.append(copy(running, other, tell=quiet, alone=["data_sync"]))
            seconds.append(copy(other, running, tell=quiet, alone=["data_sync"]))

    assert isinstance(copy(database, other, tell=copy_meanwhile, alone=["data_sync"]), Copied)
    running.close()
    assert seconds == [NotCopied(Why.COPYING), NotCopied(Why.COPYING)]


def test_a_copy_during_which_somebody_writes_is_not_kept(
    database: Database, other: Database, database_url: str
) -> None:
    everything.fill(database)
    running = Database(database_url)
    wrote = threading.Thread(target=_write, args=(running,))

    def write_meanwhile(what: str, _done: int, _total: int) -> None:
        if what == "Verifying waits":
            wrote.start()
            _wait_until_written_or_waiting(database, wrote)

    assert copy(database, other, tell=write_meanwhile) == NotCopied(Why.IN_USE)
    wrote.join(DEADLINE_SECONDS)
    assert_empty(other)
    assert isinstance(copy(database, other, tell=quiet), Copied)
    with other.reading() as session:
        assert session.scalar(select(Job.name).where(Job.number == "late"))
    running.close()


def _write(database: Database) -> None:
    with database.writing() as session:
        factories.job(session, "late")


def _wait_until_written_or_waiting(database: Database, writer: threading.Thread) -> None:
    if database.engine.dialect.name == "sqlite":
        writer.join(DEADLINE_SECONDS)
        return
    with database.engine.connect() as watching:
        while not watching.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")):
            assert writer.is_alive()


def test_a_trail_that_was_tampered_with_is_not_copied(database: Database, other: Database) -> None:
    everything.fill(database)
    with database.writing() as session:
        session.execute(update(AuditEvent).where(AuditEvent.seq == 2).values(actor="somebody else"))

    result = copy(database, other, tell=quiet)

    assert result == NotCopied(Why.TRAIL_BROKEN, "Event 2 was changed after it was written.")
    assert_empty(other)


def test_a_table_that_reads_back_otherwise_is_not_kept(database: Database, other: Database) -> None:
    everything.fill(database)
    on_insert = "UPDATE people SET name = 'other' WHERE id = NEW.id"
    with other.writing() as session:
        if other.engine.dialect.name == "sqlite":
            statements = [f"CREATE TRIGGER meddle AFTER INSERT ON people BEGIN {on_insert}; END"]
        else:
            statements = [
                "CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS "
                "$$ BEGIN NEW.name := 'other'; RETURN NEW; END $$",
                "CREATE TRIGGER meddle BEFORE INSERT ON people FOR EACH ROW EXECUTE FUNCTION meddle()",
            ]
        for statement in statements:
            session.execute(text(statement))

    assert copy(database, other, tell=quiet) == NotCopied(Why.NOT_THE_SAME, "people")
    assert_empty(other)


COPIER = """
import os, signal, sys
from workflow.copying import copy
from workflow.database import Database

def tell(what, done, total):
    if what == sys.argv[3]:
        os.kill(os.getpid(), signal.SIGKILL)

copy(Database(sys.argv[1]), Database(sys.argv[2]), tell=tell)
"""


def test_a_copy_that_was_killed_left_nothing_and_is_done_again(
    database: Database, other: Database, database_url: str, other_url: str
) -> None:
    everything.fill(database)

    killed = subprocess.run(
        [sys.executable, "-c", COPIER, database_url, other_url, "Verifying holds"], check=False
    )

    assert killed.returncode == -9
    assert_empty(other)
    again = copy(database, other, tell=quiet)
    while again == NotCopied(Why.IN_USE, of_target=True):  # the server notices in a moment
        again = copy(database, other, tell=quiet)
    assert isinstance(again, Copied)
