"""ERP Requests of Procore, where costbot is the company's ERP integrator: which came, what became of each.

Owns their rows: heard of by a webhook or by looking, shown by Procore, taken in by `procore_intake` and
answered as `procore_answers` says. The newest of a job has all its cost codes, so it alone is taken in.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, delete, exists, or_, select
from sqlalchemy.orm import Session, aliased

from workflow import directory, procore_intake, procore_projects
from workflow.characters import storable
from workflow.checks import SageLimits
from workflow.database import upsert
from workflow.language import joined, later
from workflow.privileges import Rules
from workflow.procore_intake import PROCORE, TakenIn
from workflow.procore_projects import ProjectFacts
from workflow.procore_seen import Key, Seen
from workflow.tables import Job, ProcoreErpRequest, ProcoreEvent, ProcoreProject
from workflow.vocabulary import ErpAnswer

RESOURCE, REASON = "ERP Requests", "create"
"""How webhooks name a new one (procore/documentation, erp_technical_guide.md)."""

TRY_AGAIN_AFTER = timedelta(hours=1)


class Place(NamedTuple):
    """What a request has the cost codes of: a project, or a sub job of it, which is an extra to Sage."""

    project_id: int
    extra: str = ""
    sub_job_id: int | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """An ERP Request that asks for cost codes; `is_new` while Procore does not know the job in the ERP."""

    place: Place
    job_number: str | None
    job_name: str
    is_new: bool


def is_new_request(event: ProcoreEvent) -> bool:
    """Whether a webhook tells of a new ERP Request."""
    return (event.resource, event.reason) == (RESOURCE, REASON)


def hear(session: Session, request_id: int, *, happened_at: datetime | None, at: datetime) -> bool:
    """There is such a request; False when that was known."""
    values = {
        "request_id": request_id,
        "heard_at": at,
        "happened_at": happened_at,
        "extra": "",
        "is_new": False,
    }
    statement = upsert(session, ProcoreErpRequest).values(values).on_conflict_do_nothing()
    return session.scalar(statement.returning(ProcoreErpRequest.request_id)) is not None


def to_show(session: Session, *, at: datetime) -> list[int]:
    """The ids of those that Procore has to be asked about, oldest first."""
    query = select(ProcoreErpRequest.request_id).where(
        ProcoreErpRequest.name.is_(None), _may_be_tried(ProcoreErpRequest, at)
    )
    return list(session.scalars(query.order_by(ProcoreErpRequest.request_id)))


def show(
    session: Session,
    request_id: int,
    *,
    name: str,
    detail_id: int | None,
    request: Request | None,
    at: datetime,
) -> None:
    """Keep what Procore says of a request; `request` is None for one that is left alone.

    Its project becomes a job, if it is none yet; where it cannot, the request cannot be taken in.
    """
    row = session.get_one(ProcoreErpRequest, request_id)
    row.name, row.detail_id = storable(name)[:100], detail_id
    row.error = row.tried_at = None
    if request is not None:
        place = request.place
        row.project_id, row.extra, row.sub_job_id = place.project_id, place.extra[:20], place.sub_job_id
        row.is_new = request.is_new
        row.failure = _put_job(session, request, at=at)
    session.flush()


def could_not(session: Session, request_id: int, words: str, *, at: datetime) -> None:
    """A request could not be shown or answered: Procore's words are kept, and it is tried again later."""
    row = session.get_one(ProcoreErpRequest, request_id)
    row.error, row.tried_at = storable(words), at
    session.flush()


def to_take(session: Session, *, at: datetime) -> Sequence[ProcoreErpRequest]:
    """Those that are to be taken in: of each place the newest alone, if it was not."""
    query = select(ProcoreErpRequest).where(_is_to_take(), _may_be_tried(ProcoreErpRequest, at))
    return session.scalars(query.order_by(ProcoreErpRequest.request_id)).all()


def take_in(
    session: Session,
    request_id: int,
    *,
    seen: Sequence[Seen],
    gone: Collection[Key],
    at: datetime,
    rules: Rules,
    limits: SageLimits,
) -> TakenIn:
    """Ask for what a request has; it stays to be taken in while something of it cannot be told from Sage.

    Nothing where another process has taken it in meanwhile, or heard of a newer one.
    """
    row = session.get_one(ProcoreErpRequest, request_id)
    assert row.project_id is not None
    directory.lock_jobs(session, [session.get_one(ProcoreProject, row.project_id).job_id])
    mine = select(ProcoreErpRequest.request_id).where(ProcoreErpRequest.request_id == request_id)
    if session.scalar(mine.where(_is_to_take())) is None:
        return TakenIn()
    taken = procore_intake.take_in(
        session,
        project_id=row.project_id,
        seen=seen,
        gone=gone,
        before=None,
        at=at,
        rules=rules,
        limits=limits,
    )
    if not taken.undecided:
        row.taken_at, row.lines = at, [list(each.key) for each in seen]
        row.error = row.tried_at = None
    session.flush()
    return taken


def _is_to_take() -> ColumnElement[bool]:
    return and_(
        ProcoreErpRequest.project_id.is_not(None),
        ProcoreErpRequest.taken_at.is_(None),
        ProcoreErpRequest.failure.is_(None),
        ProcoreErpRequest.answer.is_(None),
        exists().where(ProcoreProject.project_id == ProcoreErpRequest.project_id),
        ~has_newer(),
    )


def has_newer() -> ColumnElement[bool]:
    """Whether a request has a newer one of the same job: ids count up (INFERRED)."""
    newer = aliased(ProcoreErpRequest)
    return (
        select(newer.request_id)
        .where(
            newer.project_id == ProcoreErpRequest.project_id,
            newer.extra == ProcoreErpRequest.extra,
            newer.request_id > ProcoreErpRequest.request_id,
        )
        .exists()
    )


def unknown_details(session: Session, detail_ids: Collection[int]) -> set[int]:
    """Of these ERP Request Details those whose request was not shown yet."""
    query = select(ProcoreErpRequest.detail_id).where(ProcoreErpRequest.detail_id.in_(detail_ids))
    return set(detail_ids) - set(session.scalars(query))


def kept_events(session: Session) -> dict[int, datetime | None]:
    """The requests that webhooks told of and nobody asked Procore about, and when Procore made each."""
    known = select(ProcoreErpRequest.request_id).where(ProcoreErpRequest.name.is_not(None))
    query = select(ProcoreEvent.resource_id, ProcoreEvent.happened_at).where(
        ProcoreEvent.resource == RESOURCE,
        ProcoreEvent.reason == REASON,
        ProcoreEvent.resource_id.not_in(known),
    )
    return dict(session.execute(query).all())


def unanswered(session: Session) -> Sequence[ProcoreErpRequest]:
    """Requests that Procore still waits for, or that could not be shown or answered; oldest first."""
    waits = ProcoreErpRequest.project_id.is_not(None) & ProcoreErpRequest.answer.is_(None)
    query = select(ProcoreErpRequest).where(
        or_(waits, ProcoreErpRequest.name.is_(None), ProcoreErpRequest.error.is_not(None))
    )
    return session.scalars(query.order_by(ProcoreErpRequest.request_id)).all()


def new_jobs(session: Session) -> list[int]:
    """Jobs that Procore sent as new ones, and that Sage was not seen to have yet."""
    query = (
        select(Job.id)
        .join(ProcoreProject, ProcoreProject.job_id == Job.id)
        .join(ProcoreErpRequest, ProcoreErpRequest.project_id == ProcoreProject.project_id)
        .where(ProcoreErpRequest.is_new, ProcoreErpRequest.answer.is_(None), Job.known_in_sage.is_not(True))
    )
    return list(session.scalars(query.distinct().order_by(Job.id)))


def tell(session: Session, request_id: int, answer: ErpAnswer, *, at: datetime) -> None:
    """Procore was told this answer."""
    row = session.get_one(ProcoreErpRequest, request_id)
    row.answer, row.answered_at = answer, at
    row.error = row.tried_at = None
    session.flush()


def forget(session: Session, *, before: datetime) -> None:
    """Drop what was answered, left alone, or never shown, if it is older."""
    done = or_(ProcoreErpRequest.answered_at < before, ProcoreErpRequest.project_id.is_(None))
    session.execute(delete(ProcoreErpRequest).where(ProcoreErpRequest.heard_at < before, done))


def job_of(session: Session, row: ProcoreErpRequest) -> Job | None:
    """The job of a request's project; None where it is none, or where another project has the job now."""
    found = session.get(ProcoreProject, row.project_id) if row.project_id is not None else None
    return found.job if found is not None else None


def _put_job(session: Session, request: Request, *, at: datetime) -> str | None:
    """The project is a job from now on; or why it cannot be one."""
    if request.job_number is None:
        return later(
            "The project has no job number (ERP job code): give it one in Procore, and send it again."
        )
    known = session.get(ProcoreProject, request.place.project_id)
    if known is not None and (known.job.number, known.job.name) == (request.job_number, request.job_name):
        return None
    facts = ProjectFacts(
        request.place.project_id,
        request.job_number,
        request.job_name,
        known.updated_at if known is not None else None,
    )
    wrong = procore_projects.put_projects(session, [facts], by=PROCORE, at=at)
    return joined(wrong) if wrong else None


def _may_be_tried(row: type[ProcoreErpRequest], at: datetime) -> ColumnElement[bool]:
    return row.tried_at.is_(None) | (row.tried_at <= at - TRY_AGAIN_AFTER)
