"""How fast and in how much memory a batch goes from the database to an import file.

The baseline is the same SELECT, with the same order, on the bare driver, written by csv.writer.
Both run in processes of their own, by turns.
"""

import csv
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any

from benchmarks.alone import in_a_process
from benchmarks.company import Company
from benchmarks.loading import bare_postgres
from benchmarks.measure import Memory, Row, Sizes, by_turns
from sync.sage.company import Batch
from sync.sage.export_file import ExportReader
from sync.sage.folders import Folders
from sync.sage.import_file import ImportFileCompany
from sync.sage.profile import SageProfile
from workflow import batches
from workflow.database import Database
from workflow.tables import DataSync

_GOAL = 2.0
_ROWS_A_FETCH = 5_000
_SELECT = """
SELECT l.id, j.number, coalesce(j.sage_name, j.name), l.extra, l.code, l.category,
    CASE WHEN l.sage_description IS NULL THEN l.description END, l.sage_description
FROM requested_lines l
JOIN requested_updates u ON u.id = l.requested_update_id
JOIN jobs j ON j.id = u.job_id
WHERE u.data_sync_id = 1 AND l.outcome IS NULL AND l.standing != 'in_sage'
ORDER BY j.number, l.extra, l.code, l.category, l.id
"""


def measure(company: Company, tenth: Company, sizes: Sizes, folder: Path) -> Iterator[Row]:
    """Send the companies' planned batches, each time into a folder of its own."""
    peaks = []

    def send(one: Company, name: str) -> float:
        seconds, peak = in_a_process(_send, one.url, folder / name)
        peaks.append(peak)
        shutil.rmtree(folder / name)
        return seconds

    send(tenth, "sent-tenth")
    of_a_tenth = peaks.pop()
    numbers = count()
    baseline, ours = by_turns(
        lambda: in_a_process(bare, company.url, folder / "bare.csv")[0],
        lambda: send(company, f"sent-{next(numbers)}"),
        runs=sizes.runs,
    )
    memory = Memory(of_a_tenth, max(peaks), company.lines)
    yield Row(
        f"Sending of a planned batch to an import file, {company.engine}",
        f"{company.lines:,} accepted lines",
        "SELECT + csv.writer",
        _GOAL,
        baseline,
        ours,
        note=str(memory),
        kept=memory.is_flat,
    )


def _send(url: str, folder: Path) -> None:
    """What costbot does: the batch by `ImportFileCompany.send`, with hash, manifest and fsync."""
    with closing(Database(url)) as database, database.reading() as session:
        sync = session.get_one(DataSync, 1)
        Folders.under(folder).set_up()
        company = ImportFileCompany(folder, SageProfile(), ExportReader(folder / "none.csv"))
        company.send(Batch(sync.batch, sync.started_at), batches.lines_to_send(session, sync))


def bare(url: str, path: Path) -> None:
    """The baseline: what batch 1 has, by SELECT and csv.writer."""
    with path.open("w", newline="", encoding="cp1252") as file:
        csv.writer(file).writerows(_bare_rows(url))


def _bare_rows(url: str) -> Iterator[tuple[Any, ...]]:
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as database:
            yield from database.execute(_SELECT)
    else:
        with (
            bare_postgres(url) as connection,
            connection.cursor("bench") as cursor,  # a named cursor streams, as costbot's does
        ):
            cursor.itersize = _ROWS_A_FETCH
            cursor.execute(_SELECT)
            yield from cursor
