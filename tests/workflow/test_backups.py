"""A backup holds all of the database as of one moment; a restored database gives no id of Slack's again."""

import resource
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select, text, update

from tests import factories
from tests.restoring import Vault
from tests.servers import PostgresServer
from tests.workflow import everything
from workflow import audit
from workflow.approvals import accept
from workflow.backups import BackedUp, BackupError, back_up, restored
from workflow.database import Database
from workflow.privileges import Actor
from workflow.tables import AuditEvent, Job, OutboxNotice, Person, Table
from workflow.vocabulary import Event, NoticeKind, Place, State

DEADLINE_SECONDS = 30.0
OPERATOR = Actor(Place.COMMAND_LINE, "operator")


@pytest.fixture
def file(sqlite_url: str) -> Database:
    """The SQLite database of this test."""
    return Database(sqlite_url)


def test_a_backup_has_every_row_in_one_file_that_only_its_owner_reads(file: Database, tmp_path: Path) -> None:
    everything.fill(file)
    target = tmp_path / "costbot.backup"

    done = back_up(file, target)

    assert done == BackedUp(target.stat().st_size, everything.ROWS, ())
    assert [path.name for path in tmp_path.iterdir()] == [target.name]
    assert target.stat().st_mode & 0o777 == 0o600
    copy = Database(f"sqlite:///{target}")
    assert everything.raw(copy) == everything.raw(file)
    copy.close()
    file.close()


def test_a_backup_is_of_one_moment_while_costbot_writes(file: Database, tmp_path: Path) -> None:
    everything.fill(file)
    stop, wrote = threading.Event(), threading.Semaphore(0)

    def write() -> None:
        while not stop.is_set():
            with file.writing() as session:
                audit.record(session, Event.IMPORTED, by=OPERATOR, at=factories.NINE)
            wrote.release()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(5):
            assert wrote.acquire(timeout=DEADLINE_SECONDS)
            assert back_up(file, tmp_path / f"{number}.backup").problems == ()
    finally:
        stop.set()
        writer.join(DEADLINE_SECONDS)
    file.close()


def test_no_file_is_overwritten_and_none_is_left_half_written(file: Database, tmp_path: Path) -> None:
    there = tmp_path / "there.backup"
    there.write_text("precious")

    with pytest.raises(BackupError, match=r"there\.backup is there already"):
        back_up(file, there)
    with pytest.raises(BackupError, match=r"no folder .*/nowhere"):
        back_up(file, tmp_path / "nowhere" / "costbot.backup")

    assert there.read_text() == "precious"
    assert [*tmp_path.iterdir()] == [there]
    file.close()


def test_a_backup_that_was_made_meanwhile_is_not_overwritten(file: Database, tmp_path: Path) -> None:
    class LookedAtTooEarly(type(tmp_path)):  # type: ignore[misc]
        """A name that another backup takes just after anybody has looked whether it is free."""

        def exists(self) -> bool:
            free = not super().exists()
            self.write_text("the other backup")
            return not free

    target = LookedAtTooEarly(tmp_path / "costbot.backup")
    with pytest.raises(BackupError, match=r"costbot\.backup is there already"):
        back_up(file, target)

    assert target.read_text() == "the other backup"
    assert [path.name for path in tmp_path.iterdir()] == [target.name]
    file.close()


def test_a_backup_that_has_no_room_is_told_and_leaves_nothing(file: Database, tmp_path: Path) -> None:
    everything.fill(file)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(BackupError, match="has room"):
            back_up(file, tmp_path / "costbot.backup")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert [*tmp_path.iterdir()] == []
    file.close()


def test_a_damaged_database_is_no_backup(file: Database, sqlite_url: str, tmp_path: Path) -> None:
    everything.fill(file)
    file.close()
    with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))) as meddler:
        meddler.execute("PRAGMA writable_schema = ON")
        meddler.execute(
            "UPDATE sqlite_master SET sql = replace(sql, 'name VARCHAR(200) NOT NULL', "
            "'name VARCHAR(200) NOT NULL CHECK (name = 0)') WHERE name = 'jobs'"
        )
        meddler.commit()

    with pytest.raises(BackupError, match="damaged"):
        back_up(file, tmp_path / "costbot.backup")
    assert [*tmp_path.iterdir()] == []
    file.close()


def test_a_trail_that_was_tampered_with_is_backed_up_and_said(file: Database, tmp_path: Path) -> None:
    everything.fill(file)
    with file.writing() as session:
        session.execute(update(AuditEvent).where(AuditEvent.seq == 2).values(actor="somebody else"))

    done = back_up(file, tmp_path / "costbot.backup")

    assert done.problems == ("Event 2 was changed after it was written.",)
    file.close()


def test_a_button_from_after_the_backup_accepts_nothing_that_was_asked_for_since(
    database: Database, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    vault = Vault(database, postgres_server, tmp_path)
    with database.writing() as session:
        job, engineer = factories.job(session), factories.person(session, "eve.engineer@example.com")
        ada = factories.actor(factories.approver(session))
        factories.standard_list(session)
    vault.back_up()
    with database.writing() as session:
        seen = factories.requested(session, job=session.merge(job), by=session.merge(engineer)).id
    vault.restore()
    with database.writing() as session:
        restored(session, by=OPERATOR, at=factories.later(60))
    with database.writing() as session:
        there, by = session.scalars(select(Job)).one(), session.get_one(Person, engineer.id)
        unseen = factories.requested(session, job=there, by=by, lines=["09-250 S"])
        accept(
            session, requested_update_id=seen, revision=1, by=ada, at=factories.NINE, rules=factories.RULES
        )
        session.refresh(unseen)

    assert unseen.state is State.READY


@pytest.mark.parametrize("name", ["requested_updates", "privilege_requests"])
def test_no_id_that_a_button_may_carry_is_given_again_after_a_restore(database: Database, name: str) -> None:
    everything.fill(database)
    table = Table.metadata.tables[name]

    with database.writing() as session:
        restored(session, by=OPERATOR, at=factories.later(60))
        [row] = everything.rows(table, [everything.ROWS])
        values = {**row, "state": State.SYNCED, "asker_key": "another"}
        there = [column.name for column in table.columns if column.name != "id"]
        session.execute(insert(table).values({column: values[column] for column in there}))
        newest = session.scalar(select(func.max(table.c.id)))

    assert newest == everything.ROWS + 1_000_001


def test_what_a_backup_knew_of_is_drawn_anew_and_the_restore_is_on_record(
    database: Database, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    vault = Vault(database, postgres_server, tmp_path)
    with database.writing() as session:
        job, done = factories.job(session), factories.job(session, "24-018")
        approver = factories.approver(session)
        factories.standard_list(session)
        factories.requested(session, job=job, by=approver)
        factories.requested(session, job=done, by=approver).state = State.SYNCED
        session.execute(text("UPDATE outbox SET done_at = due_at"))
        job_id = job.id
    vault.back_up()
    with database.writing() as session:
        factories.job(session, "late")
    vault.restore()

    with database.writing() as session:
        result = restored(session, by=OPERATOR, at=factories.later(60))

    with database.reading() as session:
        waiting = session.scalars(select(OutboxNotice).where(OutboxNotice.done_at.is_(None))).all()
        last = session.scalars(select(AuditEvent).order_by(AuditEvent.seq.desc()).limit(1)).one()
        numbers = session.scalars(select(Job.number)).all()
        assert list(audit.problems(session)) == []
    assert (result.cards, result.waiting) == (1, 0)
    assert [(notice.kind, notice.job_id) for notice in waiting] == [(NoticeKind.CARD, job_id)]
    assert (last.event, last.actor) == (Event.RESTORED, "operator")
    assert "late" not in numbers
