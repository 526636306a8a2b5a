"""What Procore has of a job, brought into costbot: its assignments as requested updates.

Owns what is asked for, each assignment once however often it is read, and that what is taken away there
leaves the requested update. Reading Procore is `sync.procore`'s. Each function is one transaction's worth:
killed before its end, nothing of it happened.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from workflow import (
    audit,
    directory,
    findings,
    holds,
    lines,
    outbox,
    procore_asked,
    procore_projects,
    procore_seen,
    requests,
    telling,
    waiting_steps,
)
from workflow.checks import SageLimits
from workflow.database import upsert
from workflow.merge import Assignment
from workflow.privileges import Actor, Rules
from workflow.procore_projects import Known
from workflow.procore_seen import Key, Seen
from workflow.tables import Job, Person, ProcoreAssignment, ProcoreProject, RequestedLine, RequestedUpdate
from workflow.vocabulary import ErpPermission, Event, Place, State

PROCORE = Actor(Place.PROCORE, "Procore")
SAGE_NOT_READ = "what Sage has for the job was not read back yet"
"""The problem of what only Sage's own cost codes can tell to be new."""
REQUESTER_EMAIL = "project-team@procore.invalid"
"""Stands for whoever added something where Procore does not say who."""


_KEY = ("cost_code_id", "line_item_type_id")


@dataclass(frozen=True, slots=True)
class TakenIn:
    """What came of reading a project: how many assignments were asked for, left, or cannot be asked for yet.

    `undecided` could not be told from what Sage has: the job has to be read back from Sage first.
    """

    requested: int = 0
    removed: int = 0
    problems: int = 0
    undecided: int = 0


def take_in(
    session: Session,
    *,
    project_id: int,
    seen: Sequence[Seen],
    gone: Collection[Key],
    before: Known | None,
    at: datetime,
    rules: Rules,
    limits: SageLimits,
) -> TakenIn:
    """Bring a project up to date with what was `seen` of it, whole.

    `gone` are assignments that Procore was asked about and does not have any more. `before` is what was known
    of the project as it was read; without it it was not. A change that was told of since keeps it to be read
    again, and nothing is taken in where another process has read it meanwhile.
    """
    project = session.get_one(ProcoreProject, project_id)
    job = directory.lock_jobs(session, [project.job_id])[0]
    if before and not procore_projects.was_read(session, project_id, before=before, at=at):
        return TakenIn()
    known = {
        (row.cost_code_id, row.line_item_type_id): row
        for row in session.scalars(
            select(ProcoreAssignment)
            .where(ProcoreAssignment.job_id == job.id)
            .execution_options(populate_existing=True)
        )
    }
    refused = procore_asked.turned_down_at(session, job.id) | procore_asked.failed_at(session, job.id)
    nobodys = _nobody_asked_for(session, job, seen)
    fresh = [
        each
        for each in seen
        if (row := known.get(each.key)) is None
        or row.removed_at is not None
        or row.problem is not None
        or _sent_again(each, refused)
        or each.assignment in nobodys
    ]
    new, undecided = _to_ask_for(session, job, fresh)
    problems = why_not(session, [each.assignment for each in new], limits=limits)
    wanted: dict[Assignment, Seen] = {}
    for each in new:
        if each.assignment not in problems:
            wanted.setdefault(each.assignment, each)
    asked = _ask(session, job, list(wanted.values()), at=at, rules=rules, limits=limits)
    unread = {each.key for each in undecided}
    kept = {
        each.key: _kept(job, each, SAGE_NOT_READ if each.key in unread else problems.get(each.assignment), at)
        for each in fresh
    }
    _keep(session, known, kept)
    # after the asking, so that a requested update of which all was exchanged goes on
    removed = _take_away(session, job, known, gone, seen, at=at, rules=rules, limits=limits)
    for each in seen:
        if (row := known.get(each.key)) is not None:
            row.is_new, row.description = each.is_new, each.description[:200]
    if before and not undecided:
        procore_projects.is_taken_in(session, project_id, before=before)
    session.flush()
    return TakenIn(asked, removed, len(problems), len(undecided))


def requester(session: Session) -> Person:
    """The person who stands for a project team where Procore does not say who added something."""
    found = directory.person_by_email(session, REQUESTER_EMAIL)
    if found is None:
        found = Person(
            email=REQUESTER_EMAIL,
            name="Procore project team",
            erp_permission=ErpPermission.NONE,
            can_push_to_accounting=False,
            active=True,
        )
        session.add(found)
        session.flush()
    return found


def _to_ask_for(session: Session, job: Job, fresh: Sequence[Seen]) -> tuple[list[Seen], list[Seen]]:
    """Of what was not seen before: what to ask for, and what cannot be told from what Sage has already."""
    if not fresh:
        return [], []
    on_the_way = procore_asked.in_states(session, job.id, (State.ACCEPTED, State.EXPORTED, State.SYNCED))
    turned_down = procore_asked.turned_down_at(session, job.id)
    in_sage = lines.held_by_sage(session, job.id)
    new, undecided = [], []
    for each in fresh:
        held = in_sage.get(each.assignment.code_key)
        if each.assignment in on_the_way or (held and each.assignment.category in held.categories):
            continue
        decided_at = turned_down.get(each.assignment)
        if decided_at is not None and decided_at >= max(each.added_at, each.asked_at or each.added_at):
            continue
        if each.is_new or job.read_back_at is not None:
            new.append(each)
        else:
            undecided.append(each)
    return new, undecided


def _ask(
    session: Session, job: Job, new: Sequence[Seen], *, at: datetime, rules: Rules, limits: SageLimits
) -> int:
    """Ask for assignments in one requested update, each in the name of who added it; how many are new."""
    if not new:
        return 0
    people = {person.id: person for person in _active(session, {each.added_by for each in new})}
    nobody = requester(session)
    adders = [people.get(each.added_by or 0, nobody) for each in new]
    # the event has one name: whoever added last, of those that Procore names
    named = [(each.added_at, who.id) for each, who in zip(new, adders, strict=True) if who is not nobody]
    by = people[max(named)[1]] if named else nobody
    result = requests.request(
        session,
        job=job,
        assignments=[each.assignment for each in new],
        by=Actor(Place.PROCORE, by.name, by.id),
        at=at,
        rules=rules,
        limits=limits,
    )
    if isinstance(result, requests.NothingNew):
        return 0
    if not isinstance(result, requests.Requested):
        raise RuntimeError(f"what was found fit cannot be asked for: {result}")
    for each, who in zip(new, adders, strict=True):
        session.execute(
            update(RequestedLine)
            .where(
                RequestedLine.requested_update_id == result.requested_update.id,
                RequestedLine.added_in_revision == result.requested_update.revision,
                RequestedLine.extra == each.assignment.extra,
                RequestedLine.code == each.assignment.code,
                RequestedLine.category == each.assignment.category,
                RequestedLine.requested_at == at,
            )
            .values(requested_by_id=who.id, requested_at=min(each.added_at, at))
            .execution_options(synchronize_session=False)
        )
    session.expire_all()
    return result.added


def _take_away(
    session: Session,
    job: Job,
    known: Mapping[Key, ProcoreAssignment],
    gone: Collection[Key],
    seen: Sequence[Seen],
    *,
    at: datetime,
    rules: Rules,
    limits: SageLimits,
) -> int:
    """What is gone leaves the open requested update; what was updated already is only told of."""
    rows = [known[key] for key in sorted(gone) if key in known and known[key].removed_at is None]
    if not rows:
        return 0
    for row in rows:
        # what is added again is new to Procore, which has to be told of it once more
        row.removed_at, row.written_at, row.write_error = at, None, None
    session.flush()
    # the same assignment may be there once more, under another id
    still = {each.assignment for each in seen} | {
        _assignment(row) for row in procore_seen.present(session, job.id)
    }
    left = [each for each in dict.fromkeys(map(_assignment, rows)) if each not in still]
    if not left:
        return 0
    open_lines = [
        line for line in procore_asked.open_lines(session, job.id) if lines.assignment_of(line) in left
    ]
    updated = procore_asked.in_states(session, job.id, (State.ACCEPTED, State.EXPORTED, State.SYNCED))
    if after := [each for each in left if each in updated]:
        event = audit.record(
            session,
            Event.GONE_AFTER_UPDATE,
            by=PROCORE,
            at=at,
            job_id=job.id,
            added=len(after),
            assignments=_as_facts(after),
        )
        outbox.tell(session, event, broadcast=True)
        telling.tell_approvers(session, event, calendar=rules.calendar)
    if open_lines:
        _leave(session, job, open_lines, at=at, rules=rules, limits=limits)
    return len(left)


def _leave(
    session: Session,
    job: Job,
    gone: Sequence[RequestedLine],
    *,
    at: datetime,
    rules: Rules,
    limits: SageLimits,
) -> None:
    """Lines leave the open requested update in a new revision; one of which nothing is left ends."""
    requested = session.get_one(RequestedUpdate, gone[0].requested_update_id)
    people = lines.requesters(session, requested.id)
    rest = len(procore_asked.open_lines(session, job.id)) - len(gone)
    requested.revision += 1
    if rest:
        for line in gone:
            session.delete(line)
    else:
        # its lines stay, to be seen: a requested update without any would say nothing
        requested.state, requested.decided_at = State.REJECTED, at
        requested.decided_by_id = requester(session).id
        requested.comment = "All of it was removed in Procore before anybody updated it."
    session.flush()
    findings.renew(session, job, limits=limits)
    event = audit.record(
        session,
        Event.REMOVED,
        by=PROCORE,
        at=at,
        job_id=job.id,
        requested_update_id=requested.id,
        revision=requested.revision,
        added=len(gone),
        assignments=_as_facts(map(lines.assignment_of, gone)),
        left=rest,
    )
    approvers = [person.id for person in telling.approvers_to_ping(session)]
    outbox.tell(session, event, people=[*people, *approvers])
    waiting_steps.settle(session, requested, at=at)
    holds.settle(session, job.id, by=PROCORE, at=at)


def _kept(job: Job, each: Seen, problem: str | None, at: datetime) -> dict[str, Any]:
    """What is kept of an assignment, by column."""
    return {
        "job_id": job.id,
        "extra": each.assignment.extra[:20],
        "code": each.assignment.code[:40],
        "category": each.assignment.category[:20],
        "added_at": each.added_at,
        "seen_at": at,
        "problem": problem,
        "removed_at": None,
        "is_new": each.is_new,
        "description": each.description[:200],
    }


def _keep(
    session: Session, known: Mapping[Key, ProcoreAssignment], kept: Mapping[Key, dict[str, Any]]
) -> None:
    """Keep what was seen; a large project's first reading is one statement, not one for each assignment."""
    anew = []
    for key, columns in kept.items():
        if (row := known.get(key)) is not None:
            for name, value in columns.items():
                setattr(row, name, value)
        else:
            anew.append(dict(zip(_KEY, key, strict=True)) | columns)
    if anew:
        row_of = upsert(session, ProcoreAssignment)
        # an assignment may have been another job's, whose project was made anew
        here = {name: row_of.excluded[name] for name in anew[0] if name not in _KEY}
        statement = row_of.on_conflict_do_update(index_elements=_KEY, set_=here)
        session.connection().execute(statement, anew)


def why_not(
    session: Session, assignments: Iterable[Assignment], *, limits: SageLimits
) -> dict[Assignment, str]:
    """Why some of these cannot be asked for, in the language spoken now."""
    once = list(dict.fromkeys(assignments))
    found: dict[Assignment, str] = {}
    if once:
        for problem in requests.unfit(session, once, limits=limits):
            found.setdefault(once[problem.index], problem.reason)
    return found


def _active(session: Session, person_ids: Collection[int | None]) -> Sequence[Person]:
    return session.scalars(select(Person).where(Person.id.in_(person_ids), Person.active)).all()


def _assignment(row: ProcoreAssignment) -> Assignment:
    return Assignment(row.code, row.category, row.extra)


def _as_facts(assignments: Iterable[Assignment]) -> list[list[str]]:
    return [[each.extra, each.code, each.category] for each in assignments]


def _nobody_asked_for(session: Session, job: Job, seen: Sequence[Seen]) -> set[Assignment]:
    """What was sent to the ERP, which Sage does not hold and was never asked for: it held it once."""
    sent = {each.assignment for each in seen if each.asked_at is not None}
    if not sent:
        return sent
    in_sage = lines.held_by_sage(session, job.id)
    held = {
        each for each in sent if (code := in_sage.get(each.code_key)) and each.category in code.categories
    }
    return sent - held - procore_asked.in_states(session, job.id, list(State))


def _sent_again(each: Seen, refused: Mapping[Assignment, datetime]) -> bool:
    """Whether somebody sent it to the ERP once more after it was turned down, or after Sage refused it."""
    refused_at = refused.get(each.assignment)
    return each.asked_at is not None and refused_at is not None and refused_at < each.asked_at
