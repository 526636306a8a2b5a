"""Tables of the append-only audit trail."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from workflow.tables.base import Table, caused_by


class AuditEvent(Table):
    """One row of the append-only trail; `hash` covers the row and the hash before it.

    `event` and `place` are plain words, so that a trail that was edited can be read, to say so.
    `request_id` is in the hash too, where there is one: rows from before it was kept have none.
    """

    __tablename__ = "audit_events"
    __table_args__ = (
        Index(
            "ix_audit_events_refused",
            "event",
            sqlite_where=text("event = 'act:refused'"),
            postgresql_where=text("event = 'act:refused'"),
        ),
    )

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    event: Mapped[str] = mapped_column(String(60))
    place: Mapped[str] = mapped_column(String(60))
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    actor: Mapped[str] = mapped_column(String(320))
    job_id: Mapped[int | None] = mapped_column(ForeignKey("jobs.id"), index=True)
    requested_update_id: Mapped[int | None]
    facts: Mapped[dict[str, Any]]
    request_id: Mapped[str | None] = caused_by()
    previous_hash: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))


class AuditHead(Table):
    """The end of the audit chain, one row: whoever appends locks it, and a cut tail shows."""

    __tablename__ = "audit_head"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    seq: Mapped[int]
    hash: Mapped[str] = mapped_column(String(64))
