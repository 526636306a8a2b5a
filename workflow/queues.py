"""The lists of App Home: the jobs that wait, failed or are done, and what one person asked for.

Each is read a page at a time, by an index, so that ten thousand jobs cost what ten do. Reads only.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, aliased

from workflow import queries
from workflow.facts import UpdateFacts
from workflow.merge import Assignment
from workflow.tables import Job, RequestedLine, RequestedUpdate
from workflow.vocabulary import TURNED_DOWN, JobFilter, Outcome, State

REFUSALS_SHOWN = 3
"""How many lines that Sage refused are told of each requested update."""


@dataclass(frozen=True, slots=True)
class QueuedUpdate:
    """A requested update of a list; `refused` has the first lines that Sage refused, with Sage's words."""

    facts: UpdateFacts
    refused: tuple[tuple[Assignment, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list, its number from 0, and whether another one follows."""

    rows: tuple[QueuedUpdate, ...]
    number: int
    goes_on: bool


def page(
    session: Session,
    which: JobFilter,
    *,
    person_id: int | None,
    text: str = "",
    limit: int,
    number: int = 0,
) -> Page:
    """A page of jobs, or for MINE of what the person asked for; a page beyond the last is the last.

    What waits is oldest first, what is done and what the person asked for newest first. `text` keeps jobs
    whose number or name has each word of it.
    """
    if which is JobFilter.MINE:
        query = _asked_by(person_id, text)
    else:
        newest_first = which is JobFilter.SYNCED
        order = (RequestedUpdate.requested_at, RequestedUpdate.id)
        query = queries.current_ids(queries.FILTERS[which], text=text).order_by(
            *(column.desc() if newest_first else column for column in order)
        )
    ids = session.scalars(query.limit(limit + 1).offset(number * limit)).all()
    if not ids and number:
        in_all = session.scalar(select(func.count()).select_from(query.order_by(None).subquery())) or 0
        number = max(in_all - 1, 0) // limit
        ids = session.scalars(query.limit(limit + 1).offset(number * limit)).all()
    return Page(_with_refusals(session, ids[:limit]), number, goes_on=len(ids) > limit)


def turned_down(session: Session, person_id: int, *, limit: int) -> tuple[QueuedUpdate, ...]:
    """What a person may ask for again, newest first."""
    query = _asked_by(person_id, "").where(RequestedUpdate.state.in_(TURNED_DOWN))
    return _with_refusals(session, session.scalars(query.limit(limit)).all())


def _asked_by(person_id: int | None, text: str) -> Select[int]:
    """What a person asked for lines of, newest first.

    What was turned down is left out once somebody asked for something newer in its job.
    """
    newer = aliased(RequestedUpdate)
    is_superseded = (
        select(newer.id)
        .where(newer.job_id == RequestedUpdate.job_id, newer.id > RequestedUpdate.id)
        .correlate(RequestedUpdate)
        .exists()
    )
    query = (
        select(RequestedLine.requested_update_id)
        .join(RequestedUpdate, RequestedUpdate.id == RequestedLine.requested_update_id)
        .where(
            RequestedLine.requested_by_id == person_id,
            RequestedUpdate.state.not_in(TURNED_DOWN) | ~is_superseded,
        )
        .distinct()
        .order_by(RequestedLine.requested_update_id.desc())
    )
    if text:
        query = query.join(Job, Job.id == RequestedUpdate.job_id).where(queries.job_contains(text))
    return query


def _with_refusals(session: Session, requested_update_ids: Sequence[int]) -> tuple[QueuedUpdate, ...]:
    listed = queries.update_facts(session, requested_update_ids)
    failed = [facts.requested_update_id for facts in listed if facts.state is State.FAILED]
    refused = _refused(session, failed) if failed else {}
    return tuple(QueuedUpdate(facts, tuple(refused.get(facts.requested_update_id, ()))) for facts in listed)


def _refused(
    session: Session, requested_update_ids: Iterable[int]
) -> Mapping[int, list[tuple[Assignment, str]]]:
    """The first lines that Sage refused, with its words, by requested update."""
    place = (
        func.row_number()
        .over(
            partition_by=RequestedLine.requested_update_id,
            order_by=(RequestedLine.extra, RequestedLine.code, RequestedLine.category),
        )
        .label("place")
    )
    lines = (
        select(
            RequestedLine.requested_update_id,
            RequestedLine.code,
            RequestedLine.category,
            RequestedLine.extra,
            RequestedLine.message,
            place,
        )
        .where(
            RequestedLine.requested_update_id.in_(requested_update_ids),
            RequestedLine.outcome == Outcome.FAILED,
        )
        .subquery()
    )
    rows = session.execute(
        select(lines)
        .where(lines.c.place <= REFUSALS_SHOWN)
        .order_by(lines.c.requested_update_id, lines.c.place)
    )
    found: dict[int, list[tuple[Assignment, str]]] = {}
    for row in rows:
        refused = Assignment(row.code, row.category, row.extra), row.message or ""
        found.setdefault(row.requested_update_id, []).append(refused)
    return found
