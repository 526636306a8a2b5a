"""What is on record in a database, read again only where somebody has written since."""

from collections.abc import Callable
from typing import Generic, TypeVar

from sqlalchemy import NullPool, create_engine

from workflow.database import Database

T = TypeVar("T")
_VERSION = {
    "sqlite": "PRAGMA data_version",
    "postgresql": "SELECT CAST(pg_snapshot_xmax(pg_current_snapshot()) AS TEXT)",
}
"""Another one after each write of anybody else's."""


class Kept(Generic[T]):
    """What `read` finds in the database, now and later."""

    def __init__(self, database: Database, read: Callable[[Database], T]) -> None:
        self._database, self._read = database, read
        connection = create_engine(database.engine.url, poolclass=NullPool).connect()
        self._look = connection.execution_options(isolation_level="AUTOCOMMIT")  # as `held_open` knows it
        self._version: object = None
        self._found: T

    def now(self) -> T:
        """As it is now."""
        version = self._look.exec_driver_sql(_VERSION[self._look.dialect.name]).scalar_one()
        if version != self._version:
            # what is written meanwhile is another version, which is seen the next time
            self._version, self._found = version, self._read(self._database)
        return self._found

    def close(self) -> None:
        self._look.close()
