"""How fast and in how much memory a batch goes from the database to an import file.

The baseline is the same SELECT, with the same order, on the bare driver, written by csv.writer.
Both run in processes of their own, by turns.
"""

import csv
import multiprocessing
import resource
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any

from benchmarks.company import Company
from benchmarks.loading import bare_postgres
from benchmarks.measure import Row, Sizes, by_turns
from sync.sage.company import Batch
from sync.sage.export_file import ExportReader
from sync.sage.folders import Folders
from sync.sage.import_file import ImportFileCompany
from sync.sage.profile import SageProfile
from workflow import exports
from workflow.database import Database
from workflow.tables import DataSync

_GOAL = 2.0
_MOST_MIB = 200.0
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


def measure(company: Company, sizes: Sizes, folder: Path) -> Iterator[Row]:
    """Send the company's planned batch, each time into a folder of its own."""
    peaks = [0.0]

    def send(target: Path) -> float:
        seconds, peak = _in_a_process(_send, company.url, target)
        peaks.append(peak)
        shutil.rmtree(target)
        return seconds

    numbers = count()
    baseline, ours = by_turns(
        lambda: _in_a_process(_bare, company.url, folder / "bare.csv")[0],
        lambda: send(folder / f"sent-{next(numbers)}"),
        runs=sizes.runs,
    )
    yield Row(
        f"Data sync to an import file, {company.engine}",
        f"{sizes.lines:,} accepted lines",
        "SELECT + csv.writer",
        _GOAL,
        baseline,
        ours,
        note=f"{max(peaks):.0f} MiB resident ({_MOST_MIB:.0f} at most)",
        kept=max(peaks) <= _MOST_MIB,
    )


def _in_a_process(work: Callable[[str, Path], None], url: str, target: Path) -> tuple[float, float]:
    """Seconds that the work took, and its process' peak of resident memory in MiB."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_timed, args=(work, url, target, theirs))
    process.start()
    theirs.close()
    seconds, peak = ours.recv()
    process.join()
    return seconds, peak


def _timed(work: Callable[[str, Path], None], url: str, target: Path, answer: Any) -> None:
    start = time.perf_counter()
    work(url, target)
    seconds = time.perf_counter() - start
    answer.send((seconds, _peak_mib()))


def _peak_mib() -> float:
    """The most resident memory that this process had."""
    status = Path("/proc/self/status")
    if status.exists():  # Linux' getrusage has the peak of the parent process too
        [peak] = [line for line in status.read_text().splitlines() if line.startswith("VmHWM")]
        return int(peak.split()[1]) / 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def _send(url: str, folder: Path) -> None:
    """What costbot does: the batch by `ImportFileCompany.send`, with hash, manifest and fsync."""
    with closing(Database(url)) as database, database.reading() as session:
        sync = session.get_one(DataSync, 1)
        Folders.under(folder).set_up()
        company = ImportFileCompany(folder, SageProfile(), ExportReader(folder / "none.csv"))
        company.send(Batch(sync.batch, sync.started_at), exports.lines_to_send(session, sync))


def _bare(url: str, path: Path) -> None:
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
