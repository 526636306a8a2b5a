"""The steps of the request window as they stand now: read here, drawn by `bot.blocks.request_window`."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.blocks.pieces import Json
from bot.blocks.request_window import GridRow, RequestFacts, category_window, preview_window, request_window
from workflow import drafts, lines, queries
from workflow.checks import SageLimits
from workflow.request_preview import preview
from workflow.tables import Job, RequestDraft, StandardCostCodeCategory


def first_step(
    session: Session,
    draft: RequestDraft | None,
    *,
    job: Job | None = None,
    problems: Sequence[str] = (),
    note: str = "",
    begun_at: datetime | None = None,
    is_added_to: bool = False,
) -> Json:
    """What is asked for, as the draft has it; `job` comes before the draft's.

    `begun_at` tells of a draft that was there before the person came here, and `is_added_to` whether it
    holds more since.
    """
    content = drafts.content_of(draft)
    if job is None and draft is not None and draft.job_id is not None:
        job = session.get(Job, draft.job_id)
    names = lines.standard_descriptions(session, content.picked)
    facts = RequestFacts(
        token=draft.token if draft else "",
        job=(job.id, job.title) if job else None,
        picked=[(code, names.get(code, "")) for code in content.picked],
        text=content.text,
        file_name=content.file_name,
        lines_in_file=content.lines_in_file,
        begun_at=begun_at,
        is_added_to=is_added_to,
    )
    return request_window(facts, problems, note=note)


def grid_step(session: Session, draft: RequestDraft) -> Json:
    """The categories of each cost code that names none, ticked as before, else as the standard list has."""
    content, categories = drafts.content_of(draft), queries.categories(session)
    job = session.get_one(Job, draft.job_id)
    codes = content.to_tick(categories)
    names, in_sage = (
        lines.standard_descriptions(session, codes),
        lines.held_by_sage(session, job.id, codes=codes),
    )
    standard: dict[str, list[str]] = {}
    tied = select(StandardCostCodeCategory).where(StandardCostCodeCategory.code.in_(codes))
    for row in session.scalars(tied.order_by(StandardCostCodeCategory.category)):
        standard.setdefault(row.code, []).append(row.category)
    rows = [
        GridRow(
            code=code,
            description=names.get(code, ""),
            ticked=content.ticked.get(code) or standard.get(code) or (),
            in_sage=sorted(in_sage["", code].categories) if ("", code) in in_sage else (),
        )
        for code in codes
    ]
    return category_window(job.title, rows, categories, token=draft.token)


def preview_step(session: Session, draft: RequestDraft, *, limits: SageLimits) -> Json:
    """What the draft would do."""
    asked = drafts.content_of(draft).assignments(queries.categories(session))
    found = preview(session, session.get_one(Job, draft.job_id), asked, limits=limits)
    return preview_window(found, token=draft.token)
