"""How long the bot's database work takes at each letter that somebody types to find a cost code.

Every prefix of what is typed is asked, and the slowest counts. What Slack waits is the limit, so there is no
baseline to run: the limit stands in its place.
"""

from collections.abc import Iterator
from contextlib import closing

from benchmarks.company import CODES, Company
from benchmarks.measure import Row, Sizes, timed
from workflow import search
from workflow.database import Database

_GOAL = 1.0
_MOST_SECONDS = 0.1
_TYPED = ("03-30", "concrete slab", "item 24999", "zebra")
_OPTIONS = 100


def measure(company: Company, sizes: Sizes) -> Iterator[Row]:
    """Type into the company's standard list; of each letter the median of the runs."""
    with closing(Database(company.url)) as database:
        _ask(database, "")  # the first question of a process opens its connection
        prefixes = [typed[:end] for typed in _TYPED for end in range(len(typed) + 1)]
        runs = [[_ask(database, typed) for typed in prefixes] for _ in range(sizes.runs)]
    slowest = max(sorted(times)[len(times) // 2] for times in zip(*runs, strict=True))
    yield Row(
        f"A letter typed, slowest, {company.engine}",
        f"{CODES:,} cost codes",
        f"limit of {_MOST_SECONDS * 1000:.0f} ms, not measured",
        _GOAL,
        _MOST_SECONDS,
        slowest,
    )


def _ask(database: Database, typed: str) -> float:
    def search_once() -> None:
        with database.reading() as session:
            search.cost_codes(session, typed, limit=_OPTIONS)

    return timed(search_once)
