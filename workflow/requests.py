"""Asking: the one way in for new cost codes and categories of a job, whatever the source.

A file, the command line, a Slack window and Procore all call `request`. Adding to a job that is
Ready to Update already joins the open requested update and raises its revision.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from workflow import audit, columns, directory, findings, holds, lines, outbox, telling
from workflow.checks import SageLimits
from workflow.columns import Problem, Unfit
from workflow.language import say
from workflow.merge import Assignment
from workflow.privileges import Actor, Refused, Rules, explain
from workflow.results import Unchanged
from workflow.tables import Category, Job, Person, RequestedLine, RequestedUpdate
from workflow.vocabulary import TURNED_DOWN, Event, Refusal, State


@dataclass(frozen=True, slots=True)
class Requested:
    """The job is Ready to Update; `added` assignments are new, and it may have been before (`joined`)."""

    requested_update: RequestedUpdate
    added: int
    joined: bool


@dataclass(frozen=True, slots=True)
class NothingNew(Unchanged):
    """Every assignment asked for waits already; nothing was changed."""

    requested_update: RequestedUpdate


def request(
    session: Session,
    *,
    job: Job,
    assignments: Sequence[Assignment],
    by: Actor,
    at: datetime,
    rules: Rules,
    limits: SageLimits,
    again: bool = False,
    note: str = "",
) -> Requested | NothingNew | Unfit | Refused:
    """Ask for assignments of a job: all of them, or none when one is unfit.

    `again` says that they were asked for before and turned down; `note` is what the approver should know.

    What Sage would refuse by its `limits` is kept with the lines: it stops the Update, not the asking.

    Where Sage refused lines of the job before, they are asked for again with the new ones, and a
    cost code that is named now replaces what Sage refused of it.
    """
    # first of all, since whoever holds the end of the audit trail must not wait for a job
    directory.lock_jobs(session, [job.id])
    person = session.get(Person, by.person_id, populate_existing=True) if by.person_id else None
    reason = by.refusal or _may_not_ask(person)
    if reason or person is None:
        reason = reason or Refusal.NO_MATCHING_PERSON
        return _refuse(session, reason, by=by, at=at, rules=rules, job_id=job.id)
    problems = list(_not_text(assignments))
    if problems:
        return Unfit(tuple(problems))
    standard = lines.standard_descriptions(session, {a.code for a in assignments})
    problems = _problems(session, assignments, standard, limits)
    if problems:
        return Unfit(tuple(problems))
    waiting = _waiting_updates(session, job.id)
    joined: list[int] = []
    update = waiting[0] if waiting else None
    if update is None:
        event, earlier = (
            Event.REQUESTED,
            session.query(exists().where(RequestedUpdate.job_id == job.id)).scalar(),
        )
        update = RequestedUpdate(
            job_id=job.id, state=State.READY, revision=1, requested_by_id=person.id, requested_at=at
        )
        session.add(update)
        session.flush()
        new = list(assignments)
    elif any(each.state is State.FAILED for each in waiting):
        event, earlier = Event.SENT_AGAIN, True
        joined = lines.reopen(session, update, replacing={a.code_key for a in assignments})
        update.requested_by_id, update.requested_at = person.id, at
        new = lines.not_yet_in(session, update, assignments)
    else:
        event, earlier = Event.JOINED, False
        new = lines.not_yet_in(session, update, assignments)
        if not new:
            return NothingNew(update)
        update.revision += 1
    in_sage = lines.held_by_sage(session, job.id)
    lines.add(session, update, new, standard=standard, in_sage=in_sage, by=person, at=at)
    findings.renew(session, job, limits=limits, standard=standard, in_sage=in_sage)
    row = audit.record(
        session,
        event,
        by=by,
        at=at,
        job_id=job.id,
        requested_update_id=update.id,
        revision=update.revision,
        added=len(new),
        assignments=[(extra, code, category) for code, category, extra in new],
        joined=joined,
        **({"again": True} if again else {}),
        **({"note": note} if note else {}),
    )
    outbox.tell(session, row, broadcast=earlier)
    telling.tell_approvers(session, row, calendar=rules.calendar, but=person.id)
    holds.settle(session, job.id, by=by, at=at)
    return Requested(update, added=len(new), joined=event is not Event.REQUESTED)


def turned_down(session: Session, job_id: int) -> int | None:
    """The id of the job's newest requested update that was rejected or has expired."""
    query = select(RequestedUpdate.id).where(
        RequestedUpdate.job_id == job_id, RequestedUpdate.state.in_(TURNED_DOWN)
    )
    return session.scalars(query.order_by(RequestedUpdate.id.desc()).limit(1)).one_or_none()


def ask_again(
    session: Session,
    *,
    requested_update_id: int | None,
    by: Actor,
    at: datetime,
    rules: Rules,
    limits: SageLimits,
) -> Requested | NothingNew | Unfit | Refused:
    """Ask anew for the lines, as they were, of a requested update that was rejected or has expired.

    Lines that went to Sage since, or are on their way, are left out.
    """
    found = session.get(RequestedUpdate, requested_update_id) if requested_update_id else None
    if found is None:
        words = say("Nothing of this job was rejected or has expired.")
        return _nothing_to_ask_again(session, None, words, by=by, at=at)
    job = directory.lock_jobs(session, [found.job_id])[0]
    before = session.get_one(RequestedUpdate, requested_update_id, populate_existing=True)
    if before.state not in TURNED_DOWN:
        words = say("It was neither rejected nor has it expired.")
        return _nothing_to_ask_again(session, before, words, by=by, at=at)
    asked = lines.not_settled_since(session, before)
    if not asked:
        words = say("All of it was requested and updated since.")
        return _nothing_to_ask_again(session, before, words, by=by, at=at)
    return request(session, job=job, assignments=asked, by=by, at=at, rules=rules, limits=limits, again=True)


def check(session: Session, *, by: Actor, at: datetime, rules: Rules, act: str = "request") -> Refused | None:
    """Refuse, on record, somebody who may not ask at all; None for everybody active in the directory.

    For the window in which one asks, where `request` decides anew, and for steps of workflows; `act` is what
    the trail calls it.
    """
    person = session.get(Person, by.person_id, populate_existing=True) if by.person_id else None
    reason = by.refusal or _may_not_ask(person)
    if reason is None:
        return None
    return _refuse(session, reason, by=by, at=at, rules=rules, act=act)


def unknown_codes(session: Session, codes: Sequence[str], *, limits: SageLimits) -> list[Problem]:
    """Why these cost codes, whose categories nobody has named yet, cannot be asked for."""
    known = codes if limits.beyond_standard_list else lines.standard_descriptions(session, codes)
    return [
        Problem(index, "code", _not_standard(code)) for index, code in enumerate(codes) if code not in known
    ]


def unfit(session: Session, assignments: Sequence[Assignment], *, limits: SageLimits) -> list[Problem]:
    """Why these assignments cannot be asked for, by the place of each that is unfit; nothing is changed."""
    problems = list(_not_text(assignments))
    if problems:
        return problems
    standard = lines.standard_descriptions(session, {a.code for a in assignments})
    return _problems(session, assignments, standard, limits)


def _nothing_to_ask_again(
    session: Session, requested: RequestedUpdate | None, why: str, *, by: Actor, at: datetime
) -> Refused:
    words = say("There is nothing to ask again. {why}", why=why)
    about = {"job_id": requested.job_id, "requested_update_id": requested.id} if requested else {}
    refused = Refused(by.refusal or Refusal.NOT_TURNED_DOWN, words)
    return audit.refuse(session, refused, "ask again", by=by, at=at, **about)


def _refuse(
    session: Session,
    reason: Refusal,
    *,
    by: Actor,
    at: datetime,
    rules: Rules,
    job_id: int | None = None,
    act: str = "request",
) -> Refused:
    refused = Refused(reason, explain(reason, by.name, rules))
    return audit.refuse(session, refused, act, by=by, at=at, job_id=job_id)


def _may_not_ask(person: Person | None) -> Refusal | None:
    if person is None:
        return Refusal.NO_MATCHING_PERSON
    return None if person.active else Refusal.DEACTIVATED


def _waiting_updates(session: Session, job_id: int) -> Sequence[RequestedUpdate]:
    """The requested updates that a new request joins: the open one first, then those that Sage refused."""
    return session.scalars(
        select(RequestedUpdate)
        .where(RequestedUpdate.job_id == job_id, RequestedUpdate.state.in_((State.READY, State.FAILED)))
        .order_by(RequestedUpdate.state != State.READY, RequestedUpdate.id)
    ).all()


def _not_text(assignments: Sequence[Assignment]) -> Iterator[Problem]:
    """What the database could not even be asked about."""
    if not assignments:
        yield Problem(0, "code", say("nothing is asked for: the request has no lines"))
    # each value once: a large request has few of them
    values = {
        (name, value) for name in Assignment._fields for value in {getattr(a, name) for a in assignments}
    }
    if not any(any(columns.misfits(RequestedLine, {name: value})) for name, value in values):
        return
    for index, a in enumerate(assignments):
        for misfit in columns.misfits(RequestedLine, a._asdict()):
            yield Problem(index, *misfit)


def _problems(
    session: Session, assignments: Sequence[Assignment], standard: Collection[str], limits: SageLimits
) -> list[Problem]:
    codes = {a.code for a in assignments} if limits.beyond_standard_list else standard
    categories = set(session.scalars(select(Category.code)))
    # each value once: a large request has few of them
    if (
        len(set(assignments)) == len(assignments)
        and categories.issuperset(a.category for a in assignments)
        and all(a.code in codes for a in assignments)
    ):
        return []
    return list(_each_problem(assignments, codes, categories))


def _each_problem(
    assignments: Sequence[Assignment], codes: Collection[str], categories: Collection[str]
) -> Iterator[Problem]:
    first_at: dict[Assignment, int] = {}
    for index, assignment in enumerate(assignments):
        if assignment.code not in codes:
            yield Problem(index, "code", _not_standard(assignment.code))
        if assignment.category not in categories:
            known = ", ".join(sorted(categories)) or say("none yet: import categories first")
            yield Problem(
                index,
                "category",
                say(
                    "category {category} is not a standard category; known are {known}",
                    category=assignment.category or say("(empty)"),
                    known=known,
                ),
            )
        if assignment in first_at:
            yield Problem(
                index,
                "code",
                say(
                    "{code} {category} is asked for twice", code=assignment.code, category=assignment.category
                ),
            )
        first_at.setdefault(assignment, index)


def _not_standard(code: str) -> str:
    return say(
        "cost code {code} is not on the standard cost code list; new codes are created in Sage first",
        code=code or say("(empty)"),
    )
