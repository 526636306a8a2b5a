"""A database restored from a backup that is older than what Sage was sent: nothing twice, nothing lost."""

from pathlib import Path

import pytest

from sync.data_sync import RunState, SyncReport, run
from sync.sage.company import Batch, SageUnreachableError
from sync.sage.embedded import EmbeddedSage
from tests import factories
from tests.restoring import Vault
from tests.servers import PostgresServer
from tests.sync import company_at_work as work
from tests.sync.company_at_work import DEPOT, JOBS, RIVERSIDE, YARD, WatchedSage
from tests.sync.test_sync_by_file import Site
from workflow import backups
from workflow.database import Database
from workflow.privileges import SCHEDULE


@pytest.fixture
def vault(database: Database, postgres_server: PostgresServer, tmp_path: Path) -> Vault:
    return Vault(database, postgres_server, tmp_path)


def restore(vault: Vault, database: Database) -> None:
    vault.restore()
    with database.writing() as session:
        backups.restored(session, by=SCHEDULE, at=factories.later(90))


def test_what_the_embedded_sage_took_after_the_backup_is_not_sent_twice_and_the_rest_is(
    database: Database, vault: Vault, tmp_path: Path
) -> None:
    sage = EmbeddedSage(tmp_path / "sage.db")
    work.set_up(database, sage)
    watched = WatchedSage(sage, lambda _what: None)

    def sync() -> SyncReport:
        return run(database, watched, by=SCHEDULE, clock=work.clock)

    work.accept(database, DEPOT, "01-100 L")
    sync()
    work.accept(database, RIVERSIDE, "03-300 M", "09-250 L")
    vault.back_up()
    sync()
    restore(vault, database)
    work.accept(database, YARD, "16-100 S")

    report = sync()

    assert (report.batch, report.state) == ("DS000003", RunState.FINISHED)
    assert (report.created, report.already_there, report.failed) == (1, 2, 0)
    assert [work.states(database, number) for number in JOBS] == [["synced"]] * 3
    sent = [[f"{line.job_number} {line.code} {line.category}" for line in lines] for _, lines in watched.sent]
    assert sent == [
        [f"{DEPOT} 01-100 L"],
        [f"{RIVERSIDE} 03-300 M", f"{RIVERSIDE} 09-250 L"],
        [f"{YARD} 16-100 S"],
    ]
    assert work.in_sage(sage, YARD).keys() == {"16-100"}


@pytest.mark.parametrize("imported", [True, False])
def test_an_import_file_from_after_the_backup_keeps_its_name_and_its_lines_reach_sage_once(
    database: Database, vault: Vault, tmp_path: Path, imported: bool
) -> None:
    site = Site(database, tmp_path)
    work.accept(database, DEPOT, "01-100 L")
    site.sync()
    site.accountant.run()
    site.sync()
    work.accept(database, RIVERSIDE, "03-300 M", "09-250 L")
    vault.back_up()
    site.sync()
    first = (site.shared / "outgoing" / "DS000002.jce").read_bytes()
    if imported:
        site.accountant.run()
    restore(vault, database)
    work.accept(database, YARD, "16-100 S")

    site.sync()
    imports = site.accountant.run()
    report = site.sync()

    assert report.batch == "DS000003"
    assert imports == (["DS000003.jce"] if imported else ["DS000002.jce", "DS000003.jce"])
    assert (site.shared / "done" / "DS000002.jce").read_bytes() == first
    assert report.failed == 0
    assert [work.states(database, number) for number in JOBS] == [["synced"]] * 3
    third = (site.shared / "done" / "DS000003.jce").read_text()
    assert ("09-250" in third) is not imported
    assert "16-100" in third
    assert work.in_sage(site.sage, RIVERSIDE)["09-250"].categories == {"L"}


def test_a_batch_that_was_sent_when_the_backup_was_taken_is_read_back_again(
    database: Database, vault: Vault, tmp_path: Path
) -> None:
    site = Site(database, tmp_path)
    work.accept_everything(database)
    site.sync()
    vault.back_up()
    site.accountant.run()
    before = site.sync()
    restore(vault, database)

    assert site.sync() == before
    assert [work.states(database, number) for number in JOBS] == [["synced"], ["failed"], ["synced"]]


def test_a_costbot_without_any_batch_does_not_go_on_with_those_of_another(
    database: Database, tmp_path: Path
) -> None:
    sage = EmbeddedSage(tmp_path / "sage.db")
    work.set_up(database, sage)
    work.accept(database, YARD, "16-100 S")
    other = work.clock().replace(year=2025)
    sage.send(Batch("DS000001", other), [])

    with pytest.raises(SageUnreachableError, match="DS000001 of another costbot"):
        run(database, sage, by=SCHEDULE, clock=work.clock)
    assert work.states(database, YARD) == ["accepted"]
