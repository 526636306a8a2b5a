"""Tables of what is to be told in Slack, and of what stands there already."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from workflow.tables.base import KeptWords, Table, caused_by
from workflow.vocabulary import NoticeKind


class OutboxNotice(Table):
    """Something to tell in Slack, committed with what it tells of; rendered at delivery."""

    __tablename__ = "outbox"
    __table_args__ = (
        Index(
            "ix_outbox_waiting",
            "due_at",
            "id",
            sqlite_where=text("done_at IS NULL"),
            postgresql_where=text("done_at IS NULL"),
        ),
        Index(
            "ix_outbox_waiting_of_job",
            "job_id",
            "kind",
            sqlite_where=text("done_at IS NULL"),
            postgresql_where=text("done_at IS NULL"),
        ),
        Index(
            "ix_outbox_waiting_of_person",
            "person_id",
            "kind",
            sqlite_where=text("done_at IS NULL"),
            postgresql_where=text("done_at IS NULL"),
        ),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[NoticeKind]
    job_id: Mapped[int | None] = mapped_column(ForeignKey("jobs.id"))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    event_seq: Mapped[int | None] = mapped_column(ForeignKey("audit_events.seq"))
    function_execution_id: Mapped[str | None] = mapped_column(String(100))
    broadcast: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
    due_at: Mapped[datetime]
    message_key: Mapped[str | None] = mapped_column(String(120))
    attempts: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str | None] = mapped_column(KeptWords)
    done_at: Mapped[datetime | None]
    given_up: Mapped[bool] = mapped_column(default=False)
    request_id: Mapped[str | None] = caused_by()


class SlackMessage(Table):
    """A message that costbot owns in Slack, by its key (`card:12`, `thread:345`, `direct:678`).

    `permalink` is its address there, which never changes; empty until somebody needed it.
    """

    __tablename__ = "slack_messages"

    key: Mapped[str] = mapped_column(String(120), primary_key=True)
    channel: Mapped[str] = mapped_column(String(30))
    ts: Mapped[str | None] = mapped_column(String(30))
    attempted_at: Mapped[datetime]
    permalink: Mapped[str | None] = mapped_column(String(500))


class Burst(Table):
    """Many jobs that became Ready to Update at once; open until each has its card."""

    __tablename__ = "bursts"

    id: Mapped[int] = mapped_column(primary_key=True)
    began_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class ChannelOutage(Table):
    """A time in which costbot cannot post in its channel, for Slack's reason `code`; it may not be over."""

    __tablename__ = "channel_outages"

    id: Mapped[int] = mapped_column(primary_key=True)
    channel: Mapped[str] = mapped_column(String(100))
    code: Mapped[str] = mapped_column(String(60))
    began_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
