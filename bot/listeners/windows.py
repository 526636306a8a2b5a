"""Submitted windows: Update in Cost Codes for Update, and Reject with its comment.

The ack turns the window into one that waits, so that the person sees at once that the press counted; the
result follows in the same window.
"""

from typing import Any

from slack_bolt import Ack, App

from bot.blocks.updates_window import COMMENT_BLOCK
from bot.interaction import interaction_of
from bot.listeners import deciding, notifying
from bot.listeners.opening import show_waiting
from bot.payloads import Window, WindowMetadata
from bot.visit import Services, Visit, lazily
from workflow.language import later, say

_CARD_TELLS = later("If nothing follows, close this window: the card tells what came of it.")


def register(app: App, services: Services) -> None:
    """Listen to the windows of one job."""
    app.view(Window.UPDATES.value)(lazily(services, update, acknowledge=wait_for_update))
    app.view(Window.REJECT.value)(lazily(services, reject, acknowledge=check_comment))
    app.view(Window.NOTIFY.value)(lazily(services, notifying.save, acknowledge=notifying.check))


def wait_for_update(ack: Ack, body: dict[str, Any]) -> None:
    """Show that the Update is under way."""
    show_waiting(ack, body, say("Update"), say("Updating…"), say(_CARD_TELLS))


def check_comment(ack: Ack, body: dict[str, Any]) -> None:
    """Keep the window open for a comment that says nothing; else show that the Reject is under way."""
    if _comment(interaction_of(body).inputs):
        show_waiting(ack, body, say("Reject"), say("Rejecting…"), say(_CARD_TELLS))
    else:
        why = say("Say why, for the person who requested the cost codes.")
        ack(response_action="errors", errors={COMMENT_BLOCK: why})


def update(visit: Visit) -> None:
    """Accept the revision that the window showed."""
    deciding.update(visit, visit.interaction.read(WindowMetadata))


def reject(visit: Visit) -> None:
    """Turn the requested update down; without a comment the window said so and is still open."""
    comment = _comment(visit.interaction.inputs)
    if comment:
        deciding.reject(visit, visit.interaction.read(WindowMetadata), comment)


def _comment(inputs: Any) -> str:
    return str(inputs.get(COMMENT_BLOCK) or "").strip()
