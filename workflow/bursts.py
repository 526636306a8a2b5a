"""Bursts: many jobs that become Ready to Update at once, such as by an import of three hundred.

Owns when one begins and how far its cards are; telling the channel of it, once and first, is delivery's.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, distinct, func, select, update
from sqlalchemy.orm import Session, aliased

from workflow import deliveries, outbox
from workflow.tables import AuditEvent, Burst, OutboxNotice
from workflow.vocabulary import Event, NoticeKind

_BECAME_READY = (Event.REQUESTED.value, Event.SENT_AGAIN.value)
_WAITS = (OutboxNotice.done_at.is_(None), OutboxNotice.given_up.is_(False))


@dataclass(frozen=True, slots=True)
class BurstFacts:
    """How many jobs became ready since `began_at`, and how many of them wait for their card still."""

    id: int
    began_at: datetime
    jobs: int
    waiting: int


def waiting(session: Session) -> int:
    """How many jobs became Ready to Update and wait for the card that shows it."""
    return session.scalar(_waiting(func.count(distinct(OutboxNotice.job_id)))) or 0


def under_way(session: Session) -> BurstFacts | None:
    """The burst that is not over, as it stands now."""
    burst = session.scalars(select(Burst).where(Burst.ended_at.is_(None)).order_by(Burst.id)).first()
    if burst is None:
        return None
    jobs = session.scalar(
        _became_ready(func.count(distinct(OutboxNotice.job_id))).where(
            OutboxNotice.created_at >= burst.began_at
        )
    )
    return BurstFacts(burst.id, burst.began_at, jobs or 0, waiting(session))


def begin(session: Session) -> bool:
    """What waits is a burst: it began with the oldest of it. False when another drain has begun one."""
    # before it is looked, so that of two who find none the second finds the first one's note
    newest = session.scalar(select(func.max(Burst.id)))
    began_at = session.scalar(_waiting(func.min(OutboxNotice.created_at)))
    if began_at is None or session.scalar(select(Burst.id).where(Burst.ended_at.is_(None)).limit(1)):
        return False
    if not deliveries.first_time(session, f"burst:{newest}", at=began_at):
        return False
    session.add(Burst(began_at=began_at))
    session.flush()
    return True


def hush(session: Session) -> None:
    """The digest tells the channel: none of the jobs is shown there by a reply as well."""
    shown = session.scalars(_waiting(OutboxNotice.id).where(OutboxNotice.broadcast))
    outbox.hush(session, shown.all())


def end(session: Session, burst_id: int, *, at: datetime) -> None:
    """Every job of the burst has its card."""
    session.execute(update(Burst).where(Burst.id == burst_id, Burst.ended_at.is_(None)).values(ended_at=at))


def _became_ready(what: Any) -> Select[Any]:
    """Of the notices that tell in a thread that a job became ready."""
    chosen: Select[Any] = select(what)
    return (
        chosen.select_from(OutboxNotice)
        .join(AuditEvent, AuditEvent.seq == OutboxNotice.event_seq)
        .where(OutboxNotice.kind == NoticeKind.THREAD, AuditEvent.event.in_(_BECAME_READY))
    )


def _waiting(what: Any) -> Select[Any]:
    """Of those among them whose thread was not answered and whose job's card was not drawn yet."""
    card = aliased(OutboxNotice)
    undrawn = select(card.id).where(
        card.kind == NoticeKind.CARD,
        card.job_id == OutboxNotice.job_id,
        card.done_at.is_(None),
        card.given_up.is_(False),
    )
    return _became_ready(what).where(*_WAITS, undrawn.exists())
