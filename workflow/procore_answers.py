"""What Procore is told of each ERP Request, once Sage or an approver answered for every line of it.

Only reads. That Sage holds a line is what was last read back, never assumed from having sent it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto

from sqlalchemy import select
from sqlalchemy.orm import Session

from workflow import lines
from workflow.language import plural, say
from workflow.merge import Assignment, InSage
from workflow.procore_requests import TRY_AGAIN_AFTER, has_newer, job_of
from workflow.procore_write_back import origin_id
from workflow.tables import (
    DataSync,
    Job,
    ProcoreAssignment,
    ProcoreErpRequest,
    RequestedLine,
    RequestedUpdate,
)
from workflow.vocabulary import TURNED_DOWN, ErpAnswer, Outcome, State

MESSAGES = 20
"""Of one kind in an answer; of more it is said how many."""

_FINAL = (ErpAnswer.SUCCESS, ErpAnswer.STALE)


@dataclass(frozen=True, slots=True)
class Synced:
    """A project or sub job that Procore has to be told is in the ERP now."""

    item_type: str
    item_id: int
    origin_id: str


@dataclass(frozen=True, slots=True)
class Answer:
    """How a request is closed, with words for the people who look at it in Procore."""

    request_id: int
    detail_id: int | None
    status: ErpAnswer
    messages: tuple[str, ...]
    synced: Synced | None = None


class _Standing(Enum):
    """Where a line stands, as its request is concerned."""

    WAITING = auto()
    HELD = auto()
    FAILED = auto()
    TURNED_DOWN = auto()


@dataclass(frozen=True, slots=True)
class _Line:
    assignment: Assignment
    standing: _Standing
    asked: RequestedLine | None
    update: RequestedUpdate | None
    words: str | None = None

    @property
    def name(self) -> str:
        return f"{self.assignment.extra} {self.assignment.code} {self.assignment.category}".strip()


def due(session: Session, *, at: datetime) -> list[Answer]:
    """The answers that Procore was not told yet, oldest request first.

    What failed or was turned down may come to another answer, as long as no newer request of its job came.
    """
    query = select(ProcoreErpRequest, has_newer()).where(
        ProcoreErpRequest.project_id.is_not(None),
        ProcoreErpRequest.answer.is_(None) | ProcoreErpRequest.answer.not_in(_FINAL),
        ProcoreErpRequest.tried_at.is_(None) | (ProcoreErpRequest.tried_at <= at - TRY_AGAIN_AFTER),
    )
    found = []
    for row, superseded in session.execute(query.order_by(ProcoreErpRequest.request_id)).all():
        if superseded and row.answer is not None:
            continue
        answer = _answer(session, row, superseded=superseded)
        if answer is not None and answer.status is not row.answer:
            found.append(answer)
    return found


def _answer(session: Session, row: ProcoreErpRequest, *, superseded: bool) -> Answer | None:
    """How a request is answered; None while a line of it waits and no newer request has it."""
    if row.failure is not None:
        return Answer(row.request_id, row.detail_id, ErpAnswer.FAILED, (say(row.failure),))
    if row.taken_at is None:
        return _superseded(row) if superseded else None
    job = job_of(session, row)
    if job is None:
        words = say("Another project has the job number of this one now.")
        return Answer(row.request_id, row.detail_id, ErpAnswer.STALE, (words,))
    found = list(_lines(session, row, job))
    standings = {line.standing for line in found}
    if superseded and (_Standing.WAITING in standings or len(found) < len(row.lines or ())):
        return _superseded(row)
    if _Standing.WAITING in standings:
        return None
    messages = tuple(
        [*_held(session, found), *_failed(found), *_turned_down(found)]
        or [say("There was nothing to add in Sage.")]
    )
    if _Standing.FAILED in standings:
        return Answer(row.request_id, row.detail_id, ErpAnswer.FAILED, messages)
    if _Standing.TURNED_DOWN in standings:
        return Answer(row.request_id, row.detail_id, ErpAnswer.REJECTED, messages)
    if row.is_new and not job.known_in_sage:
        return _superseded(row) if superseded else None
    return Answer(row.request_id, row.detail_id, ErpAnswer.SUCCESS, messages, _synced(row, job))


def _superseded(row: ProcoreErpRequest) -> Answer:
    words = say("A newer request of this job has its cost codes now, and is answered in place of this one.")
    return Answer(row.request_id, row.detail_id, ErpAnswer.STALE, (words,))


def _synced(row: ProcoreErpRequest, job: Job) -> Synced | None:
    """What of a new job has to be marked; its cost codes are `procore_write_back`'s."""
    if not row.is_new or row.project_id is None:
        return None
    if row.sub_job_id is not None:
        return Synced("sub_job", row.sub_job_id, origin_id(job.number, row.extra, "").rstrip("/"))
    return Synced("project", row.project_id, job.number)


def _lines(session: Session, row: ProcoreErpRequest, job: Job) -> Iterator[_Line]:
    """The lines of a request, but for what left Procore since."""
    wanted = {(cost_code_id, type_id) for cost_code_id, type_id in row.lines or ()}
    seen = session.scalars(
        select(ProcoreAssignment).where(
            ProcoreAssignment.job_id == job.id, ProcoreAssignment.removed_at.is_(None)
        )
    ).all()
    asked = _newest_asked(session, job.id)
    in_sage = lines.held_by_sage(session, job.id)
    for each in sorted(seen, key=lambda each: (each.extra, each.code, each.category)):
        if (each.cost_code_id, each.line_item_type_id) in wanted:
            assignment = Assignment(each.code, each.category, each.extra)
            yield _line(assignment, each.problem, asked.get(assignment), in_sage)


def _line(
    assignment: Assignment,
    problem: str | None,
    newest: tuple[RequestedLine, RequestedUpdate] | None,
    in_sage: InSage,
) -> _Line:
    asked, update = newest or (None, None)
    held = in_sage.get(assignment.code_key)
    if held is not None and assignment.category in held.categories:
        return _Line(assignment, _Standing.HELD, asked, update)
    if asked is not None and update is not None:
        if asked.outcome is Outcome.FAILED:
            return _Line(assignment, _Standing.FAILED, asked, update, asked.message)
        if asked.outcome is not None:
            # read back as held once; what Sage lost since is a difference, and not this request's
            return _Line(assignment, _Standing.HELD, asked, update)
        if update.state in TURNED_DOWN:
            return _Line(assignment, _Standing.TURNED_DOWN, asked, update)
        return _Line(assignment, _Standing.WAITING, asked, update)
    # without a problem Sage had it and lost it, or another category was asked for in place of this one
    return _Line(assignment, _Standing.FAILED, None, None, problem)


def _newest_asked(session: Session, job_id: int) -> dict[Assignment, tuple[RequestedLine, RequestedUpdate]]:
    """The line that asked last for each assignment of a job."""
    query = (
        select(RequestedLine, RequestedUpdate)
        .join(RequestedUpdate, RequestedUpdate.id == RequestedLine.requested_update_id)
        .where(RequestedUpdate.job_id == job_id)
        .order_by(RequestedUpdate.state == State.READY, RequestedUpdate.id)
    )
    return {lines.assignment_of(line): (line, update) for line, update in session.execute(query).all()}


def _held(session: Session, found: Sequence[_Line]) -> Iterator[str]:
    """Who updated what Sage holds, and which data sync sent it; then what it held anyway."""
    held = [line for line in found if line.standing is _Standing.HELD]
    ours = [line for line in held if line.asked is not None and line.asked.outcome is not None]
    for update in _updates(ours):
        count = sum(line.update is update for line in ours)
        said = plural(
            "Sage holds {n:,} assignment that {name} updated on {when}, by data sync {batch}.",
            "Sage holds {n:,} assignments that {name} updated on {when}, by data sync {batch}.",
            count,
            name=_decider(update),
            when=_when(update.decided_at),
            batch=_batch(session, update),
        )
        yield said
    if already := len(held) - len(ours):
        yield plural("Sage had {n:,} assignment already.", "Sage had {n:,} assignments already.", already)


def _failed(found: Sequence[_Line]) -> Iterator[str]:
    failed = [line for line in found if line.standing is _Standing.FAILED]
    for line in failed[:MESSAGES]:
        why = say(line.words) if line.words else say("no reason given")
        if line.asked is not None:
            yield say("Sage refused {line}: {why}", line=line.name, why=why)
        elif line.words:
            yield say("{line} cannot be asked for: {why}", line=line.name, why=why)
        else:
            yield say(
                "{line} is not in Sage, and nobody is asking for it. Send the project to the ERP once more "
                "to ask for it.",
                line=line.name,
            )
    if len(failed) > MESSAGES:
        yield say("And {more:,} more.", more=len(failed) - MESSAGES)


def _turned_down(found: Sequence[_Line]) -> Iterator[str]:
    turned_down = [line for line in found if line.standing is _Standing.TURNED_DOWN]
    for update in _updates(turned_down):
        names = [line.name for line in turned_down if line.update is update]
        which = ", ".join(names[:MESSAGES])
        if len(names) > MESSAGES:
            which = say("{names} and {more:,} more", names=which, more=len(names) - MESSAGES)
        when = _when(update.decided_at)
        if update.state is State.EXPIRED:
            yield say("{which} expired on {when}, as nobody decided on it.", which=which, when=when)
        else:
            yield say(
                "{name} rejected {which} on {when}: {comment}",
                name=_decider(update),
                which=which,
                when=when,
                comment=update.comment or "",
            )


def _updates(found: Sequence[_Line]) -> list[RequestedUpdate]:
    return list({line.update.id: line.update for line in found if line.update is not None}.values())


def _decider(update: RequestedUpdate) -> str:
    return update.decided_by.name if update.decided_by else say("somebody")


def _when(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC" if at else "?"


def _batch(session: Session, update: RequestedUpdate) -> str:
    found = session.get(DataSync, update.data_sync_id) if update.data_sync_id else None
    return found.batch if found else "?"
