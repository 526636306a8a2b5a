"""The company that the tests of the rules act in."""

import pytest

from tests.workflow.site import Site
from workflow.database import Database


@pytest.fixture
def site(database: Database) -> Site:
    """A company at work, on SQLite and on PostgreSQL."""
    return Site(database)
