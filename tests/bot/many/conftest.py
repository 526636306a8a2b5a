"""The town of two companies, fresh for a test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bot.many.town import Member, Town, town


@pytest.fixture
def here(tmp_path: Path, sqlite_template: Path) -> Iterator[Town]:
    with town(tmp_path, sqlite_template) as found:
        yield found


@pytest.fixture
def kestrel(here: Town) -> Member:
    return here.members["kestrel"]


@pytest.fixture
def boreal(here: Town) -> Member:
    return here.members["boreal"]
