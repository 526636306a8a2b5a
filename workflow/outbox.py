"""The transactional outbox: what Slack must be told, committed with what it tells of.

Owns adding notices. Delivery (in `bot`) takes them; Redis is never the truth about them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from workflow.tables import AuditEvent, OutboxNotice
from workflow.vocabulary import NoticeKind

GATHER = timedelta(seconds=2)
"""How long a direct message waits for others to the same person, so that a burst is one message."""


def refresh_card(session: Session, job_id: int, *, at: datetime) -> None:
    """The job's card no longer says the truth: draw it again."""
    session.add(OutboxNotice(kind=NoticeKind.CARD, job_id=job_id, created_at=at, due_at=at))


def tell(session: Session, event: AuditEvent, *, people: Iterable[int] = (), broadcast: bool = False) -> None:
    """An event of a job: its card changes, its thread says so, and `people` get a direct message.

    `broadcast` shows the thread's reply in the channel too.
    """
    if event.job_id is None:
        raise ValueError("only an event of a job has a card and a thread")
    refresh_card(session, event.job_id, at=event.at)
    session.add(
        OutboxNotice(
            kind=NoticeKind.THREAD,
            job_id=event.job_id,
            event_seq=event.seq,
            broadcast=broadcast,
            created_at=event.at,
            due_at=event.at,
        )
    )
    tell_people(session, event, people)


def tell_people(session: Session, event: AuditEvent, people: Iterable[int]) -> None:
    """A direct message about the event to each person, once each."""
    session.add_all(
        OutboxNotice(
            kind=NoticeKind.DIRECT,
            job_id=event.job_id,
            person_id=person_id,
            event_seq=event.seq,
            created_at=event.at,
            due_at=event.at + GATHER,
        )
        for person_id in sorted(set(people))
    )


@dataclass(frozen=True, slots=True)
class Backlog:
    """How many notices wait for delivery, since when, and how many were given up."""

    waiting: int
    oldest: datetime | None
    given_up: int


def backlog(session: Session) -> Backlog:
    """What delivery has still to do, and what it could not do."""
    waiting = select(func.count(), func.min(OutboxNotice.created_at)).where(
        OutboxNotice.done_at.is_(None), OutboxNotice.given_up.is_(False)
    )
    count, oldest = session.execute(waiting).one()
    given_up = session.scalar(select(func.count()).where(OutboxNotice.given_up))
    return Backlog(count, oldest, given_up or 0)
