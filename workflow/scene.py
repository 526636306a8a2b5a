"""What an approver's act finds: the requested update, who acts, and what hangs on it, as they are now.

Owns the one look that every act takes once it holds the job's lock. What is seldom there is only looked for:
who needs more of it asks the module that owns it.
"""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from workflow import aways, directory, findings, four_eyes, holds, lines, waiting_steps
from workflow.privileges import Actor
from workflow.tables import Person, RequestedUpdate

_PERSON = select(Person).where(Person.id == bindparam("person_id"))
_LOOK = (
    select(
        RequestedUpdate,
        Person,
        four_eyes.HAS_FIRST,
        findings.IS_REFUSED,
        lines.ASKED_BY_OTHERS,
        waiting_steps.IS_AWAITED,
        holds.HAS_HOLDS,
        aways.stands_in(bindparam("person_id"), at=bindparam("at")),
    )
    .outerjoin(Person, Person.id == bindparam("person_id"))
    .where(RequestedUpdate.id == bindparam("id"))
)
_ANEW = {"populate_existing": True}


class Scene(NamedTuple):
    """What there is. Without a requested update, it joined another one or never was."""

    requested: RequestedUpdate | None
    person: Person | None
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
    directory.lock_job_of(session, requested_update_id)
    asked = {"id": requested_update_id, "person_id": by.person_id, "at": at}
    found = session.execute(_LOOK, asked, execution_options=_ANEW).one_or_none()
    return Scene(*found) if found else Scene(None, person_of(session, by))


def person_of(session: Session, by: Actor) -> Person | None:
    """The person who acts, as the directory has them now."""
    return session.scalars(_PERSON, {"person_id": by.person_id}, execution_options=_ANEW).one_or_none()
