"""Interactions and events that were handled already: Slack and Procore may deliver one twice."""

from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.orm import Session

from workflow.database import upsert
from workflow.tables import SeenDelivery


def first_time(session: Session, key: str, *, at: datetime) -> bool:
    """Note a delivery in the caller's transaction; False when it was handled before."""
    noted = upsert(session, SeenDelivery).values(key=key, seen_at=at).on_conflict_do_nothing()
    # not by its row count, which psycopg does not know here
    return session.scalar(noted.returning(SeenDelivery.key)) is not None


def forget(session: Session, *, before: datetime) -> None:
    """Drop what is too old to arrive again."""
    session.execute(delete(SeenDelivery).where(SeenDelivery.seen_at < before))
