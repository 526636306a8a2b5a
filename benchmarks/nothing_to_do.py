"""What a data sync costs that finds nothing to do, when much was synced before."""

from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.company import Company
from benchmarks.measure import Row, Sizes, by_turns, timed
from sync.data_sync import RunState, run
from sync.sage.embedded import EmbeddedSage
from workflow.database import Database
from workflow.privileges import SCHEDULE

_GOAL = 1.2


def measure(few: Company, many: Company, sizes: Sizes, folder: Path) -> Iterator[Row]:
    """Run data syncs by turns on a company with few synced lines and on one with many."""
    with ExitStack() as stack:
        sage = EmbeddedSage(folder / f"sage-{many.engine}.sqlite")
        databases = [stack.enter_context(closing(Database(company.url))) for company in (few, many)]
        for database in databases:
            _sync(database, sage)
        # by turns within a run too: each sync takes a few milliseconds
        baseline, ours = by_turns(
            lambda: timed(lambda: _sync(databases[0], sage)),
            lambda: timed(lambda: _sync(databases[1], sage)),
            runs=sizes.runs * sizes.looks,
        )
    yield Row(
        f"Data sync with nothing to do, {many.engine}",
        f"{sizes.jobs:,} jobs, {sizes.lines:,} synced lines",
        f"same with {sizes.few_lines:,} synced lines",
        _GOAL,
        baseline,
        ours,
    )


def _sync(database: Database, sage: EmbeddedSage) -> None:
    report = run(database, sage, by=SCHEDULE, clock=lambda: datetime.now(UTC))
    if report.state is not RunState.NOTHING_TO_SEND:
        raise RuntimeError(f"there was something to do: {report}")
