"""Read model of a job's assignments in Procore, costbot and Sage, each as costbot last knew it.

For `costbot diff` and its window. Nothing here asks Procore or Sage; how old what is known is, is part of it.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from workflow import lines, procore_intake
from workflow.checks import SageLimits
from workflow.comparison import Asked, InProcore, InSage, Row, Scene, compare
from workflow.merge import Assignment
from workflow.merge import InSage as InSageCodes
from workflow.tables import Job, ProcoreAssignment, ProcoreProject, RequestedLine, RequestedUpdate
from workflow.vocabulary import TURNED_DOWN, State


@dataclass(frozen=True, slots=True)
class ProcoreKnown:
    """How costbot knows Procore's side: `read_at` is None for a job whose project was never read.

    `changed_since` while Procore is known to have changed after that; an `archived` project is not read.
    """

    read_at: datetime | None
    changed_since: bool
    archived: bool = False


@dataclass(frozen=True, slots=True)
class ThreePlaces:
    """A job's assignments by cost code and category; without `procore`, costbot works with files."""

    job_id: int
    number: str
    name: str
    procore: ProcoreKnown | None
    known_in_sage: bool
    sage_read_at: datetime | None
    rows: tuple[Row, ...]

    @property
    def title(self) -> str:
        return f"{self.number} {self.name}"

    @property
    def differing(self) -> list[Row]:
        """The rows in which the places differ."""
        return [row for row in self.rows if row.judged]


def three_places(
    session: Session, job: Job, *, with_procore: bool, tells_procore: bool, limits: SageLimits
) -> ThreePlaces:
    """What is known of a job; `tells_procore` where costbot marks in Procore what reached Sage."""
    known = _known(session, job.id) if with_procore else None
    scene = Scene(
        knows_procore=known is not None and known.read_at is not None,
        tells_procore=tells_procore,
        description_width=limits.description_width,
    )
    in_procore = _in_procore(session, job.id, limits) if scene.knows_procore else {}
    asked, in_sage = _asked(session, job.id), lines.held_by_sage(session, job.id)
    held = {
        Assignment(code, category, extra)
        for (extra, code), one in in_sage.items()
        for category in one.categories
    }
    every = sorted(
        in_procore.keys() | asked.keys() | held, key=lambda each: (each.extra, each.code, each.category)
    )
    rows = (
        compare(each, in_procore.get(each), asked.get(each), _in_sage(in_sage, each), scene) for each in every
    )
    return ThreePlaces(
        job_id=job.id,
        number=job.number,
        name=job.name,
        procore=known,
        known_in_sage=bool(job.known_in_sage),
        sage_read_at=job.read_back_at,
        rows=tuple(row for row in rows if row is not None),
    )


def _known(session: Session, job_id: int) -> ProcoreKnown:
    project = session.scalars(select(ProcoreProject).where(ProcoreProject.job_id == job_id)).one_or_none()
    if project is None:
        return ProcoreKnown(None, changed_since=False)
    # where Procore sends requests no project is read whole, and what they held is what is known
    seen_at = select(func.max(ProcoreAssignment.seen_at)).where(ProcoreAssignment.job_id == job_id)
    read_at = project.read_at or session.scalar(seen_at)
    return ProcoreKnown(read_at, project.stale_since is not None, project.archived_at is not None)


def _in_procore(session: Session, job_id: int, limits: SageLimits) -> dict[Assignment, InProcore]:
    """By assignment; what is there goes before what is gone under another id."""
    query = (
        select(ProcoreAssignment)
        .where(ProcoreAssignment.job_id == job_id)
        .order_by(ProcoreAssignment.removed_at.is_(None), ProcoreAssignment.seen_at)
    )
    rows = {Assignment(row.code, row.category, row.extra): row for row in session.scalars(query)}
    # said anew, for what is kept was said in the language of the worker
    problems = procore_intake.why_not(
        session, [each for each, row in rows.items() if row.problem], limits=limits
    )
    found: dict[Assignment, InProcore] = {}
    for assignment, row in rows.items():
        waits = row.problem == procore_intake.SAGE_NOT_READ
        found[assignment] = InProcore(
            description=row.description,
            has_erp_id=not row.is_new or row.written_at is not None,
            problem=None if waits else row.problem and problems.get(assignment, row.problem),
            waits_for_read_back=waits,
            removed_at=row.removed_at,
            told_at=row.written_at,
            refused=row.write_error,
        )
    return found


def _asked(session: Session, job_id: int) -> dict[Assignment, Asked]:
    """By assignment; the newest that was not turned down, else the newest."""
    rows = session.execute(
        select(RequestedLine, RequestedUpdate.state, RequestedUpdate.comment)
        .join(RequestedUpdate, RequestedUpdate.id == RequestedLine.requested_update_id)
        .where(RequestedUpdate.job_id == job_id)
        .order_by(RequestedUpdate.state.not_in(TURNED_DOWN), RequestedUpdate.id)
    )
    return {
        lines.assignment_of(line): Asked(
            line.description, state, line.outcome, comment if state is State.REJECTED else line.message
        )
        for line, state, comment in rows
    }


def _in_sage(in_sage: InSageCodes, assignment: Assignment) -> InSage | None:
    held = in_sage.get(assignment.code_key)
    return InSage(held.description, assignment.category in held.categories) if held else None
