"""Every table of costbot as SQLAlchemy 2 typed models; nothing but shapes and constraints.

Times are UTC and aware. The same schema serves SQLite and PostgreSQL. Where rows are removed, or a restored
backup lacks them, SQLite is told (`sqlite_autoincrement`) never to give their ids again, as PostgreSQL does
not: a button or a message in Slack may carry one still.
"""

import json
from datetime import UTC, date, datetime, time
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    DateTime,
    Dialect,
    Enum,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Text,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship
from sqlalchemy.types import TypeDecorator

from workflow import request_ids
from workflow.language import Said, kept
from workflow.vocabulary import (
    ErpAnswer,
    ErpPermission,
    HoldKind,
    JobFilter,
    NoticeKind,
    Notify,
    Outcome,
    Place,
    PrivilegeAnswer,
    Refusal,
    Rule,
    Severity,
    Standing,
    State,
    StepKind,
    SyncState,
    Until,
)

_Id = BigInteger().with_variant(Integer, "sqlite")


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC time; SQLite, which knows no time zone, stores it without one."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a time zone says nothing")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class KeptWords(TypeDecorator[str]):
    """Words for people: costbot's own as what they are made of, for any language; Sage's as they are."""

    impl = Text
    cache_ok = True
    _MARK = "said:"

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        if not isinstance(value, Said):
            return value
        return self._MARK + json.dumps(value.made_of(), ensure_ascii=False, sort_keys=True)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        if value is None or not value.startswith(self._MARK):
            return value
        return kept(json.loads(value.removeprefix(self._MARK)))


def _caused_by() -> Mapped[str | None]:
    """The request for which the row was written, by `workflow.request_ids`."""
    return mapped_column(String(request_ids.LENGTH), default=request_ids.current)


def _words(enum: type[StrEnum]) -> Enum:
    """A StrEnum stored as its value, in a plain text column that may learn new words later."""
    return Enum(enum, native_enum=False, length=60, values_callable=lambda e: [m.value for m in e])


class Table(DeclarativeBase):
    """Base of all tables; constraint names are fixed so that migrations can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: UtcDateTime,
        int: _Id,
        dict[str, Any]: JSON,
        ErpAnswer: _words(ErpAnswer),
        ErpPermission: _words(ErpPermission),
        HoldKind: _words(HoldKind),
        JobFilter: _words(JobFilter),
        NoticeKind: _words(NoticeKind),
        Notify: _words(Notify),
        Outcome: _words(Outcome),
        list[list[int]]: JSON,
        list[str]: JSON,
        Place: _words(Place),
        PrivilegeAnswer: _words(PrivilegeAnswer),
        Refusal: _words(Refusal),
        Rule: _words(Rule),
        Severity: _words(Severity),
        Standing: _words(Standing),
        State: _words(State),
        StepKind: _words(StepKind),
        SyncState: _words(SyncState),
        Until: _words(Until),
    }


class Person(Table):
    """Somebody in the company directory; `email` is kept in lower case."""

    __tablename__ = "people"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(320), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    erp_permission: Mapped[ErpPermission]
    can_push_to_accounting: Mapped[bool]
    active: Mapped[bool]


class SlackLink(Table):
    """The pinned tie between a Slack user and a person: made once, moved only by an administrator.

    `time_zone` (IANA) is where the person reads and `locale` how, such as `es-LA`, as Slack last said; empty
    until it did.
    """

    __tablename__ = "slack_links"
    __table_args__ = (UniqueConstraint("team_id", "person_id"),)

    team_id: Mapped[str] = mapped_column(String(30), primary_key=True)
    user_id: Mapped[str] = mapped_column(String(30), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    linked_at: Mapped[datetime]
    time_zone: Mapped[str | None] = mapped_column(String(60))
    locale: Mapped[str | None] = mapped_column(String(30))

    person: Mapped[Person] = relationship(lazy="joined")


class NotifyChoice(Table):
    """How a person wants to hear from costbot; who chose nothing hears of every request, at any hour."""

    __tablename__ = "notify_choices"

    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True)
    notify: Mapped[Notify]
    quiet_from: Mapped[time | None]
    quiet_until: Mapped[time | None]


class Away(Table):
    """Days on which somebody stands in for a person; `ended_at` once it was called off.

    `starts_at` and `ends_at` are the bounds of those days in the person's own time zone.
    """

    __tablename__ = "aways"
    __table_args__ = (
        Index("ix_aways_person", "person_id", "ends_at"),
        Index("ix_aways_delegate", "delegate_id", "ends_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    delegate_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    first_day: Mapped[date]
    last_day: Mapped[date]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]

    person: Mapped[Person] = relationship(foreign_keys=person_id, lazy="joined")
    delegate: Mapped[Person] = relationship(foreign_keys=delegate_id, lazy="joined")


class Job(Table):
    """A Sage 300 CRE job, the same thing as one Procore project.

    `known_in_sage` and what follows it are as last read back, and empty until then; Sage may not
    have been asked for the job's extras (sub jobs).
    """

    __tablename__ = "jobs"

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    procore_project_id: Mapped[int | None] = mapped_column(unique=True)
    read_back_at: Mapped[datetime | None]
    known_in_sage: Mapped[bool | None]
    sage_name: Mapped[str | None] = mapped_column(String(200))
    sage_extras: Mapped[list[str] | None]

    @property
    def title(self) -> str:
        """How the job is shown everywhere: `24-017 Riverside Medical Center`."""
        return f"{self.number} {self.name}"


class Category(Table):
    """A Sage standard category (a Procore cost type), as the company names it."""

    __tablename__ = "categories"

    code: Mapped[str] = mapped_column(String(20), primary_key=True)
    name: Mapped[str] = mapped_column(String(200))


class StandardCostCode(Table):
    """One code of the company's standard cost code list, which comes from Sage."""

    __tablename__ = "standard_cost_codes"

    code: Mapped[str] = mapped_column(String(40), primary_key=True)
    description: Mapped[str] = mapped_column(String(200))


class StandardCostCodeCategory(Table):
    """A category that the standard list ties to a cost code."""

    __tablename__ = "standard_cost_code_categories"

    code: Mapped[str] = mapped_column(
        ForeignKey("standard_cost_codes.code", ondelete="CASCADE"), primary_key=True
    )
    category: Mapped[str] = mapped_column(ForeignKey("categories.code"), primary_key=True)


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
    request_id: Mapped[str | None] = _caused_by()

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


class SageAssignment(Table):
    """What Sage holds for a job, as last read back; `category` '' is a cost code without one."""

    __tablename__ = "sage_assignments"

    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id"), primary_key=True)
    extra: Mapped[str] = mapped_column(String(20), primary_key=True)
    code: Mapped[str] = mapped_column(String(40), primary_key=True)
    category: Mapped[str] = mapped_column(String(20), primary_key=True)
    description: Mapped[str] = mapped_column(String(200))


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
    request_id: Mapped[str | None] = _caused_by()

    @property
    def batch(self) -> str:
        """The batch's name, to people and to Sage."""
        return f"DS{self.id:06d}"


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


class ScheduleSlot(Table):
    """One due time of one periodic job. The primary key is the lock: a slot is taken once."""

    __tablename__ = "schedule_slots"

    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    due_at: Mapped[datetime] = mapped_column(primary_key=True)
    asked_by_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    enqueued_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None]
    request_id: Mapped[str | None] = _caused_by()


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
    request_id: Mapped[str | None] = _caused_by()


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


class PrivilegeRequest(Table):
    """Somebody asks to become an accounting approver; at most one of a person waits for an administrator.

    Without `person_id` the company directory does not know who asks; `asker` is their name as Slack has it.
    `in_procore`: the directory is Procore's, so only Procore can grant it.
    """

    __tablename__ = "privilege_requests"
    __table_args__ = (
        Index(
            "uq_privilege_requests_one_waiting",
            "asker_key",
            unique=True,
            sqlite_where=text("answer IS NULL"),
            postgresql_where=text("answer IS NULL"),
        ),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    asker: Mapped[str] = mapped_column(String(320))
    asker_key: Mapped[str] = mapped_column(String(340))
    lacks: Mapped[Refusal]
    reason: Mapped[str] = mapped_column(Text)
    in_procore: Mapped[bool]
    asked_at: Mapped[datetime]
    answer: Mapped[PrivilegeAnswer | None]
    answered_by_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    answered_at: Mapped[datetime | None]
    comment: Mapped[str | None] = mapped_column(Text)

    person: Mapped[Person | None] = relationship(foreign_keys=person_id)
    answered_by: Mapped[Person | None] = relationship(foreign_keys=answered_by_id)


class SlackMessage(Table):
    """A message that costbot owns in Slack, by its key (`card:12`, `thread:345`, `direct:678`)."""

    __tablename__ = "slack_messages"

    key: Mapped[str] = mapped_column(String(120), primary_key=True)
    channel: Mapped[str] = mapped_column(String(30))
    ts: Mapped[str | None] = mapped_column(String(30))
    attempted_at: Mapped[datetime]


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
    request_id: Mapped[str | None] = _caused_by()
    previous_hash: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))


class AuditHead(Table):
    """The end of the audit chain, one row: whoever appends locks it, and a cut tail shows."""

    __tablename__ = "audit_head"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    seq: Mapped[int]
    hash: Mapped[str] = mapped_column(String(64))


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
    `updated_at` is Procore's own word.
    """

    __tablename__ = "procore_projects"
    __table_args__ = (Index("ix_procore_projects_next", "stale_since", "read_at"),)

    project_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id"), unique=True)
    read_at: Mapped[datetime | None]
    stale_since: Mapped[datetime | None]
    updated_at: Mapped[datetime | None]
    request_id: Mapped[str | None] = _caused_by()

    job: Mapped[Job] = relationship(lazy="joined")


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
    request_id: Mapped[str | None] = _caused_by()


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
