"""How each person wants to hear from costbot: how often, and at which hours not at all.

Owns the choices and the times that follow from them. Who is told what is `telling`'s.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from workflow import audit
from workflow.calendar import Calendar, next_moment, next_opening, start_of
from workflow.privileges import Actor
from workflow.tables import NotifyChoice, Person
from workflow.vocabulary import Event, Notify

_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From when to when on the reader's clock no message comes; over midnight where `until` is earlier."""

    since: time
    until: time

    def __str__(self) -> str:
        return f"{self.since:%H:%M} to {self.until:%H:%M}"


@dataclass(frozen=True, slots=True)
class Choices:
    """What a person chose, or what holds for who chose nothing."""

    notify: Notify = Notify.EVERY_REQUEST
    quiet: QuietHours | None = None


def choices_of(session: Session, person_ids: Collection[int]) -> Mapping[int, Choices]:
    """What each of these people chose, by person."""
    rows = session.scalars(select(NotifyChoice).where(NotifyChoice.person_id.in_(person_ids)))
    chosen = {row.person_id: _choices(row) for row in rows}
    return {person_id: chosen.get(person_id, Choices()) for person_id in person_ids}


def choose(session: Session, person: Person, choices: Choices, *, by: Actor, at: datetime) -> None:
    """Keep what a person chose, from the next message on."""
    session.execute(select(Person.id).where(Person.id == person.id).with_for_update(key_share=True))
    session.merge(
        NotifyChoice(
            person_id=person.id,
            notify=choices.notify,
            quiet_from=choices.quiet.since if choices.quiet else None,
            quiet_until=choices.quiet.until if choices.quiet else None,
        )
    )
    session.flush()
    audit.record(
        session,
        Event.NOTIFY_CHOSEN,
        by=by,
        at=at,
        person=person.name,
        notify=choices.notify.value,
        quiet=str(choices.quiet) if choices.quiet else None,
    )


def quiet_until(quiet: QuietHours | None, zone: ZoneInfo, at: datetime) -> datetime | None:
    """When the quiet hours end in which `at` falls; None when it falls in none."""
    if quiet is None:
        return None
    today = at.astimezone(zone).date()
    for day in (today - _DAY, today):
        last_day = day if quiet.since < quiet.until else day + _DAY
        begins, ends = _at(quiet.since), _at(quiet.until)
        if start_of(day, zone, begins) <= at < start_of(last_day, zone, ends):
            return start_of(last_day, zone, ends)
    return None


def digest_due(notify: Notify, calendar: Calendar, after: datetime) -> datetime:
    """When the next digest of a reader is due who lives by this calendar: on the hour, or in the morning."""
    if notify is Notify.DAILY:
        return next_opening(calendar, after)
    next_hour = after.replace(minute=0, second=0, microsecond=0) + _HOUR
    return next_moment(calendar, next_hour)


def _at(clock: time) -> timedelta:
    return timedelta(hours=clock.hour, minutes=clock.minute)


def _choices(row: NotifyChoice) -> Choices:
    if row.quiet_from is None or row.quiet_until is None:
        return Choices(row.notify)
    return Choices(row.notify, QuietHours(row.quiet_from, row.quiet_until))
