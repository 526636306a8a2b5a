"""What happens to every request of Slack's before its listener: named for the logs, or dropped.

Nothing here may be slow: it runs before the ack.
"""

from collections.abc import Callable
from traceback import walk_tb
from typing import Any

import structlog
from slack_bolt import BoltContext, BoltResponse
from slack_bolt.error import BoltUnhandledRequestError

from bot.interaction import Interaction, UnreadableError, interaction_of
from workflow import request_ids

REQUEST_ID = request_ids.KEY
"""Where a request's id is in Bolt's context; the person reads it when something goes wrong."""
INTERACTION = "interaction"
"""Where what Slack sent is in Bolt's context, read once."""
BROKEN_BY_JUNK = (ValueError, TypeError, AttributeError, LookupError)
"""What Bolt raises on a payload of another shape, in whichever of its parts looks at it first."""
_log = structlog.get_logger()
HEARD_EVENTS = ("app_home_opened", "link_shared", "function_executed", "app_uninstalled", "tokens_revoked")


def name_the_request(body: dict[str, Any], context: BoltContext, next_: Callable[[], None]) -> None:
    """Give the request an id, and say in every log line of it who did what."""
    context[REQUEST_ID] = request_ids.new()
    context[INTERACTION] = context.get(INTERACTION) or interaction_of(body)
    bind_log(context)
    next_()


def answer_trouble(error: Exception, body: dict[str, Any]) -> BoltResponse:
    """Take what nothing listens to, such as a new kind of Slack's: it would only be sent again.

    Everything else that is raised before the ack is a payload that nobody can read, or a fault of costbot.
    """
    if isinstance(error, BoltUnhandledRequestError):
        _log.info("nothing listens to this", kind=str(body.get("type")))
        return BoltResponse(status=200, body="")
    if isinstance(error, UnreadableError) or _is_bolts(error):
        _log.warning("a request was not understood", error=f"{type(error).__name__}: {error}")
    else:
        _log.error("a request could not be acknowledged", exc_info=error)
    return BoltResponse(status=400, body="this is no request of Slack's")


def _is_bolts(error: Exception) -> bool:
    """Whether it is Bolt that broke on the payload, in its own code."""
    *_, (innermost, _) = walk_tb(error.__traceback__)
    broke_in = str(innermost.f_globals.get("__name__"))
    return isinstance(error, BROKEN_BY_JUNK) and broke_in.startswith("slack_bolt.")


def drop_other_events(body: dict[str, Any], next_: Callable[[], None]) -> BoltResponse | None:
    """Acknowledge an event that costbot does not listen to, so that Slack does not send it again."""
    event = body.get("event")
    if event and event.get("type") not in HEARD_EVENTS:
        return BoltResponse(status=200, body="")
    next_()
    return None


def bind_log(context: BoltContext) -> None:
    """Every log line of this thread tells of this request from here on."""
    act: Interaction = context[INTERACTION]
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(
        request_id=context[REQUEST_ID], team=act.team_id, user=act.user_id, act=act.name
    )
