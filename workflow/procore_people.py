"""The company directory as Procore has it: who may Update follows it, and how old that knowledge may be.

Owns the tie between a user of Procore and a person, made once by exact e-mail and kept by id. costbot never
changes what somebody may do there. Reading Procore is `sync.procore`'s.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from workflow import audit
from workflow.characters import storable
from workflow.database import upsert
from workflow.outbox import CLOCKS_DIFFER
from workflow.privileges import Rules, lacks
from workflow.procore_intake import PROCORE, REQUESTER_EMAIL
from workflow.procore_projects import mark, set_mark
from workflow.tables import Person, ProcoreMark, ProcorePerson
from workflow.vocabulary import ErpPermission, Event, Refusal

_MARK = "people"
_MOVED = "people moved "
"""With the id of a user: their e-mail is new, and the event that tells of it is not on record yet."""
_USERS_A_STATEMENT = 1_000
_NAME_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class ProcoreUser:
    """A user of Procore's Company Directory with an e-mail, and what counts there for an Update."""

    user_id: int
    email: str
    name: str
    permission: ErpPermission
    can_push_to_accounting: bool
    active: bool


@dataclass(frozen=True, slots=True)
class TakenPeople:
    """What a reading of the directory did: people in it, those who are new or changed, and those gone."""

    people: int
    changed: int
    gone: int


@dataclass(frozen=True, slots=True)
class Change:
    """Somebody whom a reading would change; `lacks` is what they would not have for an Update."""

    name: str
    email: str
    lacks: Refusal | None


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What a reading of the directory would do: who is deactivated, who could Update no more, who then could.

    Who may Update now and is deactivated is in both.
    """

    people: int
    deactivated: tuple[Change, ...]
    lose: tuple[Change, ...]
    gain: tuple[Change, ...]


def foresee(session: Session, users: Sequence[ProcoreUser]) -> Foreseen:
    """What `take_all` would do with this directory; nothing is changed."""
    ties = dict(session.execute(select(ProcorePerson.user_id, ProcorePerson.person_id)).all())
    people = session.scalars(select(Person).where(Person.email != REQUESTER_EMAIL)).all()
    by_id, by_email = {each.id: each for each in people}, {each.email: each for each in people}
    after: dict[str, Person] = {}
    for user in users:
        email = _email(user)
        known = by_id.get(ties.get(user.user_id, 0)) or by_email.get(email)
        after[known.email if known else email] = Person(
            email=known.email if known else email,
            name=user.name,
            erp_permission=user.permission,
            can_push_to_accounting=user.can_push_to_accounting,
            active=user.active,
        )
    here = [(each, _lacks_after(after.get(each.email))) for each in people]
    new = [(each, lacks(each)) for email, each in after.items() if email not in by_email]
    could_not = [(each, lack) for each, lack in here if lacks(each) is not None]
    return Foreseen(
        people=len(users),
        deactivated=_changes(
            (each, lack) for each, lack in here if each.active and lack is Refusal.DEACTIVATED
        ),
        lose=_changes((each, lack) for each, lack in here if lacks(each) is None and lack is not None),
        gain=_changes((each, lack) for each, lack in [*could_not, *new] if lack is None),
    )


def moving(session: Session, users: Collection[ProcoreUser]) -> list[ProcoreUser]:
    """Those who have another e-mail in Procore than their person has here."""
    ties = select(ProcorePerson.user_id, Person.email).join(ProcorePerson.person)
    ids, emails = [user.user_id for user in users], dict[int, str]()
    for start in range(0, len(ids), _USERS_A_STATEMENT):
        some = ProcorePerson.user_id.in_(ids[start : start + _USERS_A_STATEMENT])
        emails.update(session.execute(ties.where(some)).all())
    moving = [user for user in users if emails.get(user.user_id, _email(user)) != _email(user)]
    return sorted(moving, key=lambda each: each.user_id)


def move(session: Session, user: ProcoreUser, *, at: datetime) -> None:
    """Follow a change of e-mail before `take`, in a transaction of its own; not where another has it.

    PostgreSQL locks a person whose e-mail changes against every row that names them, and whoever has the
    end of the trail writes such rows: so nobody may wait for that end with a changed e-mail. A mark stands
    for the event until `take_all` or `take_one` records it, in whichever run that is.
    """
    tie, email = session.get(ProcorePerson, user.user_id), _email(user)
    if tie is None or session.scalar(select(Person.id).where(Person.email == email)) is not None:
        return
    # before the person, as whoever takes them has it: so neither waits for the other
    mark = upsert(session, ProcoreMark).values(name=_moved_mark(user.user_id), at=at)
    session.execute(mark.on_conflict_do_update(index_elements=["name"], set_={"at": mark.excluded.at}))
    tie.person.email = email
    session.flush()


def take_all(session: Session, users: Sequence[ProcoreUser], *, at: datetime, now: datetime) -> TakenPeople:
    """Take over the whole directory: who is not in it loses every right, and keeps their tie to Slack.

    It was read from `at` on. Who was read by themselves since then stays as they were read.
    """
    moved = _untold_moves(session)
    changed = sum(
        take(session, user, at=at, now=now) or _moved_mark(user.user_id) in moved
        for user in sorted(users, key=lambda each: each.user_id)
    )
    seen = {user.user_id for user in users}
    ties = {tie.person_id: tie for tie in session.scalars(select(ProcorePerson))}
    active = session.scalars(select(Person).where(Person.active, Person.email != REQUESTER_EMAIL))
    gone = [
        person
        for person in active
        if (tie := ties.get(person.id)) is None or not (tie.user_id in seen or _was_read(tie, at, now))
    ]
    for person in gone:
        person.active = False
    set_mark(session, _MARK, at)
    session.flush()
    if changed or gone or moved:
        _record(session, len(users), at=at)
    return TakenPeople(len(users), changed, len(gone))


def take(session: Session, user: ProcoreUser, *, at: datetime, now: datetime) -> bool:
    """Take over one user, but for a change of e-mail; whether anything about them is new.

    They were read from `at` on: where somebody has read them since, that is the newer.
    """
    tie, email = _locked(session, user.user_id), _email(user)
    if tie is not None and _was_read(tie, at, now):
        return False
    same_email = select(Person).where(Person.email == email)
    person = tie.person if tie else session.scalars(same_email).one_or_none()
    facts = (
        storable(user.name)[:_NAME_CHARACTERS],
        user.permission,
        user.can_push_to_accounting,
        user.active,
    )
    if person is None:
        name, permission, privilege, active = facts
        person = Person(
            email=email,
            name=name,
            erp_permission=permission,
            can_push_to_accounting=privilege,
            active=active,
        )
        session.add(person)
        session.flush()
        changed = True
    else:
        had = (person.name, person.erp_permission, person.can_push_to_accounting, person.active)
        changed = had != facts
        person.name, person.erp_permission, person.can_push_to_accounting, person.active = facts
    if tie is None:
        _tie(session, user.user_id, person, at=at)
    else:
        tie.read_at = at
    session.flush()
    return changed


def take_one(session: Session, user: ProcoreUser, *, at: datetime, now: datetime) -> bool:
    """Take over one user by themselves; whether anything about them is new, which is on record then."""
    moved = _untold_moves(session, user.user_id)
    changed = take(session, user, at=at, now=now) or bool(moved)
    if changed:
        _record(session, 1, at=at)
    return changed


def gone(session: Session, person_id: int, *, at: datetime, now: datetime) -> bool:
    """Procore has this person no more: they lose every right. Whether they had not before."""
    tie = _tie_of(session, person_id)
    moved = _untold_moves(session, tie.user_id) if tie else ()
    tie = _locked(session, tie.user_id) if tie else None
    was_active = False
    if tie is None or not _was_read(tie, at, now):
        person = session.get_one(Person, person_id, populate_existing=True)
        was_active, person.active = person.active, False
        if tie is not None:
            tie.read_at = at
        session.flush()
    if was_active or moved:
        _record(session, 1, at=at)
    return was_active


def person_of(session: Session, user_id: int) -> int | None:
    """Who a user of Procore is, where it is known."""
    tie = session.get(ProcorePerson, user_id)
    return tie.person_id if tie else None


def user_of(session: Session, person_id: int) -> int | None:
    """The id of a person in Procore, where it is known."""
    tie = _tie_of(session, person_id)
    return tie.user_id if tie else None


def active_users(session: Session, *, but: Collection[int]) -> list[int]:
    """The ids in Procore of people who are active here, but for these."""
    query = select(ProcorePerson.user_id).join(Person).where(Person.active).order_by(ProcorePerson.user_id)
    return [user_id for user_id in session.scalars(query) if user_id not in set(but)]


def read_at(session: Session) -> datetime | None:
    """When the whole directory was last read."""
    return mark(session, _MARK)


def is_too_old(session: Session, person_id: int, *, at: datetime, rules: Rules) -> bool:
    """Whether what is known of a person is too old to decide by; never where the directory is costbot's."""
    if rules.people_known_for is None:
        return False
    tie = _tie_of(session, person_id)
    # what was read in time to come was so by a clock that was ahead
    return tie is None or not at - rules.people_known_for <= tie.read_at <= at + CLOCKS_DIFFER


def _moved_mark(user_id: int) -> str:
    return f"{_MOVED}{user_id}"


def _untold_moves(session: Session, user_id: int | None = None) -> frozenset[str]:
    """The marks of this user's change of e-mail, or of all; gone with them, so that an event tells of it."""
    whose = (
        ProcoreMark.name.startswith(_MOVED) if user_id is None else ProcoreMark.name == _moved_mark(user_id)
    )
    return frozenset(session.scalars(delete(ProcoreMark).where(whose).returning(ProcoreMark.name)))


def _email(user: ProcoreUser) -> str:
    return storable(user.email).strip().lower()


def _lacks_after(person: Person | None) -> Refusal | None:
    """What somebody would lack of whom the directory says this; one who is not in it is deactivated."""
    return Refusal.DEACTIVATED if person is None else lacks(person)


def _changes(found: Iterable[tuple[Person, Refusal | None]]) -> tuple[Change, ...]:
    changes = (Change(person.name, person.email, lack) for person, lack in found)
    return tuple(sorted(changes, key=lambda each: (each.name, each.email)))


def _record(session: Session, rows: int, *, at: datetime) -> None:
    """App Home follows the trail, so what changes who may do what has to be on it."""
    audit.record(session, Event.IMPORTED, by=PROCORE, at=at, what="people", rows=rows, source="Procore")


def _was_read(tie: ProcorePerson, at: datetime, now: datetime) -> bool:
    """Whether somebody was read later than `at`, unless by a clock that was ahead."""
    return at < tie.read_at <= now


def _locked(session: Session, user_id: int) -> ProcorePerson | None:
    mine = {"key_share": True, "of": ProcorePerson}
    return session.get(ProcorePerson, user_id, with_for_update=mine, populate_existing=True)


def _tie(session: Session, user_id: int, person: Person, *, at: datetime) -> None:
    former = _tie_of(session, person.id)
    if former is not None:
        # the same e-mail under a new id: removed from the directory, and added again
        session.delete(former)
        session.flush()
    session.add(ProcorePerson(user_id=user_id, person_id=person.id, read_at=at))


def _tie_of(session: Session, person_id: int) -> ProcorePerson | None:
    query = select(ProcorePerson).where(ProcorePerson.person_id == person_id)
    return session.scalars(query, execution_options={"populate_existing": True}).one_or_none()
