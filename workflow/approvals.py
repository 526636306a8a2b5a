"""The approver's acts: Update, take back, reject, send again.

Each is one function and one transaction: the job is locked, the privilege is read in it, one
conditional UPDATE decides, the audit event and the notices go with it. A refusal is a result.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, update
from sqlalchemy.orm import Session
from sqlalchemy.orm.util import identity_key

from workflow import (
    audit,
    aways,
    findings,
    four_eyes,
    holds,
    lines,
    outbox,
    procore_people,
    request_ids,
    scene,
    telling,
    waiting_steps,
)
from workflow.audit import Recorded
from workflow.columns import storable
from workflow.language import say
from workflow.merge import Assignment
from workflow.privileges import Actor, Refused, Rules, explain, refusal_of
from workflow.scene import Asked, Scene
from workflow.tables import FirstApproval, Person, RequestedUpdate
from workflow.vocabulary import Event, Refusal, State

_REASONS_SAID = 3
_REQUESTED_UPDATES = RequestedUpdate.__table__
_DECIDE = update(_REQUESTED_UPDATES).where(  # type: ignore[arg-type]
    _REQUESTED_UPDATES.c.id == bindparam("decided_id"),
    _REQUESTED_UPDATES.c.state == State.READY,
    _REQUESTED_UPDATES.c.revision == bindparam("seen"),
)


@dataclass(frozen=True, slots=True)
class Done:
    """The act was carried out."""


@dataclass(frozen=True, slots=True)
class FirstOfTwo:
    """The Update is on record as the first of two: it is Ready to Update until another approver does too."""


@dataclass(frozen=True, slots=True)
class AlreadyDecided:
    """Somebody acted before: the requested update is past this act. `words` say who and when."""

    words: str


@dataclass(frozen=True, slots=True)
class Stale:
    """The requested update changed since the approver saw it; nothing was done. `new` came since."""

    new: tuple[Assignment, ...]
    words: str


Decision = Done | FirstOfTwo | AlreadyDecided | Stale | Refused


def accept(
    session: Session, *, requested_update_id: int, revision: int, by: Actor, at: datetime, rules: Rules
) -> Decision:
    """Update: accept for export the revision that the approver saw.

    Where the company wants two approvers, the first Update of a revision is noted and the second accepts it.
    """
    return _decide(session, State.ACCEPTED, requested_update_id, revision, by=by, at=at, rules=rules)


def reject(
    session: Session,
    *,
    requested_update_id: int,
    revision: int,
    comment: str,
    by: Actor,
    at: datetime,
    rules: Rules,
) -> Decision:
    """Turn the requested update down, with a comment for whoever asked."""
    comment = storable(comment).strip()
    if not comment:
        found, refused = _enter(session, requested_update_id, "reject", by=by, at=at, rules=rules)
        words, reason = say("Say why in a comment, for the person who asked."), Refusal.COMMENT_MISSING
        return refused or _refuse(session, reason, words, found.requested, "reject", by=by, at=at)
    return _decide(
        session, State.REJECTED, requested_update_id, revision, by=by, at=at, rules=rules, comment=comment
    )


def take_back(
    session: Session, *, requested_update_id: int, by: Actor, at: datetime, rules: Rules
) -> Decision:
    """Undo an Update that no data sync has picked up yet, or one's own first of two."""
    act = "take back"
    found, refused = _enter(session, requested_update_id, act, by=by, at=at, rules=rules)
    requested = found.requested
    if refused:
        return refused
    if requested is None:
        return _gone(session, requested_update_id, act, by=by, at=at)
    is_ready = requested.state is State.READY
    first = four_eyes.first_of(session, requested.id, requested.revision) if is_ready else None
    if first is not None and first.approver_id == by.person_id:
        four_eyes.withdraw(session, requested.id)
        outbox.tell(session, _record(session, Event.FIRST_TAKEN_BACK, requested, by=by, at=at))
        return Done()
    if first is not None:
        words = say(
            "Only {name} can take back the first of the two Updates; reject it instead.",
            name=first.approver.name,
        )
        return _refuse(session, Refusal.NOT_ACCEPTED, words, requested, act, by=by, at=at)
    if requested.state is not State.ACCEPTED:
        standing = standing_words(_whole(session, requested))
        words = say("There is nothing to take back: {standing}", standing=standing)
        return _refuse(session, Refusal.NOT_ACCEPTED, words, requested, act, by=by, at=at)
    if requested.data_sync_id is not None:
        words = say("It is too late to take this back: the data sync is sending it to Sage now.")
        return _refuse(session, Refusal.ALREADY_GOING_OUT, words, requested, act, by=by, at=at)
    reopened = _whole(session, requested)
    joined = lines.reopen(session, reopened)
    event = _record(session, Event.TAKEN_BACK, reopened, by=by, at=at, joined=joined)
    outbox.tell(session, event, people=_others(lines.requesters(session, requested.id), by))
    holds.settle(session, requested.job_id, by=by, at=at)
    return Done()


def send_again(
    session: Session, *, requested_update_id: int, by: Actor, at: datetime, rules: Rules
) -> Decision:
    """Make what Sage refused ready again, after Sage itself was corrected; an approver Updates it anew."""
    act = "send again"
    found, refused = _enter(session, requested_update_id, act, by=by, at=at, rules=rules)
    requested = found.requested
    if refused:
        return refused
    if requested is None:
        return _gone(session, requested_update_id, act, by=by, at=at)
    if requested.state is not State.FAILED:
        standing = standing_words(_whole(session, requested))
        words = say("There is nothing to send again: {standing}", standing=standing)
        return _refuse(session, Refusal.NOT_FAILED, words, requested, act, by=by, at=at)
    reopened = _whole(session, requested)
    joined = lines.reopen(session, reopened)
    event = _record(session, Event.SENT_AGAIN, reopened, by=by, at=at, added=0, assignments=[], joined=joined)
    outbox.tell(session, event, broadcast=True)
    telling.tell_approvers(session, event, calendar=rules.calendar, but=by.person_id)
    holds.settle(session, requested.job_id, by=by, at=at)
    return Done()


def check(
    session: Session,
    act: str,
    *,
    requested_update_id: int | None = None,
    by: Actor,
    at: datetime,
    rules: Rules,
) -> Refused | None:
    """Refuse, on record, an act of somebody who is no accounting approver; None for an approver.

    For acts that decide nothing yet: opening the window that rejects, asking for a data sync.
    """
    _, refused = _enter(session, requested_update_id, act, by=by, at=at, rules=rules, deciding=False)
    return refused


def why_not_update(session: Session, requested_update_id: int, *, by: Actor, rules: Rules) -> Refused | None:
    """Why the actor may not Update this one, to be shown; None when they may. `accept` decides anew."""
    refused = refusal_of(by, scene.person_of(session, by), rules)
    requested = session.get(RequestedUpdate, requested_update_id)
    if refused is not None or requested is None:
        return refused
    first = four_eyes.first_of(session, requested.id, requested.revision)
    return _why_not_accept(session, requested, requested.revision, first, by=by, rules=rules)


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


def _decide(
    session: Session,
    to: State,
    requested_update_id: int,
    revision: int,
    *,
    by: Actor,
    at: datetime,
    rules: Rules,
    comment: str | None = None,
) -> Decision:
    """The two decisions on a ready requested update, at the revision that was seen."""
    act = "update" if to is State.ACCEPTED else "reject"
    found, refused = _enter(session, requested_update_id, act, by=by, at=at, rules=rules)
    requested = found.requested
    if refused:
        return refused
    if requested is None:
        return _gone(session, requested_update_id, act, by=by, at=at)
    if requested.state is not State.READY:
        words = standing_words(_whole(session, requested))
        words = words[0].upper() + words[1:]
        _refuse(session, Refusal.NOT_READY, words, requested, act, by=by, at=at)
        return AlreadyDecided(words)
    first = four_eyes.first_of(session, requested.id, requested.revision) if found.has_first else None
    if to is State.ACCEPTED:
        why_not = _why_not_accept(
            session, requested, revision, first, by=by, rules=rules, is_refused=found.is_refused
        )
        if why_not:
            return _refuse(session, why_not.reason, why_not.words, requested, act, by=by, at=at)
        is_current = requested.revision == revision
        if first is None and is_current and _takes_two(session, requested, rules):
            return _first_of_two(session, requested, by=by, at=at, rules=rules)
    absent = aways.stands_in_for(session, by, at=at) if found.stands_in else []
    decision = {
        "state": to,
        "decided_by_id": by.person_id,
        "decided_for": ", ".join(absent) or None,
        "decided_at": at,
        "comment": comment,
        "request_id": request_ids.current(),
    }
    decided = session.connection().execute(
        _DECIDE, {**decision, "decided_id": requested.id, "seen": revision}
    )
    if decided.rowcount != 1:
        return _stale(session, requested, revision, act, by=by, at=at)
    read_before = session.identity_map.get(identity_key(RequestedUpdate, requested.id))
    if read_before is not None:
        session.refresh(read_before)  # it was decided past the session
    _tell(session, found, requested, first, to=to, comment=comment, by=by, at=at, absent=absent)
    return Done()


def _tell(
    session: Session,
    found: Scene,
    requested: Asked,
    first: FirstApproval | None,
    *,
    to: State,
    comment: str | None,
    by: Actor,
    at: datetime,
    absent: Sequence[str],
) -> None:
    """Put a decision on record, tell whom it concerns, and let go of what waited for it."""
    event_name = Event.UPDATED if to is State.ACCEPTED else Event.REJECTED
    facts = {"comment": comment} if comment else {}
    told = lines.requesters(session, requested.id) if found.asked_by_others else [requested.requested_by_id]
    if first is not None and first.approver_id != by.person_id:
        facts["first"] = first.approver.name
        told.append(first.approver_id)
    event = _record(session, event_name, requested, by=by, at=at, absent=absent, **facts)
    outbox.tell(session, event, people=_others(told, by))
    if found.is_awaited:
        waiting_steps.settle(session, _whole(session, requested), at=at)
    if found.has_holds:
        holds.settle(session, requested.job_id, by=by, at=at)


def _why_not_accept(
    session: Session,
    requested: Asked | RequestedUpdate,
    revision: int,
    first: FirstApproval | None,
    *,
    by: Actor,
    rules: Rules,
    is_refused: bool = True,
) -> Refused | None:
    """Why an approver may not Update this one at the revision seen; that it is stale is not judged here.

    `is_refused` is False where Sage is known to refuse nothing of it.
    """
    if _is_own(session, requested, by, rules):
        return Refused(Refusal.OWN_REQUEST, explain(Refusal.OWN_REQUEST, by.name, rules))
    if requested.revision != revision:
        return None
    would_refuse = _sage_would_refuse(session, requested) if is_refused else None
    if would_refuse or not _takes_two(session, requested, rules):
        return would_refuse
    return _was_first(first, by)


def _first_of_two(session: Session, requested: Asked, *, by: Actor, at: datetime, rules: Rules) -> FirstOfTwo:
    """Note the first of two Updates, and tell the other approvers that one of them is wanted."""
    approver = session.get_one(Person, by.person_id)
    four_eyes.give(session, requested.id, requested.revision, approver_id=approver.id, at=at)
    event = _record(session, Event.FIRST_APPROVED, requested, by=by, at=at)
    outbox.tell(session, event)
    telling.tell_approvers(session, event, calendar=rules.calendar, but=by.person_id)
    return FirstOfTwo()


def _was_first(first: FirstApproval | None, by: Actor) -> Refused | None:
    """Why the first of the two approvers cannot be the second as well."""
    if first is None or first.approver_id != by.person_id:
        return None
    when = f"{first.at:%Y-%m-%d %H:%M} UTC"
    return Refused(
        Refusal.SECOND_APPROVER_NEEDED,
        say(
            "{name} updated it on {when} as the first of two; a second approver must Update.",
            name=first.approver.name,
            when=when,
        ),
    )


def _takes_two(session: Session, requested: Asked | RequestedUpdate, rules: Rules) -> bool:
    return four_eyes.needed_for(session, requested.id, requested.job_id, rules)


def _sage_would_refuse(session: Session, requested: Asked | RequestedUpdate) -> Refused | None:
    """Why Sage would refuse a requested update, by the checks before Update; None when it would not."""
    why = findings.why_refused(session, requested.id)
    if not why:
        return None
    said = [say(one) for one in why[:_REASONS_SAID]]
    if len(why) > _REASONS_SAID:
        said.append(say("and {more:,} more", more=len(why) - _REASONS_SAID))
    return Refused(
        Refusal.SAGE_WOULD_REFUSE,
        say(
            "Sage would refuse this: {why}. Correct it in Sage, or in costbot's Sage profile where that is "
            "wrong, and run a data sync; or reject this with a comment.",
            why="; ".join(said),
        ),
    )


def _is_own(session: Session, requested: Asked | RequestedUpdate, by: Actor, rules: Rules) -> bool:
    """Whether the company forbids this Update because the actor asked for it themselves."""
    return rules.forbid_own_request and by.person_id in (
        requested.requested_by_id,
        *lines.requesters(session, requested.id),
    )


def _enter(
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
    return found, _refuse(session, refused.reason, refused.words, found.requested, act, by=by, at=at)


def _refuse(
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


def _stale(session: Session, requested: Asked, seen: int, act: str, *, by: Actor, at: datetime) -> Stale:
    new = tuple(lines.added_since(session, requested.id, seen))
    _record(session, Event.STALE, requested, by=by, at=at, act=act, seen=seen)
    outbox.refresh_card(session, requested.job_id, at=at)
    return Stale(
        new,
        say(
            "This changed since you looked (you saw revision {seen}, it is revision {revision} "
            "now), so nothing was done. Look at what is new and decide again.",
            seen=seen,
            revision=requested.revision,
        ),
    )


def _gone(session: Session, requested_update_id: int, act: str, *, by: Actor, at: datetime) -> Stale:
    audit.record(session, Event.STALE, by=by, at=at, requested_update_id=requested_update_id, act=act)
    return Stale(
        (), say("This requested update joined another one of its job, so nothing was done. Look again.")
    )


def _record(
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


def _whole(session: Session, requested: Asked) -> RequestedUpdate:
    """All of a requested update, as it is now."""
    return session.get_one(RequestedUpdate, requested.id, populate_existing=True)


def _others(people: Iterable[int], by: Actor) -> list[int]:
    """Everybody but the person who acts, who needs no message about it."""
    return [person_id for person_id in people if person_id != by.person_id]
