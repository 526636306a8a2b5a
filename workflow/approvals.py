"""The approver's decisions on what is Ready to Update: Update and reject.

Each is one function and one transaction: the job is locked, the privilege is read in it, one
conditional UPDATE decides, the audit event and the notices go with it. A refusal is a result.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, update
from sqlalchemy.orm import Session
from sqlalchemy.orm.util import identity_key

from workflow import (
    acting,
    findings,
    four_eyes,
    holds,
    lines,
    outbox,
    request_ids,
    scene,
    telling,
    waiting_steps,
)
from workflow.acting import Act, AlreadyDecided, Decision, Done, FirstOfTwo, Stale
from workflow.characters import storable
from workflow.language import say
from workflow.privileges import Actor, Refused, Rules, explain, refusal_of
from workflow.scene import Asked
from workflow.tables import FirstApproval, Person, RequestedUpdate
from workflow.vocabulary import Event, Refusal, State

_REASONS_SAID = 3
_REQUESTED_UPDATES = RequestedUpdate.__table__
_DECIDE = update(_REQUESTED_UPDATES).where(  # type: ignore[arg-type]
    _REQUESTED_UPDATES.c.id == bindparam("decided_id"),
    _REQUESTED_UPDATES.c.state == State.READY,
    _REQUESTED_UPDATES.c.revision == bindparam("seen"),
)


def accept(
    session: Session, *, requested_update_id: int, revision: int, by: Actor, at: datetime, rules: Rules
) -> Decision:
    """Update: accept for export the revision that the approver saw.

    Where the company wants two approvers, the first Update of a revision is noted and the second accepts it.
    """
    act = acting.begin(session, requested_update_id, "update", by=by, at=at, rules=rules)
    if not isinstance(act, Act):
        return act
    requested = act.requested
    if requested.state is not State.READY:
        return _already_decided(act)
    first = _first(act)
    why_not = _why_not_accept(
        session, requested, revision, first, by=by, rules=rules, is_refused=act.found.is_refused
    )
    if why_not:
        return act.refuse(why_not.reason, why_not.words)
    if first is None and requested.revision == revision and _takes_two(session, requested, rules):
        return _first_of_two(act)
    return _decide(act, State.ACCEPTED, revision, first)


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
    act = acting.begin(session, requested_update_id, "reject", by=by, at=at, rules=rules)
    if not isinstance(act, Act):
        return act
    comment = storable(comment).strip()
    if not comment:
        return act.refuse(Refusal.COMMENT_MISSING, say("Say why in a comment, for the person who asked."))
    if act.requested.state is not State.READY:
        return _already_decided(act)
    return _decide(act, State.REJECTED, revision, _first(act), comment=comment)


def check(
    session: Session,
    name: str,
    *,
    requested_update_id: int | None = None,
    by: Actor,
    at: datetime,
    rules: Rules,
) -> Refused | None:
    """Refuse, on record, an act of somebody who is no accounting approver; None for an approver.

    For acts that decide nothing yet: opening the window that rejects, asking for a data sync.
    """
    _, refused = acting.enter(session, requested_update_id, name, by=by, at=at, rules=rules, deciding=False)
    return refused


def why_not_update(session: Session, requested_update_id: int, *, by: Actor, rules: Rules) -> Refused | None:
    """Why the actor may not Update this one, to be shown; None when they may. `accept` decides anew."""
    refused = refusal_of(by, scene.person_of(session, by), rules)
    requested = session.get(RequestedUpdate, requested_update_id)
    if refused is not None or requested is None:
        return refused
    first = four_eyes.first_of(session, requested.id, requested.revision)
    return _why_not_accept(session, requested, requested.revision, first, by=by, rules=rules)


def _decide(
    act: Act, to: State, revision: int, first: FirstApproval | None, *, comment: str | None = None
) -> Decision:
    """The two decisions on a ready requested update, at the revision that was seen."""
    session, requested = act.session, act.requested
    decision = {
        "state": to,
        "decided_by_id": act.by.person_id,
        "decided_for": ", ".join(act.absent) or None,
        "decided_at": act.at,
        "comment": comment,
        "request_id": request_ids.current(),
    }
    decided = session.connection().execute(
        _DECIDE, {**decision, "decided_id": requested.id, "seen": revision}
    )
    if decided.rowcount != 1:
        return _stale(act, revision)
    read_before = session.identity_map.get(identity_key(RequestedUpdate, requested.id))
    if read_before is not None:
        session.refresh(read_before)  # it was decided past the session
    _tell(act, first, to=to, comment=comment)
    return Done()


def _tell(act: Act, first: FirstApproval | None, *, to: State, comment: str | None) -> None:
    """Put a decision on record, tell whom it concerns, and let go of what waited for it."""
    session, requested, found = act.session, act.requested, act.found
    event_name = Event.UPDATED if to is State.ACCEPTED else Event.REJECTED
    facts: dict[str, Any] = {"comment": comment} if comment else {}
    told = lines.requesters(session, requested.id) if found.asked_by_others else [requested.requested_by_id]
    if first is not None and first.approver_id != act.by.person_id:
        facts["first"] = first.approver.name
        told.append(first.approver_id)
    event = act.record(event_name, **facts)
    outbox.tell(session, event, people=act.others(told))
    if found.is_awaited:
        waiting_steps.settle(session, act.whole(), at=act.at)
    if found.has_holds:
        holds.settle(session, requested.job_id, by=act.by, at=act.at)


def _already_decided(act: Act) -> AlreadyDecided:
    words = act.standing()
    words = words[0].upper() + words[1:]
    act.refuse(Refusal.NOT_READY, words)
    return AlreadyDecided(words)


def _first(act: Act) -> FirstApproval | None:
    """The first of two Updates, where the revision as it is now has one."""
    if not act.found.has_first:
        return None
    return four_eyes.first_of(act.session, act.requested.id, act.requested.revision)


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


def _first_of_two(act: Act) -> FirstOfTwo:
    """Note the first of two Updates, and tell the other approvers that one of them is wanted."""
    session, requested, by = act.session, act.requested, act.by
    approver = session.get_one(Person, by.person_id)
    four_eyes.give(session, requested.id, requested.revision, approver_id=approver.id, at=act.at)
    event = act.record(Event.FIRST_APPROVED)
    outbox.tell(session, event)
    telling.tell_approvers(session, event, calendar=act.rules.calendar, but=by.person_id)
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


def _stale(act: Act, seen: int) -> Stale:
    session, requested = act.session, act.requested
    new = tuple(lines.added_since(session, requested.id, seen))
    act.record(Event.STALE, act=act.name, seen=seen)
    outbox.refresh_card(session, requested.job_id, at=act.at)
    return Stale(
        new,
        say(
            "This changed since you looked (you saw revision {seen}, it is revision {revision} "
            "now), so nothing was done. Look at what is new and decide again.",
            seen=seen,
            revision=requested.revision,
        ),
    )
