"""Buttons: on cards, in direct messages and lists, in windows and on App Home. Every click gets an answer."""

from collections.abc import Callable, Mapping

from slack_bolt import App

from bot.blocks.updates_window import reject_window
from bot.listeners import comparing, deciding, home, privilege
from bot.listeners.asking_again import ask_again
from bot.listeners.opening import loading, updates_view
from bot.listeners.syncing import sync_now
from bot.payloads import Action, JobButton, PageButton, WindowMetadata
from bot.visit import Services, Visit, lazily
from workflow import approvals, queries
from workflow.language import say


def register(app: App, services: Services) -> None:
    """Listen to the buttons of jobs, their windows and the data sync."""
    for action, handle in HANDLERS.items():
        app.action(action.value)(lazily(services, handle))


def view(visit: Visit) -> None:
    """Open Cost Codes for Update for whoever looks."""
    button = visit.interaction.read(JobButton)
    visit.open(loading())
    visit.show(updates_view(visit, button.job_id))


def update(visit: Visit) -> None:
    """Update straight from the card."""
    deciding.update(visit, visit.interaction.read(JobButton))


def open_reject(visit: Visit) -> None:
    """Ask an approver for the comment; others hear at once that they may not."""
    button = visit.interaction.read(JobButton)
    visit.open(loading(say("Reject")))
    refused = visit.check(
        lambda session, by, at: approvals.check(
            session,
            "reject",
            requested_update_id=button.requested_update_id,
            by=by,
            at=at,
            rules=visit.rules,
        )
    )
    if refused:
        return visit.deny(refused)
    with visit.reading() as session:
        found = queries.update_facts(session, [button.requested_update_id])
    if not found:
        return visit.show(updates_view(visit, button.job_id))
    seen = WindowMetadata(**button.model_dump(), channel_id=visit.interaction.channel_id)
    return visit.show(reject_window(found[0], seen))


def turn_page(visit: Visit) -> None:
    """Show another page of the open window."""
    button = visit.interaction.read(PageButton)
    visit.show(updates_view(visit, button.job_id, page=button.page, seen=button))


HANDLERS: Mapping[Action, Callable[[Visit], None]] = {
    Action.VIEW: view,
    Action.UPDATE: update,
    Action.REJECT: open_reject,
    Action.TAKE_BACK: deciding.take_back,
    Action.SEND_AGAIN: deciding.send_again,
    Action.TURN_PAGE: turn_page,
    Action.TURN_COMPARISON: comparing.turn_page,
    Action.ASK_FOR_PRIVILEGE: privilege.open_ask,
    Action.GRANT_PRIVILEGE: privilege.grant,
    Action.DECLINE_PRIVILEGE: privilege.open_decline,
    Action.SYNC_NOW: sync_now,
    Action.ASK_AGAIN: ask_again,
    Action.HOME_FILTER: home.choose,
    Action.HOME_SEARCH: home.search,
    Action.HOME_PREVIOUS: home.turn_page,
    Action.HOME_NEXT: home.turn_page,
}
