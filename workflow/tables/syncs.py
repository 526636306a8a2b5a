"""Tables of data syncs and of the schedule."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from workflow.tables.base import Table, caused_by
from workflow.vocabulary import Place, SyncState


class DataSync(Table):
    """One data sync: the batch that it sends and what Sage made of it.

    `file` and its SHA-256 (hex) where the batch went out as an import file; `alerted_at` once the
    approvers were told that nobody imported it.
    """

    __tablename__ = "data_syncs"

    id: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[SyncState]
    place: Mapped[Place]
    asked_by_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    started_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    jobs: Mapped[int] = mapped_column(default=0)
    created: Mapped[int] = mapped_column(default=0)
    tied: Mapped[int] = mapped_column(default=0)
    already_there: Mapped[int] = mapped_column(default=0)
    failed: Mapped[int] = mapped_column(default=0)
    file: Mapped[str | None] = mapped_column(String(200))
    file_sha256: Mapped[str | None] = mapped_column(String(64))
    alerted_at: Mapped[datetime | None]
    request_id: Mapped[str | None] = caused_by()

    @property
    def batch(self) -> str:
        """The batch's name, to people and to Sage."""
        return f"DS{self.id:06d}"


class ScheduleSlot(Table):
    """One due time of one periodic job. The primary key is the lock: a slot is taken once."""

    __tablename__ = "schedule_slots"

    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    due_at: Mapped[datetime] = mapped_column(primary_key=True)
    asked_by_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    enqueued_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None]
    request_id: Mapped[str | None] = caused_by()
