"""The JSON of the commands, which scripts rely on and `docs/cli.md` shows: fields may come, none may change.

Times are ISO 8601 in UTC with a `Z`; `null` stands for what is not known or has not happened yet.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from workflow.queries import HistoryEvent, HoldFacts, LineFacts, UpdateFacts
from workflow.tables import DataSync, Job, PrivilegeRequest
from workflow.vocabulary import (
    HoldKind,
    Notify,
    Outcome,
    PrivilegeAnswer,
    Refusal,
    Rule,
    Severity,
    Standing,
    State,
)

FIRST_OF_TWO = "1 of 2: the Update is on record, and a second approver must Update."


class Shape(BaseModel):
    """A JSON object that a command prints."""

    model_config = ConfigDict(frozen=True)


class NotDone(Shape):
    """A command that did not do what it was asked to: `reason` for programs, `words` for people."""

    result: Literal["failed", "refused"]
    reason: str
    words: str


class NewLineShape(Shape):
    """An assignment that came since the revision that was seen."""

    extra: str
    code: str
    category: str


class StaleShape(NotDone):
    """An act on a revision that is no longer the present one: nothing was done, and `new` came since."""

    result: Literal["refused"] = "refused"
    reason: Literal["stale"] = "stale"
    new: list[NewLineShape]


class JobShape(Shape):
    """Which job."""

    number: str
    name: str

    @classmethod
    def of(cls, job: Job | UpdateFacts) -> "JobShape":
        return cls(number=job.number, name=job.name)


class LineShape(Shape):
    """One assignment; `extra` is empty for the job itself, `message` has Sage's words when it failed."""

    extra: str
    code: str
    description: str
    category: str
    standing: Standing
    sage_description: str | None
    outcome: Outcome | None
    message: str | None
    findings: list["LineFindingShape"]


class LineFindingShape(Shape):
    """What a check before Update found on a line; `refuse` stops the Update, `warn` only says so."""

    rule: Rule
    severity: Severity
    message: str


class HoldShape(Shape):
    """A contract or contract change order; `waiting` while it may not be exported."""

    kind: HoldKind
    number: str
    title: str
    waiting: bool

    @classmethod
    def of(cls, hold: HoldFacts) -> "HoldShape":
        return cls(kind=hold.kind, number=hold.number, title=hold.title, waiting=hold.waiting)


class UpdateShape(Shape):
    """`show JOB`, and what `update`, `reject`, `take-back` and `send-again` leave behind.

    `state` and what hangs on it are null for a job that nothing was ever requested for.
    """

    job: JobShape
    state: State | None
    revision: int | None
    requested_by: str | None
    requested_at: datetime | None
    decided_at: datetime | None
    comment: str | None
    batch: str | None
    lines: list[LineShape]
    holds: list[HoldShape]
    card: str | None
    """The address of the job's card in Slack, which `show` alone asks for."""
    link: str | None
    """The job's stable address, likewise; the card's where COSTBOT_PUBLIC_URL is not set."""

    @classmethod
    def of(
        cls,
        job: Job,
        facts: UpdateFacts | None,
        lines: Sequence[LineFacts],
        holds: Sequence[HoldFacts],
        card: str | None = None,
        link: str | None = None,
    ) -> "UpdateShape":
        return cls(
            job=JobShape.of(job),
            state=facts and facts.state,
            revision=facts and facts.revision,
            requested_by=facts and facts.requested_by_email,
            requested_at=facts and facts.requested_at,
            decided_at=facts and facts.decided_at,
            comment=facts and facts.comment,
            batch=facts and facts.batch,
            lines=[LineShape.model_validate(line, from_attributes=True) for line in lines],
            holds=[HoldShape.of(hold) for hold in holds],
            card=card,
            link=link,
        )


class JobResultShape(Shape):
    """What became of one job of many: `result` is `updated`, `first_of_two`, `refused` or `failed`."""

    job: str
    result: Literal["updated", "first_of_two", "refused", "failed"]
    reason: str | None
    words: str

    @classmethod
    def of(cls, job: str, facts: BaseModel) -> "JobResultShape":
        """From what the command on that job alone answers."""
        if isinstance(facts, NotDone):
            return cls(job=job, result=facts.result, reason=facts.reason, words=facts.words)
        if isinstance(facts, UpdateShape) and facts.state is State.READY:
            return cls(job=job, result="first_of_two", reason=None, words=FIRST_OF_TWO)
        words = "Updated. It goes out with the next data sync."
        return cls(job=job, result="updated", reason=None, words=words)


class SeveralShape(Shape):
    """`update` of several jobs, in the order in which they were named."""

    jobs: list[JobResultShape]


class JobRow(Shape):
    """A job in a list. The counts are of its requested update: cost codes, and assignments."""

    job: JobShape
    state: State
    revision: int
    requested_by: str
    requested_at: datetime
    cost_codes: int
    assignments: int
    new_codes: int
    new_to_sage: int
    failed: int
    holds_waiting: int

    @classmethod
    def of(cls, facts: UpdateFacts) -> "JobRow":
        return cls(
            job=JobShape.of(facts),
            state=facts.state,
            revision=facts.revision,
            requested_by=facts.requested_by_email,
            requested_at=facts.requested_at,
            cost_codes=facts.counts.cost_codes,
            assignments=facts.counts.assignments,
            new_codes=facts.counts.new_codes,
            new_to_sage=facts.counts.new_to_sage,
            failed=facts.counts.failed,
            holds_waiting=facts.holds_waiting,
        )


class JobsShape(Shape):
    """`jobs` and `ready`, oldest request first."""

    jobs: list[JobRow]


class RequestShape(Shape):
    """`request JOB FILE`: `added` assignments are new; `joined` when the job was Ready to Update before."""

    job: JobShape
    state: State
    revision: int
    added: int
    joined: bool


class NotifyShape(Shape):
    """`people notify EMAIL`: what the person hears of; quiet hours as `HH:MM`, on the person's own clock."""

    person: str
    notify: Notify
    quiet_from: str | None
    quiet_until: str | None
    time_zone: str


class AwayShape(Shape):
    """`people away EMAIL`: who stands in on which days; all null when nobody does."""

    person: str
    delegate: str | None
    first_day: date | None
    last_day: date | None


class EventShape(Shape):
    """One event of a job; `words` tell it, `facts` are what the audit trail keeps."""

    seq: int
    at: datetime
    event: str
    place: str
    actor: str
    words: str
    facts: dict[str, object]

    @classmethod
    def of(cls, event: HistoryEvent, words: str) -> "EventShape":
        return cls(
            seq=event.seq,
            at=event.at,
            event=event.event,
            place=event.place,
            actor=event.actor,
            words=words,
            facts=dict(event.facts),
        )


class HistoryShape(Shape):
    """`history JOB`, oldest event first."""

    job: JobShape
    events: list[EventShape]


class SyncShape(Shape):
    """`sync`: one data sync, no batch when there was nothing to send; it counts assignments."""

    batch: str | None
    state: str
    jobs: int
    created: int
    tied: int
    already_there: int
    failed: int


class SyncRow(SyncShape):
    """A data sync in a list; `file` and its SHA-256 where it went out as an import file."""

    place: str
    started_at: datetime
    sent_at: datetime | None
    finished_at: datetime | None
    file: str | None
    file_sha256: str | None
    seconds: float | None

    @classmethod
    def of(cls, sync: DataSync) -> "SyncRow":
        taken = sync.finished_at - sync.started_at if sync.finished_at else None
        return cls(
            batch=sync.batch,
            state=sync.state,
            jobs=sync.jobs,
            created=sync.created,
            tied=sync.tied,
            already_there=sync.already_there,
            failed=sync.failed,
            place=sync.place,
            started_at=sync.started_at,
            sent_at=sync.sent_at,
            finished_at=sync.finished_at,
            file=sync.file,
            file_sha256=sync.file_sha256,
            seconds=taken.total_seconds() if taken else None,
        )


class SyncsShape(Shape):
    """`syncs`, newest first."""

    syncs: list[SyncRow]


class JobHold(HoldShape):
    """A hold in a list, with its job."""

    job: JobShape


class HoldsShape(Shape):
    """`hold list`, by job number."""

    holds: list[JobHold]


class HoldAddedShape(Shape):
    """`hold add`; `already_there` when the same contract was registered before."""

    job: JobShape
    hold: HoldShape
    already_there: bool


class HoldCheckShape(Shape):
    """`hold check JOB`: whether the job's contracts may be exported now, and the reason when not."""

    job: JobShape
    free: bool
    reason: str


class ImportShape(Shape):
    """`import …`, `sage load` and `sage load-categories`: how many rows of the file are in now.

    `new_categories` are those that the standard cost code list named first, without a name of their own.
    """

    rows: int
    new_categories: list[str] = []


class FileProblemShape(Shape):
    """What is wrong in a file: `line` counts from 1, the header; both are null for the file as a whole."""

    line: int | None
    column: str | None
    reason: str


class BadFileShape(Shape):
    """A file with bad rows: nothing of it was taken, and the command failed."""

    result: Literal["failed"] = "failed"
    reason: Literal["bad_file"] = "bad_file"
    words: str
    problems: list[FileProblemShape]


class AuditEventShape(Shape):
    """One event of `audit export`, a JSON line or, with the same columns, a row of CSV.

    The ids, `previous_hash` and `hash` are there for who wants to follow the chain alone.
    """

    seq: int
    at: datetime
    event: str
    place: str
    actor: str
    actor_email: str | None
    actor_id: int | None
    job: str | None
    job_id: int | None
    requested_update_id: int | None
    facts: dict[str, object]
    previous_hash: str
    hash: str


class AuditShape(Shape):
    """`audit verify`: how many events the trail has, and a sentence for each that was tampered with."""

    events: int
    problems: list[str]


class StatusShape(Shape):
    """`status`: how many jobs are in each state, what waits, and the data syncs around now."""

    jobs: dict[State, int]
    holds_waiting: int
    notices_waiting: int
    notices_given_up: int
    notices_wait_for: str | None
    last_sync: SyncRow | None
    next_sync_at: datetime


class SageCode(Shape):
    """A cost code that Sage holds; `extra` is empty for the job itself."""

    extra: str
    code: str
    description: str
    categories: list[str]


class SageJobShape(Shape):
    """`sage show JOB`: what Sage holds now."""

    job: str
    name: str | None
    cost_codes: list[SageCode]


class SageFoldersShape(Shape):
    """`sage set-up`: the folders that were made, in full."""

    made: list[str]


class SageCheckShape(Shape):
    """`sage check`: how many standard cost codes Sage has (null where it cannot tell), and which differ."""

    target: str
    standard_cost_codes: int | None
    only_in_sage: list[str]
    only_in_costbot: list[str]


class CheckedLine(Shape):
    """An assignment of a file, and what the checks before Update say of it."""

    line: int
    code: str
    category: str
    findings: list[LineFindingShape]


class CheckShape(Shape):
    """`check FILE --job JOB`: `ok` when nothing would stop the Update."""

    job: JobShape
    ok: bool
    lines: list[CheckedLine]


class FindingShape(Shape):
    """One thing that `doctor` looked at; `mend` says what to do when it is not ok."""

    name: str
    ok: bool
    words: str
    mend: str


class DoctorShape(Shape):
    """`doctor`."""

    ok: bool
    findings: list[FindingShape]


class LinkShape(Shape):
    """`people link` and `people unlink`; `slack_user` is null when there is no tie any more."""

    person: str
    team: str | None
    slack_user: str | None


class PrivilegeRequestShape(Shape):
    """A request for the privilege: `person` asks, `lacks` what; `answer` is null while it waits."""

    id: int
    person: str
    lacks: Refusal
    reason: str
    asked_at: datetime
    answer: PrivilegeAnswer | None
    comment: str | None

    @classmethod
    def of(cls, request: PrivilegeRequest) -> "PrivilegeRequestShape":
        return cls(
            id=request.id,
            person=request.asker,
            lacks=request.lacks,
            reason=request.reason,
            asked_at=request.asked_at,
            answer=request.answer,
            comment=request.comment,
        )


class PrivilegeRequestsShape(Shape):
    """`privilege list`: what waits for an administrator, oldest first."""

    requests: list[PrivilegeRequestShape]


class NearlyShape(Shape):
    """Somebody who lacks one thing to be an accounting approver, by its name."""

    name: str
    email: str
    lacks: str


class ApproversShape(Shape):
    """`approvers`: who may Update, who lacks exactly one condition, and when Procore's directory was read."""

    approvers: list[str]
    nearly: list[NearlyShape]
    read_at: datetime | None


class MigratedShape(Shape):
    """`migrate`: the schema's revision now."""

    revision: str


class CopiedShape(Shape):
    """`db copy`: how many rows each table has, in both databases."""

    rows: int
    tables: dict[str, int]


class BackedUpShape(Shape):
    """`db backup FILE`: its size in bytes, the events of its audit trail, and what is wrong with that."""

    file: str
    size: int
    events: int
    problems: list[str]


class RestoredShape(Shape):
    """`db restored`: cards that are drawn anew, and notices that waited when the backup was taken."""

    cards: int
    notices_waiting: int
