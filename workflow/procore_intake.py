"""What Procore has, brought into costbot: projects as jobs, assignments as requested updates.

Owns what was seen of Procore, so that each assignment is asked for once however often it is read, and what is
taken away there leaves the requested update. Reading Procore is `sync.procore`'s. Each function is one
transaction's worth: killed before its end, nothing of it happened.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.orm import Session

from workflow import audit, directory, findings, holds, lines, outbox, request_ids, requests, telling
from workflow.checks import SageLimits
from workflow.columns import Unfit
from workflow.merge import Assignment
from workflow.privileges import Actor, Rules
from workflow.tables import (
    Job,
    Person,
    ProcoreAssignment,
    ProcoreMark,
    ProcorePerson,
    ProcoreProject,
    RequestedLine,
    RequestedUpdate,
)
from workflow.vocabulary import TURNED_DOWN, ErpPermission, Event, Outcome, Place, State

PROCORE = Actor(Place.PROCORE, "Procore")
SAGE_NOT_READ = "what Sage has for the job was not read back yet"
"""The problem of what only Sage's own cost codes can tell to be new."""
REQUESTER_EMAIL = "project-team@procore.invalid"
"""Stands for whoever added something where Procore does not say who."""

Key: TypeAlias = tuple[int, int]
"""(cost code id, line item type id) of Procore."""


@dataclass(frozen=True, slots=True)
class ProjectFacts:
    """An ERP-integrated project: `number` is the ERP's job code."""

    project_id: int
    number: str
    name: str
    updated_at: datetime | None = None
    """When Procore says that it changed; without it, it may have changed at any time."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A line item type of a cost code, as Procore has it.

    `is_new` says that Procore knows its cost code not to be in the ERP; otherwise Sage's own cost codes tell.
    `added_by` is a person of the directory, None where Procore does not say. `description` is the cost code's
    name there. `asked_at` is when it was sent to the ERP, where that is known: what was turned down or failed
    before that is asked for again.
    """

    cost_code_id: int
    line_item_type_id: int
    assignment: Assignment
    is_new: bool
    added_at: datetime
    added_by: int | None = None
    description: str = ""
    asked_at: datetime | None = None

    @property
    def key(self) -> Key:
        return (self.cost_code_id, self.line_item_type_id)


@dataclass(frozen=True, slots=True)
class TakenIn:
    """What came of reading a project: how many assignments were asked for, left, or cannot be asked for yet.

    `undecided` could not be told from what Sage has: the job has to be read back from Sage first.
    """

    requested: int = 0
    removed: int = 0
    problems: int = 0
    undecided: int = 0


def mark(session: Session, name: str) -> datetime | None:
    """Up to when something was read."""
    found = session.get(ProcoreMark, name)
    return found.at if found else None


def set_mark(session: Session, name: str, at: datetime) -> None:
    """Something was read up to then."""
    session.merge(ProcoreMark(name=name, at=at))
    session.flush()


def put_projects(
    session: Session, projects: Sequence[ProjectFacts], *, by: Actor, at: datetime
) -> Unfit | None:
    """Projects become jobs, or change them; each that changed is to be read again. All or none."""
    known = {
        job.number: job
        for job in session.scalars(select(Job).where(Job.number.in_([each.number for each in projects])))
    }
    rows = [
        {"number": each.number, "name": each.name, "procore_project_id": each.project_id}
        for each in projects
        if (job := known.get(each.number)) is None
        or (job.name, job.procore_project_id) != (each.name, each.project_id)
    ]
    if rows:
        wrong = directory.put_jobs(session, rows, source="Procore", by=by, at=at)
        if wrong:
            return wrong
    numbers = [each.number for each in projects]
    jobs = {
        job.number: job
        for job in session.scalars(
            select(Job).where(Job.number.in_(numbers)).execution_options(populate_existing=True)
        )
    }
    for each in projects:
        # a project that was made anew has the job from now on
        former = (ProcoreProject.job_id == jobs[each.number].id) & (
            ProcoreProject.project_id != each.project_id
        )
        session.execute(delete(ProcoreProject).where(former))
        found = session.get(ProcoreProject, each.project_id)
        if found is None:
            found = ProcoreProject(
                project_id=each.project_id, job_id=jobs[each.number].id, read_at=None, stale_since=at
            )
            session.add(found)
        elif each.updated_at is None or each.updated_at != found.updated_at:
            # compared with what Procore said before, not with our clock: the two may differ
            _has_changed(found, at=at)
        found.job_id, found.updated_at = jobs[each.number].id, each.updated_at
    session.flush()
    return None


def stale(session: Session, project_id: int, *, at: datetime) -> bool:
    """Something of a project changed; False for a project that is no job."""
    found = session.get(ProcoreProject, project_id)
    if found is None:
        return False
    _has_changed(found, at=at)
    session.flush()
    return True


def _has_changed(project: ProcoreProject, *, at: datetime) -> None:
    if project.stale_since is None:
        project.stale_since, project.request_id = at, request_ids.current()


def to_read(session: Session, *, oldest: int) -> list[ProcoreProject]:
    """The projects to read next: all of which something is known to have changed, then the `oldest` read."""
    changed = select(ProcoreProject).where(ProcoreProject.stale_since.is_not(None))
    first = session.scalars(changed.order_by(ProcoreProject.stale_since, ProcoreProject.project_id)).all()
    unchanged = select(ProcoreProject).where(ProcoreProject.stale_since.is_(None))
    rest = session.scalars(
        unchanged.order_by(ProcoreProject.read_at, ProcoreProject.project_id).limit(oldest)
    ).all()
    return [*first, *rest]


def extras_by_key(session: Session, job_id: int, *, removed: bool = False) -> dict[Key, str]:
    """What was seen of a job in Procore, and the extra of each: what is not known to be gone, or what is."""
    rows = _gone(session, job_id) if removed else _present(session, job_id)
    return {(row.cost_code_id, row.line_item_type_id): row.extra for row in rows}


def cannot_be_asked_for(session: Session, job_id: int) -> set[Key]:
    """What was seen of a job in Procore and could not be asked for yet."""
    return {(row.cost_code_id, row.line_item_type_id) for row in with_problems(session, job_id)}


def people_of(session: Session, user_ids: Collection[int]) -> dict[int, int]:
    """Person id by Procore user id."""
    query = select(ProcorePerson.user_id, ProcorePerson.person_id).where(ProcorePerson.user_id.in_(user_ids))
    return dict(session.execute(query).all())


def take_in(
    session: Session,
    *,
    project_id: int,
    seen: Sequence[Seen],
    gone: Collection[Key],
    read_from: datetime | None,
    at: datetime,
    rules: Rules,
    limits: SageLimits,
) -> TakenIn:
    """Bring a project up to date with what was `seen` of it, whole, from `read_from` on.

    `gone` are assignments that Procore was asked about and does not have any more. What changed in Procore
    since `read_from` keeps the project to be read again; without it the project itself was not read.
    """
    project = session.get_one(ProcoreProject, project_id)
    job = directory.lock_jobs(session, [project.job_id])[0]
    known = {
        (row.cost_code_id, row.line_item_type_id): row
        for row in session.scalars(
            select(ProcoreAssignment)
            .where(ProcoreAssignment.job_id == job.id)
            .execution_options(populate_existing=True)
        )
    }
    refused = _turned_down_at(session, job.id) | _failed_at(session, job.id)
    fresh = [
        each
        for each in seen
        if (row := known.get(each.key)) is None
        or row.removed_at is not None
        or row.problem is not None
        or _sent_again(each, refused)
    ]
    new, undecided = _to_ask_for(session, job, fresh)
    problems = _problems(session, [each.assignment for each in new], limits=limits)
    wanted: dict[Assignment, Seen] = {}
    for each in new:
        if each.assignment not in problems:
            wanted.setdefault(each.assignment, each)
    asked = _ask(session, job, list(wanted.values()), at=at, rules=rules, limits=limits)
    unread = {each.key for each in undecided}
    for each in fresh:
        problem = SAGE_NOT_READ if each.key in unread else problems.get(each.assignment)
        _keep(session, job, each, problem, at=at)
    # after the asking, so that a requested update of which all was exchanged goes on
    removed = _take_away(session, job, known, gone, seen, at=at, rules=rules, limits=limits)
    for each in seen:
        if (row := known.get(each.key)) is not None:
            row.is_new, row.description = each.is_new, each.description[:200]
    if read_from is not None:
        project.read_at = at
        if project.stale_since is not None and project.stale_since <= read_from and not undecided:
            project.stale_since = None
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


def with_problems(session: Session, job_id: int | None = None) -> Sequence[ProcoreAssignment]:
    """What Procore has and cannot be asked for, with the reason."""
    query = select(ProcoreAssignment).where(
        ProcoreAssignment.problem.is_not(None), ProcoreAssignment.removed_at.is_(None)
    )
    if job_id is not None:
        query = query.where(ProcoreAssignment.job_id == job_id)
    return session.scalars(query.order_by(ProcoreAssignment.job_id, ProcoreAssignment.code)).all()


def _to_ask_for(session: Session, job: Job, fresh: Sequence[Seen]) -> tuple[list[Seen], list[Seen]]:
    """Of what was not seen before: what to ask for, and what cannot be told from what Sage has already."""
    if not fresh:
        return [], []
    on_the_way = _in_states(session, job.id, (State.ACCEPTED, State.EXPORTED, State.SYNCED))
    turned_down = _turned_down_at(session, job.id)
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
    still = {each.assignment for each in seen} | {_assignment(row) for row in _present(session, job.id)}
    left = [each for each in dict.fromkeys(map(_assignment, rows)) if each not in still]
    if not left:
        return 0
    open_lines = [line for line in _open_lines(session, job.id) if lines.assignment_of(line) in left]
    updated = _in_states(session, job.id, (State.ACCEPTED, State.EXPORTED, State.SYNCED))
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
    people = lines.requesters(session, requested)
    rest = len(_open_lines(session, job.id)) - len(gone)
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
    holds.settle(session, job.id, by=PROCORE, at=at)


def _keep(session: Session, job: Job, each: Seen, problem: str | None, *, at: datetime) -> None:
    session.merge(
        ProcoreAssignment(
            cost_code_id=each.cost_code_id,
            line_item_type_id=each.line_item_type_id,
            job_id=job.id,
            extra=each.assignment.extra[:20],
            code=each.assignment.code[:40],
            category=each.assignment.category[:20],
            added_at=each.added_at,
            seen_at=at,
            problem=problem,
            removed_at=None,
            is_new=each.is_new,
            description=each.description[:200],
        )
    )


def _problems(
    session: Session, assignments: Iterable[Assignment], *, limits: SageLimits
) -> dict[Assignment, str]:
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


def _present(session: Session, job_id: int) -> Sequence[ProcoreAssignment]:
    return session.scalars(
        select(ProcoreAssignment).where(
            ProcoreAssignment.job_id == job_id, ProcoreAssignment.removed_at.is_(None)
        )
    ).all()


def _gone(session: Session, job_id: int) -> Sequence[ProcoreAssignment]:
    return session.scalars(
        select(ProcoreAssignment).where(
            ProcoreAssignment.job_id == job_id, ProcoreAssignment.removed_at.is_not(None)
        )
    ).all()


def _open_lines(session: Session, job_id: int) -> list[RequestedLine]:
    """The lines of the job that wait for an approver."""
    query = (
        select(RequestedLine)
        .join(RequestedUpdate, RequestedUpdate.id == RequestedLine.requested_update_id)
        .where(
            RequestedUpdate.job_id == job_id,
            RequestedUpdate.state == State.READY,
            RequestedLine.outcome.is_(None),
        )
        .order_by(RequestedLine.id)
    )
    return list(session.scalars(query))


def _in_states(session: Session, job_id: int, states: Collection[State]) -> set[Assignment]:
    """What is in requested updates of these states, but for what Sage refused."""
    query = (
        select(RequestedLine)
        .join(RequestedUpdate, RequestedUpdate.id == RequestedLine.requested_update_id)
        .where(
            RequestedUpdate.job_id == job_id,
            RequestedUpdate.state.in_(states),
            or_(RequestedLine.outcome.is_(None), RequestedLine.outcome != Outcome.FAILED),
        )
    )
    return {lines.assignment_of(line) for line in session.scalars(query)}


def _sent_again(each: Seen, refused: Mapping[Assignment, datetime]) -> bool:
    """Whether somebody sent it to the ERP once more after it was turned down, or after Sage refused it."""
    refused_at = refused.get(each.assignment)
    return each.asked_at is not None and refused_at is not None and refused_at < each.asked_at


def _failed_at(session: Session, job_id: int) -> dict[Assignment, datetime]:
    """When Sage refused each assignment of the job that is failed now."""
    query = (
        select(RequestedLine, RequestedUpdate.finished_at)
        .join(RequestedUpdate, RequestedUpdate.id == RequestedLine.requested_update_id)
        .where(
            RequestedUpdate.job_id == job_id,
            RequestedUpdate.state == State.FAILED,
            RequestedLine.outcome == Outcome.FAILED,
        )
    )
    return {lines.assignment_of(line): at for line, at in session.execute(query) if at}


def _turned_down_at(session: Session, job_id: int) -> dict[Assignment, datetime]:
    """When each assignment of the job was last turned down."""
    query = (
        select(
            RequestedLine.extra,
            RequestedLine.code,
            RequestedLine.category,
            func.max(RequestedUpdate.decided_at),
        )
        .join(RequestedUpdate, RequestedUpdate.id == RequestedLine.requested_update_id)
        .where(RequestedUpdate.job_id == job_id, RequestedUpdate.state.in_(TURNED_DOWN))
        .group_by(RequestedLine.extra, RequestedLine.code, RequestedLine.category)
    )
    return {
        Assignment(code, category, extra): at for extra, code, category, at in session.execute(query) if at
    }
