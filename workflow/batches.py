"""What a batch of the data sync has: its jobs, some at a time, and the lines that go to Sage.

A batch may have a million lines, so nothing here holds more than some thousand of them.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from workflow import bulk
from workflow.merge import Assignment
from workflow.tables import DataSync, Job, RequestedLine, RequestedUpdate
from workflow.vocabulary import Standing, State, SyncState

ON_ITS_WAY = (State.ACCEPTED, State.EXPORTED)
"""The states of a requested update whose batch is not read back yet."""
_LINES_A_PORTION = 10_000
_JOBS_A_PORTION = 100
_IDS_A_STATEMENT = 500
_TO_SEND = select(
    RequestedLine.extra,
    RequestedLine.code,
    RequestedLine.category,
    RequestedLine.id,
    RequestedLine.requested_update_id,
    RequestedLine.description,
    RequestedLine.sage_description,
).where(RequestedLine.outcome.is_(None), RequestedLine.standing != Standing.IN_SAGE)
_NAMES = select(Job.id, func.coalesce(Job.sage_name, Job.name))


class ExportLine(NamedTuple):
    """One line of a batch, as it goes to Sage; a plain tuple, since a batch may have a million.

    `description` is None for a code that Sage has, and `sage_description` then what Sage calls it.
    `job_name` is Sage's own, where Sage has the job.
    """

    line_id: int
    job_number: str
    job_name: str
    extra: str
    code: str
    category: str
    description: str | None
    sage_description: str | None = None

    @property
    def assignment(self) -> Assignment:
        return Assignment(self.code, self.category, self.extra)


_LINE = partial(tuple.__new__, ExportLine)
"""Makes a line of its values in half the time that the class takes by itself."""


class Portion(NamedTuple):
    """Some jobs of a batch that are dealt with in one transaction; one job is never in two.

    `jobs` has their ids by number, and `updates` the job of each of their requested updates, by id.
    """

    jobs: dict[str, int]
    updates: dict[int, int]

    def of(self, job_ids: Collection[int]) -> list[int]:
        """The requested updates of some of its jobs."""
        return [update_id for update_id, job_id in self.updates.items() if job_id in job_ids]


def unsent(session: Session) -> DataSync | None:
    """The batch that was claimed and may not have reached Sage, which goes first."""
    query = select(DataSync).where(DataSync.state.in_((SyncState.CLAIMED, SyncState.PLANNED)))
    return session.scalars(query.order_by(DataSync.id).limit(1)).one_or_none()


def awaiting_read_back(session: Session) -> Sequence[DataSync]:
    """The batches that were sent and not yet read back, oldest first."""
    return session.scalars(
        select(DataSync).where(DataSync.state == SyncState.SENT).order_by(DataSync.id)
    ).all()


def portions(session: Session, sync: DataSync) -> list[Portion]:
    """The jobs of a batch whose requested updates are not finished, by number, some at a time."""
    lines = (
        select(func.count())
        .where(RequestedLine.requested_update_id == RequestedUpdate.id)
        .correlate(RequestedUpdate)
        .scalar_subquery()
    )
    rows = session.connection().execute(
        select(RequestedUpdate.id, RequestedUpdate.job_id, Job.number, lines)
        .join(Job, Job.id == RequestedUpdate.job_id)
        .where(RequestedUpdate.data_sync_id == sync.id, RequestedUpdate.state.in_(ON_ITS_WAY))
        .order_by(Job.number, RequestedUpdate.id)
    )
    return _cut(map(tuple, rows))


def portions_of(session: Session, job_ids: Collection[int]) -> list[Portion]:
    """Any jobs by number, some at a time by the lines that wait; their requested updates are not named."""
    lines = (
        select(func.count())
        .select_from(RequestedLine)
        .join(RequestedUpdate, RequestedUpdate.id == RequestedLine.requested_update_id)
        .where(
            RequestedUpdate.job_id == Job.id,
            RequestedUpdate.state.in_((State.READY, State.ACCEPTED)),
        )
        .correlate(Job)
        .scalar_subquery()
    )
    jobs = [
        (number, job_id, has)
        for some in bulk.chunks(sorted(job_ids), _IDS_A_STATEMENT)
        for number, job_id, has in session.execute(select(Job.number, Job.id, lines).where(Job.id.in_(some)))
    ]
    return _cut((None, job_id, number, has) for number, job_id, has in sorted(jobs))


def _cut(rows: Iterable[tuple[int | None, int, str, int]]) -> list[Portion]:
    """Portions of rows of requested update, job, its number and lines, with those of a job side by side."""
    found: list[Portion] = []
    count = 0
    for update_id, job_id, number, has in rows:
        is_full = not found or count + has > _LINES_A_PORTION or len(found[-1].jobs) == _JOBS_A_PORTION
        if is_full and not (found and number in found[-1].jobs):
            found.append(Portion({}, {}))
            count = 0
        count += has
        found[-1].jobs[number] = job_id
        if update_id is not None:
            found[-1].updates[update_id] = job_id
    return found


def updates_of(
    session: Session, sync: DataSync, portion: Portion, jobs: Collection[int], *, state: State | None = None
) -> dict[int, int]:
    """The requested updates of these jobs of a portion that are still in the batch, with the job of each.

    Those in this state only, where one is named.
    """
    query = select(
        RequestedUpdate.id, RequestedUpdate.job_id, RequestedUpdate.data_sync_id, RequestedUpdate.state
    ).where(bulk.among(session, RequestedUpdate.id, portion.of(jobs)))
    # batch and state are compared here: by their indexes SQLite would read all of them, for each portion
    return {
        id_: job_id
        for id_, job_id, batch, now in session.connection().execute(query)
        if batch == sync.id and state in (None, now)
    }


def lines_to_send(session: Session, sync: DataSync) -> Iterator[ExportLine]:
    """The lines of a planned batch that Sage does not hold, in a fixed order."""
    for portion in portions(session, sync):
        yield from portion_to_send(session, portion)


def portion_to_send(session: Session, portion: Portion) -> Iterator[ExportLine]:
    """The lines of a portion that Sage does not hold, in the order in which they go; all are read by then."""
    query = _TO_SEND.where(bulk.among(session, RequestedLine.requested_update_id, portion.updates))
    of_jobs: dict[int, list[tuple[Any, ...]]] = {job_id: [] for job_id in portion.jobs.values()}
    for row in bulk.select_many(session, query):
        of_jobs[portion.updates[row[4]]].append(row)
    names = dict(bulk.select_many(session, _NAMES.where(bulk.among(session, Job.id, of_jobs))))
    return map(
        _LINE,
        (
            (
                line_id,
                number,
                names[job_id],
                extra,
                code,
                category,
                description if held is None else None,
                held,
            )
            for number, job_id in portion.jobs.items()
            # quicker here than by the database, to which every line would be another's
            for extra, code, category, line_id, _, description, held in sorted(of_jobs[job_id])
        ),
    )
