"""What is on record in an SQLite database, read again only where somebody has written since."""

import sqlite3
from collections.abc import Callable
from typing import Generic, TypeVar

from workflow.database import Database

T = TypeVar("T")


class Kept(Generic[T]):
    """What `read` finds in the database; SQLite counts what others commit, which says when to look again."""

    def __init__(self, database: Database, read: Callable[[Database], T]) -> None:
        self._database, self._read = database, read
        self._counter = sqlite3.connect(str(database.engine.url.database), check_same_thread=False)
        self._version: int | None = None
        self._found: T

    def now(self) -> T:
        """As it is now."""
        [version] = self._counter.execute("PRAGMA data_version").fetchone()
        if version != self._version:
            # what is written meanwhile is another version, which is seen the next time
            self._version, self._found = version, self._read(self._database)
        return self._found

    def close(self) -> None:
        self._counter.close()
