"""Whatever no other listener knows: buttons, windows, shortcuts and commands of an older or newer costbot.

Registered last. Each gets an answer that says that nothing was changed, and what to do instead.
"""

import re
from collections.abc import Callable

from slack_bolt import Ack, App

from bot.visit import Services, Visit, lazily
from workflow.language import later, say

BUTTON = later(
    "This costbot does not know that button any more, and nothing was changed. "
    "/costcodes jobs shows every job with buttons that work."
)
WINDOW = later(
    "This costbot does not know that window any more, and nothing was changed. "
    "/costcodes jobs shows every job with buttons that work."
)
SHORTCUT = later(
    "This costbot does not know that shortcut any more, and nothing was changed. "
    "/costcodes jobs shows every job with buttons that work."
)
COMMAND = later(
    "This costbot does not know that command any more, and nothing was changed. "
    "/costcodes jobs shows every job with buttons that work."
)
ANYTHING = re.compile(".*", re.DOTALL)


def register(app: App, services: Services) -> None:
    """Listen to everything that a person can do in Slack."""
    for listen, what in (
        (app.action, BUTTON),
        (app.view_submission, WINDOW),
        (app.shortcut, SHORTCUT),
        (app.command, COMMAND),
    ):
        listen(ANYTHING)(lazily(services, answer_about(what)))
    app.view_closed(ANYTHING)(acknowledge)
    app.options(ANYTHING)(offer_nothing)


def acknowledge(ack: Ack) -> None:
    """Tell Slack that it arrived; a window closes by this."""
    ack()


def offer_nothing(ack: Ack) -> None:
    """A menu that costbot does not know any more has nothing to choose from."""
    ack(options=[])


def answer_about(what: str) -> Callable[[Visit], None]:
    """The answer to a click on, or a submit of, something of that kind."""

    def unknown(visit: Visit) -> None:
        visit.answer(say(what))

    return unknown
