"""How much of a company's hourly limit of calls costbot takes from Procore, in all its processes together.

Owns the counting. In no sixty minutes are there more calls than the share, wherever Procore's
own hour begins.
"""

from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from workflow.database import upsert
from workflow.tables import ProcoreCalls, ProcoreLimit

_HOUR = timedelta(hours=1)
_MINUTE = timedelta(minutes=1)


def take(
    session: Session, company_id: int, *, share: float, usual_limit: int, at: datetime
) -> datetime | None:
    """Count one call that is about to be made; or the time before which none may be, and nothing is counted.

    `share` is of the hourly limit that Procore told, or of `usual_limit` until it did.
    """
    known = _locked(session, company_id)
    if known.paused_until is not None and known.paused_until > at:
        if known.paused_until <= at + _HOUR + _MINUTE:
            return known.paused_until
        known.paused_until = None  # by a clock that was ahead: Procore never says so long
    minute = at.replace(second=0, microsecond=0)
    session.execute(
        delete(ProcoreCalls).where(
            ProcoreCalls.company_id == company_id,
            # what is counted in a minute to come was counted by a clock that was wrong
            (ProcoreCalls.minute <= minute - _HOUR - _MINUTE) | (ProcoreCalls.minute > minute + _MINUTE),
        )
    )
    of_company = select(func.sum(ProcoreCalls.calls), func.min(ProcoreCalls.minute)).where(
        ProcoreCalls.company_id == company_id
    )
    made, oldest = session.execute(of_company).one()
    if (made or 0) >= max(1, int(share * (known.hourly_limit or usual_limit))):
        ends: datetime = oldest + _HOUR + _MINUTE
        return ends
    row = session.get(ProcoreCalls, (company_id, minute))
    if row is None:
        session.add(ProcoreCalls(company_id=company_id, minute=minute, calls=1))
    else:
        row.calls += 1
    session.flush()
    return None


def told(
    session: Session,
    company_id: int,
    *,
    hourly_limit: int | None = None,
    paused_until: datetime | None = None,
) -> None:
    """Keep what an answer of Procore told: its hourly limit, or that no process may call before a time."""
    known = _locked(session, company_id)
    if hourly_limit is not None:
        known.hourly_limit = hourly_limit
    if paused_until is not None:
        known.paused_until = max(paused_until, known.paused_until or paused_until)
    session.flush()


def made(session: Session, company_id: int, *, at: datetime) -> int:
    """How many calls were made in the last hour, counted in whole minutes."""
    query = select(func.sum(ProcoreCalls.calls)).where(
        ProcoreCalls.company_id == company_id, ProcoreCalls.minute > at - _HOUR - _MINUTE
    )
    return session.scalar(query) or 0


def hourly_limit(session: Session, company_id: int) -> int | None:
    """The hourly limit that Procore told last."""
    known = session.get(ProcoreLimit, company_id)
    return known.hourly_limit if known else None


def _locked(session: Session, company_id: int) -> ProcoreLimit:
    found = session.get(ProcoreLimit, company_id, with_for_update=True, populate_existing=True)
    if found is None:
        first = upsert(session, ProcoreLimit).values(company_id=company_id)
        session.execute(first.on_conflict_do_nothing())
        return session.get_one(ProcoreLimit, company_id, with_for_update=True, populate_existing=True)
    return found
