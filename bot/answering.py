"""Every way to answer the one person who acted: window, response URL, ephemeral or direct message.

Owns windows while they are open. It shows what it is given; what is said is drawn in `bot.blocks`.
"""

import time
from collections.abc import Callable, Iterator

import structlog

from bot.blocks.pieces import Json, Message
from bot.blocks.updates_window import answer_window
from bot.gateway import Gateway
from bot.interaction import Interaction
from bot.slack_answers import RateLimited, SlackError, SlackRefused, SlackUnavailable

RESULT_SECONDS = 2.0
_POLL_SECONDS = 0.1
_TRIGGER_USED = "exchanged_trigger_id"
_NO_SUCH_VIEW = "not_found"
_log = structlog.get_logger()


class WindowNotOpenedError(Exception):
    """Slack did not take the window in the three seconds that a click is good for, or what it was to show."""


class WindowClosedError(Exception):
    """The person has closed the window meanwhile."""


class AnsweredBeforeError(Exception):
    """The click has opened its window already: Slack delivered it twice."""


def result_window(act: Interaction, view: Json) -> Json:
    """What a submitted window turns into at once, with an id by which its result finds it."""
    return {**view, "external_id": _result_id(act)}


class Answering:
    """The ways to answer one interaction."""

    def __init__(self, gateway: Gateway, act: Interaction) -> None:
        self._gateway = gateway
        self._act = act
        self._view_id = act.view_id
        self._may_open = act.trigger_id is not None and act.view_id is None
        self._ack_changes_window = act.is_submission

    def open(self, view: Json) -> None:
        """Open a window with the click, on top of the one that was clicked in; then answers go there.

        Raises:
            WindowNotOpenedError: it is too late, or Slack is away.
            AnsweredBeforeError: this click has opened its window before.
        """
        self._may_open = False
        try:
            open_ = self._gateway.open_view if self._view_id is None else self._gateway.push_view
            self._view_id = open_(self._act.trigger_id or "", view)
        except SlackError as error:
            if isinstance(error, SlackRefused) and error.code == _TRIGGER_USED:
                raise AnsweredBeforeError from error
            raise WindowNotOpenedError(str(error)) from error

    def show(self, view: Json) -> None:
        """Show a view in the window that is open, else in one that opens now.

        Raises:
            WindowClosedError: it is not open any more; and as `open` does.
        """
        if self._view_id is None:
            return self.open(view)
        return self._change(self._view_id, view)

    def tell(self, message: Message) -> None:
        """Say something to the person alone, in the first way that surely works.

        What Slack may have shown without saying so is said again by the next way: twice is better than never.
        """
        for way in self._ways(message):
            try:
                return way()
            except (SlackError, WindowNotOpenedError, WindowClosedError, AnsweredBeforeError) as error:
                _log.info("an answer did not arrive this way", error=str(error))
        _log.error("nothing could be said to the person who acted", text=message.text)
        return None

    def _ways(self, message: Message) -> Iterator[Callable[[], None]]:
        act = self._act
        if self._view_id is not None:
            yield lambda: self.show(answer_window(message))
        if act.response_url:
            url = act.response_url
            yield lambda: self._gateway.respond(url, message)
        if act.channel_id:
            channel = act.channel_id
            yield lambda: self._gateway.post_ephemeral(channel, act.user_id, message)
        if self._may_open:
            yield lambda: self.open(answer_window(message))
        yield lambda: self._post_direct(message)

    def _post_direct(self, message: Message) -> None:
        channel = self._gateway.open_direct_message(self._act.user_id)
        self._gateway.post(channel, message, key=f"answer:{self._act.delivery}")

    def _change(self, view_id: str, view: Json) -> None:
        try:
            if self._ack_changes_window:
                self._ack_changes_window = False
                if self._became_result(view):
                    return
            self._gateway.update_view(view_id, view)
        except SlackRefused as error:
            if error.code == _NO_SUCH_VIEW:
                raise WindowClosedError from error
            raise
        except (RateLimited, SlackUnavailable) as error:
            raise WindowNotOpenedError(str(error)) from error

    def _became_result(self, view: Json) -> bool:
        """Show a submission's result once Slack has taken the ack's window, which would overwrite it."""
        deadline = time.monotonic() + RESULT_SECONDS
        while True:
            try:
                self._gateway.update_view_named(_result_id(self._act), view)
            except SlackRefused as error:
                if error.code != _NO_SUCH_VIEW:
                    raise
            else:
                return True
            if time.monotonic() > deadline:
                return False
            time.sleep(_POLL_SECONDS)


def _result_id(act: Interaction) -> str:
    return f"result:{act.delivery}"
