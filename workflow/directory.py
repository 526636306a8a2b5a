"""What the company has: people, jobs, categories, the standard cost code list, and who is who in Slack.

Owns finding and adding them. Adding is by whole tables (a file, a refresh): what is named is
added or changed, what is not named stays.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, delete, select
from sqlalchemy.orm import Session

from workflow import audit
from workflow.bulk import among, chunks
from workflow.calendar import zone_named
from workflow.characters import storable
from workflow.columns import Problem, Unfit, misfits, unfit
from workflow.database import upsert
from workflow.language import language_of, later
from workflow.privileges import Actor, Rules, lacks
from workflow.rows import as_typed
from workflow.tables import (
    Category,
    Job,
    Person,
    RequestedUpdate,
    SlackLink,
    StandardCostCode,
    StandardCostCodeCategory,
    Table,
)
from workflow.vocabulary import ErpPermission, Event

_ROWS_A_STATEMENT = 500
_LOCALE_CHARACTERS = 30
_ZONE_CHARACTERS = SlackLink.__table__.c.time_zone.type.length  # type: ignore[attr-defined]
Row = TypeVar("Row")
# what each click asks, of the tables alone and past the session, which cost as much again
_jobs = Job.__table__.c
_people, _ties, _updates = Person.__table__.c, SlackLink.__table__.c, RequestedUpdate.__table__.c
_LOCK_JOB_OF = (
    select(_jobs.id)
    .where(_jobs.id.in_(select(_updates.job_id).where(_updates.id == bindparam("id"))))
    .with_for_update(key_share=True)
)
_SLACK_TIE = select(_ties.person_id, _people.name, _ties.time_zone, _ties.locale).where(
    _people.id == _ties.person_id,
    _ties.team_id == bindparam("team_id"),
    _ties.user_id == bindparam("user_id"),
)


def person_by_email(session: Session, email: str) -> Person | None:
    """The person with exactly this e-mail, letter case aside."""
    wanted = storable(email).strip().lower()
    return session.scalars(select(Person).where(Person.email == wanted)).one_or_none()


def job_by_number(session: Session, number: str) -> Job | None:
    """The job with exactly this number; where there is none, the one whose number looks the same."""
    written = storable(number).strip()
    for typed in dict.fromkeys((written, as_typed(written).strip())):
        job = session.scalars(select(Job).where(Job.number == typed)).one_or_none()
        if job is not None:
            return job
    return None


def accounting_approvers(session: Session) -> list[Person]:
    """Everybody who may Update now, by name."""
    likely = (
        select(Person).where(Person.active, Person.can_push_to_accounting).order_by(Person.name, Person.id)
    )
    return [person for person in session.scalars(likely) if lacks(person) is None]


def administrators(session: Session, rules: Rules) -> list[Person]:
    """The administrators of the setting, as far as the directory has them active, by name."""
    query = select(Person).where(Person.email.in_(rules.admin_emails), Person.active)
    return list(session.scalars(query.order_by(Person.name, Person.id)))


def lock_jobs(session: Session, job_ids: Iterable[int], *, wholly: bool = False) -> Sequence[Job]:
    """Take the jobs for this transaction, in the order of their ids, so that two never deadlock.

    `wholly`: also from whoever writes rows that name them, as who changes a job's number or project does.
    """
    query = select(Job).order_by(Job.id).with_for_update(key_share=not wholly)
    return [
        job
        for some in chunks(sorted(set(job_ids)), _ROWS_A_STATEMENT)
        for job in session.scalars(query.where(among(session, Job.id, some)))
    ]


def lock_job_numbers(session: Session, job_ids: Iterable[int]) -> dict[int, str]:
    """Take many jobs for this transaction as `lock_jobs` does, but make no objects: their numbers."""
    session.flush()
    query = select(_jobs.id, _jobs.number).order_by(_jobs.id).with_for_update(key_share=True)
    return {
        job_id: number
        for some in chunks(sorted(set(job_ids)), _ROWS_A_STATEMENT)
        for job_id, number in session.connection().execute(query.where(among(session, _jobs.id, some)))
    }


def read_back_at(session: Session, job_ids: Iterable[int]) -> dict[int, datetime | None]:
    """When what Sage holds for each of these jobs was last stored."""
    query = select(Job.id, Job.read_back_at)
    return {
        job_id: at
        for some in chunks(sorted(set(job_ids)), _ROWS_A_STATEMENT)
        for job_id, at in session.execute(query.where(Job.id.in_(some)))
    }


def lock_job_of(session: Session, requested_update_id: int | None) -> None:
    """Take the job of a requested update, which it keeps for ever, for this transaction.

    On SQLite, where one transaction writes at a time, all jobs are taken already.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.connection().execute(_LOCK_JOB_OF, {"id": requested_update_id})


def put_people(
    session: Session, rows: Sequence[Mapping[str, Any]], *, source: str, by: Actor, at: datetime
) -> Unfit | None:
    """Add or change people, all or none; keys as the columns of `Person`."""
    normal = [{**row, "email": row["email"].strip().lower()} for row in rows]
    wrong = unfit(Person, normal, key="email")
    if wrong:
        return wrong
    _put(session, Person, normal, key=["email"])
    audit.record(session, Event.IMPORTED, by=by, at=at, what="people", rows=len(rows), source=source)
    return None


def put_jobs(
    session: Session, rows: Sequence[Mapping[str, Any]], *, source: str, by: Actor, at: datetime
) -> Unfit | None:
    """Add or change jobs, all or none; keys `number`, `name`, `procore_project_id`."""
    wrong = unfit(Job, rows, key="number")
    if wrong:
        return wrong
    known = list(_known_jobs(session, rows))
    projects = {job.procore_project_id: job.number for job in known if job.procore_project_id is not None}
    taken = tuple(_taken_projects(rows, projects))
    if taken:
        return Unfit(taken)
    lock_jobs(session, [job.id for job in known], wholly=True)
    _put(session, Job, rows, key=["number"])
    audit.record(session, Event.IMPORTED, by=by, at=at, what="jobs", rows=len(rows), source=source)
    return None


def put_categories(
    session: Session, rows: Sequence[Mapping[str, Any]], *, source: str, by: Actor, at: datetime
) -> Unfit | None:
    """Add or rename standard categories, all or none; keys `code`, `name`."""
    wrong = unfit(Category, rows, key="code")
    if wrong:
        return wrong
    _put(session, Category, rows, key=["code"])
    audit.record(session, Event.IMPORTED, by=by, at=at, what="categories", rows=len(rows), source=source)
    return None


@dataclass(frozen=True, slots=True)
class StandardCode:
    """One row of the standard cost code list; `categories` is None where its source ties none to any."""

    code: str
    description: str
    categories: tuple[str, ...] | None


def put_standard_codes(
    session: Session, codes: Sequence[StandardCode], *, source: str, by: Actor, at: datetime
) -> list[str] | Unfit:
    """Add or change codes of the standard list, all or none, with the categories that it ties to each.

    The list comes from Sage, so a category that was not known yet is added, with its code for a
    name; returns those, for the person to name them.
    """
    rows = [{"code": code.code, "description": code.description} for code in codes]
    named = {category for code in codes for category in code.categories or ()}
    wrong = unfit(StandardCostCode, rows, key="code") or _unfit_categories(codes)
    if wrong:
        return wrong
    new = sorted(named - set(session.scalars(select(Category.code))))
    _put(session, Category, [{"code": code, "name": code} for code in new], key=["code"], change=False)
    _put(session, StandardCostCode, rows, key=["code"])
    for some in chunks([code for code in codes if code.categories is not None], _ROWS_A_STATEMENT):
        session.execute(
            delete(StandardCostCodeCategory).where(StandardCostCodeCategory.code.in_([c.code for c in some]))
        )
    _put(
        session,
        StandardCostCodeCategory,
        [{"code": code.code, "category": category} for code in codes for category in code.categories or ()],
        key=["code", "category"],
    )
    audit.record(session, Event.IMPORTED, by=by, at=at, what="standard codes", rows=len(codes), source=source)
    return new


def make_accounting_approver(session: Session, person: Person) -> None:
    """Give a person what they lack to Update: Standard on ERP Integrations, and Can Push to Accounting.

    For a directory that is costbot's own; the caller has it on record.
    """
    session.execute(select(Person.id).where(Person.id == person.id).with_for_update(key_share=True))
    session.refresh(person)
    if person.erp_permission is not ErpPermission.ADMIN:
        person.erp_permission = ErpPermission.STANDARD
    person.can_push_to_accounting = True
    session.flush()


class SlackTie(NamedTuple):
    """The person whom a Slack user is pinned to, and where and how they read, as Slack last said."""

    person_id: int
    name: str
    time_zone: str | None
    locale: str | None

    def knows(self, *, time_zone: str | None, locale: str | None) -> bool:
        """Whether Slack tells nothing new by these."""
        return not (_is_new_zone(self.time_zone, time_zone) or _is_new_locale(self.locale, locale))


def slack_tie(session: Session, team_id: str, user_id: str) -> SlackTie | None:
    """Who a Slack user is; None for one who is tied to nobody."""
    found = session.connection().execute(_SLACK_TIE, {"team_id": team_id, "user_id": user_id}).one_or_none()
    return SlackTie(*found) if found else None


def slack_user_of(session: Session, team_id: str, person_id: int) -> str | None:
    """The Slack user id that a person is pinned to in a workspace."""
    return session.scalars(
        select(SlackLink.user_id).where(SlackLink.team_id == team_id, SlackLink.person_id == person_id)
    ).one_or_none()


def time_zones(session: Session, person_ids: Collection[int]) -> dict[int, ZoneInfo]:
    """Where each of these people reads, as Slack last said; who is missing has not said so yet."""
    query = select(SlackLink.person_id, SlackLink.time_zone).where(
        SlackLink.person_id.in_(person_ids), SlackLink.time_zone.is_not(None)
    )
    return {person_id: ZoneInfo(zone) for person_id, zone in session.execute(query) if zone}


def languages(session: Session, person_ids: Collection[int]) -> dict[int, str]:
    """What each of these people reads, as Slack last said and costbot speaks it."""
    query = select(SlackLink.person_id, SlackLink.locale).where(
        SlackLink.person_id.in_(person_ids), SlackLink.locale.is_not(None)
    )
    spoken = {person_id: language_of(locale) for person_id, locale in session.execute(query)}
    return {person_id: language for person_id, language in spoken.items() if language}


def has_told(session: Session, person_id: int) -> bool:
    """Whether Slack has said where a person reads, and in which language."""
    query = select(SlackLink.person_id).where(
        SlackLink.person_id == person_id, SlackLink.time_zone.is_not(None), SlackLink.locale.is_not(None)
    )
    return session.scalars(query.limit(1)).first() is not None


def language_in_slack(session: Session, user_id: str) -> str | None:
    """What a Slack user reads, as Slack last said; None where it did not, or costbot does not speak it."""
    query = select(SlackLink.locale).where(SlackLink.user_id == user_id, SlackLink.locale.is_not(None))
    return language_of(session.scalars(query.limit(1)).first())


def note_locale(session: Session, team_id: str, user_id: str, locale: str | None) -> None:
    """Keep the language that a Slack user has set, also one that costbot does not speak yet."""
    link = session.get(SlackLink, (team_id, user_id))
    if link and locale and _is_new_locale(link.locale, locale):
        link.locale = locale[:_LOCALE_CHARACTERS]


def note_time_zone(session: Session, team_id: str, user_id: str, time_zone: str | None) -> None:
    """Keep where a Slack user reads."""
    link = session.get(SlackLink, (team_id, user_id))
    if link and _is_new_zone(link.time_zone, time_zone):
        link.time_zone = time_zone


def direct_channel(session: Session, team_id: str, user_id: str) -> str | None:
    """The direct message that costbot has with a Slack user, once it has written one."""
    link = session.get(SlackLink, (team_id, user_id))
    return link.direct_channel if link else None


def note_direct_channel(session: Session, team_id: str, user_id: str, channel: str | None) -> None:
    """Keep the direct message with a Slack user, which never changes; None where Slack knows it no more."""
    link = session.get(SlackLink, (team_id, user_id))
    if link is not None:
        link.direct_channel = channel


@dataclass(frozen=True, slots=True)
class AlreadyLinked:
    """The Slack user or the person is tied to somebody else already; an administrator must unlink first."""

    words: str


def link(
    session: Session, person: Person, *, team_id: str, user_id: str, by: Actor, at: datetime
) -> SlackLink | AlreadyLinked:
    """Pin a Slack user to a person; from then on a change of e-mail moves nothing."""
    # two first messages of one person may arrive at once
    session.execute(select(Person.id).where(Person.id == person.id).with_for_update(key_share=True))
    pinned = session.get(SlackLink, (team_id, user_id))
    if pinned and pinned.person_id == person.id:
        return pinned
    if pinned:
        return AlreadyLinked(
            later(
                "The Slack user {user_id} is tied to {email}. Unlink that person first.",
                user_id=user_id,
                email=pinned.person.email,
            )
        )
    other = slack_user_of(session, team_id, person.id)
    if other:
        return AlreadyLinked(
            later(
                "{email} is tied to the Slack user {other}. Unlink that person first.",
                email=person.email,
                other=other,
            )
        )
    tie = SlackLink(team_id=team_id, user_id=user_id, person_id=person.id, person=person, linked_at=at)
    session.add(tie)
    session.flush()
    audit.record(
        session, Event.PERSON_LINKED, by=by, at=at, person=person.email, team_id=team_id, user_id=user_id
    )
    return tie


def unlink(session: Session, person: Person, *, by: Actor, at: datetime) -> int:
    """Undo every tie of a person to Slack users; returns how many there were."""
    ties = session.scalars(select(SlackLink).where(SlackLink.person_id == person.id)).all()
    for tie in ties:
        session.delete(tie)
    session.flush()
    for tie in ties:
        audit.record(
            session,
            Event.PERSON_UNLINKED,
            by=by,
            at=at,
            person=person.email,
            team_id=tie.team_id,
            user_id=tie.user_id,
        )
    return len(ties)


def _is_new_locale(kept: str | None, said: str | None) -> bool:
    return (said or "")[:_LOCALE_CHARACTERS] not in ("", kept)


def _is_new_zone(kept: str | None, said: str | None) -> bool:
    """A zone that is unknown here is nothing new."""
    return said is not None and said != kept and _is_zone(said)


def _is_zone(name: str) -> bool:
    try:
        return len(name) <= _ZONE_CHARACTERS and bool(zone_named(name))
    except ValueError:
        return False


def _known_jobs(session: Session, rows: Sequence[Mapping[str, Any]]) -> Iterator[Job]:
    """The jobs on record that a row names, by its number or by its Procore project."""
    for some in chunks(rows, _ROWS_A_STATEMENT):
        projects = [row["procore_project_id"] for row in some if row.get("procore_project_id") is not None]
        numbers = [row["number"] for row in some]
        yield from session.scalars(
            select(Job).where(Job.number.in_(numbers) | Job.procore_project_id.in_(projects))
        )


def _taken_projects(rows: Sequence[Mapping[str, Any]], projects: dict[int, str]) -> Iterator[Problem]:
    """Rows that want a Procore project that is another job's; `projects` has the number of its job."""
    for index, row in enumerate(rows):
        project = row.get("procore_project_id")
        if project is not None and projects.setdefault(project, row["number"]) != row["number"]:
            yield Problem(
                index, "procore_project_id", f"{project} belongs to job {projects[project]} already"
            )


def _unfit_categories(codes: Sequence[StandardCode]) -> Unfit | None:
    problems = tuple(
        Problem(index, "categories", reason)
        for index, code in enumerate(codes)
        for category in code.categories or ()
        for _, reason in misfits(Category, {"code": category})
    )
    return Unfit(problems) if problems else None


def _put(
    session: Session,
    table: type[Table],
    rows: Sequence[Mapping[str, Any]],
    *,
    key: list[str],
    change: bool = True,
) -> None:
    """Add rows, and change those that are there; in the order of their keys, so that two never deadlock."""
    ordered = sorted(rows, key=lambda row: [row[name] for name in key])
    for some in chunks(ordered, _ROWS_A_STATEMENT):
        statement = upsert(session, table).values([dict(row) for row in some])
        changed = {name: statement.excluded[name] for name in rows[0] if name not in key}
        if change and changed:
            statement = statement.on_conflict_do_update(index_elements=key, set_=changed)
        else:
            statement = statement.on_conflict_do_nothing(index_elements=key)
        session.execute(statement)
