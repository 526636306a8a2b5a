"""The due times of periodic jobs, kept in the database so that none is missed or doubled.

The primary key (name, due time) is the lock: many schedulers may run, a slot is taken once. A slot
that was taken and never done (a killed worker, a flushed Redis) is due again.
"""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta

from croniter import croniter
from sqlalchemy import delete, func, or_, select, true, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased

from workflow import audit, deliveries, outbox
from workflow.privileges import SCHEDULE, Actor
from workflow.tables import ScheduleSlot
from workflow.vocabulary import Event

MOST_MISSED = 10


def next_due(cron: str, after: datetime) -> datetime:
    """The first due time later than `after`, in UTC."""
    due: datetime = croniter(cron, after.astimezone(UTC)).get_next(datetime)
    return due


def latest_due(cron: str, now: datetime) -> datetime:
    """The last due time that is not later than `now`, in UTC."""
    due: datetime = croniter(cron, now.astimezone(UTC) + timedelta(microseconds=1)).get_prev(datetime)
    return due


def take(session: Session, name: str, due_at: datetime, *, now: datetime | None = None) -> bool:
    """Take a slot; False when another scheduler has it. One run covers the slots missed before it.

    Slots after `now` are of a clock that was ahead, and cover nothing.
    """
    of_name = select(func.max(ScheduleSlot.due_at)).where(ScheduleSlot.name == name)
    latest = session.scalar(of_name if now is None else of_name.where(ScheduleSlot.due_at <= now))
    if latest is not None and latest >= due_at:
        return False
    try:
        with session.begin_nested():
            session.add(ScheduleSlot(name=name, due_at=due_at))
            session.flush()
    except IntegrityError:
        return False
    return True


def ask_now(session: Session, name: str, *, by: Actor, at: datetime) -> None:
    """A person wants a periodic job now: a slot of its own, that survives a lost queue."""
    session.merge(ScheduleSlot(name=name, due_at=at, asked_by_id=by.person_id))
    audit.record(session, Event.SYNC_ASKED, by=by, at=at, job=name)


def cannot_reach_sage(session: Session, name: str, *, at: datetime) -> bool:
    """Who asked for a data sync hears once that it waits for Sage; False when nobody is left to be told."""
    asked = select(ScheduleSlot.due_at, ScheduleSlot.asked_by_id).where(
        ScheduleSlot.name == name, ScheduleSlot.done_at.is_(None), ScheduleSlot.asked_by_id.is_not(None)
    )
    people = {
        person_id
        for due_at, person_id in session.execute(asked).all()
        if person_id and deliveries.first_time(session, f"waits:{name}:{due_at.isoformat()}", at=at)
    }
    if people:
        event = audit.record(session, Event.SYNC_UNREACHABLE, by=SCHEDULE, at=at, job=name)
        outbox.tell_people(session, event, people)
    return bool(people)


def waiting(session: Session, *, now: datetime, lost_after: timedelta) -> Sequence[ScheduleSlot]:
    """Slots to put into the queue: never enqueued, or enqueued so long ago that they must be lost.

    One that was enqueued long after `now` was so by a clock that is set back since.
    """
    return session.scalars(
        select(ScheduleSlot)
        .where(
            ScheduleSlot.done_at.is_(None),
            or_(
                ScheduleSlot.enqueued_at.is_(None),
                ScheduleSlot.enqueued_at < now - lost_after,
                ScheduleSlot.enqueued_at > now + lost_after,
            ),
        )
        .order_by(ScheduleSlot.due_at)
    ).all()


def enqueued(session: Session, slot: ScheduleSlot, *, at: datetime) -> None:
    """The slot's work is in the queue, if it is not done already."""
    session.execute(
        update(ScheduleSlot)
        .where(ScheduleSlot.name == slot.name, ScheduleSlot.due_at == slot.due_at)
        .values(enqueued_at=at)
    )


def undone(session: Session, name: str) -> ScheduleSlot | None:
    """The newest slot whose work is not finished; finishing it finishes those before it."""
    return session.scalars(
        select(ScheduleSlot)
        .where(ScheduleSlot.name == name, ScheduleSlot.done_at.is_(None))
        .order_by(ScheduleSlot.due_at.desc())
        .limit(1)
    ).one_or_none()


def every_undone(session: Session, name: str) -> Sequence[datetime]:
    """The due times of all slots whose work is not finished."""
    mine = ScheduleSlot.name == name, ScheduleSlot.done_at.is_(None)
    return session.scalars(select(ScheduleSlot.due_at).where(*mine)).all()


def done(
    session: Session, name: str, due_at: datetime, *, at: datetime, of: Collection[datetime] | None = None
) -> None:
    """The slot's work is finished, and with it every slot of that name before it.

    Where those that were there when it began are named, of them alone: another clock may be behind.
    """
    finished = ScheduleSlot.name == name, ScheduleSlot.due_at <= due_at, ScheduleSlot.done_at.is_(None)
    there = true() if of is None else ScheduleSlot.due_at.in_(of)
    session.execute(update(ScheduleSlot).where(*finished, there).values(done_at=at))


def last_done(session: Session, name: str) -> datetime | None:
    """When a periodic job was last finished."""
    return session.scalar(select(func.max(ScheduleSlot.done_at)).where(ScheduleSlot.name == name))


def due_since(session: Session, name: str, *, at: datetime) -> datetime | None:
    """The first due time whose work is not finished; None when none is due."""
    undone_ones = (ScheduleSlot.name == name, ScheduleSlot.done_at.is_(None), ScheduleSlot.due_at <= at)
    return session.scalar(select(func.min(ScheduleSlot.due_at)).where(*undone_ones))


def missed(session: Session, name: str, cron: str, *, at: datetime) -> int:
    """How often the work fell due since the due time that was last done; MOST_MISSED is as far as it counts.

    Found by the cron fields, for with a scheduler that stands still there are no slots. With none on record
    nothing was ever done.
    """
    mine = ScheduleSlot.name == name
    newest = session.scalar(
        select(func.max(ScheduleSlot.due_at)).where(mine, ScheduleSlot.done_at.is_not(None))
    )
    oldest = session.scalar(select(func.min(ScheduleSlot.due_at)).where(mine))
    if newest is None and oldest is None:
        return MOST_MISSED
    after = newest or (oldest or at) - timedelta(microseconds=1)
    count = 0
    while count < MOST_MISSED and (after := next_due(cron, after)) <= at:
        count += 1
    return count


def forget(session: Session, *, before: datetime) -> None:
    """Drop finished slots that were due before; the newest of each name stays, or it would be taken again."""
    newer = aliased(ScheduleSlot)
    session.execute(
        delete(ScheduleSlot).where(
            ScheduleSlot.done_at.is_not(None),
            ScheduleSlot.due_at < before,
            select(newer.name)
            .where(newer.name == ScheduleSlot.name, newer.due_at > ScheduleSlot.due_at)
            .exists(),
        ),
        execution_options={"synchronize_session": False},
    )
