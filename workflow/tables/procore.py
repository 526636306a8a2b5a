"""Tables of what Procore has: what was read of it, told by it and answered to it."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, false
from sqlalchemy.orm import Mapped, mapped_column, relationship

from workflow.tables.base import KeptWords, Table, caused_by
from workflow.tables.jobs import Job
from workflow.tables.people import Person
from workflow.vocabulary import ErpAnswer


class ProcoreLimit(Table):
    """What Procore told of a company's hourly limit of calls, and until when nobody may call.

    The row is the lock of counting calls.
    """

    __tablename__ = "procore_limits"

    company_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    hourly_limit: Mapped[int | None]
    paused_until: Mapped[datetime | None]


class ProcoreCalls(Table):
    """How often costbot called Procore in one minute of a company."""

    __tablename__ = "procore_calls"

    company_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    minute: Mapped[datetime] = mapped_column(primary_key=True)
    calls: Mapped[int]


class ProcoreProject(Table):
    """An ERP-integrated project of Procore, which is one job: when its cost codes were last read.

    `stale_since` is set while something is known to have changed since, and `request_id` is of whoever told.
    `updated_at` is Procore's own word. It is not read while it is archived.
    """

    __tablename__ = "procore_projects"
    __table_args__ = (Index("ix_procore_projects_next", "stale_since", "read_at"),)

    project_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id"), unique=True)
    read_at: Mapped[datetime | None]
    stale_since: Mapped[datetime | None]
    updated_at: Mapped[datetime | None]
    archived_at: Mapped[datetime | None]
    request_id: Mapped[str | None] = caused_by()

    job: Mapped[Job] = relationship(lazy="joined")


class ProcoreTrouble(Table):
    """Why a project of Procore could not become a job, or not be read, when that was last tried.

    `no_job`: it could not become one as it is listed, which no reading of its cost codes ends.
    """

    __tablename__ = "procore_troubles"

    project_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    words: Mapped[str] = mapped_column(Text)
    tried_at: Mapped[datetime]
    no_job: Mapped[bool]


class ProcoreAssignment(Table):
    """A line item type of a cost code in Procore that costbot has seen; it is asked for once.

    `problem` says why it cannot be asked for yet; `removed_at` since it is gone from Procore. `is_new` while
    its cost code has no ERP id there; `written_at` since Procore was told that Sage holds it, `write_error`
    is what Procore said instead. `description` is the cost code's there, empty until it is read again.
    """

    __tablename__ = "procore_assignments"
    __table_args__ = (Index("ix_procore_assignments_job_id", "job_id"),)

    cost_code_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    line_item_type_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id"))
    extra: Mapped[str] = mapped_column(String(20))
    code: Mapped[str] = mapped_column(String(40))
    category: Mapped[str] = mapped_column(String(20))
    added_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    problem: Mapped[str | None] = mapped_column(Text)
    removed_at: Mapped[datetime | None]
    is_new: Mapped[bool] = mapped_column(default=False, server_default=false())
    written_at: Mapped[datetime | None]
    write_error: Mapped[str | None] = mapped_column(Text)
    description: Mapped[str | None] = mapped_column(String(200))


class ProcorePerson(Table):
    """Who a user of Procore's Company Directory is, and when that was last read."""

    __tablename__ = "procore_people"

    user_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), unique=True)
    read_at: Mapped[datetime]

    person: Mapped[Person] = relationship(lazy="joined")


class ProcoreMark(Table):
    """Up to when something of Procore was read, by what it is."""

    __tablename__ = "procore_marks"

    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    at: Mapped[datetime]


class ProcoreEvent(Table):
    """A webhook of Procore by its ULID: kept when it came, worked on afterwards, once."""

    __tablename__ = "procore_events"
    __table_args__ = (Index("ix_procore_events_waiting", "handled_at", "received_at"),)

    ulid: Mapped[str] = mapped_column(String(40), primary_key=True)
    resource: Mapped[str] = mapped_column(String(100))
    reason: Mapped[str] = mapped_column(String(40))
    resource_id: Mapped[int]
    project_id: Mapped[int | None]
    user_id: Mapped[int | None]
    application_id: Mapped[str | None] = mapped_column(String(200))
    happened_at: Mapped[datetime | None]
    received_at: Mapped[datetime]
    handled_at: Mapped[datetime | None]
    request_id: Mapped[str | None] = caused_by()


class ProcoreErpRequest(Table):
    """An ERP Request of Procore: heard of by its id, then shown, taken in, and answered when Sage answered.

    `name` is None until Procore showed it. `project_id` where it asks for cost codes of a job (`extra` '') or
    of a sub job; others are left alone. `is_new`: Procore knows that job not to be in the ERP. `lines` are
    [cost code id, line item type id] of what was taken in; `failure` says why nothing can be. `answer` is
    what Procore was told last; `error` is what went wrong with it when that was last `tried_at`.
    """

    __tablename__ = "procore_erp_requests"
    __table_args__ = (
        Index("ix_procore_erp_requests_place", "project_id", "extra"),
        Index("ix_procore_erp_requests_detail_id", "detail_id"),
    )

    request_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    heard_at: Mapped[datetime]
    happened_at: Mapped[datetime | None]
    name: Mapped[str | None] = mapped_column(String(100))
    detail_id: Mapped[int | None]
    project_id: Mapped[int | None]
    extra: Mapped[str] = mapped_column(String(20), default="")
    sub_job_id: Mapped[int | None]
    is_new: Mapped[bool] = mapped_column(default=False)
    taken_at: Mapped[datetime | None]
    lines: Mapped[list[list[int]] | None]
    failure: Mapped[str | None] = mapped_column(KeptWords)
    answer: Mapped[ErpAnswer | None]
    answered_at: Mapped[datetime | None]
    error: Mapped[str | None] = mapped_column(Text)
    tried_at: Mapped[datetime | None]


class ProcoreHook(Table):
    """The hook in Procore that `costbot procore connect` made; `own_user_id` is costbot's own user there."""

    __tablename__ = "procore_hooks"

    hook_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    url: Mapped[str] = mapped_column(Text)
    payload_version: Mapped[str] = mapped_column(String(10))
    own_user_id: Mapped[int | None]
    connected_at: Mapped[datetime]
