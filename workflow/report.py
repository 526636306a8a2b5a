"""The figures of a week or a month: waits, volume, what Sage refused, who waits on whom.

`figures` is pure; `report` reads what it needs from the tables. Times are aware, waits in hours. What was
taken back or sent again counts by its last request and its last decision, as the tables have it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from statistics import median, quantiles

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from workflow.tables import Person, RequestedLine, RequestedUpdate
from workflow.vocabulary import Outcome, State

WEEKS_SHOWN = 12
"""How far back the volume by week goes, whatever the period."""
REASONS_SHOWN = 8
PEOPLE_SHOWN = 10
_UPDATED = (State.ACCEPTED, State.EXPORTED, State.SYNCED, State.FAILED)


class Period(StrEnum):
    """What a report is about: so many days up to now."""

    WEEK = "week"
    MONTH = "month"

    @property
    def days(self) -> int:
        return 7 if self is Period.WEEK else 30


@dataclass(frozen=True, slots=True)
class Asked:
    """A requested update: who asked for it when, and who decided on it when, if anybody has."""

    requested_by: str
    requested_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    state: State

    @property
    def was_updated(self) -> bool:
        return self.decided_at is not None and self.state in _UPDATED

    @property
    def hours(self) -> float:
        """From the request to the decision; only of what was decided."""
        assert self.decided_at is not None
        return (self.decided_at - self.requested_at).total_seconds() / 3_600


@dataclass(frozen=True, slots=True)
class Waits:
    """How long requested updates waited for their Update, in hours; None where there was none."""

    updates: int
    median: float | None
    ninth_decile: float | None
    """Nine out of ten waited no longer."""


@dataclass(frozen=True, slots=True)
class Week:
    """A week from its Monday (UTC) on: requests, Updates with their median wait, and rejects."""

    monday: date
    requested: int
    updated: int
    rejected: int
    median: float | None


@dataclass(frozen=True, slots=True)
class Pair:
    """Whose requests waited on whose Update: how many, and the median in hours."""

    requested_by: str
    updated_by: str
    updates: int
    median: float


@dataclass(frozen=True, slots=True)
class Waiting:
    """Whose requests wait for any approver now, and since when the oldest does."""

    requested_by: str
    jobs: int
    oldest: datetime


@dataclass(frozen=True, slots=True)
class Failure:
    """Why Sage refused lines in the period, in its words, and how many."""

    reason: str
    lines: int


@dataclass(frozen=True, slots=True)
class Report:
    """The figures of one period; lists hold the largest first."""

    period: Period
    since: datetime
    until: datetime
    requested: int
    rejected: int
    waits: Waits
    weeks: tuple[Week, ...]
    failures: tuple[Failure, ...]
    pairs: tuple[Pair, ...]
    waiting: tuple[Waiting, ...]


def report(session: Session, period: Period, *, until: datetime) -> Report:
    """The report of the period that ends at `until`."""
    since = until - timedelta(days=period.days)
    return figures(_asked(session, until), _failures(session, since, until), period, until=until)


def figures(
    asked: Sequence[Asked], failures: Sequence[Failure], period: Period, *, until: datetime
) -> Report:
    """Count and measure: `asked` holds all that came or was decided in WEEKS_SHOWN weeks, or waits still."""
    since = until - timedelta(days=period.days)
    decided = [one for one in asked if one.decided_at and since < one.decided_at <= until]
    updated = [one for one in decided if one.was_updated]
    return Report(
        period=period,
        since=since,
        until=until,
        requested=sum(since < one.requested_at <= until for one in asked),
        rejected=sum(one.state is State.REJECTED for one in decided),
        waits=_waits([one.hours for one in updated]),
        weeks=tuple(_weeks(asked, until)),
        failures=tuple(failures),
        pairs=_pairs(updated),
        waiting=_waiting(asked),
    )


def _waits(hours: Sequence[float]) -> Waits:
    if not hours:
        return Waits(0, None, None)
    ninth = quantiles(hours, n=10, method="inclusive")[-1] if len(hours) > 1 else hours[0]
    return Waits(len(hours), median(hours), ninth)


def _weeks(asked: Sequence[Asked], until: datetime) -> Iterable[Week]:
    last = _monday(until)
    for back in reversed(range(WEEKS_SHOWN)):
        monday = last - timedelta(weeks=back)
        decided = [one for one in asked if one.decided_at and _monday(one.decided_at) == monday]
        waits = _waits([one.hours for one in decided if one.was_updated])
        yield Week(
            monday,
            requested=sum(_monday(one.requested_at) == monday for one in asked),
            updated=waits.updates,
            rejected=sum(one.state is State.REJECTED for one in decided),
            median=waits.median,
        )


def _monday(at: datetime) -> date:
    day = at.astimezone(UTC).date()
    return day - timedelta(days=day.weekday())


def _pairs(updated: Sequence[Asked]) -> tuple[Pair, ...]:
    hours: dict[tuple[str, str], list[float]] = {}
    for one in updated:
        hours.setdefault((one.requested_by, one.decided_by or ""), []).append(one.hours)
    pairs = [Pair(*people, updates=len(waits), median=median(waits)) for people, waits in hours.items()]
    pairs.sort(key=lambda pair: (-pair.updates, pair.requested_by, pair.updated_by))
    return tuple(pairs[:PEOPLE_SHOWN])


def _waiting(asked: Sequence[Asked]) -> tuple[Waiting, ...]:
    since: dict[str, list[datetime]] = {}
    for one in asked:
        if one.state is State.READY:
            since.setdefault(one.requested_by, []).append(one.requested_at)
    people = [Waiting(name, len(times), min(times)) for name, times in since.items()]
    return tuple(sorted(people, key=lambda each: (-each.jobs, each.requested_by))[:PEOPLE_SHOWN])


def _asked(session: Session, until: datetime) -> list[Asked]:
    first = datetime.combine(
        _monday(until) - timedelta(weeks=WEEKS_SHOWN - 1), datetime.min.time(), tzinfo=UTC
    )
    asker, decider = aliased(Person), aliased(Person)
    rows = session.execute(
        select(
            asker.name,
            RequestedUpdate.requested_at,
            decider.name,
            RequestedUpdate.decided_at,
            RequestedUpdate.state,
        )
        .join(asker, asker.id == RequestedUpdate.requested_by_id)
        .outerjoin(decider, decider.id == RequestedUpdate.decided_by_id)
        .where(
            RequestedUpdate.requested_at <= until,
            (RequestedUpdate.requested_at >= first)
            | (RequestedUpdate.decided_at >= first)
            | (RequestedUpdate.state == State.READY),
        )
    )
    return [Asked(*row) for row in rows]


def _failures(session: Session, since: datetime, until: datetime) -> list[Failure]:
    count = func.count()
    rows = session.execute(
        select(RequestedLine.message, count)
        .join(RequestedUpdate, RequestedUpdate.id == RequestedLine.requested_update_id)
        .where(
            RequestedLine.outcome == Outcome.FAILED,
            RequestedUpdate.finished_at > since,
            RequestedUpdate.finished_at <= until,
        )
        .group_by(RequestedLine.message)
        .order_by(count.desc(), RequestedLine.message)
        .limit(REASONS_SHOWN)
    )
    return [Failure(message or "Sage gave no reason", lines) for message, lines in rows]
