"""The app was taken out of the workspace, or its token was revoked: the token is dropped, it is on record.

Slack delivers late at times: what tells of an install before the present one changes nothing.
"""

from collections.abc import Callable
from typing import Any

import structlog
from slack_bolt import App, BoltContext

from bot.gateway import SlackError, SlackRefused
from bot.listeners.home import acknowledge
from bot.middleware import bind_log
from bot.visit import Services
from workflow import audit, deliveries
from workflow.privileges import Actor
from workflow.vocabulary import Event, Place

SLACK = Actor(Place.SLACK, "Slack")
"""Who tells of it: Slack does not say which administrator it was."""
_log = structlog.get_logger()


def register(app: App, services: Services) -> None:
    """Listen to Slack telling that the app is not wanted any more."""
    app.event("app_uninstalled")(ack=acknowledge, lazy=[_after_the_ack(services, _uninstalled)])
    app.event("tokens_revoked")(ack=acknowledge, lazy=[_after_the_ack(services, _revoked)])


def _after_the_ack(
    services: Services, handle: Callable[[Services, dict[str, Any]], bool]
) -> Callable[..., None]:
    def run(body: dict[str, Any], context: BoltContext) -> None:
        bind_log(context)
        if not handle(services, body):
            _log.info("Slack tells of an install that is not the present one; nothing was changed")
            return
        _log.warning("costbot was taken out of Slack; messages wait until it is installed again")
        at = services.clock()
        with services.database.writing() as session:
            if deliveries.first_time(session, f"event:{body.get('event_id')}", at=at):
                audit.record(session, Event.SLACK_REMOVED, by=SLACK, at=at)

    return run


def _uninstalled(services: Services, body: dict[str, Any]) -> bool:
    told_at = body.get("event_time")
    return services.forget_install(float(told_at) if isinstance(told_at, int | float) else None)


def _revoked(services: Services, body: dict[str, Any]) -> bool:
    """Tokens that were rotated are revoked too, so Slack is asked whether the present one is good."""
    tokens = body["event"].get("tokens") or {}
    if not tokens.get("bot"):
        return False
    try:
        services.gateway.auth_test()
    except SlackRefused as refused:
        return refused.is_token_problem and services.forget_install(None)
    except SlackError as error:
        _log.warning("Slack does not tell whether the token is good still", error=str(error))
    return False
