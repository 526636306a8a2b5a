"""A copy of a SQLite database in one file, taken while costbot runs; and what a restored database needs.

PostgreSQL has programs of its own for both.
"""

import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from workflow import audit, outbox
from workflow.database import Database
from workflow.identities import give_after, given
from workflow.privileges import Actor
from workflow.tables import AuditEvent, RequestedUpdate, Table
from workflow.vocabulary import Event, State

_GAP = 1_000_000
"""More ids than a company uses up between a backup and the loss of what came after it."""
_UNDER_WAY = (State.READY, State.ACCEPTED, State.EXPORTED, State.FAILED)


class BackupError(Exception):
    """No backup was made, for the reason that the message tells."""


@dataclass(frozen=True, slots=True)
class BackedUp:
    """The backup is there and can be read; `problems` are those of its audit trail."""

    size: int
    events: int
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Restored:
    """How many cards are drawn anew, and how many notices waited when the backup was taken."""

    cards: int
    waiting: int


def back_up(database: Database, file: Path) -> BackedUp:
    """Write all of a SQLite database, as of one moment, to a file that is there whole or not at all.

    Raises:
        BackupError: the file is there already or cannot be written, or the copy cannot be read.
        OSError: its folder cannot be written.
    """
    with _new_file(file) as unfinished:
        try:
            _copy(database, unfinished)
        except sqlite3.Error as error:
            raise BackupError(
                f"No backup was made: {error}. Make sure that the disk of {file} has room and may be "
                "written, and that the database can be read."
            ) from error
        events, problems = _trail(unfinished)
        with closing(sqlite3.connect(unfinished)) as copy:
            copy.execute("PRAGMA journal_mode = DELETE")  # one file, nothing beside it
    return BackedUp(file.stat().st_size, events, problems)


def restored(session: Session, *, by: Actor, at: datetime) -> Restored:
    """Make a database that was restored from a backup fit for what Slack still shows of the time after it.

    No id that a button there may carry is given again, and every card tells how its job stands now.
    """
    waiting = outbox.backlog(session).waiting
    for table in Table.metadata.sorted_tables:
        highest = given(session.connection(), table)
        if highest is not None:
            give_after(session.connection(), table, highest + _GAP)
    under_way = select(RequestedUpdate.job_id).where(RequestedUpdate.state.in_(_UNDER_WAY)).distinct()
    jobs = session.scalars(under_way.order_by(RequestedUpdate.job_id)).all()
    for job_id in jobs:
        outbox.refresh_card(session, job_id, at=at)
    audit.record(session, Event.RESTORED, by=by, at=at, cards=len(jobs))
    return Restored(cards=len(jobs), waiting=waiting)


def _copy(database: Database, unfinished: Path) -> None:
    with closing(sqlite3.connect(unfinished)) as copy, closing(database.engine.raw_connection()) as source:
        source.driver_connection.backup(copy)  # type: ignore[union-attr]
        [found] = copy.execute("PRAGMA integrity_check(1)").fetchone()
    if found != "ok":
        raise BackupError(f"The database is damaged: {found}.")


def _trail(file: Path) -> tuple[int, tuple[str, ...]]:
    with closing(Database(f"sqlite:///{file}")) as database, database.reading() as session:
        events = session.scalar(select(func.count()).select_from(AuditEvent)) or 0
        return events, tuple(audit.problems(session))


@contextmanager
def _new_file(file: Path) -> Iterator[Path]:
    """A file beside `file` that takes its name when the block ends, and that is gone when it raises."""
    if not file.parent.is_dir():
        raise BackupError(f"There is no folder {file.parent.absolute()} for the backup.")
    if file.exists():
        raise _taken(file)
    descriptor, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    unfinished = Path(name)
    try:
        yield unfinished
        os.fsync(descriptor)
        _name(unfinished, file)
    finally:
        os.close(descriptor)
        for suffix in ("", "-wal", "-shm", "-journal"):
            with suppress(FileNotFoundError):
                Path(f"{name}{suffix}").unlink()


def _name(unfinished: Path, file: Path) -> None:
    """Give it its name, unless another backup has taken that meanwhile."""
    try:
        file.hardlink_to(unfinished)
    except FileExistsError:
        raise _taken(file) from None
    except OSError:  # a file system without links, such as a share
        try:
            file.touch(exist_ok=False)
        except FileExistsError:
            raise _taken(file) from None
        unfinished.replace(file)


def _taken(file: Path) -> BackupError:
    return BackupError(f"{file} is there already. Name a new file.")
