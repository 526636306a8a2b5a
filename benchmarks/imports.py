"""How long a large request takes to come in: read, checked, held against Sage, and stored.

What `costbot request` does with a file. Sage holds a quarter of the cost codes already. The baseline inserts
the same rows in bulk by SQLAlchemy Core, and does nothing else.
"""

import csv
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from sqlalchemy import insert, select

from benchmarks.company import CATEGORIES, Company, code
from benchmarks.loading import load, settle_down
from benchmarks.measure import Row, Sizes, by_turns, timed
from tests.factories import LIMITS, NINE, RULES, later
from workflow import asked_lines, requests
from workflow.database import Database
from workflow.privileges import Actor
from workflow.tables import Job, RequestedLine, RequestedUpdate, SageAssignment
from workflow.vocabulary import Place, State

_GOAL = 2.0


def measure(company: Company, sizes: Sizes, folder: Path) -> Iterator[Row]:
    """Request a file for a job that has no request yet, as often as there are runs."""
    file = folder / f"request-{company.engine}.csv"
    with file.open("w", newline="") as open_file:
        asked = csv.writer(open_file)
        asked.writerow(["code", "category"])
        asked.writerows([code(n // 4), CATEGORIES[n % 4]] for n in range(sizes.imported))
    first = sizes.jobs + 1
    jobs = range(first, first + 2 * sizes.runs + 1)
    load(
        company.url,
        Job,
        "id, number, name, read_back_at, known_in_sage, sage_extras",
        ((n, f"27-{n:05}", f"Large job {n}", NINE, True, []) for n in jobs),
    )
    in_sage = [
        (n, "", code(place), CATEGORIES[0], f"Concrete slab item {place}")
        for n in jobs[: sizes.runs + 1]
        for place in range(0, sizes.imported // 4, 4)
    ]
    load(company.url, SageAssignment, "job_id, extra, code, category, description", in_sage)
    settle_down(company.url)
    with closing(Database(company.url)) as database:
        ours, theirs = iter(jobs[: sizes.runs + 1]), iter(jobs[sizes.runs + 1 :])
        rows = _rows_of(database, _request(database, company, file, next(ours)))
        baseline, costbot = by_turns(
            lambda: _insert(database, company, rows, next(theirs)),
            lambda: timed(lambda: _request(database, company, file, next(ours))),
            runs=sizes.runs,
        )
    yield Row(
        f"Import and diff of request lines, {company.engine}",
        f"{sizes.imported:,} lines of one job",
        "same rows by SQLAlchemy Core bulk insert",
        _GOAL,
        baseline,
        costbot,
    )


def _request(database: Database, company: Company, file: Path, job_id: int) -> int:
    asked = asked_lines.read_file(file)
    with database.writing() as session:
        result = requests.request(
            session,
            job=session.get_one(Job, job_id),
            assignments=asked.rows,
            by=Actor(Place.COMMAND_LINE, "engineer@example.com", company.engineer),
            at=later(90),
            rules=RULES,
            limits=LIMITS,
        )
    if not isinstance(result, requests.Requested):
        raise TypeError(f"the request was not taken: {result}")
    return result.requested_update.id


def _rows_of(database: Database, requested_update_id: int) -> list[dict[str, object]]:
    columns = [column for column in RequestedLine.__table__.c if column.name != "id"]
    with database.reading() as session:
        found = session.execute(
            select(*columns).where(RequestedLine.requested_update_id == requested_update_id)
        )
        return [dict(row) for row in found.mappings()]


def _insert(database: Database, company: Company, rows: list[dict[str, object]], job_id: int) -> float:
    with database.writing() as session:
        update = RequestedUpdate(
            job_id=job_id,
            state=State.READY,
            revision=1,
            requested_by_id=company.engineer,
            requested_at=later(90),
        )
        session.add(update)
        session.flush()
        mine = [{**row, "requested_update_id": update.id} for row in rows]
    start = time.perf_counter()
    with database.writing() as session:
        session.execute(insert(RequestedLine.__table__), mine)  # type: ignore[arg-type]
    return time.perf_counter() - start
