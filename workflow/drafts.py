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
from workflow.database import upsert
from workflow.language import later
from workflow.merge import Assignment
from workflow.privileges import Actor, Refused, Rules
from workflow.requests import NothingNew, Requested
from workflow.results import Unchanged
from workflow.rows import FileProblem
from workflow.tables import Job, RequestDraft


class Content(BaseModel):
    """What was put in: cost codes picked, lines written, a file shared, categories ticked."""

    model_config = ConfigDict(frozen=True)

    picked: tuple[str, ...] = ()
    text: str = ""
    file_name: str = ""
    file_lines: tuple[tuple[int, str, str], ...] = ()
    """(line, cost code, category) of the file."""
    file_codes: tuple[tuple[int, str], ...] = ()
    """(line, cost code) of the file's lines that name no category."""
    ticked: Mapping[str, tuple[str, ...]] = {}
    """Categories by cost code, as they were ticked."""

    @property
    def lines_in_file(self) -> int:
        return len(self.file_lines) + len(self.file_codes)

    def to_tick(self, categories: Mapping[str, str]) -> list[str]:
        """The cost codes whose categories have to be ticked, each once; `categories` is name by code."""
        written = parse_lines(self.text, categories).codes
        return list(dict.fromkeys((*self.picked, *written, *(code for _, code in self.file_codes))))

    def assignments(self, categories: Mapping[str, str]) -> list[Assignment]:
        """Everything that the draft asks for, each once; `categories` is name by code."""
        written = parse_lines(self.text, categories).assignments
        filed = (Assignment(code, category) for _, code, category in self.file_lines)
        ticked = (
            Assignment(code, category)
            for code in self.to_tick(categories)
            for category in self.ticked.get(code, ())
        )
        return list(dict.fromkeys((*written, *filed, *ticked)))

    def with_file(self, name: str, asked: Asked) -> "Content":
        """The same with what a file says, in place of any file before."""
        pairs = zip(asked.lines, asked.assignments, strict=True)
        return self.model_copy(
            update={
                "file_name": name,
                "file_lines": tuple((line, one.code, one.category) for line, one in pairs),
                "file_codes": tuple(zip(asked.code_lines, asked.codes, strict=True)),
            }
        )

    def with_lines(
        self, lines: Sequence[str], *, longest: int, name: str, categories: Mapping[str, str]
    ) -> "Content":
        """The same with more lines: written ones while all fit in `longest`, else as a file of this name."""
        kept = [line for line in self.text.splitlines() if line.strip()]
        text = "\n".join(dict.fromkeys((*kept, *lines)))
        if len(text) <= longest:
            return self.model_copy(update={"text": text})
        return self.with_file(name, parse_lines("\n".join(lines), categories))


@dataclass(frozen=True, slots=True)
class NoDraft(Unchanged):
    """The draft is not what the window showed: it was requested, or changed in another window."""

    words: str = later(
        "This was requested already, or changed in another window, so nothing was done. "
        "/costcodes request opens what is still a draft."
    )


def of_person(session: Session, by: Actor) -> RequestDraft | None:
    """A person's draft."""
    return session.get(RequestDraft, by.person_id) if by.person_id is not None else None


def find(session: Session, by: Actor, token: str) -> RequestDraft | None:
    """A person's draft, as long as it is the one that a window shows."""
    draft = of_person(session, by)
    return draft if draft is not None and draft.token == token else None


def content_of(draft: RequestDraft | None) -> Content:
    """What a draft holds; nothing without one."""
    return Content.model_validate(draft.content) if draft is not None else Content()


def save(session: Session, by: Actor, content: Content, *, job_id: int | None, at: datetime) -> RequestDraft:
    """Keep what a person has put in, in place of what was kept before."""
    kept = {
        "token": secrets.token_hex(8),
        "job_id": job_id,
        "content": content.model_dump(mode="json"),
        "saved_at": at,
    }
    draft = upsert(session, RequestDraft).values(person_id=by.person_id, **kept)
    # in one statement: another window of theirs may request, or keep, the draft at this moment
    session.execute(draft.on_conflict_do_update(index_elements=[RequestDraft.person_id], set_=kept))
    return session.get_one(RequestDraft, by.person_id, populate_existing=True)


def discard(session: Session, by: Actor) -> None:
    """Forget a person's draft."""
    session.execute(delete(RequestDraft).where(RequestDraft.person_id == by.person_id))


def forget(session: Session, *, before: datetime) -> None:
    """Drop the drafts that nobody has touched since."""
    session.execute(delete(RequestDraft).where(RequestDraft.saved_at < before))


def problems(
    session: Session, content: Content, *, categories: Mapping[str, str], limits: SageLimits
) -> list[str]:
    """Why what was put in cannot be asked for: each line by its number, those of a file by its name too."""
    written = parse_lines(content.text, categories)
    filed = Asked(
        [Assignment(code, category) for _, code, category in content.file_lines],
        [line for line, _, _ in content.file_lines],
        [code for _, code in content.file_codes],
        [line for line, _ in content.file_codes],
    )
    unknown = requests.unknown_codes(session, content.picked, limits=limits)
    return [
        *(one.reason for one in unknown),
        *map(str, _wrong(session, written, limits)),
        *(f"{content.file_name}, {one}" for one in _wrong(session, filed, limits)),
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


def _wrong(session: Session, asked: Asked, limits: SageLimits) -> list[FileProblem]:
    """What is wrong with lines, in their order."""
    found = list(asked.problems)
    if asked.assignments:
        unfit = requests.unfit(session, asked.assignments, limits=limits)
        found += [FileProblem(asked.lines[one.index], None, one.reason) for one in unfit]
    unknown = requests.unknown_codes(session, asked.codes, limits=limits)
    found += [FileProblem(asked.code_lines[one.index], None, one.reason) for one in unknown]
    # a line with several categories names its cost code once
    return sorted(dict.fromkeys(found), key=lambda problem: problem.line or 0)
