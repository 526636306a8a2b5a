"""What is said of each part while it fails; servers that are killed are in `test_bot_process`."""

from contextlib import closing
from datetime import UTC, datetime

from alembic import command

from bot.health import database_check, files_check, sync_check
from workflow import slots
from workflow.database import Database, alembic_config, migrate
from workflow.settings import Settings
from workflow.tables import DataSync
from workflow.vocabulary import PeriodicWork, Place, SyncState


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


def test_an_import_file_that_nobody_imports_is_told_once_it_is_late(database: Database) -> None:
    at, check = datetime(2026, 11, 2, 10, 30, tzinfo=UTC), files_check(database)
    sync = DataSync(id=7, state=SyncState.SENT, place=Place.SCHEDULE, started_at=at, jobs=1)
    with database.writing() as session:
        session.add(sync)
    assert check() is None
    with database.writing() as session:
        late = session.get_one(DataSync, sync.id)
        late.alerted_at, late.file = at, "DS000007.jce"
    assert check() == "DS000007.jce is not imported yet"
    with database.writing() as session:
        session.get_one(DataSync, sync.id).state = SyncState.FINISHED
    assert check() is None
