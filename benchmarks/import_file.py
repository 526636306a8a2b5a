"""How fast and in how much memory a batch goes from the database to an import file.

The baseline is the same SELECT, with the same order, on the bare driver, written by csv.writer.
Both run in processes of their own, by turns; of each the median of three runs counts.
"""

import csv
import multiprocessing
import resource
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import psycopg
from sqlalchemy import insert

from sync.sage.company import Batch
from sync.sage.export_file import ExportReader
from sync.sage.folders import Folders
from sync.sage.import_file import ImportFileCompany
from sync.sage.profile import SageProfile
from tests.factories import NINE
from tests.servers import PostgresServer
from workflow import exports
from workflow.database import Database, migrate
from workflow.tables import DataSync, Job, Person, RequestedLine, RequestedUpdate
from workflow.vocabulary import ErpPermission, Place, Standing, State, SyncState

RUNS = 3
MOST_RATIO = 2.0
MOST_MIB = 200.0
_LINES_A_JOB = 5_000
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


@dataclass(frozen=True)
class Figures:
    """What was measured on one database."""

    database: str
    bare_seconds: float
    seconds: float
    peak_mib: float

    @property
    def ratio(self) -> float:
        return self.seconds / self.bare_seconds

    @property
    def kept(self) -> bool:
        return self.ratio <= MOST_RATIO and self.peak_mib <= MOST_MIB


def measure(folder: Path, lines: int, *, tell: Callable[[str], None]) -> Iterator[Figures]:
    """Fill each kind of database with a planned batch, and send it; `tell` hears what is being done."""
    yield _measure("SQLite", f"sqlite:///{folder / 'bench.db'}", folder, lines, tell)
    with PostgresServer() as server:
        server.execute("CREATE DATABASE bench")
        yield _measure("PostgreSQL", server.url_of("bench"), folder, lines, tell)


def _measure(name: str, url: str, folder: Path, lines: int, tell: Callable[[str], None]) -> Figures:
    tell(f"{name}: filling the database")
    migrate(url)
    _fill(url, lines)
    bare, costbot = [], []
    for run in range(RUNS):
        tell(f"{name}: run {run + 1} of {RUNS}")
        bare.append(_in_a_process(_bare, url, folder / f"{name}-{run}.csv"))
        costbot.append(_in_a_process(_send, url, folder / f"{name}-{run}"))
    return Figures(
        name,
        median(seconds for seconds, _ in bare),
        median(seconds for seconds, _ in costbot),
        max(peak for _, peak in costbot),
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
            psycopg.connect(url.replace("postgresql+psycopg", "postgresql")) as connection,
            connection.cursor("bench") as cursor,  # a named cursor streams, as costbot's does
        ):
            cursor.itersize = _ROWS_A_FETCH
            cursor.execute(_SELECT)
            yield from cursor


def _fill(url: str, lines: int) -> None:
    with closing(Database(url)) as database, database.writing() as session:
        session.add(
            Person(
                id=1,
                email="a@example.com",
                name="A",
                erp_permission=ErpPermission.NONE,
                can_push_to_accounting=False,
                active=True,
            )
        )
        session.add(DataSync(id=1, state=SyncState.PLANNED, place=Place.SCHEDULE, started_at=NINE))
        session.flush()
        jobs = range(1, -(-lines // _LINES_A_JOB) + 1)
        session.execute(
            insert(Job), [{"id": n, "number": f"26-{n:04}", "name": f"Job number {n}"} for n in jobs]
        )
        session.execute(
            insert(RequestedUpdate),
            [
                {
                    "id": n,
                    "job_id": n,
                    "state": State.ACCEPTED,
                    "revision": 1,
                    "requested_by_id": 1,
                    "requested_at": NINE,
                    "data_sync_id": 1,
                }
                for n in jobs
            ],
        )
        for some in _chunks(range(lines), 50_000):
            session.execute(insert(RequestedLine), [_line(n, NINE) for n in some])


def _line(n: int, at: object) -> dict[str, object]:
    in_job = n % _LINES_A_JOB
    return {
        "requested_update_id": n // _LINES_A_JOB + 1,
        "extra": "",
        "code": f"{in_job // 200:02}-{in_job // 4:04}",
        "category": "LMSE"[n % 4],
        "description": f"Cost code number {in_job // 4}",
        "requested_by_id": 1,
        "requested_at": at,
        "added_in_revision": 1,
        "standing": Standing.NEW_CODE,
    }


def _chunks(numbers: range, size: int) -> Iterable[range]:
    return (numbers[start : start + size] for start in range(0, len(numbers), size))
