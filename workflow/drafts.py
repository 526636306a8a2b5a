"""What somebody puts into the request window, kept between its steps until it is requested or a month old.

Owns one draft a person, and the step from a draft to a request: once, whatever is pressed twice. What may be
asked for is judged in `workflow.requests`.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import BaseModel, ConfigDict
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from workflow import queries, requests
from workflow.asked_lines import Asked, parse_lines
from workflow.checks import SageLimits
from workflow.columns import Unfit
from workflow.merge import Assignment
from workflow.privileges import Actor, Refused, Rules
from workflow.requests import NothingNew, Requested
from workflow.rows import FileProblem
from workflow.tables import Job, RequestDraft


class Content(BaseModel):
    """What was put in: cost codes picked, lines written, a file shared, categories ticked."""

    model_config = ConfigDict(frozen=True)

    picked: tuple[str, ...] = ()
    text: str = ""
    file_name: str = ""
    file_lines: tuple[tuple[str, str], ...] = ()
    """(cost code, category) of each line of the file."""
    file_codes: tuple[str, ...] = ()
    """Cost codes of the file that name no category."""
    ticked: Mapping[str, tuple[str, ...]] = {}
    """Categories by cost code, as they were ticked."""

    @property
    def is_empty(self) -> bool:
        return not (self.picked or self.text.strip() or self.file_lines or self.file_codes)

    def asked(self, categories: Mapping[str, str]) -> Asked:
        """What the written lines say; `categories` is name by code."""
        return parse_lines(self.text, categories)

    def to_tick(self, categories: Mapping[str, str]) -> list[str]:
        """The cost codes whose categories have to be ticked, each once."""
        return list(dict.fromkeys((*self.picked, *self.asked(categories).codes, *self.file_codes)))

    def assignments(self, categories: Mapping[str, str]) -> list[Assignment]:
        """Everything that the draft asks for, each once."""
        ticked = (
            Assignment(code, category)
            for code in self.to_tick(categories)
            for category in self.ticked.get(code, ())
        )
        filed = (Assignment(code, category) for code, category in self.file_lines)
        return list(dict.fromkeys((*self.asked(categories).assignments, *filed, *ticked)))


@dataclass(frozen=True, slots=True)
class NoDraft:
    """The draft is not what the window showed: it was requested, or changed in another window."""

    words: str = (
        "This was requested already, or changed in another window, so nothing was done. "
        "/costcodes request opens what is still a draft."
    )


def of_person(session: Session, person_id: int) -> RequestDraft | None:
    """A person's draft."""
    return session.get(RequestDraft, person_id)


def find(session: Session, person_id: int, token: str) -> RequestDraft | None:
    """A person's draft, as long as it is the one that a window shows."""
    draft = session.get(RequestDraft, person_id)
    return draft if draft is not None and draft.token == token else None


def content_of(draft: RequestDraft | None) -> Content:
    """What a draft holds; nothing without one."""
    return Content.model_validate(draft.content) if draft is not None else Content()


def save(
    session: Session, person_id: int, content: Content, *, job_id: int | None, at: datetime
) -> RequestDraft:
    """Keep what a person has put in, in place of what was kept before."""
    return session.merge(
        RequestDraft(
            person_id=person_id,
            token=secrets.token_hex(8),
            job_id=job_id,
            content=content.model_dump(mode="json"),
            saved_at=at,
        )
    )


def discard(session: Session, person_id: int) -> None:
    """Forget a person's draft."""
    session.execute(delete(RequestDraft).where(RequestDraft.person_id == person_id))


def forget(session: Session, *, before: datetime) -> None:
    """Drop the drafts that nobody has touched since."""
    session.execute(delete(RequestDraft).where(RequestDraft.saved_at < before))


def problems(
    session: Session, content: Content, *, categories: Mapping[str, str], limits: SageLimits
) -> list[FileProblem]:
    """Why what was written cannot be asked for, by line; the file's lines after them, by its name."""
    asked = content.asked(categories)
    filed = [Assignment(code, category) for code, category in content.file_lines]
    return [
        *asked.problems,
        *_unfit(session, asked.assignments, asked.lines, limits),
        *_unknown(session, asked.codes, asked.code_lines, limits),
        *_unfit(session, filed, [], limits),
        *_unknown(session, content.file_codes, [], limits),
    ]


def submit(
    session: Session, *, token: str, by: Actor, at: datetime, rules: Rules, limits: SageLimits
) -> Requested | NothingNew | Unfit | Refused | NoDraft:
    """Request what a draft asks for, which ends the draft; it stays where nothing could be requested."""
    mine = RequestDraft.person_id == by.person_id
    draft = session.scalars(
        select(RequestDraft).where(mine, RequestDraft.token == token).with_for_update()
    ).one_or_none()
    job = session.get(Job, draft.job_id) if draft and draft.job_id else None
    if draft is None or job is None:
        return NoDraft()
    result = requests.request(
        session,
        job=job,
        assignments=content_of(draft).assignments(queries.categories(session)),
        by=by,
        at=at,
        rules=rules,
        limits=limits,
    )
    if isinstance(result, Requested | NothingNew):
        session.delete(draft)
    return result


def _unfit(
    session: Session, assignments: Sequence[Assignment], lines: Sequence[int], limits: SageLimits
) -> list[FileProblem]:
    if not assignments:
        return []
    found = requests.unfit(session, assignments, limits=limits)
    return [FileProblem(lines[one.index] if lines else None, None, one.reason) for one in found]


def _unknown(
    session: Session, codes: Sequence[str], lines: Sequence[int], limits: SageLimits
) -> list[FileProblem]:
    found = requests.unknown_codes(session, codes, limits=limits)
    return [FileProblem(lines[one.index] if lines else None, None, one.reason) for one in found]
