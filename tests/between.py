"""What another process does in the middle of an act, and a lock that is lost without its holder knowing."""

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import text

from workflow.database import Database

_CUT = text(
    "SELECT pg_terminate_backend(pid, 10000) FROM pg_locks JOIN pg_database ON pg_database.oid = database "
    "WHERE locktype = 'advisory' AND datname = current_database()"
)


def after(monkeypatch: pytest.MonkeyPatch, owner: object, name: str, act: Callable[[], object]) -> None:
    """Once `owner.name` has answered for the first time, and before whoever asked goes on, do `act`.

    What it answers is whole by then, also where it is read bit by bit.
    """
    answer = getattr(owner, name)

    def interrupted(*args: object, **named: object) -> object:
        monkeypatch.setattr(owner, name, answer)
        found = answer(*args, **named)
        if isinstance(found, Iterator):
            found = iter(list(found))
        act()
        return found

    monkeypatch.setattr(owner, name, interrupted)


def cut_locks(database: Database) -> None:
    """End PostgreSQL's connections that hold a lock of costbot's, as its restart does."""
    with database.engine.begin() as connection:
        assert connection.execute(_CUT).all()
