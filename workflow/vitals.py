"""How the work stands at a moment, in figures, for whoever watches it: metrics, health, `costbot status`.

A read model. Each query is one of an index or of a small table, so that it may be asked every few seconds.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, literal_column, select
from sqlalchemy.orm import Session

from workflow import outbox, procore_calls, slots, waiting
from workflow.outbox import Backlog
from workflow.settings import Settings, Source
from workflow.tables import AuditEvent, DataSync, Hold, ProcoreEvent, RequestedUpdate
from workflow.vocabulary import Event, Outcome, PeriodicWork, State, SyncState

LATE_SYNCS = 2
"""A data sync that has missed so many due times is late."""


@dataclass(frozen=True, slots=True)
class SyncVitals:
    """The data syncs: all that ever finished, and whether the next one is late."""

    complete: int
    """Finished, with every line in Sage."""
    with_failures: int
    """Finished, with lines that Sage refused."""
    unfinished: int
    overdue: int
    """Sent, and nobody imported the file in time."""
    lines: Mapping[Outcome, int]
    last_done_at: datetime | None
    """When a due time was last done, also one with nothing to send."""
    due_since: datetime | None
    """The first due time that is not done."""
    missed: int
    """Due times since the last one that was done, up to `slots.MOST_MISSED`."""


@dataclass(frozen=True, slots=True)
class ProcoreVitals:
    """What Procore is asked for, and what waits of what it told."""

    calls_last_hour: int
    hourly_limit: int
    events_waiting: int


@dataclass(frozen=True, slots=True)
class Vitals:
    """The figures of one company at `at`."""

    at: datetime
    updates: Mapping[State, int]
    oldest_ready_at: datetime | None
    holds_waiting: int
    backlog: Backlog
    sync: SyncVitals
    refusals: Mapping[str, int]
    """How often an act was refused, by the reason."""
    procore: ProcoreVitals | None

    @property
    def oldest_ready(self) -> timedelta:
        """How long the longest has waited that is Ready to Update."""
        return self._since(self.oldest_ready_at)

    @property
    def outbox_lag(self) -> timedelta:
        """How long the notice has waited that is longest overdue."""
        return self._since(self.backlog.oldest)

    @property
    def sync_due(self) -> timedelta:
        """How long the data sync has been due."""
        return self._since(self.sync.due_since)

    def _since(self, then: datetime | None) -> timedelta:
        return max(self.at - then, timedelta()) if then else timedelta()


def read(session: Session, *, sync_cron: str, at: datetime, procore: tuple[int, int] | None = None) -> Vitals:
    """The figures now; `procore` is the company's id there and its usual hourly limit, where it is used."""
    return Vitals(
        at=at,
        updates=_updates(session),
        oldest_ready_at=waiting.oldest(session),
        holds_waiting=session.scalar(select(func.count()).where(Hold.released_at.is_(None))) or 0,
        backlog=outbox.backlog(session, now=at),
        sync=_sync(session, sync_cron, at),
        refusals=_refusals(session),
        procore=_procore(session, *procore, at=at) if procore else None,
    )


def of_company(session: Session, settings: Settings, *, at: datetime) -> Vitals:
    """The figures now of the company with these settings."""
    procore = None
    if settings.source is Source.PROCORE and settings.procore_company_id is not None:
        procore = settings.procore_company_id, settings.procore_hourly_limit
    return read(session, sync_cron=settings.sync_cron, at=at, procore=procore)


def _updates(session: Session) -> dict[State, int]:
    counted = session.execute(select(RequestedUpdate.state, func.count()).group_by(RequestedUpdate.state))
    return dict.fromkeys(State, 0) | dict(counted.all())


def _sync(session: Session, cron: str, at: datetime) -> SyncVitals:
    done = DataSync.state == SyncState.FINISHED
    of_lines = [getattr(DataSync, outcome.value) for outcome in Outcome]
    row = session.execute(
        select(
            func.count().filter(done, DataSync.failed == 0),
            func.count().filter(done, DataSync.failed > 0),
            func.count().filter(~done),
            func.count().filter(~done, DataSync.alerted_at.is_not(None)),
            *(func.coalesce(func.sum(column), 0) for column in of_lines),
        )
    ).one()
    complete, with_failures, unfinished, overdue, *lines = row
    name = PeriodicWork.DATA_SYNC
    return SyncVitals(
        complete=complete,
        with_failures=with_failures,
        unfinished=unfinished,
        overdue=overdue,
        lines=dict(zip(Outcome, map(int, lines), strict=True)),
        last_done_at=slots.last_done(session, name),
        due_since=slots.due_since(session, name, at=at),
        missed=slots.missed(session, name, cron, at=at),
    )


def _refusals(session: Session) -> dict[str, int]:
    reason = AuditEvent.facts["reason"].as_string()
    # the event stands in the statement itself, or PostgreSQL would not take the index of refusals
    refused = AuditEvent.event == literal_column(f"'{Event.REFUSED.value}'")
    counted = session.execute(select(reason, func.count()).where(refused).group_by(reason))
    return {name or "unknown": count for name, count in counted}


def _procore(session: Session, company_id: int, usual_limit: int, *, at: datetime) -> ProcoreVitals:
    return ProcoreVitals(
        calls_last_hour=procore_calls.made(session, company_id, at=at),
        hourly_limit=procore_calls.hourly_limit(session, company_id) or usual_limit,
        events_waiting=session.scalar(select(func.count()).where(ProcoreEvent.handled_at.is_(None))) or 0,
    )
