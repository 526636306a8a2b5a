"""Projects of Procore, which are jobs: which there are, and which are to be read (again).

Owns their rows, and the marks of up to when something of Procore was read.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from workflow import directory, request_ids
from workflow.columns import Unfit
from workflow.privileges import Actor
from workflow.tables import Job, ProcoreMark, ProcoreProject


@dataclass(frozen=True, slots=True)
class ProjectFacts:
    """An ERP-integrated project: `number` is the ERP's job code."""

    project_id: int
    number: str
    name: str
    updated_at: datetime | None = None
    """When Procore says that it changed; without it, it may have changed at any time."""


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
