"""What the checks before Update found, kept with the lines that it is about.

Owns asking `workflow.checks` with what the database knows, and storing the answers. Callers hold the
job's lock.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import cycle, islice

from sqlalchemy import bindparam, delete, exists, insert, select
from sqlalchemy.orm import Session

from workflow import lines
from workflow.checks import Finding, SageLimits, Surroundings, check, refusals
from workflow.language import joined
from workflow.lines import OpenLine
from workflow.merge import Asked, Assignment, CodeKey, InSage
from workflow.tables import Job, LineFinding, RequestedLine, RequestedUpdate
from workflow.vocabulary import Severity

_LINES_A_QUERY = 500
_REFUSES = (
    RequestedLine.id == LineFinding.line_id,
    RequestedLine.outcome.is_(None),
    LineFinding.severity == Severity.REFUSE,
)
IS_REFUSED = exists().where(RequestedLine.requested_update_id == RequestedUpdate.id, *_REFUSES)
"""Whether something stops the Update of the requested update in a query."""
_WHY_REFUSED = (
    select(LineFinding.message)
    .where(RequestedLine.requested_update_id == bindparam("id"), *_REFUSES)
    .order_by(RequestedLine.id, LineFinding.rule)
)


def renew(
    session: Session,
    job: Job,
    *,
    limits: SageLimits,
    standard: Mapping[str, str] | None = None,
    in_sage: InSage | None = None,
) -> bool:
    """Check the lines of a job that are still open; True when the findings are others than before.

    `standard` and `in_sage` are what the caller has read already of the standard list and of what Sage holds.
    """
    waiting = lines.open_of(session, job.id)
    if in_sage is None:
        in_sage = lines.held_by_sage(session, job.id)
    standard = standard or {}
    unread = {code for _, _, _, code, *_ in waiting if code not in standard}
    standard = {**standard, **lines.standard_descriptions(session, unread)}
    return bool(_store(session, waiting, _look(session, job, waiting, in_sage, limits, standard)))


def renew_all(session: Session, told: Sequence[tuple[Job, InSage]], *, limits: SageLimits) -> set[int]:
    """Do so for some jobs, of which Sage holds this; the ids of those with other findings than before."""
    waiting = lines.open_of_jobs(session, [job.id for job, _ in told])
    checked = [(job, waiting.get(job.id, ()), in_sage) for job, in_sage in told]
    _, changed = _check(session, checked, limits)
    return {job_id for job_id, each in waiting.items() if any(line_id in changed for line_id, *_ in each)}


def judge(
    session: Session, planned: Sequence[tuple[Job, Sequence[OpenLine], InSage]], *, limits: SageLimits
) -> dict[int, str]:
    """Check the lines of some jobs that are about to be sent; why not, by the id of each that must not be."""
    found, _ = _check(session, planned, limits)
    return {line_id: joined(why) for line_id, each in found.items() if (why := refusals(each))}


def clear(
    session: Session,
    jobs: Sequence[tuple[Job, InSage]],
    updates: Mapping[int, int],
    *,
    limits: SageLimits,
) -> set[int]:
    """The jobs whose lines of these requested updates go as they are written; `updates` has the job of each.

    Each line is of a code that Sage does not hold, and is written so; nothing was found of it and nothing is
    now. One line of each cost code and of each category is checked for all: no rule looks at both. Of a job
    that asks for the same cost codes as a clear one, beside the same of Sage's, one of each extra is: what is
    left to find is of the job.
    """
    asked = lines.new_throughout(session, updates)
    standard = lines.standard_descriptions(session, {code for codes in asked.values() for _, code in codes})
    categories = lines.categories_of(session, updates)
    like_a_clear_one = set[tuple[frozenset[CodeKey], frozenset[CodeKey]]]()

    def is_clear(job: Job, in_sage: InSage) -> bool:
        keys = frozenset(asked.get(job.id, ()))
        if not keys or not keys.isdisjoint(in_sage):
            return False
        alike = (keys, frozenset(in_sage))
        looked_at = {key[0]: key for key in keys}.values() if alike in like_a_clear_one else keys
        around = _surroundings(session, job, {code for _, code in keys}, in_sage, standard)
        if any(found for _, found in check(_one_of_each(looked_at, categories), limits, around)):
            return False
        like_a_clear_one.add(alike)
        return True

    return {job.id for job, in_sage in jobs if is_clear(job, in_sage)}


def _one_of_each(keys: Collection[CodeKey], categories: Collection[str]) -> Iterator[Asked]:
    """As few assignments as have each of these cost codes and each category."""
    pairs = islice(zip(cycle(keys), cycle(categories), strict=True), max(len(keys), len(categories)))
    return ((code, category, extra) for (extra, code), category in pairs)


def look(
    session: Session, job: Job, assignments: Sequence[Assignment], *, limits: SageLimits
) -> list[tuple[Assignment, list[Finding]]]:
    """Check assignments that nobody has asked for yet; nothing is stored."""
    in_sage = lines.held_by_sage(session, job.id)
    codes = {assignment.code for assignment in assignments}
    standard = lines.standard_descriptions(session, codes)
    return list(check(assignments, limits, _surroundings(session, job, codes, in_sage, standard)))


def why_refused(session: Session, requested_update_id: int) -> list[str]:
    """What stops the Update of a requested update, each thing once, in the order of its lines."""
    return list(dict.fromkeys(session.scalars(_WHY_REFUSED, {"id": requested_update_id})))


def of_lines(session: Session, line_ids: Sequence[int]) -> dict[int, list[Finding]]:
    """The findings by line id, those that refuse first; a line without any is not named."""
    found: dict[int, list[Finding]] = {}
    for start in range(0, len(line_ids), _LINES_A_QUERY):
        rows = session.scalars(
            select(LineFinding)
            .where(LineFinding.line_id.in_(line_ids[start : start + _LINES_A_QUERY]))
            .order_by(LineFinding.line_id, LineFinding.severity, LineFinding.rule)
        )
        for row in rows:
            found.setdefault(row.line_id, []).append(Finding(row.rule, row.severity, row.message))
    return found


def _check(
    session: Session, jobs: Sequence[tuple[Job, Sequence[OpenLine], InSage]], limits: SageLimits
) -> tuple[dict[int, list[Finding]], set[int]]:
    """Check these lines of some jobs and store it: what is found, by line id; where it is not as before."""
    codes = {code for _, waiting, _ in jobs for _, _, _, code, *_ in waiting}
    standard = lines.standard_descriptions(session, codes)
    found: dict[int, list[Finding]] = {}
    for job, waiting, in_sage in jobs:
        found |= _look(session, job, waiting, in_sage, limits, standard)
    return found, _store(session, [line for _, waiting, _ in jobs for line in waiting], found)


def _look(
    session: Session,
    job: Job,
    waiting: Sequence[OpenLine],
    in_sage: InSage,
    limits: SageLimits,
    standard: Mapping[str, str],
) -> dict[int, list[Finding]]:
    """What is found, by the id of each line of which anything is."""
    codes = {code for _, _, _, code, *_ in waiting}
    around = _surroundings(session, job, codes, in_sage, standard)
    checked = check(lines.asked_by(waiting), limits, around)
    return {line_id: each for (line_id, *_), (_, each) in zip(waiting, checked, strict=True) if each}


def _surroundings(
    session: Session, job: Job, codes: Collection[str], in_sage: InSage, standard: Mapping[str, str]
) -> Surroundings:
    job = session.get_one(Job, job.id)  # a caller's may be older than this transaction
    return Surroundings(
        job_number=job.number,
        job_name=job.sage_name or job.name,
        standard=standard,
        asked=codes,
        in_sage=in_sage,
        job_known=job.known_in_sage,
        extras=None if job.sage_extras is None else frozenset(job.sage_extras),
    )


def _store(session: Session, checked: Sequence[OpenLine], found: Mapping[int, Sequence[Finding]]) -> set[int]:
    """Keep what was found of these lines; the ids of those of which it is not as before."""
    before: dict[int, list[Finding]] = {}
    rows = session.scalars(
        select(LineFinding)
        .join(RequestedLine, RequestedLine.id == LineFinding.line_id)
        .where(RequestedLine.requested_update_id.in_({update_id for _, update_id, *_ in checked}))
    )
    for row in rows:
        before.setdefault(row.line_id, []).append(Finding(row.rule, row.severity, row.message))
    cleared = {line_id: () for line_id, *_ in checked if line_id in before and line_id not in found}
    changed = {
        line_id: each
        for line_id, each in {**found, **cleared}.items()
        if set(each) != set(before.get(line_id, ()))
    }
    ids = list(changed)
    for start in range(0, len(ids), _LINES_A_QUERY):
        session.execute(
            delete(LineFinding).where(LineFinding.line_id.in_(ids[start : start + _LINES_A_QUERY]))
        )
    new = [
        {"line_id": line_id, "rule": one.rule, "severity": one.severity, "message": one.message}
        for line_id, each in changed.items()
        for one in each
    ]
    if new:
        session.execute(insert(LineFinding), new)
    return set(changed)
