"""What an approver's act finds: the requested update, who acts, and what hangs on it, as they are now.

Owns the one look that every act takes once it holds the job's lock. What is seldom there is only looked for:
who needs more of it asks the module that owns it.
"""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from workflow import aways, directory, findings, four_eyes, holds, lines, waiting_steps
from workflow.privileges import Actor, Known
from workflow.tables import Person, RequestedUpdate
from workflow.vocabulary import State


class Asked(NamedTuple):
    """The requested update, as far as an act asks for it."""

    id: int
    job_id: int
    state: State
    revision: int
    requested_by_id: int
    data_sync_id: int | None


# of the tables alone and past the session, which cost twice as much again
_updates, _people = RequestedUpdate.__table__, Person.__table__
_KNOWN = tuple(_people.c[name] for name in Known._fields)
_PERSON = select(*_KNOWN).where(_people.c.id == bindparam("person_id"))
_LOOK = (
    select(
        *(_updates.c[name] for name in Asked._fields),
        *_KNOWN,
        four_eyes.HAS_FIRST,
        findings.IS_REFUSED,
        lines.ASKED_BY_OTHERS,
        waiting_steps.IS_AWAITED,
        holds.HAS_HOLDS,
        aways.stands_in(bindparam("person_id"), at=bindparam("at")),
    )
    .select_from(_updates.outerjoin(_people, _people.c.id == bindparam("person_id")))
    .where(_updates.c.id == bindparam("id"))
)
_PEOPLE_FROM, _SELDOM_FROM = len(Asked._fields), len(Asked._fields) + len(Known._fields)


class Scene(NamedTuple):
    """What there is. Without a requested update, it joined another one or never was."""

    requested: Asked | None
    person: Known | None
    """Who acts, as the directory has them."""
    has_first: bool = False
    """An approver has Updated as the first of two, maybe at another revision."""
    is_refused: bool = False
    """The checks before Update found something that Sage would refuse."""
    asked_by_others: bool = False
    """Not every line was asked for by the one who asked for the requested update."""
    is_awaited: bool = False
    """A step of a workflow waits for it."""
    has_holds: bool = False
    """The job has contracts that are, or were, held."""
    stands_in: bool = False
    """Who acts is named to stand in for somebody now."""


def enter(session: Session, requested_update_id: int | None, *, by: Actor, at: datetime) -> Scene:
    """Lock the job of a requested update for this transaction, then look, whatever the session has read."""
    session.flush()
    directory.lock_job_of(session, requested_update_id)
    asked = {"id": requested_update_id, "person_id": by.person_id, "at": at}
    found = session.connection().execute(_LOOK, asked).one_or_none()
    if found is None:
        return Scene(None, person_of(session, by))
    known = found[_PEOPLE_FROM:_SELDOM_FROM]
    person = None if known[0] is None else Known(*known)
    return Scene(Asked(*found[:_PEOPLE_FROM]), person, *found[_SELDOM_FROM:])


def person_of(session: Session, by: Actor) -> Known | None:
    """The person who acts, as the directory has them now."""
    found = session.connection().execute(_PERSON, {"person_id": by.person_id}).one_or_none()
    return Known(*found) if found else None
