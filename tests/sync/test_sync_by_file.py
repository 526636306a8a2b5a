"""The data sync by import file, from Update to the read-back, with an accountant who imports it by hand."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from sync.data_sync import RunState, SyncReport, refresh_read_back, run
from sync.sage.company import SageCompany
from sync.sage.embedded import EmbeddedSage, LoadedRow
from sync.sage.export_file import ExportReader
from sync.sage.folders import Folders
from sync.sage.import_file import ImportFileCompany
from sync.sage.import_task import ImportTask
from sync.sage.profile import SageProfile
from tests import factories
from tests.sync import company_at_work as work
from tests.sync.company_at_work import DEPOT, JOBS, RIVERSIDE, YARD, WatchedSage, clock
from tests.sync.sage.lines import left_alone
from workflow import audit, facts, queries
from workflow.database import Database
from workflow.merge import SageJob
from workflow.privileges import SCHEDULE
from workflow.tables import DataSync, OutboxNotice, Person
from workflow.vocabulary import Event, NoticeKind, Severity


class Site:
    """costbot, Sage, and between them the shared folder and the accountant."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database = database
        self.sage = EmbeddedSage(folder / "sage.db")
        work.set_up(database, self.sage)
        self.shared = folder / "shared"
        Folders.under(self.shared).set_up()
        export = folder / "export.csv"
        self.accountant = ImportTask(self.shared, self.sage, export)
        self.accountant.save_export()
        self.company = ImportFileCompany(self.shared, SageProfile(), left_alone(export))

    def sync(self, sage: SageCompany | None = None, *, at: datetime | None = None) -> SyncReport:
        return run(self.database, sage or self.company, by=SCHEDULE, clock=lambda: at or clock())

    def file(self) -> bytes:
        [path] = [*self.shared.rglob("DS000001.jce")]
        return path.read_bytes()


@pytest.fixture
def site(database: Database, tmp_path: Path) -> Site:
    return Site(database, tmp_path)


def test_what_was_accepted_waits_for_the_import_and_is_then_read_back(site: Site) -> None:
    work.accept_everything(site.database)

    assert site.sync().state is RunState.SENT
    assert [work.states(site.database, number) for number in JOBS] == [["exported"]] * 3
    assert site.sync().state is RunState.SENT
    assert site.accountant.run() == ["DS000001.jce"]
    report = site.sync()

    assert report == SyncReport(
        batch="DS000001", state=RunState.FINISHED, jobs=3, created=4, tied=1, already_there=1, failed=1
    )
    assert [work.states(site.database, number) for number in JOBS] == [["synced"], ["failed"], ["synced"]]
    with site.database.reading() as session:
        update = queries.current_update(session, work.job(session, DEPOT).id)
        assert update is not None
        said = {line.category: line.message for line in queries.lines_of(session, update.requested_update_id)}
    assert said == {
        "L": None,
        "XX": "Job 24-018 Cost code 01-100 Category XX Category XX is not a standard category",
    }


def test_the_data_sync_keeps_its_file_and_hash(site: Site) -> None:
    work.accept(site.database, YARD, "16-100 S")
    site.sync()

    with site.database.reading() as session:
        [sync] = queries.data_syncs(session, limit=5)
    manifest = (site.shared / "outgoing" / "DS000001.json").read_text()
    assert sync.file == "DS000001.jce"
    assert sync.file_sha256
    assert sync.file_sha256 in manifest


def test_a_code_that_sage_has_is_written_without_a_description(site: Site) -> None:
    work.accept(site.database, RIVERSIDE, "03-300 M", "09-250 L")
    site.sync()

    rows = site.file().decode("cp1252").splitlines()
    assert [row.split(",")[1:4] for row in rows if row.startswith('"C"')] == [
        ['"03-300"', '""', '"M"'],
        ['"09-250"', '"Gypsum board"', '"L"'],
    ]


@pytest.mark.parametrize(
    "step", [f"read {RIVERSIDE}", f"read {YARD}", "read", "to send", "sent", "to answer"]
)
def test_killed_at_any_step_the_next_run_sends_the_same_file_once(site: Site, step: str) -> None:
    class KilledError(BaseException):
        pass

    def kill(what: str) -> None:
        if what == step:
            raise KilledError

    work.accept_everything(site.database)
    with pytest.raises(KilledError):
        site.sync(WatchedSage(site.company, kill))
    before = [path.read_bytes() for path in site.shared.rglob("DS000001.jce")]
    site.sync()
    content = site.file()
    site.accountant.run()

    report = site.sync()

    assert before in ([], [content])
    assert (report.batch, report.state, report.created, report.failed) == (
        "DS000001",
        RunState.FINISHED,
        4,
        1,
    )
    with site.database.reading() as session:
        assert len(session.scalars(select(DataSync)).all()) == 1


def overdue_notices(database: Database) -> list[str]:
    """Who is told that nobody imported a file."""
    with database.reading() as session:
        events = {row.seq for row in audit.trail(session) if row.event == Event.SYNC_OVERDUE}
        told = session.scalars(select(OutboxNotice).where(OutboxNotice.kind == NoticeKind.DIRECT))
        people = [notice.person_id for notice in told if notice.event_seq in events]
        return [session.get_one(Person, person_id).email for person_id in people]


def test_a_file_that_nobody_imports_is_told_to_the_approvers_once(site: Site) -> None:
    work.accept(site.database, YARD, "16-100 S")
    site.sync()
    late = clock() + timedelta(hours=24)

    site.sync(at=late)
    assert overdue_notices(site.database) == []
    site.sync(at=late + timedelta(minutes=1))
    site.sync(at=late + timedelta(hours=1))

    assert overdue_notices(site.database) == ["ada.approver@example.com"]
    with site.database.reading() as session:
        assert [sync.batch for sync in queries.overdue_syncs(session)] == ["DS000001"]
    site.accountant.run()
    site.sync(at=late + timedelta(hours=2))
    with site.database.reading() as session:
        assert queries.overdue_syncs(session) == []


def test_a_job_with_a_bad_row_in_the_export_waits_and_is_neither_synced_nor_failed(site: Site) -> None:
    export = site.shared.parent / "export.csv"
    work.accept_everything(site.database)
    site.sync()
    site.accountant.run()
    good = export.read_text()
    export.write_text(f"{good}{RIVERSIDE},,,,\n")

    report = site.sync()

    assert report.state is RunState.SENT
    assert f"until then costbot leaves job {RIVERSIDE} as it is" in report.untold[0]
    assert [work.states(site.database, number) for number in JOBS] == [["exported"], ["failed"], ["synced"]]
    work.accept(site.database, YARD, "16-100 M")
    assert site.sync().batch == "DS000002"
    export.write_text(good)
    site.sync()
    assert [work.states(site.database, number) for number in JOBS] == [
        ["synced"],
        ["failed"],
        ["synced", "exported"],
    ]


def test_a_job_with_a_bad_row_in_the_export_is_not_sent_and_the_others_are(site: Site) -> None:
    work.accept_everything(site.database)
    export = site.shared.parent / "export.csv"
    good = export.read_text()
    export.write_text(f"{good}{RIVERSIDE},,,,\n")

    site.sync()

    assert [work.states(site.database, number) for number in JOBS] == [
        ["accepted"],
        ["exported"],
        ["exported"],
    ]
    assert RIVERSIDE.encode() not in site.file()
    export.write_text(good)
    site.sync()
    assert work.states(site.database, RIVERSIDE) == ["exported"]


def test_no_transaction_of_the_database_is_open_while_sage_is_read(
    site: Site,
) -> None:
    open_now: set[object] = set()
    seen: list[int] = []

    def begun(_session: object, transaction: object, _connection: object) -> None:
        open_now.add(transaction)

    def ended(_session: object, transaction: object) -> None:
        open_now.discard(transaction)

    class Watched(ExportReader):
        def read(self, numbers: Iterable[str]) -> Iterator[SageJob]:
            for job in super().read(numbers):
                seen.append(len(open_now))
                yield job

    work.accept_everything(site.database)
    later = datetime.now(UTC) + timedelta(minutes=1)
    watched = Watched(site.shared.parent / "export.csv", clock=lambda: later)
    event.listen(Session, "after_begin", begun)
    event.listen(Session, "after_transaction_end", ended)
    try:
        site.sync(ImportFileCompany(site.shared, SageProfile(), watched))
        site.sync(ImportFileCompany(site.shared, SageProfile(), watched))
    finally:
        event.remove(Session, "after_begin", begun)
        event.remove(Session, "after_transaction_end", ended)

    assert len(seen) >= 5
    assert set(seen) == {0}


def test_a_job_that_sage_does_not_know_is_not_created_there(site: Site) -> None:
    with site.database.writing() as session:
        factories.job(session, "24-099", "Mistyped")
    work.accept(site.database, "24-099", "16-100 S")
    work.accept(site.database, YARD, "16-100 S")

    site.sync()

    assert work.states(site.database, "24-099") == ["failed"]
    assert b"24-099" not in site.file()
    with site.database.reading() as session:
        update = queries.current_update(session, work.job(session, "24-099").id)
        assert update is not None
        [line] = queries.lines_of(session, update.requested_update_id)
    assert line.message == (
        "Not sent: Sage has no job 24-099, and an import would create it: set it up, or correct its number."
    )


def test_a_batch_of_which_nothing_can_be_sent_is_no_file_and_finishes_at_once(site: Site) -> None:
    with site.database.writing() as session:
        factories.job(session, "24-099", "Mistyped")
    work.accept(site.database, "24-099", "16-100 S")

    report = site.sync()

    assert (report.state, report.failed) == (RunState.FINISHED, 1)
    assert [*site.shared.rglob("*.jce")] == []


def test_once_sage_knows_the_job_what_stopped_its_update_is_gone(site: Site) -> None:
    with site.database.writing() as session:
        job = factories.job(session, "24-099", "New in costbot")
        update = factories.requested(session, job=job, by=work.engineer(session), lines=["16-100 S"])
    refresh_read_back(site.database, site.company, [job.id], clock=clock)

    def found() -> facts.Found:
        with site.database.reading() as session:
            return queries.update_facts(session, [update.id])[0].found

    assert [finding.severity for finding in found().first] == [Severity.REFUSE]
    site.sage.load([LoadedRow("24-099", "New in Sage")])
    site.accountant.save_export()
    site.sync()

    assert found() == facts.Found()
