"""The company that the tests of the rules act in."""

from collections.abc import Iterator

import pytest

from tests.workflow.site import Site
from workflow.database import Database


@pytest.fixture
def site(database: Database) -> Site:
    """A company at work, on SQLite and on PostgreSQL."""
    return Site(database)


@pytest.fixture
def postgres_site(postgres_url: str) -> Iterator[Site]:
    """The same on PostgreSQL alone, for what can only happen where several write at once."""
    database = Database(postgres_url)
    yield Site(database)
    database.close()


@pytest.fixture
def sqlite_site(sqlite_url: str) -> Iterator[Site]:
    """The same on SQLite alone, for what only SQLite would take."""
    database = Database(sqlite_url)
    yield Site(database)
    database.close()
