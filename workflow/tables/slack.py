"""Tables of what people and workflows do in Slack."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from workflow.tables.base import Table
from workflow.vocabulary import JobFilter, StepKind, Until


class HomeView(Table):
    """How a Slack user left their App Home, and which event of the audit trail it was last drawn after.

    `filter` is empty until they choose one; `version` counts the changes of the row.
    """

    __tablename__ = "home_views"

    team_id: Mapped[str] = mapped_column(String(30), primary_key=True)
    user_id: Mapped[str] = mapped_column(String(30), primary_key=True)
    filter: Mapped[JobFilter | None]
    search: Mapped[str] = mapped_column(String(200))
    page: Mapped[int]
    opened_at: Mapped[datetime] = mapped_column(index=True)
    drawn_seq: Mapped[int]
    drawn_at: Mapped[datetime]
    version: Mapped[int]


class WorkflowStep(Table):
    """One run of a step of costbot's in a workflow of Slack's: who waits for what, or what came of it.

    Finished means that the outcome is fixed, and that a notice in the outbox tells Slack of it.
    """

    __tablename__ = "workflow_steps"

    function_execution_id: Mapped[str] = mapped_column(String(100), primary_key=True)
    team_id: Mapped[str] = mapped_column(String(30))
    kind: Mapped[StepKind | None]
    job_id: Mapped[int | None] = mapped_column(ForeignKey("jobs.id"))
    requested_update_id: Mapped[int | None] = mapped_column(index=True)
    until: Mapped[Until | None]
    begun_at: Mapped[datetime]
    finished_at: Mapped[datetime | None] = mapped_column(index=True)
    outputs: Mapped[dict[str, Any] | None]
    error: Mapped[str | None] = mapped_column(Text)


class SeenDelivery(Table):
    """An interaction or event that was handled already; Slack may deliver it again."""

    __tablename__ = "seen_deliveries"

    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    seen_at: Mapped[datetime] = mapped_column(index=True)
