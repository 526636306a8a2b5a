"""How each act of an approver begins, and what may come of it.

Owns that an act begins with the job's lock and the privilege as it is now, and that it ends on record,
done or refused. A refusal is a result.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from workflow import audit, aways, procore_people, scene
from workflow.audit import Recorded
from workflow.language import say
from workflow.merge import Assignment
from workflow.privileges import Actor, Refused, Rules, explain, refusal_of
from workflow.results import Unchanged
from workflow.scene import Asked, Scene
from workflow.tables import RequestedUpdate
from workflow.vocabulary import Event, Refusal, State


@dataclass(frozen=True, slots=True)
class Done:
    """The act was carried out."""


@dataclass(frozen=True, slots=True)
class FirstOfTwo:
    """The Update is on record as the first of two: it is Ready to Update until another approver does too."""


@dataclass(frozen=True, slots=True)
class AlreadyDecided(Unchanged):
    """Somebody acted before: the requested update is past this act. `words` say who and when."""

    words: str


@dataclass(frozen=True, slots=True)
class Stale(Unchanged):
    """The requested update changed since the approver saw it; nothing was done. `new` came since."""

    new: tuple[Assignment, ...]
    words: str


Decision = Done | FirstOfTwo | AlreadyDecided | Stale | Refused


def enter(
    session: Session,
    requested_update_id: int | None,
    act: str,
    *,
    by: Actor,
    at: datetime,
    rules: Rules,
    deciding: bool = True,
) -> tuple[Scene, Refused | None]:
    """Lock the job, then read the requested update and the privilege as they are now.

    Nobody decides by what is known for too long.
    """
    found = scene.enter(session, requested_update_id, by=by, at=at)
    person = found.person
    refused = refusal_of(by, person, rules)
    if deciding and by.refusal is None and person is not None and person.active:
        too_old = procore_people.is_too_old(session, person.id, at=at, rules=rules)
        reason = Refusal.NOT_KNOWN_NOW
        refused = Refused(reason, explain(reason, by.name, rules)) if too_old else refused
    if refused is None:
        return found, None
    return found, refuse(session, refused.reason, refused.words, found.requested, act, by=by, at=at)


def refuse(
    session: Session,
    reason: Refusal,
    words: str,
    requested: Asked | None,
    act: str,
    *,
    by: Actor,
    at: datetime,
) -> Refused:
    """Refuse an act, on record."""
    audit.record(
        session,
        Event.REFUSED,
        by=by,
        at=at,
        job_id=requested.job_id if requested else None,
        requested_update_id=requested.id if requested else None,
        act=act,
        reason=reason.value,
    )
    return Refused(reason, words)


def gone(session: Session, requested_update_id: int, act: str, *, by: Actor, at: datetime) -> Stale:
    """The requested update joined another one since it was seen; on record."""
    audit.record(session, Event.STALE, by=by, at=at, requested_update_id=requested_update_id, act=act)
    return Stale(
        (), say("This requested update joined another one of its job, so nothing was done. Look again.")
    )


def record(
    session: Session,
    event: Event,
    requested: Asked | RequestedUpdate,
    *,
    by: Actor,
    at: datetime,
    absent: Sequence[str] | None = None,
    **facts: object,
) -> Recorded:
    """Append to the trail; `absent` are those whom the actor stands in for, where that is known already."""
    if absent is None:
        absent = aways.stands_in_for(session, by, at=at)
    return audit.record(
        session,
        event,
        by=by,
        at=at,
        job_id=requested.job_id,
        requested_update_id=requested.id,
        revision=requested.revision,
        **({"standing_in_for": list(absent)} if absent else {}),
        **facts,
    )


def whole(session: Session, requested: Asked) -> RequestedUpdate:
    """All of a requested update, as it is now."""
    return session.get_one(RequestedUpdate, requested.id, populate_existing=True)


def others(people: Iterable[int], by: Actor) -> list[int]:
    """Everybody but the person who acts, who needs no message about it."""
    return [person_id for person_id in people if person_id != by.person_id]


def standing_words(requested: RequestedUpdate) -> str:
    """Where a requested update stands, who put it there and when, in a sentence."""
    who = requested.decided_by.name if requested.decided_by else "somebody"
    if requested.decided_for:
        who = say("{who}, for {decided_for},", who=who, decided_for=requested.decided_for)
    when = f"{requested.decided_at:%Y-%m-%d %H:%M} UTC" if requested.decided_at else say("before")
    match requested.state:
        case State.READY:
            return say("it is Ready to Update.")
        case State.REJECTED:
            return say("{who} rejected it on {when}.", who=who, when=when)
        case State.EXPIRED:
            return say("it expired on {when}, because nobody updated or rejected it.", when=when)
        case State.ACCEPTED:
            return say(
                "{who} updated it on {when}, and it goes out with the next data sync.", who=who, when=when
            )
        case State.EXPORTED:
            return say("{who} updated it on {when}, and it was sent to Sage.", who=who, when=when)
        case State.SYNCED:
            return say("{who} updated it on {when}, and Sage holds it.", who=who, when=when)
        case State.FAILED:
            return say("{who} updated it on {when}, and Sage refused lines of it.", who=who, when=when)
