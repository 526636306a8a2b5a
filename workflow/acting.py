"""How each act of an approver begins, and what may come of it.

Owns the one opening of every act: the job's lock, the privilege as it is now, what the act is on; and that it
ends on record, done or refused. A refusal is a result.
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


@dataclass(frozen=True, slots=True)
class Act:
    """An act that may go on: the job is locked, and who acts is an accounting approver now."""

    session: Session
    name: str
    by: Actor
    at: datetime
    rules: Rules
    found: Scene
    requested: Asked
    absent: Sequence[str]
    """Those whom the actor stands in for."""

    def refuse(self, reason: Refusal, words: str) -> Refused:
        """Refuse the act, on record."""
        return _refuse(
            self.session, Refused(reason, words), self.requested, self.name, by=self.by, at=self.at
        )

    def record(self, event: Event, *, revision: int | None = None, **facts: object) -> Recorded:
        """Append to the trail; `revision` is the one that the act made, where it made one."""
        return audit.record(
            self.session,
            event,
            by=self.by,
            at=self.at,
            job_id=self.requested.job_id,
            requested_update_id=self.requested.id,
            revision=revision or self.requested.revision,
            **({"standing_in_for": list(self.absent)} if self.absent else {}),
            **facts,
        )

    def whole(self) -> RequestedUpdate:
        """All of the requested update, as it is now."""
        return self.session.get_one(RequestedUpdate, self.requested.id, populate_existing=True)

    def standing(self) -> str:
        """Where the requested update stands, in a sentence."""
        return standing_words(self.whole())

    def others(self, people: Iterable[int]) -> list[int]:
        """Everybody but the person who acts, who needs no message about it."""
        return [person_id for person_id in people if person_id != self.by.person_id]


def begin(
    session: Session, requested_update_id: int, name: str, *, by: Actor, at: datetime, rules: Rules
) -> Act | Stale | Refused:
    """Begin an act on a requested update; or what comes of it, on record, where it ends here."""
    found, refused = enter(session, requested_update_id, name, by=by, at=at, rules=rules)
    if refused:
        return refused
    if found.requested is None:
        audit.record(session, Event.STALE, by=by, at=at, requested_update_id=requested_update_id, act=name)
        return Stale(
            (), say("This requested update joined another one of its job, so nothing was done. Look again.")
        )
    absent = aways.stands_in_for(session, by, at=at) if found.stands_in else []
    return Act(session, name, by, at, rules, found, found.requested, absent)


def enter(
    session: Session,
    requested_update_id: int | None,
    name: str,
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
    if refused is not None:
        _refuse(session, refused, found.requested, name, by=by, at=at)
    return found, refused


def _refuse(
    session: Session, refused: Refused, requested: Asked | None, name: str, *, by: Actor, at: datetime
) -> Refused:
    about = {"job_id": requested.job_id, "requested_update_id": requested.id} if requested else {}
    return audit.refuse(session, refused, name, by=by, at=at, **about)


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
