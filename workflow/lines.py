"""The lines of requested updates, and the mirror of what Sage holds that they are compared with.

Owns storing assignments, their standing against Sage, and moving them between requested updates
of one job. Callers hold the job's lock and own the state; `reopen`, for them, makes it ready again.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import TypeAlias

from sqlalchemy import bindparam, delete, exists, func, select, update
from sqlalchemy.orm import Session

from workflow import bulk, request_ids, waiting_steps
from workflow.merge import Asked, Assignment, CodeKey, InSage, SageCode, SageJob, plan, standings
from workflow.tables import (
    Job,
    LineFinding,
    Person,
    RequestedLine,
    RequestedUpdate,
    SageAssignment,
    StandardCostCode,
)
from workflow.vocabulary import Outcome, Standing, State

_CODES_A_QUERY = 5_000
_ID = itemgetter(0)
ASKED_BY_OTHERS = exists().where(
    RequestedLine.requested_update_id == RequestedUpdate.id,
    RequestedLine.requested_by_id != RequestedUpdate.requested_by_id,
)
"""Whether lines of the requested update in a query are somebody else's than the one who asked last."""
_REQUESTERS = (
    select(RequestedLine.requested_by_id)
    .where(RequestedLine.requested_update_id == bindparam("id"))
    .distinct()
)


OpenLine: TypeAlias = tuple[int, int, str, str, str, str, str | None]
"""A line that is still open: its id, that of its requested update, extra, cost code, category, and how it
stands against Sage as far as that was written: its standing, and what Sage calls its cost code.

No class of its own: a job may have 100,000, and Python's garbage collector passes by only plain tuples.
"""


def opened(line: RequestedLine) -> OpenLine:
    """A line that was read as an object."""
    return (
        line.id,
        line.requested_update_id,
        line.extra,
        line.code,
        line.category,
        line.standing,
        line.sage_description,
    )


def assignment_of(line: RequestedLine) -> Assignment:
    """The assignment that a stored line asks for."""
    return Assignment(line.code, line.category, line.extra)


def assignments_of(waiting: Iterable[OpenLine]) -> Iterator[Assignment]:
    """The assignments that open lines ask for, one after the other."""
    return map(Assignment._make, asked_by(waiting))


def asked_by(waiting: Iterable[OpenLine]) -> Iterator[Asked]:
    """The same as plain tuples."""
    return ((code, category, extra) for _, _, extra, code, category, _, _ in waiting)


def standard_descriptions(session: Session, codes: Collection[str]) -> dict[str, str]:
    """Description by code, of those that are on the standard cost code list."""
    wanted, found = sorted(codes), {}
    for start in range(0, len(wanted), _CODES_A_QUERY):
        some = wanted[start : start + _CODES_A_QUERY]
        query = select(StandardCostCode.code, StandardCostCode.description).where(
            StandardCostCode.code.in_(some)
        )
        found.update(dict(session.execute(query).all()))
    return found


def not_yet_in(session: Session, requested: RequestedUpdate, asked: Iterable[Assignment]) -> list[Assignment]:
    """The assignments that the requested update does not hold yet, in the order asked."""
    query = select(RequestedLine.extra, RequestedLine.code, RequestedLine.category).where(
        RequestedLine.requested_update_id == requested.id
    )
    held = set(session.execute(query))
    return [a for a in asked if (a.extra, a.code, a.category) not in held]


def added_since(session: Session, requested_update_id: int, revision: int) -> list[Assignment]:
    """The open assignments that joined a requested update after this revision, by cost code and category."""
    query = select(RequestedLine).where(
        RequestedLine.requested_update_id == requested_update_id,
        RequestedLine.added_in_revision > revision,
        RequestedLine.outcome.is_(None),
    )
    ordered = query.order_by(RequestedLine.code, RequestedLine.category)
    return [assignment_of(line) for line in session.scalars(ordered)]


def add(
    session: Session,
    requested: RequestedUpdate,
    assignments: Sequence[Assignment],
    *,
    standard: Mapping[str, str],
    in_sage: InSage,
    by: Person,
    at: datetime,
) -> None:
    """Store new lines in the requested update's present revision, with their standing against Sage.

    `standard` has the description of each of their codes that is on the standard list. A code beyond it,
    where the company allows one, has the description that Sage has.
    """
    bulk.insert_many(
        session,
        RequestedLine,
        ("extra", "code", "category", "description", "standing", "sage_description"),
        (
            (extra, code, category, standard.get(code, held or ""), standing, held)
            for (code, category, extra), standing, held in plan(assignments, in_sage)
        ),
        requested_update_id=requested.id,
        requested_by_id=by.id,
        requested_at=at,
        added_in_revision=requested.revision,
    )


def not_settled_since(session: Session, requested: RequestedUpdate) -> list[Assignment]:
    """The open assignments of a requested update that no newer one of its job took to Sage, or will."""
    query = select(RequestedLine).where(
        RequestedLine.requested_update_id == requested.id, RequestedLine.outcome.is_(None)
    )
    later = (
        select(RequestedLine)
        .join(RequestedUpdate, RequestedUpdate.id == RequestedLine.requested_update_id)
        .where(
            RequestedUpdate.job_id == requested.job_id,
            RequestedUpdate.id > requested.id,
            RequestedUpdate.state.in_((State.ACCEPTED, State.EXPORTED, State.SYNCED)),
        )
    )
    settled = {assignment_of(line) for line in session.scalars(later)}
    asked = [assignment_of(line) for line in session.scalars(query.order_by(RequestedLine.id))]
    return [assignment for assignment in asked if assignment not in settled]


def all_failed(session: Session, requested: RequestedUpdate) -> bool:
    """Whether lines of a requested update have failed, and none is left that may still go to Sage."""
    query = select(RequestedLine.outcome).where(RequestedLine.requested_update_id == requested.id)
    outcomes = set(session.scalars(query.distinct()))
    return Outcome.FAILED in outcomes and None not in outcomes


def requesters(session: Session, requested_update_id: int) -> list[int]:
    """The people who asked for lines of a requested update."""
    return list(session.scalars(_REQUESTERS, {"id": requested_update_id}))


def reopen(session: Session, requested: RequestedUpdate, *, replacing: Collection[CodeKey] = ()) -> list[int]:
    """Make a requested update ready again, in a new revision.

    What Sage refused is asked for again, except for the cost codes in `replacing`, whose refused
    lines go. Whatever else of the job waits for an approver joins it, since a job has one open
    requested update at most; returns the ids of those that joined, for the audit trail.
    """
    others = session.scalars(
        select(RequestedUpdate).where(
            RequestedUpdate.job_id == requested.job_id,
            RequestedUpdate.id != requested.id,
            RequestedUpdate.state.in_((State.READY, State.FAILED)),
        )
    ).all()
    joined = sorted(other.id for other in others)
    for other in others:
        _absorb(session, requested, other)
    refused = session.scalars(
        select(RequestedLine).where(
            RequestedLine.requested_update_id == requested.id, RequestedLine.outcome == Outcome.FAILED
        )
    ).all()
    asked_again = []
    for line in refused:
        if (line.extra, line.code) in replacing:
            session.delete(line)
        else:
            line.outcome = line.message = None
            asked_again.append(line)
    requested.revision = max([requested.revision, *(other.revision for other in others)]) + 1
    requested.state = State.READY
    requested.decided_by_id = requested.decided_for = requested.decided_at = requested.comment = None
    requested.data_sync_id = requested.exported_at = requested.finished_at = None
    requested.request_id = request_ids.current()
    session.flush()
    mark_standing(session, list(map(opened, asked_again)), held_by_sage(session, requested.job_id))
    return joined


def _absorb(session: Session, into: RequestedUpdate, other: RequestedUpdate) -> None:
    """Move the unfinished lines of `other` into `into`; what is left of `other` is synced, or nothing."""
    waiting_steps.follow(session, other, into)
    held = {
        assignment_of(line): line
        for line in session.scalars(select(RequestedLine).where(RequestedLine.requested_update_id == into.id))
    }
    unfinished = RequestedLine.outcome.is_(None) | (RequestedLine.outcome == Outcome.FAILED)
    for line in session.scalars(
        select(RequestedLine).where(RequestedLine.requested_update_id == other.id, unfinished)
    ).all():
        if assignment_of(line) in held:
            session.delete(line)
        else:
            line.requested_update_id = into.id
            line.added_in_revision = max(into.revision, other.revision) + 1
    session.flush()
    left = session.scalar(
        select(func.count()).select_from(RequestedLine).where(RequestedLine.requested_update_id == other.id)
    )
    if left:
        other.state = State.SYNCED
    else:
        session.delete(other)
    session.flush()


def held_by_sage(session: Session, job_id: int, *, codes: Collection[str] | None = None) -> InSage:
    """What Sage holds for a job, as last read back; of these cost codes only, where they are named."""
    query = select(
        SageAssignment.extra, SageAssignment.code, SageAssignment.description, SageAssignment.category
    ).where(SageAssignment.job_id == job_id)
    if codes is not None:
        query = query.where(SageAssignment.code.in_(codes))
    return _as_held(session.execute(query))


def _held_by_jobs(session: Session, job_ids: Collection[int]) -> dict[int, InSage]:
    """What Sage holds by job, as last read back; a job of which it holds nothing is not named."""
    query = select(
        SageAssignment.job_id,
        SageAssignment.extra,
        SageAssignment.code,
        SageAssignment.description,
        SageAssignment.category,
    )
    rows = session.connection().execute(
        query.where(bulk.among(session, SageAssignment.job_id, job_ids)).order_by(SageAssignment.job_id)
    )
    return {
        job_id: _as_held(columns for _, *columns in some) for job_id, some in groupby(rows, itemgetter(0))
    }


def _as_held(rows: Iterable[Sequence[str]]) -> InSage:
    """Rows of extra, cost code, description and category, by cost code."""
    descriptions: dict[CodeKey, str] = {}
    categories: dict[CodeKey, set[str]] = {}
    for extra, code, description, category in rows:
        descriptions[extra, code] = description
        tied = categories.setdefault((extra, code), set())
        if category:
            tied.add(category)
    return {key: SageCode(descriptions[key], frozenset(categories[key])) for key in descriptions}


def open_of(session: Session, job_id: int) -> Sequence[OpenLine]:
    """The lines of a job that wait for an approver or for the data sync to claim them."""
    return open_of_jobs(session, [job_id]).get(job_id, [])


def open_of_jobs(session: Session, job_ids: Collection[int]) -> dict[int, list[OpenLine]]:
    """The same lines of some jobs, by job; one without any is not named."""
    query = select(RequestedUpdate.id, RequestedUpdate.job_id).where(
        RequestedUpdate.job_id.in_(job_ids),
        RequestedUpdate.state.in_((State.READY, State.ACCEPTED)),
        RequestedUpdate.data_sync_id.is_(None),  # a batch is planned once
    )
    session.flush()
    return unsettled(session, dict(session.connection().execute(query).all()))


def unsettled(session: Session, updates: Mapping[int, int]) -> dict[int, list[OpenLine]]:
    """By job, the lines of requested updates of which nothing has become yet; `updates` has the job of each.

    A job without any is not named.
    """
    query = select(
        RequestedLine.id,
        RequestedLine.requested_update_id,
        RequestedLine.extra,
        RequestedLine.code,
        RequestedLine.category,
        RequestedLine.standing,
        RequestedLine.sage_description,
    ).where(RequestedLine.requested_update_id.in_(updates), RequestedLine.outcome.is_(None))
    found: dict[int, list[OpenLine]] = {}
    for line in sorted(bulk.select_many(session, query), key=_ID):  # quicker here than by the database
        found.setdefault(updates[line[1]], []).append(line)
    return found


def new_throughout(session: Session, updates: Mapping[int, int]) -> dict[int, set[CodeKey]]:
    """By job, the cost codes of its lines, where each is unsettled and written as of a code new to Sage.

    Of jobs with one requested update among `updates`, so that no line is asked for twice, and without a line
    of which something was found.
    """
    line, found_of = RequestedLine, LineFinding.line_id
    is_new = line.outcome.is_(None) & (line.standing == Standing.NEW_CODE) & line.sage_description.is_(None)
    otherwise = (
        select(line.requested_update_id)
        .outerjoin(LineFinding, found_of == line.id)
        .where(bulk.among(session, line.requested_update_id, updates), ~(is_new & found_of.is_(None)))
    )
    others = {updates[id_] for (id_,) in bulk.select_many(session, otherwise)}
    others |= {job_id for job_id, count in Counter(updates.values()).items() if count > 1}
    new = [id_ for id_, job_id in updates.items() if job_id not in others]
    # what an index has beside the ids of its rows, without which this takes thrice the time
    codes = select(line.requested_update_id, line.extra, line.code).where(
        bulk.among(session, line.requested_update_id, new)
    )
    found: dict[int, set[CodeKey]] = {}
    for id_, extra, code in bulk.select_many(session, codes.distinct()) if new else ():
        found.setdefault(updates[id_], set()).add((extra, code))
    return found


def categories_of(session: Session, update_ids: Collection[int]) -> list[str]:
    """The categories that requested updates ask for, each once."""
    query = select(RequestedLine.category).where(
        bulk.among(session, RequestedLine.requested_update_id, update_ids)
    )
    return list(session.scalars(query.distinct()))


def store_read_back(session: Session, job: Job, held: SageJob, *, at: datetime) -> bool:
    """Keep what Sage holds for a job now and mark its waiting lines anew; True when cost codes changed."""
    return bool(store_read_backs(session, [(session.get_one(Job, job.id), held)], at=at))


def store_read_backs(session: Session, told: Sequence[tuple[Job, SageJob]], *, at: datetime) -> set[int]:
    """Keep what Sage holds for these jobs of the session now, and mark their waiting lines anew.

    Returns the ids of those whose cost codes changed.
    """
    before = _held_by_jobs(session, [job.id for job, _ in told])
    for job, held in told:
        job.known_in_sage, job.sage_name = held.known, held.name
        job.sage_extras = None if held.extras is None else sorted(held.extras)
    session.flush()
    # by one statement, for the rest of most jobs is as it was
    ids = [job.id for job, _ in told]
    session.execute(update(Job).where(bulk.among(session, Job.id, ids)).values(read_back_at=at))
    changed = {job.id: held.cost_codes for job, held in told if before.get(job.id, {}) != held.cost_codes}
    if not changed:
        return set()
    if replaced := changed.keys() & before.keys():
        session.execute(delete(SageAssignment).where(SageAssignment.job_id.in_(replaced)))
    bulk.insert_many(
        session,
        SageAssignment,
        ("job_id", "extra", "code", "category", "description"),
        (
            (job_id, extra, code, category, kept.description)
            for job_id, held in changed.items()
            for (extra, code), kept in held.items()
            for category in (kept.categories or ("",))
        ),
    )
    waiting = open_of_jobs(session, changed)
    mark_standings(session, ((each, changed[job_id]) for job_id, each in waiting.items()))
    return set(changed)


def mark_standing(session: Session, waiting: Sequence[OpenLine], in_sage: InSage) -> None:
    """Write how each line of one job stands against Sage."""
    mark_standings(session, [(waiting, in_sage)])


def mark_standings(session: Session, jobs: Iterable[tuple[Sequence[OpenLine], InSage]]) -> None:
    """Write how each line of some jobs stands against Sage, where it is not written so already."""
    bulk.update_many(
        session,
        RequestedLine,
        ("standing", "sage_description"),
        (
            (line[0], standing, description)
            for waiting, in_sage in jobs
            for line, (standing, description) in zip(
                waiting, standings(asked_by(waiting), in_sage), strict=True
            )
            if standing != line[5] or description != line[6]
        ),
    )
