"""Tables of requested updates: their lines and what was found on them, and what waits because of them."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from workflow.tables.base import KeptWords, Table, caused_by
from workflow.tables.jobs import Job
from workflow.tables.people import Person
from workflow.vocabulary import HoldKind, Outcome, Rule, Severity, Standing, State


class RequestedUpdate(Table):
    """The set of assignments of one job that waits for an approver; at most one per job is ready.

    `decided_for` names those whom the decider stood in for. `request_id` is that of who decided, and of who
    asked until then.
    """

    __tablename__ = "requested_updates"
    __table_args__ = (
        Index(
            "uq_requested_updates_one_ready",
            "job_id",
            unique=True,
            sqlite_where=text("state = 'ready'"),
            postgresql_where=text("state = 'ready'"),
        ),
        Index("ix_requested_updates_state_requested_at", "state", "requested_at"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id"), index=True)
    state: Mapped[State]
    revision: Mapped[int] = mapped_column(default=1)
    requested_by_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    requested_at: Mapped[datetime]
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    decided_for: Mapped[str | None] = mapped_column(Text)
    decided_at: Mapped[datetime | None]
    comment: Mapped[str | None] = mapped_column(Text)
    data_sync_id: Mapped[int | None] = mapped_column(ForeignKey("data_syncs.id"), index=True)
    exported_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    request_id: Mapped[str | None] = caused_by()

    job: Mapped[Job] = relationship()
    requested_by: Mapped[Person] = relationship(foreign_keys=requested_by_id)
    decided_by: Mapped[Person | None] = relationship(foreign_keys=decided_by_id)


class FirstApproval(Table):
    """The first Update of two, where a job takes two approvers; it counts for its revision alone."""

    __tablename__ = "first_approvals"

    requested_update_id: Mapped[int] = mapped_column(
        ForeignKey("requested_updates.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    revision: Mapped[int]
    approver_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    at: Mapped[datetime]

    approver: Mapped[Person] = relationship(lazy="joined")


class RequestedLine(Table):
    """One assignment asked for: a category of a cost code of the job (`extra` '' is the job itself)."""

    __tablename__ = "requested_lines"
    __table_args__ = (
        UniqueConstraint("requested_update_id", "extra", "code", "category"),
        Index("ix_requested_lines_requested_by_id", "requested_by_id", "requested_update_id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    requested_update_id: Mapped[int] = mapped_column(ForeignKey("requested_updates.id"))
    extra: Mapped[str] = mapped_column(String(20), default="")
    code: Mapped[str] = mapped_column(String(40))
    category: Mapped[str] = mapped_column(String(20))
    description: Mapped[str] = mapped_column(String(200))
    requested_by_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    requested_at: Mapped[datetime]
    added_in_revision: Mapped[int]
    standing: Mapped[Standing]
    sage_description: Mapped[str | None] = mapped_column(String(200))
    outcome: Mapped[Outcome | None]
    message: Mapped[str | None] = mapped_column(KeptWords)


class Wait(Table):
    """What was done about a requested update that waits for an approver, since it last became ready."""

    __tablename__ = "waits"

    requested_update_id: Mapped[int] = mapped_column(
        ForeignKey("requested_updates.id", ondelete="CASCADE"), primary_key=True
    )
    since: Mapped[datetime]
    reminders: Mapped[int] = mapped_column(default=0)
    escalated_at: Mapped[datetime | None]


class LineFinding(Table):
    """What a rule of the checks before Update found on a line."""

    __tablename__ = "line_findings"

    line_id: Mapped[int] = mapped_column(
        ForeignKey("requested_lines.id", ondelete="CASCADE"), primary_key=True
    )
    rule: Mapped[Rule] = mapped_column(primary_key=True)
    severity: Mapped[Severity]
    message: Mapped[str] = mapped_column(KeptWords)


class Hold(Table):
    """A contract or contract change order of a job; waiting while `released_at` is empty."""

    __tablename__ = "holds"
    __table_args__ = (UniqueConstraint("job_id", "kind", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id"))
    kind: Mapped[HoldKind]
    number: Mapped[str] = mapped_column(String(40))
    title: Mapped[str] = mapped_column(String(200))
    added_at: Mapped[datetime]
    released_at: Mapped[datetime | None]


class RequestDraft(Table):
    """What a person has put into the request window so far; one a person, gone once it is requested.

    `token` is new at each change, so that a window submits the draft that it shows, once.
    """

    __tablename__ = "request_drafts"

    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True)
    token: Mapped[str] = mapped_column(String(32))
    job_id: Mapped[int | None] = mapped_column(ForeignKey("jobs.id"))
    content: Mapped[dict[str, Any]]
    saved_at: Mapped[datetime]
