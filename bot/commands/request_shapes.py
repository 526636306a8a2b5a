"""The JSON of what is asked for: jobs, their requested updates and history, and of acts on them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from pydantic import BaseModel

from bot.commands.shapes import JobShape, NotDone, Shape
from workflow.facts import HistoryEvent, HoldFacts, LineFacts, UpdateFacts
from workflow.tables import Job
from workflow.vocabulary import HoldKind, Outcome, Rule, Severity, Standing, State

FIRST_OF_TWO = "1 of 2: the Update is on record, and a second approver must Update."


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


class LineFindingShape(Shape):
    """What a check before Update found on a line; `refuse` stops the Update, `warn` only says so."""

    rule: Rule
    severity: Severity
    message: str


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
