"""Update several: many ready jobs in one window, each accepted at the revision that was shown beside its box.

Every job is a transaction of its own by `approvals.accept`, so that one which is refused undoes no other.
"""

from collections.abc import Iterable
from datetime import datetime
from math import ceil
from typing import Any

import structlog
from slack_bolt import Ack, App
from sqlalchemy.orm import Session

from bot.answering import result_window as waiting_window
from bot.blocks.pieces import Json
from bot.blocks.several_windows import (
    JOBS_A_PAGE,
    MOST_AT_ONCE,
    TITLE,
    ReadyJob,
    Result,
    Unsure,
    confirm_window,
    list_window,
    result_message,
    result_window,
    tick_of,
)
from bot.blocks.updates_window import message_view
from bot.interaction import UnreadableError, interaction_of
from bot.listeners.opening import loading
from bot.payloads import Action, SeveralButton, SeveralMetadata, Tick, Window
from bot.visit import RepeatedError, Services, UnsureError, Visit, lazily
from workflow import approvals, queries
from workflow.acting import Decision
from workflow.language import later, say
from workflow.privileges import Actor
from workflow.vocabulary import State

_NOTHING_TICKED = later("Tick at least one job, then press Next.")
_ALL_CHANGED = later("Every job that you ticked has changed since. Nothing was done.")
_TOO_MANY = later("At most {most} jobs at once: the first {most} stay ticked.", most=MOST_AT_ONCE)
_log = structlog.get_logger()


def register(app: App, services: Services) -> None:
    """Listen to the button that opens the list, to its boxes and pages, and to its two windows."""
    for action, handle in ((Action.UPDATE_SEVERAL, open_list), (Action.TURN_SEVERAL, turn_page)):
        app.action(action.value)(lazily(services, handle))
    app.action(Action.TICK.value)(acknowledge)
    app.view(Window.SEVERAL.value)(lazily(services, ask, acknowledge=wait_for_list))
    app.view(Window.SEVERAL_CONFIRM.value)(lazily(services, update, acknowledge=wait_for_results))


def acknowledge(ack: Ack) -> None:
    """Tell Slack that the click arrived; a tick waits in the window until it is submitted."""
    ack()


def wait_for_list(ack: Ack, body: dict[str, Any]) -> None:
    """Show that the ticked jobs are looked at."""
    _wait(ack, body, say("Looking at the jobs that you ticked…"))


def wait_for_results(ack: Ack, body: dict[str, Any]) -> None:
    """Show that the Updates are under way; whoever closes the window now is told the results."""
    _wait(
        ack,
        body,
        say(
            "Updating, one job after the other… You may close this window: nothing of what is done "
            "is undone, the cards tell what came of it, and you get a message with the results."
        ),
    )


def open_list(visit: Visit) -> None:
    """Show an approver the oldest ready jobs; others hear at once that they may not."""
    if visit.interaction.view_id is None:
        visit.open(loading(TITLE))
    refused = visit.check(
        lambda session, by, at: approvals.check(session, "update several", by=by, at=at, rules=visit.rules)
    )
    if refused:
        return visit.deny(refused)
    metadata = SeveralMetadata(channel_id=visit.interaction.channel_id)
    return visit.show(_list_view(visit, metadata, frozenset()))


def turn_page(visit: Visit) -> None:
    """Show another page, or the same with all its boxes ticked or unticked; ticks of all pages are kept."""
    button, before = visit.interaction.read(SeveralButton), visit.interaction.read_window(SeveralMetadata)
    metadata = before.model_copy(update={"page": button.page})
    visit.show(_list_view(visit, metadata, _ticked(visit, before), tick=button.tick))


def ask(visit: Visit) -> None:
    """Ask before the Update, with what is ticked as it stands now."""
    metadata = visit.interaction.read(SeveralMetadata)
    ticked = _ticked(visit, metadata)
    with visit.reading() as session:
        found = queries.update_facts(session, [tick.requested_update_id for tick in ticked])
    chosen = [facts for facts in found if facts.state is State.READY and tick_of(facts) in ticked]
    chosen.sort(key=lambda facts: (facts.requested_at, facts.requested_update_id))
    if not chosen or len(chosen) > MOST_AT_ONCE:
        note = say(_ALL_CHANGED if ticked else _NOTHING_TICKED)
        return visit.show(_list_view(visit, metadata, ticked, note=note))
    changed = [facts for facts in found if facts not in chosen]
    gone = len({tick.requested_update_id for tick in ticked}) - len(found)
    return visit.show(confirm_window(chosen, changed, gone=gone, metadata=metadata, rules=visit.rules))


def update(visit: Visit) -> None:
    """Accept each job at the revision that was shown, and tell what became of every one."""
    ticks = _ticks(visit.interaction.read(SeveralMetadata))
    with visit.reading() as session:
        found = queries.update_facts(session, [tick.requested_update_id for tick in ticks])
    by_id = {facts.requested_update_id: facts for facts in found}
    visit.know_anew()
    results = [Result(by_id.get(tick.requested_update_id), _update_one(visit, tick)) for tick in ticks]
    visit.show_or_tell(result_window(results), result_message(results))


def _update_one(visit: Visit, tick: Tick) -> Decision | Unsure | None:
    """One job in one transaction; None when something went wrong, which stops none of the others."""

    def accept(session: Session, by: Actor, at: datetime) -> Decision:
        return approvals.accept(
            session,
            requested_update_id=tick.requested_update_id,
            revision=tick.revision,
            by=by,
            at=at,
            rules=visit.rules,
        )

    try:
        return visit.act(accept)
    except RepeatedError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever ails one job, the others go on
        _log.exception("one of several jobs could not be updated", requested_update=tick.requested_update_id)
        return Unsure() if isinstance(error, UnsureError) else None


def _list_view(
    visit: Visit,
    metadata: SeveralMetadata,
    ticked: frozenset[Tick],
    *,
    tick: bool | None = None,
    note: str = "",
) -> Json:
    """A page of the list as it stands now; a page beyond the last is the last."""
    with visit.reading() as session:
        total = queries.count_updates(session, [State.READY])
        pages = max(1, ceil(total / JOBS_A_PAGE))
        page = max(0, min(metadata.page, pages - 1))
        rows = queries.list_updates(session, [State.READY], limit=JOBS_A_PAGE, offset=page * JOBS_A_PAGE)
        jobs = []
        for facts in rows:
            refused = approvals.why_not_update(
                session, facts.requested_update_id, by=visit.actor, rules=visit.rules
            )
            jobs.append(ReadyJob(facts, refused.words if refused else None))
    boxes = frozenset(tick_of(job.facts) for job in jobs if job.why_not is None)
    if tick is not None:
        ticked = ticked | boxes if tick else ticked - boxes
    if len(ticked) > MOST_AT_ONCE:
        kept = sorted(ticked, key=lambda each: each.requested_update_id)[:MOST_AT_ONCE]
        ticked, note = frozenset(kept), say(_TOO_MANY)
    return list_window(
        jobs,
        total=total,
        pages=pages,
        ticked=ticked,
        metadata=metadata.model_copy(update={"page": page}),
        now=visit.now,
        rules=visit.rules,
        note=note,
    )


def _ticked(visit: Visit, metadata: SeveralMetadata) -> frozenset[Tick]:
    """The ticks of the page that is open and of all others. Raises UnreadableError."""
    return frozenset([*_ticks(metadata), *_read(visit.interaction.ticked)])


def _ticks(metadata: SeveralMetadata) -> list[Tick]:
    return _read(metadata.ticked)


def _read(texts: Iterable[str]) -> list[Tick]:
    try:
        return [Tick.read(text) for text in texts]
    except ValueError as error:
        raise UnreadableError("a box of Update several") from error


def _wait(ack: Ack, body: dict[str, Any], doing: str) -> None:
    ack(response_action="update", view=waiting_window(interaction_of(body), message_view(TITLE, doing)))
