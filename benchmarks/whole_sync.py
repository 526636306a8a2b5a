"""How long a whole data sync to an import file takes, and the read-back once Sage holds what was sent.

Each is what the worker's job does, `sync.data_sync.run`, in a process of its own and on a copy of the
company's database: first claim, plan and send; then, with the file imported and some of its lines rejected,
the read-back. Baselines: the SELECT and csv.writer of `import_file`; csv.reader and the least statements.
"""

import csv
import os
import shutil
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Self

from benchmarks.alone import in_a_process
from benchmarks.company import Company
from benchmarks.import_file import bare
from benchmarks.loading import bare_postgres, copied, dropped, is_sqlite
from benchmarks.measure import Memory, Row, Sizes
from sync.data_sync import RunState, run
from sync.sage.export_file import ExportReader
from sync.sage.folders import Folders
from sync.sage.import_file import ImportFileCompany
from sync.sage.profile import SageProfile
from workflow.database import Database
from workflow.privileges import SCHEDULE

_GOAL = 2.0
_ONE_REJECTED_OF = 100
_LATER = timedelta(hours=1)
_HEADER = ("job", "job_name", "extra", "code", "description", "category")
_INSERT = "INSERT INTO sage_assignments (job_id, extra, code, category, description) VALUES (?, ?, ?, ?, ?)"
_COPY = b"COPY sage_assignments (job_id, extra, code, category, description) FROM STDIN"
_SETTLE = (
    """
    UPDATE requested_lines AS l SET sage_description = s.description, outcome = 'created'
    FROM requested_updates u, sage_assignments s
    WHERE u.id = l.requested_update_id AND u.data_sync_id = 1 AND l.outcome IS NULL
        AND s.job_id = u.job_id AND s.extra = l.extra AND s.code = l.code AND s.category = l.category
    """,
    """
    UPDATE requested_lines SET outcome = 'failed', message = 'Sage rejected this line.'
    WHERE outcome IS NULL
        AND requested_update_id IN (SELECT id FROM requested_updates WHERE data_sync_id = 1)
    """,
    """
    UPDATE requested_updates SET finished_at = exported_at, state = CASE WHEN EXISTS (
        SELECT 1 FROM requested_lines l WHERE l.requested_update_id = requested_updates.id
            AND l.outcome = 'failed'
    ) THEN 'failed' ELSE 'synced' END
    WHERE data_sync_id = 1
    """,
)


class _Turn:
    """One copy of a company's database and the folder of its Sage, through one data sync."""

    def __init__(self, company: Company, folder: Path) -> None:
        self._company, self._folder = company, folder / "turn"
        self._url = copied(company.url, "turn")
        Folders.under(self._folder).set_up()
        jobs = [(company.number(n), company.name(n), "", "", "", "") for n in company.jobs]
        self._export(jobs, saved_at=datetime.now(UTC) - _LATER)

    def sync(self) -> tuple[float, float]:
        """Claim, plan and send: seconds, and MiB resident."""
        return in_a_process(_sync, self._url, self._folder, RunState.SENT)

    def read_back(self) -> tuple[float, float]:
        """Settle what was sent, once Sage has imported it: seconds, and MiB resident."""
        return in_a_process(_sync, self._url, self._folder, RunState.FINISHED)

    def bare(self) -> float:
        """The seconds of the baseline of what was sent."""
        return in_a_process(bare, self._url, self._folder / "bare.csv")[0]

    def read_back_by_hand(self) -> float:
        """The seconds of the read-back's baseline, on a copy of its own."""
        url = copied(self._url, "by_hand")
        try:
            return in_a_process(_read_back_by_hand, url, self._folder)[0]
        finally:
            dropped(url)

    def import_file(self) -> None:
        """Be the accountant: import the file, of which Sage rejects some lines, and save an export."""
        folders = Folders.under(self._folder)
        [sent] = folders.outgoing.glob("*.jce")
        with sent.open(newline="") as file, (folders.rejected / sent.name).open("w", newline="") as rejected:
            for n, record in enumerate(_records(file)):
                if n % _ONE_REJECTED_OF == 0:
                    rejected.writelines(record)
        sent.rename(folders.done / sent.name)
        rows = (row for n, row in enumerate(self._company.held()) if n % _ONE_REJECTED_OF)
        self._export(rows, saved_at=datetime.now(UTC) + _LATER / 2)

    def _export(self, rows: Iterable[Sequence[str]], *, saved_at: datetime) -> None:
        path = self._folder / "export.csv"
        with path.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(_HEADER)
            writer.writerows(rows)
        os.utime(path, (saved_at.timestamp(),) * 2)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        dropped(self._url)
        shutil.rmtree(self._folder)


def measure(
    company: Company, tenth: Company, hundredth: Company, sizes: Sizes, folder: Path
) -> Iterator[Row]:
    """Lead copies of the companies through a data sync; the read-back is long, so it has fewer lines."""
    hand, read_backs, smaller, larger = [], [], [], []
    with _Turn(hundredth, folder) as turn:
        turn.sync()
        turn.import_file()
        _, of_a_tenth = turn.read_back()
    for _ in range(sizes.syncs):
        with _Turn(tenth, folder) as turn:
            smaller.append(turn.sync())
            turn.import_file()
            hand.append(turn.read_back_by_hand())
            read_backs.append(turn.read_back())
    bares = []
    for _ in range(sizes.syncs):
        with _Turn(company, folder) as turn:
            larger.append(turn.sync())
            bares.append(turn.bare())
    memory = Memory(max(peak for _, peak in smaller), max(peak for _, peak in larger), company.lines)
    yield Row(
        f"Whole data sync to an import file: claim, plan and send, {company.engine}",
        f"{company.lines:,} accepted lines of {len(company.jobs):,} jobs",
        "SELECT + csv.writer",
        _GOAL,
        median(bares),
        median(seconds for seconds, _ in larger),
        note=str(memory),
        kept=memory.is_flat,
    )
    memory = Memory(of_a_tenth, max(peak for _, peak in read_backs), tenth.lines)
    yield Row(
        f"Read-back of an imported file, {company.engine}",
        f"{tenth.lines:,} lines, one of {_ONE_REJECTED_OF} rejected",
        "csv.reader + by hand in SQL",
        _GOAL,
        median(hand),
        median(seconds for seconds, _ in read_backs),
        note=str(memory),
        kept=memory.is_flat,
    )


def _sync(url: str, folder: Path, state: RunState) -> None:
    """What the worker's job does, an hour later where Sage's export was saved since."""

    def clock() -> datetime:
        return datetime.now(UTC) + (_LATER if state is RunState.FINISHED else timedelta())

    with closing(Database(url)) as database:
        reader = ExportReader(folder / "export.csv", clock=clock)
        company = ImportFileCompany(folder, SageProfile(), reader, clock=clock)
        report = run(database, company, by=SCHEDULE, clock=clock)
    if report.state is not state:
        raise RuntimeError(f"the data sync came only so far: {report}")


def _read_back_by_hand(url: str, folder: Path) -> None:
    with (folder / "export.csv").open(newline="") as file:
        rows = csv.reader(file)
        next(rows)
        if is_sqlite(url):
            with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as database, database:
                jobs = dict(database.execute("SELECT number, id FROM jobs"))
                held = ((jobs[job], extra, code, cat, text) for job, _, extra, code, text, cat in rows)
                database.executemany(_INSERT, held)
                for statement in _SETTLE:
                    database.execute(statement)
            return
        with bare_postgres(url) as connection, connection.cursor() as cursor:
            jobs = dict(cursor.execute("SELECT number, id FROM jobs").fetchall())
            with cursor.copy(_COPY) as copy:
                for job, _, extra, code, text, cat in rows:
                    copy.write_row((jobs[job], extra, code, cat, text))
            for statement in _SETTLE:
                cursor.execute(statement.encode())


def _records(rows: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Each category row of an import file with the job row above it."""
    job = ""
    for row in rows:
        if row.startswith('"*"'):
            job = row
        elif row.startswith('"C"'):
            yield job, row
