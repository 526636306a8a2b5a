"""Who hears of something, when, and through whom: choices, working time and people who are away, together.

What is told to approvers is decided when it happens; who gets a waiting message, and whether the hour is
a quiet one, when it is delivered.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from workflow import aways, directory, outbox, preferences
from workflow.audit import Recorded
from workflow.aways import StandIn
from workflow.calendar import Calendar, next_moment
from workflow.tables import Person
from workflow.vocabulary import Notify

_DIGESTS = (Notify.HOURLY, Notify.DAILY)


@dataclass(frozen=True, slots=True)
class Addressee:
    """To whom a person's messages go now, and until when that reader wants none.

    `stand_in` is set while the person they are meant for is away.
    """

    person_id: int
    stand_in: StandIn | None
    quiet_until: datetime | None


def approvers_to_ping(session: Session) -> list[Person]:
    """The accounting approvers, but for those who can update and do not want to be told."""
    approvers = directory.accounting_approvers(session)
    chosen = preferences.choices_of(session, [person.id for person in approvers])
    return [person for person in approvers if chosen[person.id].notify is not Notify.DO_NOT_PING]


def tell_approvers(session: Session, event: Recorded, *, calendar: Calendar, but: int | None = None) -> None:
    """Something became Ready to Update: each approver hears of it as they chose, `but` one person."""
    people = [person.id for person in directory.accounting_approvers(session) if person.id != but]
    chosen = preferences.choices_of(session, people)
    outbox.tell_people(session, event, [p for p in people if chosen[p].notify is Notify.EVERY_REQUEST])
    gathering = [p for p in people if chosen[p].notify in _DIGESTS]
    for person_id, zone in _zones(session, gathering).items():
        due_at = preferences.digest_due(chosen[person_id].notify, calendar.read_in(zone), event.at)
        outbox.put_digest(session, person_id, at=event.at, due_at=due_at)


def remind(session: Session, event: Recorded, people: Sequence[Person], *, calendar: Calendar) -> None:
    """Each of these people gets what waits: with their next digest, or in their next working time."""
    ids = [person.id for person in people]
    chosen = preferences.choices_of(session, ids)
    for person_id, zone in _zones(session, ids).items():
        reader, notify = calendar.read_in(zone), chosen[person_id].notify
        due_at = (
            preferences.digest_due(notify, reader, event.at)
            if notify in _DIGESTS
            else next_moment(reader, event.at)
        )
        outbox.put_digest(session, person_id, at=event.at, due_at=due_at, event_seq=event.seq)


def tell_in_working_time(
    session: Session, event: Recorded, people: Iterable[Person], *, calendar: Calendar
) -> None:
    """A direct message about the event to each of these people, when they next work."""
    for person_id, zone in _zones(session, [person.id for person in people]).items():
        outbox.tell_people(
            session, event, [person_id], not_before=next_moment(calendar.read_in(zone), event.at)
        )


def addressee(session: Session, person_id: int, *, company_zone: ZoneInfo, at: datetime) -> Addressee:
    """To whom the messages for a person go at this moment."""
    stand_in = aways.stand_in_of(session, person_id, at=at)
    reader = stand_in.away.delegate_id if stand_in and stand_in.cannot is None else person_id
    return Addressee(reader, stand_in, quiet_until(session, reader, company_zone=company_zone, at=at))


def quiet_until(session: Session, person_id: int, *, company_zone: ZoneInfo, at: datetime) -> datetime | None:
    """When the person's own quiet hours of this moment end, on their clock; None outside of them."""
    zone = _zones(session, [person_id])[person_id] or company_zone
    quiet = preferences.choices_of(session, [person_id])[person_id].quiet
    return preferences.quiet_until(quiet, zone, at)


def _zones(session: Session, person_ids: Sequence[int]) -> dict[int, ZoneInfo | None]:
    known = directory.time_zones(session, person_ids) if person_ids else {}
    return {person_id: known.get(person_id) for person_id in person_ids}
