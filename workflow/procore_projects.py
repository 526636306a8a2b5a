"""Projects of Procore, which are jobs: which there are, which are to be read (again), and which cannot be.

Owns their rows, and the marks of up to when something of Procore was read.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import case, delete, func, select, update
from sqlalchemy.orm import Session

from workflow import directory, request_ids
from workflow.columns import Problem, misfits
from workflow.language import say
from workflow.outbox import CLOCKS_DIFFER
from workflow.privileges import Actor
from workflow.tables import Job, ProcoreMark, ProcoreProject, ProcoreTrouble


@dataclass(frozen=True, slots=True)
class ProjectFacts:
    """An ERP-integrated project: `number` is the ERP's job code."""

    project_id: int
    number: str
    name: str
    updated_at: datetime | None = None
    """When Procore says that it changed; without it, it may have changed at any time."""


class Known(NamedTuple):
    """When a project was last read, and since when it has changed; None for never."""

    read_at: datetime | None
    stale_since: datetime | None


def mark(session: Session, name: str, *, now: datetime | None = None) -> datetime | None:
    """Up to when something was read; None for never, or where with `now` a clock that was ahead says so."""
    found = session.get(ProcoreMark, name)
    if found is None or (now is not None and found.at > now + CLOCKS_DIFFER):
        return None
    return found.at


def set_mark(session: Session, name: str, at: datetime) -> None:
    """Something was read up to then."""
    session.merge(ProcoreMark(name=name, at=at))
    session.flush()


def put_projects(
    session: Session, projects: Sequence[ProjectFacts], *, by: Actor, at: datetime
) -> Sequence[str]:
    """Projects become jobs, or change them; each that changed is to be read again. All or none.

    No two of them have the same number. Returns why there are none, in words for people.
    """
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
            return [_in_words(session, rows[problem.index], problem) for problem in wrong.problems]
    numbers = [each.number for each in projects]
    jobs = {
        job.number: job
        for job in session.scalars(
            select(Job).where(Job.number.in_(numbers)).execution_options(populate_existing=True)
        )
    }
    _forget_former(session, {jobs[each.number].id: each.project_id for each in projects})
    stored = {
        row.project_id: row
        for row in session.scalars(
            select(ProcoreProject).where(
                ProcoreProject.project_id.in_([each.project_id for each in projects])
            )
        )
    }
    well: list[int] = []
    for each in projects:
        job_id = jobs[each.number].id
        found = stored.get(each.project_id)
        # compared with what Procore said before, not with our clock: the two may differ
        changed = found is None or each.updated_at is None or each.updated_at != found.updated_at
        if found is None:
            found = ProcoreProject(project_id=each.project_id, job_id=job_id, read_at=None, stale_since=at)
            session.add(found)
            stored[each.project_id] = found
        elif changed:
            _has_changed(session, each.project_id, at=at)
        if changed:
            well.append(each.project_id)
        found.job_id, found.updated_at, found.archived_at = job_id, each.updated_at, None
    session.flush()
    if well:
        no_trouble(session, *well)
    return []


def _in_words(session: Session, row: Mapping[str, Any], problem: Problem) -> str:
    """Why a project cannot be the job of its number, and the mend."""
    if problem.column == "number":
        return say("its ERP job code {reason}", reason=problem.reason)
    if problem.column == "name":
        return say("its name {reason}", reason=problem.reason)
    too_large = any(column == problem.column for column, _ in misfits(Job, row))
    by_project = select(Job.number).where(Job.procore_project_id == row["procore_project_id"])
    former = None if too_large else session.scalar(by_project)
    if former is None:
        return say("its id {reason}", reason=problem.reason)
    return say(
        "its ERP job code is {number} in Procore now, and costbot has it as job {job}, whose number stays. "
        "Make its ERP job code {job} again in Procore",
        number=row["number"],
        job=former,
    )


def _forget_former(session: Session, projects: Mapping[int, int]) -> None:
    """Projects that were made anew have their jobs from now on; ids of projects by those of their jobs."""
    query = select(ProcoreProject.project_id, ProcoreProject.job_id)
    held = session.execute(query.where(ProcoreProject.job_id.in_(projects)))
    former = [project_id for project_id, job_id in held if project_id != projects[job_id]]
    if former:
        no_trouble(session, *former)
        session.execute(delete(ProcoreProject).where(ProcoreProject.project_id.in_(former)))


def archived(session: Session, *project_ids: int, at: datetime) -> None:
    """Projects are in use no more: nothing is wrong with them, and none is read until it is put again.

    Their jobs stay theirs, for what Procore is still to be told of them.
    """
    no_trouble(session, *project_ids)
    in_use = ProcoreProject.archived_at.is_(None)
    session.execute(
        update(ProcoreProject)
        .where(ProcoreProject.project_id.in_(project_ids), in_use)
        .values(archived_at=at),
        execution_options={"synchronize_session": False},
    )


def stale(session: Session, project_id: int, *, at: datetime) -> bool:
    """Somebody tells that something of a project changed; False for a project that is no job."""
    _has_changed(session, project_id, at=at, told_by=request_ids.current())
    return session.get(ProcoreProject, project_id) is not None


def _has_changed(session: Session, project_id: int, *, at: datetime, told_by: str | None = None) -> None:
    """The last change counts, by whichever clock: a reading that is under way knows of those before it alone.

    What nobody tells, but is found, is read on with the id of who told of a change before, if anybody did.
    """
    stale_since = ProcoreProject.stale_since
    teller = case((stale_since.is_(None), request_ids.current()), else_=ProcoreProject.request_id)
    session.execute(
        update(ProcoreProject)
        .where(ProcoreProject.project_id == project_id)
        .values(stale_since=at, request_id=told_by or teller)
    )


def to_read(session: Session, *, oldest: int) -> list[ProcoreProject]:
    """The projects to read next: all of which something is known to have changed, then the `oldest` read.

    One that could not be read last time comes after the others, and counts as read when it was tried.
    """
    trouble = ProcoreTrouble.project_id == ProcoreProject.project_id
    query = select(ProcoreProject).outerjoin(ProcoreTrouble, trouble)
    query = query.where(ProcoreProject.archived_at.is_(None))
    stale_since, tried_at = ProcoreProject.stale_since, ProcoreTrouble.tried_at
    changed = query.where(stale_since.is_not(None)).order_by(
        tried_at.nulls_first(), stale_since, ProcoreProject.project_id
    )
    unchanged = query.where(stale_since.is_(None)).order_by(
        func.coalesce(tried_at, ProcoreProject.read_at), ProcoreProject.project_id
    )
    return [*session.scalars(changed), *session.scalars(unchanged.limit(oldest))]


def cannot_be_job(session: Session, project_id: int, words: str, *, at: datetime) -> None:
    """A project could not become a job as it is listed, or change one."""
    session.merge(ProcoreTrouble(project_id=project_id, words=words, tried_at=at, no_job=True))
    session.flush()


def cannot_be_read(session: Session, project_id: int, words: str, *, at: datetime) -> None:
    """A project could not be read; what is wrong with its listing is told first."""
    found = session.get(ProcoreTrouble, project_id)
    if found is not None and found.no_job:
        found.tried_at = at
    else:
        session.merge(ProcoreTrouble(project_id=project_id, words=words, tried_at=at, no_job=False))
    session.flush()


def known(session: Session, project_id: int) -> Known:
    """What is known of a project, as a reading begins."""
    query = select(ProcoreProject.read_at, ProcoreProject.stale_since)
    return Known(*session.execute(query.where(ProcoreProject.project_id == project_id)).one())


def was_read(session: Session, project_id: int, *, before: Known, at: datetime) -> bool:
    """A project could be read, of which so much was known when that began.

    False where another reading was kept meanwhile: it may be newer than this one, of which nothing may be
    kept then, and the project is to be read again.
    """
    mine = ProcoreProject.project_id == project_id
    is_last = ProcoreProject.read_at.is_not_distinct_from(before.read_at)
    kept = session.execute(update(ProcoreProject).where(mine, is_last).values(read_at=at))
    if not kept.rowcount:  # type: ignore[attr-defined]
        _has_changed(session, project_id, at=at)
        return False
    could_not_be = ProcoreTrouble.no_job.is_(False)
    session.execute(delete(ProcoreTrouble).where(ProcoreTrouble.project_id == project_id, could_not_be))
    return True


def is_taken_in(session: Session, project_id: int, *, before: Known) -> None:
    """What a reading found was taken in; what was told of since it began has the project read again."""
    session.execute(
        update(ProcoreProject)
        .where(ProcoreProject.project_id == project_id, ProcoreProject.stale_since == before.stale_since)
        .values(stale_since=None)
    )


def no_trouble(session: Session, *project_ids: int) -> None:
    """What was wrong with projects is over."""
    session.execute(delete(ProcoreTrouble).where(ProcoreTrouble.project_id.in_(project_ids)))


def troubles(session: Session) -> list[tuple[int, str]]:
    """The projects that cannot be a job or not be read, each with the reason."""
    query = select(ProcoreTrouble.project_id, ProcoreTrouble.words).order_by(ProcoreTrouble.project_id)
    return [(project_id, words) for project_id, words in session.execute(query)]
