"""Standing in: for the days that an approver is away, their messages go to another approver.

Messages move, rights never do: whoever stands in acts by their own right. No chains: where the delegate is
away too, or may not Update any more, the messages go to the person they are meant for.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Exists, exists, select
from sqlalchemy.orm import Session

from workflow import audit, outbox
from workflow.audit import Recorded
from workflow.calendar import start_of
from workflow.language import say
from workflow.privileges import Actor, Refused, Rules, lacks, refusal_of
from workflow.results import Unchanged
from workflow.tables import Away, Person
from workflow.vocabulary import Event, Place, Refusal

LONGEST = timedelta(days=366)


class Cannot(StrEnum):
    """Why a delegate does not get the messages."""

    AWAY = "away"
    NO_PRIVILEGE = "no_privilege"


@dataclass(frozen=True, slots=True)
class StandIn:
    """A person who is away now; `cannot` says why the delegate does not stand in."""

    away: Away
    cannot: Cannot | None = None


@dataclass(frozen=True, slots=True)
class Unusable(Unchanged):
    """The days cannot be these; `words` say why."""

    words: str


@dataclass(frozen=True, slots=True)
class AwaySet:
    """Somebody stands in; `both_away` when the delegate is away on some of the days too.

    `replaced` is what was set before and holds no more.
    """

    away: Away
    both_away: bool
    replaced: Away | None = None


def set_away(
    session: Session,
    *,
    person: Person,
    delegate: Person | None,
    first_day: date,
    last_day: date,
    zone: ZoneInfo,
    by: Actor,
    at: datetime,
    rules: Rules,
) -> AwaySet | Unusable | Refused:
    """The person is away on these days of their `zone`, and the delegate stands in, from now on.

    It replaces what was set before. Both must be accounting approvers now.
    """
    session.execute(select(Person.id).where(Person.id == person.id).with_for_update(key_share=True))
    refused = refusal_of(Actor(by.place, person.name, person.id), person, rules) or _cannot(
        person, delegate, rules
    )
    if refused:
        return audit.refuse(session, refused, "hand over", by=by, at=at)
    assert delegate is not None
    wrong = unusable(first_day, last_day, today=at.astimezone(zone).date())
    if wrong:
        return wrong
    before = planned(session, person.id, at=at)
    if before is not None:
        before.ended_at = at
    away = Away(
        person_id=person.id,
        delegate_id=delegate.id,
        person=person,
        delegate=delegate,
        first_day=first_day,
        last_day=last_day,
        starts_at=start_of(first_day, zone),
        ends_at=start_of(last_day + timedelta(days=1), zone),
    )
    session.add(away)
    session.flush()
    event = _record(session, Event.AWAY, away, by=by, at=at)
    told = {person.id, delegate.id} | ({before.delegate_id} if before else set())
    outbox.tell_people(session, event, told - {by.person_id})
    last = away.ends_at - timedelta.resolution
    return AwaySet(away, _away_between(session, delegate.id, away.starts_at, last), replaced=before)


def end_away(session: Session, *, person: Person, by: Actor, at: datetime) -> Away | None:
    """The person is not away any more, or will not be; what was called off, None when nothing was set."""
    session.execute(select(Person.id).where(Person.id == person.id).with_for_update(key_share=True))
    away = planned(session, person.id, at=at)
    if away is None:
        return None
    away.ended_at = at
    session.flush()
    event = _record(session, Event.AWAY_ENDED, away, by=by, at=at)
    outbox.tell_people(session, event, {person.id, away.delegate_id} - {by.person_id})
    return away


def unusable(first_day: date, last_day: date, *, today: date) -> Unusable | None:
    """Why somebody cannot be away on these days, or None."""
    if last_day < first_day:
        return Unusable(
            say(
                "{last_day} is before {first_day}. Write the first day first.",
                last_day=last_day,
                first_day=first_day,
            )
        )
    if last_day < today:
        return Unusable(say("{last_day} is over. Today is {today}.", last_day=last_day, today=today))
    if last_day - first_day > LONGEST:
        return Unusable(say("Nobody can be away for more than a year."))
    return None


def planned(session: Session, person_id: int, *, at: datetime) -> Away | None:
    """When the person is away, now or later; None when nothing is set."""
    query = select(Away).where(Away.person_id == person_id, Away.ended_at.is_(None), Away.ends_at > at)
    return session.scalars(query.order_by(Away.id.desc()).limit(1)).one_or_none()


def stand_in_of(session: Session, person_id: int, *, at: datetime) -> StandIn | None:
    """Who stands in for the person at this moment; None when the person is not away."""
    away = planned(session, person_id, at=at)
    if away is None or away.starts_at > at:
        return None
    if _away_between(session, away.delegate_id, at, at):
        return StandIn(away, Cannot.AWAY)
    if lacks(away.delegate) is not None:
        return StandIn(away, Cannot.NO_PRIVILEGE)
    return StandIn(away)


def stands_in_for(session: Session, by: Actor, *, at: datetime) -> list[str]:
    """The names of the approvers for whom somebody stands in while they act now."""
    if by.person_id is None or by.place is Place.SCHEDULE:
        return []
    found = session.scalars(select(Away).where(*_names(by.person_id, at))).all()
    if not found or _away_between(session, by.person_id, at, at):
        return []
    return sorted({away.person.name for away in found if lacks(away.person) is None})


def stands_in(person_id: Any, *, at: Any) -> Exists:
    """Whether the person in a query is named to stand in for somebody who is away at this moment."""
    return exists().where(*_names(person_id, at))


def _names(person_id: Any, at: Any) -> tuple[ColumnElement[bool], ...]:
    """Of those who are away at this moment, whoever named this person; both may be parameters."""
    return Away.delegate_id == person_id, Away.starts_at <= at, Away.ends_at > at, Away.ended_at.is_(None)


def _away_between(session: Session, person_id: int, first: datetime, last: datetime) -> bool:
    query = select(Away.id).where(
        Away.person_id == person_id, Away.starts_at <= last, Away.ends_at > first, Away.ended_at.is_(None)
    )
    return session.scalars(query.limit(1)).first() is not None


def _cannot(person: Person, delegate: Person | None, rules: Rules) -> Refused | None:
    """Why the delegate cannot stand in for the person."""
    if delegate is None:
        words = say("Nobody in the company directory matches the person you named.")
    elif delegate.id == person.id:
        words = say(
            "{name} cannot stand in for themselves. Name another accounting approver.", name=person.name
        )
    elif lacks(delegate) is not None:
        words = say(
            "{name} cannot stand in, because they are no accounting approver. Only who may Update "
            "by their own right can: rights do not move.",
            name=delegate.name,
        )
    else:
        return None
    return Refused(Refusal.CANNOT_STAND_IN, words)


def _record(session: Session, event: Event, away: Away, *, by: Actor, at: datetime) -> Recorded:
    return audit.record(
        session,
        event,
        by=by,
        at=at,
        person=away.person.name,
        delegate=away.delegate.name,
        first_day=away.first_day.isoformat(),
        last_day=away.last_day.isoformat(),
    )
