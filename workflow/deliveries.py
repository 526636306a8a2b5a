"""Interactions and events that were handled already: Slack and Procore may deliver one twice."""

from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from workflow.tables import SeenDelivery

_SEEN = SeenDelivery.__table__
_NOTE = {
    # by what comes back, not by a row count, which psycopg does not know here
    dialect: insert(_SEEN)  # type: ignore[arg-type]
    .on_conflict_do_nothing()
    .returning(_SEEN.c.key)
    for dialect, insert in (("sqlite", sqlite.insert), ("postgresql", postgresql.insert))
}


def first_time(session: Session, key: str, *, at: datetime) -> bool:
    """Note a delivery in the caller's transaction; False when it was handled before."""
    note = _NOTE[session.get_bind().dialect.name]
    return session.connection().scalar(note, {"key": key, "seen_at": at}) is not None


def forget(session: Session, *, before: datetime) -> None:
    """Drop what is too old to arrive again."""
    session.execute(delete(SeenDelivery).where(SeenDelivery.seen_at < before))
