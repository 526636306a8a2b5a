"""Asking to become an accounting approver, and the administrators' answer.

Owns the requests, one waiting a person. Where the directory is Procore's, an answer changes nothing here:
costbot hears of the privilege as it hears of everybody's. Each act is one transaction, on record, and told.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from workflow import audit, directory, outbox
from workflow.audit import Recorded
from workflow.characters import storable
from workflow.database import upsert
from workflow.language import either, later, say
from workflow.privileges import Actor, Refused, Rules, explain, lacks
from workflow.results import Unchanged
from workflow.tables import Person, PrivilegeRequest
from workflow.vocabulary import Event, PrivilegeAnswer, Refusal

CAN_BE_ASKED_FOR = (Refusal.NO_MATCHING_PERSON, Refusal.PERMISSION_TOO_LOW, Refusal.PRIVILEGE_MISSING)
"""What an administrator can mend."""


def can_be_asked_for(missing: Refusal, rules: Rules) -> bool:
    """Whether somebody who was refused for this may ask an administrator on record."""
    return bool(rules.admin_emails) and missing in CAN_BE_ASKED_FOR


@dataclass(frozen=True, slots=True)
class Asked:
    """The administrators are asked."""

    privilege_request: PrivilegeRequest
    words: str


@dataclass(frozen=True, slots=True)
class NotAsked(Unchanged):
    """Nobody was asked: asked before, nobody to ask, or nothing is lacking. `words` say which."""

    words: str


@dataclass(frozen=True, slots=True)
class Answered:
    """The request is answered, and whoever asked is told."""

    privilege_request: PrivilegeRequest
    words: str


@dataclass(frozen=True, slots=True)
class AnsweredBefore(Unchanged):
    """Another administrator answered before; nothing was changed."""

    privilege_request: PrivilegeRequest
    words: str


Decision = Answered | AnsweredBefore | Refused


def waiting(session: Session) -> Sequence[PrivilegeRequest]:
    """The requests that nobody has answered, oldest first."""
    query = select(PrivilegeRequest).where(PrivilegeRequest.answer.is_(None))
    return session.scalars(query.order_by(PrivilegeRequest.id)).all()


def find(session: Session, privilege_request_id: int) -> PrivilegeRequest | None:
    """A request as it stands now."""
    return session.get(PrivilegeRequest, privilege_request_id, populate_existing=True)


def ask(
    session: Session, *, reason: str, by: Actor, at: datetime, rules: Rules
) -> Asked | NotAsked | Refused:
    """Ask the administrators for what the person lacks, with a reason in their own words."""
    act, reason = "ask for the privilege", storable(reason).strip()
    person = _person(session, by)
    missing = by.refusal or lacks(person)
    if missing is None:
        return NotAsked(say("You are an accounting approver already: you may update and reject."))
    if missing not in CAN_BE_ASKED_FOR:
        return _refuse(session, missing, explain(missing, by.name, rules), act, by=by, at=at)
    if not reason:
        words = say("Say why you need it, for the administrator.")
        return _refuse(session, Refusal.COMMENT_MISSING, words, act, by=by, at=at)
    asked = [admin for admin in directory.administrators(session, rules) if admin.id != by.person_id]
    if not asked:
        return NotAsked(
            say(
                "costbot has no other administrator on record. Ask your company's Procore "
                "administrator yourself."
            )
        )
    added = _add(
        session,
        person_id=by.person_id,
        asker=by.name,
        asker_key=f"person:{by.person_id}" if by.person_id else f"name:{by.name}",
        lacks=missing,
        reason=reason,
        in_procore=rules.directory_is_procores,
        asked_at=at,
    )
    names = either([admin.name for admin in asked])
    if added is None:
        return NotAsked(say("You have asked already: it waits for {names}.", names=names))
    event = _record(session, Event.PRIVILEGE_ASKED, added, by=by, at=at)
    outbox.show_privilege_request(session, event, (admin.id for admin in asked))
    return Asked(
        added, say("{names} was asked, and you hear of the answer in a direct message.", names=names)
    )


def grant(session: Session, *, privilege_request_id: int, by: Actor, at: datetime, rules: Rules) -> Decision:
    """Make whoever asked an accounting approver; say that it is done, where another directory decides."""
    request = _enter(session, privilege_request_id, by=by, at=at, rules=rules)
    if not isinstance(request, PrivilegeRequest):
        return request
    if rules.directory_is_procores or request.person is None:
        request.answer = PrivilegeAnswer.DONE
        words = say(
            "{asker} is told that it is done, and may update once the directory says so.", asker=request.asker
        )
    else:
        directory.make_accounting_approver(session, request.person)
        request.answer = PrivilegeAnswer.GRANTED
        words = say(
            "{asker} is an accounting approver now. Change it in the company's own list of people "
            "too, or its next import takes it back.",
            asker=request.asker,
        )
    return _close(session, request, Event.PRIVILEGE_GRANTED, words, by=by, at=at, rules=rules)


def decline(
    session: Session, *, privilege_request_id: int, comment: str, by: Actor, at: datetime, rules: Rules
) -> Decision:
    """Say no, with a comment for whoever asked."""
    request = _enter(session, privilege_request_id, by=by, at=at, rules=rules)
    if not isinstance(request, PrivilegeRequest):
        return request
    comment = storable(comment).strip()
    if not comment:
        words = say("Say why in a comment, for the person who asked.")
        return _refuse(session, Refusal.COMMENT_MISSING, words, _ANSWER, by=by, at=at)
    request.answer, request.comment = PrivilegeAnswer.DECLINED, comment
    words = say("{asker} is told, with your comment.", asker=request.asker)
    return _close(session, request, Event.PRIVILEGE_DECLINED, words, by=by, at=at, rules=rules)


_ANSWERED = {
    PrivilegeAnswer.GRANTED: later("granted"),
    PrivilegeAnswer.DONE: later("done"),
    PrivilegeAnswer.DECLINED: later("declined"),
}
_ANSWER = "answer for the privilege"


def _enter(
    session: Session, privilege_request_id: int, *, by: Actor, at: datetime, rules: Rules
) -> PrivilegeRequest | AnsweredBefore | Refused:
    """Lock the request, and see that the actor may answer it and nobody has."""
    person = _person(session, by)
    if by.refusal is not None:
        return _refuse(session, by.refusal, explain(by.refusal, by.name, rules), _ANSWER, by=by, at=at)
    if person is None or not person.active or person.email not in rules.admin_emails:
        words = say(
            "Only {who} can answer this.",
            who=either(rules.admin_emails) or say("an administrator"),
        )
        return _refuse(session, Refusal.NOT_ADMINISTRATOR, words, _ANSWER, by=by, at=at)
    request = session.scalars(
        select(PrivilegeRequest)
        .where(PrivilegeRequest.id == privilege_request_id)
        .with_for_update(of=PrivilegeRequest),
        execution_options={"populate_existing": True},
    ).one()
    if request.person_id == by.person_id:
        words = say("You asked for this yourself: another administrator has to answer.")
        return _refuse(session, Refusal.OWN_PRIVILEGE, words, _ANSWER, by=by, at=at)
    if request.answer is not None:
        who = request.answered_by.name if request.answered_by else say("Somebody")
        return AnsweredBefore(
            request,
            say("{who} has answered this already: {answer}.", who=who, answer=say(_ANSWERED[request.answer])),
        )
    return request


def _close(
    session: Session,
    request: PrivilegeRequest,
    event_name: Event,
    words: str,
    *,
    by: Actor,
    at: datetime,
    rules: Rules,
) -> Answered:
    request.answered_by_id, request.answered_at = by.person_id, at
    session.flush()
    event = _record(session, event_name, request, by=by, at=at)
    outbox.show_privilege_request(
        session, event, (admin.id for admin in directory.administrators(session, rules))
    )
    if request.person_id is not None:
        outbox.tell_people(session, event, [request.person_id])
    return Answered(request, words)


def _add(session: Session, **columns: object) -> PrivilegeRequest | None:
    """Add a request, unless one of the same person waits."""
    noted = upsert(session, PrivilegeRequest).values(**columns).on_conflict_do_nothing()
    added = session.scalar(noted.returning(PrivilegeRequest.id))
    return session.get_one(PrivilegeRequest, added) if added is not None else None


def _record(
    session: Session, event: Event, request: PrivilegeRequest, *, by: Actor, at: datetime
) -> Recorded:
    return audit.record(
        session,
        event,
        by=by,
        at=at,
        privilege_request_id=request.id,
        person=request.asker,
        reason=request.lacks.value,
        words=request.reason,
        answer=request.answer,
        comment=request.comment,
    )


def _person(session: Session, by: Actor) -> Person | None:
    return session.get(Person, by.person_id, populate_existing=True) if by.person_id else None


def _refuse(session: Session, reason: Refusal, words: str, act: str, *, by: Actor, at: datetime) -> Refused:
    return audit.refuse(session, Refused(reason, words), act, by=by, at=at)
