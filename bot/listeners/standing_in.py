"""`/costcodes away`: who stands in for an approver on which days; show it, set it, end it."""

import re
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from bot.blocks import reach_words
from bot.visit import Visit
from workflow import aways, directory
from workflow.aways import AwaySet, Unusable
from workflow.language import later, say
from workflow.privileges import Actor, Refused, refusal_of
from workflow.results import Unchanged
from workflow.tables import Away, Person
from workflow.vocabulary import Refusal

USAGE = later(
    "Write the days and who stands in: /costcodes away 2026-12-01..2026-12-05 to @person. "
    "/costcodes away off ends it."
)
_MENTION = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^>]*)?>")
_LINKED_EMAIL = re.compile(r"<mailto:([^|>]+)(?:\|[^>]*)?>")


@dataclass(frozen=True, slots=True)
class Handing:
    """Days on which somebody is to stand in, named by Slack user id or by e-mail."""

    first_day: date
    last_day: date
    slack_user: str = ""
    email: str = ""


def read(typed: str) -> Handing | None:
    """`2026-12-01..2026-12-05 to <@U12345|dana>` (or an e-mail; one day needs no `..`); None is wrong usage.

    Slack puts a mention in place of @person because the manifest asks for it (`should_escape`).
    """
    days, _, whom = typed.strip().partition(" to ")
    first, _, last = days.strip().rstrip(",").partition("..")
    whom = whom.strip()
    mention, linked = _MENTION.fullmatch(whom), _LINKED_EMAIL.fullmatch(whom)
    email = linked[1] if linked else whom
    try:
        first_day, last_day = date.fromisoformat(first.strip()), date.fromisoformat((last or first).strip())
    except ValueError:
        return None
    if mention:
        return Handing(first_day, last_day, slack_user=mention[1])
    return Handing(first_day, last_day, email=email) if "@" in email[1:] else None


def run(visit: Visit, typed: str) -> None:
    """Show who stands in, end it, or set it."""
    if not typed:
        return visit.answer(_shown(visit))
    if typed.lower() == "off":
        return _end(visit)
    handing = read(typed)
    if handing is None:
        return visit.answer(USAGE)
    delegate_id = _delegate_id(visit, handing)
    result = visit.act(lambda session, by, at: _set(session, visit, handing, delegate_id, by, at))
    match result:
        case Refused(reason=Refusal.CANNOT_STAND_IN) | Unusable():
            return visit.answer(result.words)
        case Refused():
            return visit.deny(result)
        case AwaySet():
            return visit.answer(reach_words.away_set_words(result))


def _shown(visit: Visit) -> str:
    with visit.reading() as session:
        person_id = visit.actor.person_id
        away = aways.planned(session, person_id, at=visit.now) if person_id else None
        if away is None:
            return " ".join([say("Nobody stands in for you."), say(USAGE)])
        return " ".join([reach_words.away_words(away), say("/costcodes away off ends it.")])


def _end(visit: Visit) -> None:
    def end(session: Session, by: Actor, at: datetime) -> Away | Unchanged:
        person = session.get(Person, by.person_id) if by.person_id else None
        ended = aways.end_away(session, person=person, by=by, at=at) if person else None
        return ended or Unchanged()

    ended = visit.act(end)
    visit.answer(
        say("Nobody stands in for you, so nothing was changed.")
        if isinstance(ended, Unchanged)
        else say("It is over: {name} no longer stands in for you.", name=ended.delegate.name)
    )


def _set(
    session: Session, visit: Visit, handing: Handing, delegate_id: int | None, by: Actor, at: datetime
) -> AwaySet | Unusable | Refused:
    person = session.get(Person, by.person_id) if by.person_id else None
    if person is None:
        refused = refusal_of(by, None, visit.rules)
        assert refused is not None
        return refused
    return aways.set_away(
        session,
        person=person,
        delegate=session.get(Person, delegate_id) if delegate_id else None,
        first_day=handing.first_day,
        last_day=handing.last_day,
        zone=_zone(session, visit, person),
        by=by,
        at=at,
        rules=visit.rules,
    )


def _delegate_id(visit: Visit, handing: Handing) -> int | None:
    """The person named; Slack may be asked, so it is found out before the transaction."""
    if handing.slack_user:
        return visit.services.identity.actor(handing.slack_user, None).person_id
    with visit.reading() as session:
        person = directory.person_by_email(session, handing.email)
        return person.id if person else None


def _zone(session: Session, visit: Visit, person: Person) -> ZoneInfo:
    return directory.time_zones(session, [person.id]).get(person.id) or visit.rules.calendar.zone
