"""The company that the tests of the rules act in."""

from collections.abc import Callable, Iterator

import pytest

from tests.conftest import lent
from tests.workflow.site import Site
from workflow.database import Database


@pytest.fixture
def site(database: Database) -> Site:
    """A company at work, on SQLite and on PostgreSQL."""
    return Site(database)


@pytest.fixture
def postgres_site(postgres_url: str, database_of: Callable[[str], Database]) -> Iterator[Site]:
    """The same on PostgreSQL alone, for what can only happen where several write at once."""
    with lent(database_of(postgres_url)) as database:
        yield Site(database)


@pytest.fixture
def sqlite_site(sqlite_url: str, database_of: Callable[[str], Database]) -> Iterator[Site]:
    """The same on SQLite alone, for what only SQLite would take."""
    with lent(database_of(sqlite_url)) as database:
        yield Site(database)
