"""People, jobs, lists and requests for tests, made in the session given and never committed here.

What has rules is made by the rules (`requested` asks, `accepted` Updates), so that a test starts from
a state that costbot itself can reach.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session

from workflow import acting, approvals, requests
from workflow.checks import SageLimits
from workflow.merge import Assignment
from workflow.privileges import Actor, Rules
from workflow.tables import Category, Job, Person, RequestedUpdate, StandardCostCode, StandardCostCodeCategory
from workflow.vocabulary import ErpPermission, Place

NINE = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
"""A Monday morning: when things happen, unless a test says otherwise."""
RULES = Rules()
LIMITS = SageLimits()
CATEGORIES = {"L": "Labor", "M": "Material", "S": "Subcontract"}
STANDARD_CODES = {
    "01-100": "General conditions",
    "03-300": "Cast-in-place concrete",
    "09-250": "Gypsum board",
    "16-100": "Electrical rough-in",
}


def later(minutes: float) -> datetime:
    """So many minutes after nine."""
    return NINE + timedelta(minutes=minutes)


def person(
    session: Session,
    email: str,
    *,
    name: str | None = None,
    erp_permission: ErpPermission = ErpPermission.NONE,
    can_push_to_accounting: bool = False,
    active: bool = True,
) -> Person:
    """Somebody in the directory; by default without any permission, as a project engineer is."""
    row = Person(
        email=email,
        name=name or email.partition("@")[0].replace(".", " ").title(),
        erp_permission=erp_permission,
        can_push_to_accounting=can_push_to_accounting,
        active=active,
    )
    session.add(row)
    session.flush()
    return row


def approver(session: Session, email: str = "ada.approver@example.com") -> Person:
    """An accounting approver."""
    return person(session, email, erp_permission=ErpPermission.STANDARD, can_push_to_accounting=True)


def actor(who: Person, place: Place = Place.COMMAND_LINE) -> Actor:
    """A person as somebody who acts."""
    return Actor(place, who.email, who.id)


def job(session: Session, number: str = "24-017", name: str = "Riverside Medical Center") -> Job:
    """A job without any request."""
    row = Job(number=number, name=name)
    session.add(row)
    session.flush()
    return row


def standard_list(
    session: Session,
    codes: Mapping[str, str] = STANDARD_CODES,
    categories: Mapping[str, str] = CATEGORIES,
) -> None:
    """The standard cost code list, each code tied to every category."""
    session.add_all(Category(code=code, name=name) for code, name in categories.items())
    session.add_all(StandardCostCode(code=code, description=text) for code, text in codes.items())
    session.flush()
    session.add_all(
        StandardCostCodeCategory(code=code, category=category) for code in codes for category in categories
    )
    session.flush()


def assignments(*pairs: str) -> list[Assignment]:
    """Assignments written as `03-300 L`, with the category last."""
    return [Assignment(*pair.split(" ", 1)) for pair in pairs]


def requested(
    session: Session,
    *,
    job: Job,
    by: Person,
    lines: Sequence[str] = ("03-300 L",),
    at: datetime = NINE,
) -> RequestedUpdate:
    """The open requested update of a job, after `by` asked for `lines`."""
    result = requests.request(
        session, job=job, assignments=assignments(*lines), by=actor(by), at=at, rules=RULES, limits=LIMITS
    )
    assert isinstance(result, requests.Requested), result
    return result.requested_update


def accepted(
    session: Session, *, job: Job, by: Person, approver: Person, lines: Sequence[str] = ("03-300 L",)
) -> RequestedUpdate:
    """A requested update that `approver` has Updated, after `by` asked for `lines`."""
    update = requested(session, job=job, by=by, lines=lines)
    result = approvals.accept(
        session,
        requested_update_id=update.id,
        revision=update.revision,
        by=actor(approver),
        at=NINE,
        rules=RULES,
    )
    assert isinstance(result, acting.Done), result
    return update
