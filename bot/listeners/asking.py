"""Asking for cost codes from Slack: by the command, by the shortcuts, and step by step in the window.

What is put in is kept as a draft at each step (`workflow.drafts`), so a window closed by accident loses
only what was not sent with Next. What may be asked for is judged in `workflow.requests`.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from slack_bolt import Ack, App
from sqlalchemy.orm import Session

from bot.answering import result_window
from bot.blocks.request_window import (
    CODES_BLOCK,
    GRID_CODES,
    JOB_BLOCK,
    LINES_BLOCK,
    LINES_LENGTH,
    TICK_BLOCK,
    TITLE,
    not_requested,
    requested,
    unread,
)
from bot.blocks.updates_window import message_view
from bot.interaction import Interaction, UnreadableError, interaction_of
from bot.links import standing_card
from bot.listeners.opening import loading
from bot.listeners.request_steps import first_step, grid_step, preview_step
from bot.listeners.shared_files import shared_lines
from bot.payloads import Action, DraftMark, FirstStep, Shortcut, Window
from bot.visit import Services, Visit, lazily
from workflow import asked_lines, directory, drafts, lines, queries, requests, search
from workflow.asked_lines import EXAMPLE
from workflow.columns import Unfit
from workflow.drafts import NoDraft
from workflow.language import say
from workflow.privileges import Actor, Refused
from workflow.requests import NothingNew, Requested
from workflow.tables import Job, RequestDraft


def register(app: App, services: Services) -> None:
    """Listen to the shortcuts, and to every step of the window."""
    app.shortcut(Shortcut.REQUEST.value)(lazily(services, ask))
    app.shortcut(Shortcut.REQUEST_THESE.value)(lazily(services, ask_for_these))
    app.action(Action.CHANGE_REQUEST.value)(lazily(services, change))
    app.action(Action.START_OVER.value)(lazily(services, start_over))
    app.view(Window.REQUEST.value)(lazily(services, take_first_step, acknowledge=_check_first_step))
    app.view(Window.CATEGORIES.value)(lazily(services, take_categories, acknowledge=_look))
    app.view(Window.PREVIEW.value)(lazily(services, submit, acknowledge=_look))


def ask(visit: Visit, typed: str = "") -> None:
    """Open the window with what the person has as a draft; `typed` names the job."""
    visit.open(loading(TITLE))
    refused = visit.check(partial(_may_ask, visit))
    if refused:
        return visit.deny(refused)
    with visit.reading() as session:
        job, note = _job(session, typed)
        draft = drafts.of_person(session, visit.actor)
        begun_at = draft.saved_at if draft else None
        step = first_step(session, draft, job=job, note=note, begun_at=begun_at)
    return visit.show(step)


def ask_for_these(visit: Visit) -> None:
    """Open the window with the cost codes that a message lists, beside what is a draft already."""
    visit.open(loading(TITLE))

    def begin(session: Session, by: Actor, at: datetime) -> Refused | _TakenOver:
        return _may_ask(visit, session, by, at) or _take_over(session, visit.interaction.message, by, at)

    begun = visit.act(begin)
    if isinstance(begun, Refused):
        return visit.deny(begun)
    with visit.reading() as session:
        step = first_step(
            session,
            drafts.of_person(session, visit.actor),
            note=begun.note,
            begun_at=begun.draft_since,
            is_added_to=begun.is_added,
        )
    return visit.show(step)


def change(visit: Visit) -> None:
    """Go back to the first step with everything that was put in."""
    with visit.reading() as session:
        step = first_step(session, drafts.of_person(session, visit.actor))
    visit.show(step)


def start_over(visit: Visit) -> None:
    """Empty the draft and the window."""
    visit.act(lambda session, by, _: drafts.discard(session, by))
    with visit.reading() as session:
        step = first_step(session, None)
    visit.show(step)


def take_first_step(visit: Visit) -> None:
    """Keep what was put in, and show what is wrong with it, or the next step."""
    act = visit.interaction
    if _errors(act):
        return None  # the window said so and is still open
    with visit.reading() as session:
        categories = queries.categories(session)
    name, filed, trouble = shared_lines(visit, categories)

    def keep(session: Session, by: Actor, at: datetime) -> Refused | tuple[RequestDraft, list[str]]:
        refused = _may_ask(visit, session, by, at)
        if refused:
            return refused
        content = drafts.content_of(drafts.of_person(session, by)).model_copy(
            update={"picked": act.picked.get(CODES_BLOCK, ()), "text": act.inputs.get(LINES_BLOCK, "")}
        )
        if filed:
            content = content.with_file(name, filed)
        draft = drafts.save(session, by, content, job_id=int(act.picked[JOB_BLOCK][0]), at=at)
        wrong = drafts.problems(session, content, categories=categories, limits=visit.services.limits)
        return draft, [*trouble, *wrong, *_too_many(len(content.to_tick(categories)))]

    kept = visit.act(keep)
    if isinstance(kept, Refused):
        return visit.deny(kept)
    draft, problems = kept
    if not problems and not drafts.content_of(draft).to_tick(categories):
        return _preview(visit, draft)
    with visit.reading() as session:
        step = first_step(session, draft, problems=problems) if problems else grid_step(session, draft)
    return visit.show(step)


def take_categories(visit: Visit) -> None:
    """Keep what was ticked, and show what the request would do."""
    act = visit.interaction
    mark = act.read(DraftMark)
    ticked = {
        block_id.removeprefix(TICK_BLOCK): categories
        for block_id, categories in act.picked.items()
        if block_id.startswith(TICK_BLOCK)
    }

    def keep(session: Session, by: Actor, at: datetime) -> RequestDraft | NoDraft:
        draft = drafts.find(session, by, mark.token)
        if draft is None:
            return NoDraft()
        content = drafts.content_of(draft).model_copy(update={"ticked": ticked})
        return drafts.save(session, by, content, job_id=draft.job_id, at=at)

    draft = visit.act(keep)
    if isinstance(draft, NoDraft):
        return visit.answer(draft.words)
    return _preview(visit, draft)


def submit(visit: Visit) -> None:
    """Request what the preview showed, and say where it is."""
    mark = visit.interaction.read(DraftMark)
    result = visit.act(
        lambda session, by, at: drafts.submit(
            session, token=mark.token, by=by, at=at, rules=visit.rules, limits=visit.services.limits
        )
    )
    match result:
        case Requested(requested_update=update) | NothingNew(requested_update=update):
            with visit.reading() as session:
                title = session.get_one(Job, update.job_id).title
            services = visit.services
            card = standing_card(services.database, services.gateway, update.job_id, at=visit.now)
            visit.tell(requested(title, result, channel=visit.services.settings.channel, card=card))
        case Unfit(problems=problems):
            with visit.reading() as session:
                draft = drafts.of_person(session, visit.actor)
                why = [one.reason for one in problems]
                step = first_step(session, draft, problems=why)
            visit.show_or_tell(step, not_requested(why))
        case Refused():
            visit.deny(result)
        case NoDraft(words=words):
            visit.answer(words)


def _check_first_step(ack: Ack, body: dict[str, Any]) -> None:
    """Keep the window open while it asks for nothing; else show that it is being looked at."""
    try:
        errors = _errors(interaction_of(body))
    except UnreadableError:
        errors = {}  # a window of an older costbot is answered after the ack
    if errors:
        ack(response_action="errors", errors=errors)
    else:
        _look(ack, body)


def _look(ack: Ack, body: dict[str, Any]) -> None:
    waiting = message_view(TITLE, say("Looking… If nothing follows, /costcodes request goes on from here."))
    ack(response_action="update", view=result_window(interaction_of(body), waiting))


def _errors(act: Interaction) -> dict[str, str]:
    """What is missing in the first step, by block id."""
    errors = {}
    if not act.picked.get(JOB_BLOCK):
        errors[JOB_BLOCK] = say("Choose the job.")
    kept = act.read(FirstStep).lines_in_file
    if not (act.picked.get(CODES_BLOCK) or act.inputs.get(LINES_BLOCK, "").strip() or act.files or kept):
        errors[LINES_BLOCK] = say("Choose cost codes above, write them here, or share a file.")
    return errors


def _may_ask(visit: Visit, session: Session, by: Actor, at: datetime) -> Refused | None:
    return requests.check(session, by=by, at=at, rules=visit.rules)


@dataclass(frozen=True)
class _TakenOver:
    """What came of a message: what to say in the window, if anything, and what the draft was before."""

    note: str
    draft_since: datetime | None
    is_added: bool


def _take_over(session: Session, message: str, by: Actor, at: datetime) -> _TakenOver:
    """Put the cost codes of a message into the draft."""
    like = asked_lines.code_like(message)
    categories = queries.categories(session)
    on_list = lines.standard_descriptions(session, like)
    found = asked_lines.lines_of_message(message, on_list, categories)
    jobs = [job for number in sorted(like) if (job := directory.job_by_number(session, number))]
    note = unread(asked_lines.unread_lines(message, {*on_list, *(job.number for job in jobs)}))
    draft = drafts.of_person(session, by)
    since = draft.saved_at if draft else None
    if not found:
        nothing = say(
            "There is no cost code of the standard list in this message. Choose or write them here."
        )
        return _TakenOver("\n".join(filter(None, (nothing, note))), since, is_added=False)
    job_id = jobs[0].id if len(jobs) == 1 else draft.job_id if draft else None
    content = drafts.content_of(draft).with_lines(
        found, longest=LINES_LENGTH, name=say("The message"), categories=categories
    )
    drafts.save(session, by, content, job_id=job_id, at=at)
    return _TakenOver(note, since, is_added=True)


def _job(session: Session, typed: str) -> tuple[Job | None, str]:
    """The job that was typed, as far as that is clear, and what to say when it is not."""
    if not typed:
        return None, ""
    exact = directory.job_by_number(session, typed)
    found = [exact] if exact else search.jobs(session, typed, limit=2)
    if len(found) == 1:
        return found[0], ""
    if found:
        return None, say("Which job is “{typed}”? Choose the job below.", typed=typed)
    return None, say("There is no job “{typed}”. Choose the job below.", typed=typed)


def _too_many(to_tick: int) -> list[str]:
    if to_tick <= GRID_CODES:
        return []
    return [
        say(
            "{to_tick:,} cost codes name no category, and the next step has room for {most}: "
            "write their categories too, a line each, such as {example}",
            to_tick=to_tick,
            most=GRID_CODES,
            example=EXAMPLE,
        )
    ]


def _preview(visit: Visit, draft: RequestDraft) -> None:
    if draft.job_id is not None:
        visit.services.read_back(draft.job_id)
    with visit.reading() as session:
        step = preview_step(session, draft, limits=visit.services.limits)
    visit.show(step)
