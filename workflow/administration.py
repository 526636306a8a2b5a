"""What an administrator wants to know: who may Update, who nearly may, and what Slack was not told.

Who may is Procore's Accountant Report (ERP Integrations, Configure Settings): the people who hold both the
permission and the privilege. Reads only.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.orm import Session

from workflow import outbox, procore_people, queries
from workflow.outbox import Backlog
from workflow.privileges import USUAL_RULES, Rules, lacks
from workflow.tables import OutboxNotice, Person
from workflow.vocabulary import ErpPermission, Refusal


@dataclass(frozen=True, slots=True)
class NearlyApprover:
    """Somebody who lacks one condition alone to be an accounting approver."""

    name: str
    email: str
    lacks: Refusal


@dataclass(frozen=True, slots=True)
class Undelivered:
    """Notices that Slack was not told of for one reason, and since when; `given_up` of them for good."""

    reason: str
    notices: int
    given_up: int
    oldest: datetime


@dataclass(frozen=True, slots=True)
class AccountantReport:
    """Who may Update and who nearly may, by name: the first of each, and how many there are.

    `read_at` is when Procore's directory was last read; None where it never was, or people are not Procore's.
    """

    approvers: tuple[str, ...]
    approvers_in_all: int
    nearly: tuple[NearlyApprover, ...]
    nearly_in_all: int
    read_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Administration:
    """How costbot stands: the people, what waits for Slack, and import files that nobody imported."""

    report: AccountantReport
    backlog: Backlog
    undelivered: tuple[Undelivered, ...]
    late_files: tuple[str, ...]


def administration(
    session: Session, *, limit: int, now: datetime, rules: Rules = USUAL_RULES
) -> Administration:
    """Everything at once; lists hold `limit` entries at most."""
    return Administration(
        report=accountant_report(session, limit=limit, rules=rules),
        backlog=outbox.backlog(session, now=now),
        undelivered=tuple(undelivered(session, limit=limit)),
        late_files=tuple(sync.file or sync.batch for sync in queries.overdue_syncs(session)[:limit]),
    )


def accountant_report(
    session: Session, *, limit: int | None = None, rules: Rules = USUAL_RULES
) -> AccountantReport:
    """Who may Update, and who lacks exactly one of the three conditions."""
    approvers, nearly = _lacking(0), _lacking(1)
    return AccountantReport(
        tuple(person.name for person in _people(session, approvers, limit)),
        _count(session, approvers),
        tuple(_nearly(_people(session, nearly, limit))),
        _count(session, nearly),
        procore_people.read_at(session) if rules.directory_is_procores else None,
    )


def undelivered(session: Session, *, limit: int) -> Sequence[Undelivered]:
    """The notices that were tried in vain and have not arrived since, by reason, the most first."""
    given_up = func.sum(case((OutboxNotice.given_up, 1), else_=0))
    rows = session.execute(
        select(OutboxNotice.last_error, func.count(), given_up, func.min(OutboxNotice.created_at))
        .where(OutboxNotice.done_at.is_(None), OutboxNotice.last_error.is_not(None))
        .group_by(OutboxNotice.last_error)
        .order_by(func.count().desc(), OutboxNotice.last_error)
        .limit(limit)
    )
    return [Undelivered(reason or "", count, int(lost), oldest) for reason, count, lost, oldest in rows]


def _lacking(conditions: int) -> ColumnElement[bool]:
    """Whether a person lacks so many of the conditions that `privileges.lacks` goes through."""
    met = (
        Person.active,
        Person.erp_permission.in_((ErpPermission.STANDARD, ErpPermission.ADMIN)),
        Person.can_push_to_accounting,
    )
    active, permission, privilege = (case((each, 0), else_=1) for each in met)
    return active + permission + privilege == conditions


def _people(session: Session, which: ColumnElement[bool], limit: int | None) -> Sequence[Person]:
    query = select(Person).where(which).order_by(Person.name, Person.id)
    return session.scalars(query.limit(limit)).all()


def _count(session: Session, which: ColumnElement[bool]) -> int:
    return session.scalar(select(func.count()).select_from(Person).where(which)) or 0


def _nearly(people: Iterable[Person]) -> Iterable[NearlyApprover]:
    for person in people:
        reason = lacks(person)
        if reason is not None:
            yield NearlyApprover(person.name, person.email, reason)
