"""One door to two databases: snapshots, transactions, locks across processes, migrations."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from pathlib import Path

import psycopg
import pytest
from alembic import command
from sqlalchemy import create_engine, func, inspect, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError, StatementError

from tests import factories
from tests.processes import forked
from workflow.database import (
    Database,
    MigrationBusyError,
    OthersDatabaseError,
    alembic_config,
    migrate,
    newest_revision,
)
from workflow.tables import Hold, Job, Table
from workflow.vocabulary import HoldKind

DEADLINE_SECONDS = 30.0


def count_jobs(database: Database) -> int:
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(Job)) or 0


def test_a_block_that_ends_is_kept_and_one_that_raises_is_not(database: Database) -> None:
    with database.writing() as session:
        factories.job(session, "1")
    with pytest.raises(ZeroDivisionError), database.writing() as session:
        factories.job(session, str(1 / len(session.dirty)))

    assert count_jobs(database) == 1


def test_what_a_reader_changes_is_not_kept(database: Database) -> None:
    with suppress(DBAPIError), database.reading() as session:
        factories.job(session)

    assert count_jobs(database) == 0


def test_a_reader_sees_one_moment_whatever_is_written_meanwhile(database: Database) -> None:
    with database.reading() as session:
        before = session.scalar(select(func.count()).select_from(Job))
        with database.writing() as other:
            factories.job(other)
        after = session.scalar(select(func.count()).select_from(Job))

    assert (before, after, count_jobs(database)) == (0, 0, 1)


def test_a_reader_that_failed_says_why(database: Database) -> None:
    with database.reading() as session, pytest.raises(DBAPIError, match="no_such_table"):
        session.execute(text("SELECT * FROM no_such_table"))

    assert count_jobs(database) == 0


def test_postgresql_keeps_what_it_has_prepared_when_a_reader_ends(postgres_url: str) -> None:
    with closing(Database(postgres_url)) as database:
        for _ in range(10):
            with database.writing() as session:
                session.execute(text("SELECT 'asked by each click'"))
            assert count_jobs(database) == 0
        with database.writing() as session:
            kept = text("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%each click%'")
            assert session.scalar(kept) == 1


def test_a_connection_that_the_server_has_closed_is_not_used_again(postgres_url: str) -> None:
    with closing(Database(postgres_url)) as database, closing(Database(postgres_url)) as server:
        with database.writing() as session:
            pid = session.scalar(text("SELECT pg_backend_pid()"))
        with server.writing() as session:
            session.execute(text("SELECT pg_terminate_backend(:pid, 10000)"), {"pid": pid})

        assert count_jobs(database) == 0


def test_both_databases_keep_rows_from_referring_to_nothing(database: Database) -> None:
    with database.writing() as session:
        session.add(
            Hold(job_id=4711, kind=HoldKind.COMMITMENT, number="1", title="", added_at=factories.NINE)
        )
        with pytest.raises(IntegrityError):
            session.flush()
        session.rollback()


def test_a_time_without_a_time_zone_is_refused(database: Database) -> None:
    with database.writing() as session:
        factories.job(session).read_back_at = datetime(2026, 11, 2)  # noqa: DTZ001
        with pytest.raises(StatementError, match="without a time zone"):
            session.flush()
        session.rollback()


def test_a_time_comes_back_as_the_same_moment_in_utc(database: Database) -> None:
    with database.writing() as session:
        factories.job(session).read_back_at = factories.NINE.replace(microsecond=123_456)
    with database.reading() as session:
        stored = session.scalars(select(Job)).one().read_back_at

    assert stored == factories.NINE.replace(microsecond=123_456)
    assert stored is not None
    assert str(stored.tzinfo) == "UTC"


def test_a_lock_has_one_holder_and_each_name_is_its_own(database_url: str) -> None:
    one, other = Database(database_url), Database(database_url)
    with (
        one.exclusive("data_sync") as first,
        other.exclusive("data_sync") as second,
        other.exclusive("deliver") as different,
    ):
        assert [bool(held) for held in (first, second, different)] == [True, False, True]
    with other.exclusive("data_sync") as later:
        assert later
    one.close()
    other.close()


def test_a_lock_that_raised_is_free_again(database: Database) -> None:
    with pytest.raises(ZeroDivisionError), database.exclusive("data_sync") as held:
        _ = held and 1 / 0
    with database.exclusive("data_sync") as again:
        assert again


def test_who_waits_for_a_lock_gets_it(database_url: str) -> None:
    one, other = Database(database_url), Database(database_url)
    got: list[bool] = []

    def wait() -> None:
        with other.exclusive("data_sync", wait_seconds=DEADLINE_SECONDS) as held:
            got.append(bool(held))

    waiter = threading.Thread(target=wait)
    with one.exclusive("data_sync"):
        waiter.start()
    waiter.join(DEADLINE_SECONDS)

    assert got == [True]
    one.close()
    other.close()


HOLDER = """
import sys, time
from workflow.database import Database
with Database(sys.argv[1]).exclusive("data_sync") as held:
    print(bool(held), flush=True)
    time.sleep(600)
"""


def test_a_killed_holder_leaves_the_lock_free(database: Database, database_url: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, database_url], stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "True\n"
        with database.exclusive("data_sync") as held:
            assert not held
        holder.kill()
    with database.exclusive("data_sync", wait_seconds=DEADLINE_SECONDS) as held:
        assert held


def test_the_migrations_make_the_tables_that_the_code_knows(database_url: str) -> None:
    command.check(alembic_config(database_url))


def test_the_migrations_are_undone_and_done_again(unmigrated_url: str) -> None:
    migrate(unmigrated_url)
    command.downgrade(alembic_config(unmigrated_url), "base")
    database = Database(unmigrated_url)
    assert set(inspect(database.engine).get_table_names()) == {"alembic_version"}
    migrate(unmigrated_url)

    assert set(inspect(database.engine).get_table_names()) == {*Table.metadata.tables, "alembic_version"}
    database.close()


def test_a_database_knows_its_revision(unmigrated_url: str) -> None:
    database = Database(unmigrated_url)
    before = database.revision()
    migrate(unmigrated_url)

    assert (before, database.revision()) == (None, newest_revision())
    database.close()


def test_nobody_migrates_while_another_process_does(unmigrated_url: str) -> None:
    other = Database(unmigrated_url)

    with other.exclusive("migrate"), pytest.raises(MigrationBusyError, match="Another process"):
        migrate(unmigrated_url, wait_seconds=0.0)

    assert other.revision() is None
    other.close()


def test_several_processes_that_start_at_once_migrate_once(unmigrated_url: str) -> None:
    started = [forked(migrate, unmigrated_url) for _ in range(3)]
    for process in started:
        process.start()
    for process in started:
        process.join(timeout=100)

    assert [process.exitcode for process in started] == [0, 0, 0]
    database = Database(unmigrated_url)
    with database.reading() as session:
        assert session.scalar(text("SELECT count(*) FROM audit_head")) == 1
    database.close()


MIGRATES = """
import os, sys, workflow.database as database
from sqlalchemy import Engine, event

statements, stop_at = 0, int(sys.argv[2])

@event.listens_for(Engine, "after_cursor_execute")
def count(connection, cursor, statement, *_):
    global statements
    statements += statement.lstrip().startswith(("CREATE TABLE", "ALTER TABLE", "UPDATE alembic"))
    if statements == stop_at:
        print("in the middle", flush=True)
        sys.stdin.readline()

slept = database.time.sleep
database.time.sleep = lambda seconds: (print("waits", flush=True), slept(seconds))
database.migrate(sys.argv[1])
"""


@contextmanager
def migrating(url: str, *, first_word: str, stop_at: int = -1) -> Iterator["subprocess.Popen[str]"]:
    """A process that migrates, has said this word, and stands still after so many of its changes."""
    program = [sys.executable, "-c", MIGRATES, url, str(stop_at)]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == f"{first_word}\n"
            yield process
        finally:
            process.kill()


def test_who_waits_finishes_what_one_was_killed_in_the_middle_of(unmigrated_url: str) -> None:
    with migrating(unmigrated_url, stop_at=5, first_word="in the middle"):
        pass
    database = Database(unmigrated_url)
    assert not inspect(database.engine).has_table("audit_head")  # which came before the fifth
    database.close()
    with (
        migrating(unmigrated_url, stop_at=30, first_word="in the middle") as first,
        migrating(unmigrated_url, first_word="waits") as second,
    ):
        first.kill()
        second.communicate(timeout=100)

    assert second.returncode == 0
    command.check(alembic_config(unmigrated_url))


@pytest.mark.parametrize("of_alembic", [False, True], ids=["", "with Alembic"])
def test_a_database_of_another_program_gets_no_table(unmigrated_url: str, of_alembic: bool) -> None:
    engine = create_engine(unmigrated_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE invoices (id INTEGER)"))
        if of_alembic:
            connection.execute(text("CREATE TABLE alembic_version (version_num TEXT)"))
            connection.execute(text("INSERT INTO alembic_version VALUES ('9f3a')"))
    tables = inspect(engine).get_table_names()
    file = make_url(unmigrated_url).database if engine.dialect.name == "sqlite" else None
    before = Path(file).read_bytes() if file else b""

    with pytest.raises(OthersDatabaseError, match=r"another program \(invoices\)"):
        migrate(unmigrated_url)

    assert inspect(engine).get_table_names() == tables
    assert (Path(file).read_bytes() if file else b"") == before
    engine.dispose()


def test_a_second_migration_changes_nothing(database_url: str, database: Database) -> None:
    with database.writing() as session:
        factories.job(session)
    migrate(database_url)

    assert count_jobs(database) == 1


@pytest.mark.parametrize(
    "url", ["sqlite:////nowhere/costbot.db", "postgresql+psycopg:///costbot?host=/nowhere"]
)
def test_a_database_that_does_not_answer_says_so(url: str) -> None:
    database = Database(url)
    with pytest.raises(OperationalError):
        database.ping()
    database.close()


def test_a_database_that_answers_is_quiet(database: Database) -> None:
    database.ping()


def test_a_server_that_is_gone_without_a_word_is_noticed_within_half_a_minute(postgres_url: str) -> None:
    def waits(url: str) -> dict[str, str]:
        with closing(Database(url)) as database, database.engine.connect() as connection:
            driver: psycopg.Connection = connection.connection.driver_connection  # type: ignore[assignment]
            return driver.info.get_parameters()

    found = waits(postgres_url)
    assert found["connect_timeout"] == "10"
    idle, between, times = (int(found[f"keepalives_{name}"]) for name in ("idle", "interval", "count"))
    assert idle + between * times <= 30
    assert found["tcp_user_timeout"] == "30000"
    own = make_url(postgres_url).update_query_dict({"connect_timeout": "3"})
    assert waits(own.render_as_string(hide_password=False))["connect_timeout"] == "3"
