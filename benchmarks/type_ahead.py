"""How long the bot's database work takes at each letter that somebody types to find a cost code.

A standard list of 25,000 cost codes; every prefix of what is typed is asked, and the slowest counts.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import insert

from tests.servers import PostgresServer
from workflow import search
from workflow.database import Database, migrate
from workflow.tables import StandardCostCode

CODES = 25_000
MOST_MILLISECONDS = 100.0
TYPED = ("03-30", "concrete slab", "item 24999", "zebra")
_OPTIONS = 100


@dataclass(frozen=True)
class Figures:
    """What was measured on one database, in milliseconds."""

    database: str
    median: float
    slowest: float

    @property
    def kept(self) -> bool:
        return self.slowest <= MOST_MILLISECONDS


def measure(folder: Path, *, tell: Callable[[str], None]) -> Iterator[Figures]:
    """Fill each kind of database with a standard list, and type; `tell` hears what is being done."""
    yield _measure("SQLite", f"sqlite:///{folder / 'type_ahead.db'}", tell)
    with PostgresServer() as server:
        server.execute("CREATE DATABASE type_ahead")
        yield _measure("PostgreSQL", server.url_of("type_ahead"), tell)


def _measure(name: str, url: str, tell: Callable[[str], None]) -> Figures:
    tell(f"{name}: typing into a list of {CODES:,} cost codes")
    migrate(url)
    with closing(Database(url)) as database:
        with database.writing() as session:
            rows = [
                {"code": f"{n // 1000:02}-{n % 1000:04}", "description": f"Concrete slab item {n}"}
                for n in range(CODES)
            ]
            session.execute(insert(StandardCostCode), rows)
        _ask(database, "")  # the first question of a process opens its connection
        prefixes = [typed[:end] for typed in TYPED for end in range(len(typed) + 1)]
        taken = sorted(_ask(database, typed) for typed in prefixes)
    return Figures(name, taken[len(taken) // 2], taken[-1])


def _ask(database: Database, typed: str) -> float:
    start = time.perf_counter()
    with database.reading() as session:
        search.cost_codes(session, typed, limit=_OPTIONS)
    return (time.perf_counter() - start) * 1000
