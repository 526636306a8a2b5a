"""What is said of each part while it fails, over real servers that are killed."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime

import pytest
from alembic import command

from bot.health import database_check, files_check, redis_check, sync_check
from tests.factories import NINE
from tests.servers import PostgresServer, RedisServer
from workflow import slots
from workflow.database import Database, alembic_config, migrate
from workflow.settings import Settings
from workflow.vocabulary import PeriodicWork


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    """A PostgreSQL that a test may kill."""
    with PostgresServer() as server:
        yield server


def test_a_database_that_stops_is_told_and_works_again_when_it_is_back(server: PostgresServer) -> None:
    migrate(server.url)
    settings = Settings(_env_file=None, database_url=server.url)
    with closing(Database(settings.database)) as database:
        check = database_check(database)
        notes = [sync_check(settings, database, clock=lambda: NINE), files_check(database)]
        assert check() is None
        server.kill()
        assert check() == "OperationalError"
        assert [note() for note in notes] == ["not known while the database does not answer"] * 2
        server.start()
        assert check() is None


def test_redis_that_stops_is_told_and_works_again_when_it_is_back() -> None:
    with RedisServer() as redis:
        check = redis_check(Settings(_env_file=None, redis_url=redis.url))
        assert check() is None
        redis.kill()
        assert check() == "ConnectionError"
        redis.start()
        assert check() is None


def test_tables_that_are_older_than_the_code_are_told_with_the_mend(unmigrated_url: str) -> None:
    with closing(Database(unmigrated_url)) as database:
        check = database_check(database)
        assert "`costbot migrate`" in (check() or "")
        command.upgrade(alembic_config(unmigrated_url), "0001")
        assert "schema 0001" in (check() or "")
        migrate(unmigrated_url)
        assert check() is None


def test_a_data_sync_that_does_not_run_is_told(database: Database) -> None:
    at = datetime(2026, 11, 2, 10, 30, tzinfo=UTC)
    check = sync_check(Settings(_env_file=None), database, clock=lambda: at)
    assert check() == "late: it was never done"
    with database.writing() as session:
        slots.take(session, PeriodicWork.DATA_SYNC, at.replace(minute=0))
        slots.done(session, PeriodicWork.DATA_SYNC, at, at=at)
    assert check() is None
    late = sync_check(Settings(_env_file=None), database, clock=lambda: at.replace(hour=12))
    assert late() == "late: it was last done on 2026-11-02 10:30 UTC"
