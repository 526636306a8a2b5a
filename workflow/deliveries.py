"""Interactions and events that were handled already: Slack and Procore may deliver one twice."""

from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from workflow.tables import SeenDelivery

_SEEN = SeenDelivery.__table__
_NOTE = {
    # SQLAlchemy forgets how many rows an INSERT made; to have it return one instead costs half as much again
    dialect: insert(_SEEN)  # type: ignore[arg-type]
    .on_conflict_do_nothing()
    .inline()
    .execution_options(preserve_rowcount=True)
    for dialect, insert in (("sqlite", sqlite.insert), ("postgresql", postgresql.insert))
}


def first_time(session: Session, key: str, *, at: datetime) -> bool:
    """Note a delivery in the caller's transaction; False when it was handled before."""
    note = _NOTE[session.get_bind().dialect.name]
    return session.connection().execute(note, {"key": key, "seen_at": at}).rowcount == 1


def forget(session: Session, *, before: datetime) -> None:
    """Drop what is too old to arrive again."""
    session.execute(delete(SeenDelivery).where(SeenDelivery.seen_at < before))
