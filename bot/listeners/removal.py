"""The app was taken out of the workspace, or its token was revoked: the token is dropped, it is on record.

Slack delivers late at times: what tells of an install before the present one changes nothing.
"""

from collections.abc import Callable
from typing import Any

import structlog
from pydantic import BaseModel, ValidationError
from slack_bolt import App, BoltContext

from bot.listeners.home import acknowledge
from bot.middleware import bind_log
from bot.slack_answers import SlackError, SlackRefused
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


class _Tokens(BaseModel):
    bot: list[str] = []


class _Removed(BaseModel):
    tokens: _Tokens = _Tokens()


class _Told(BaseModel):
    """What Slack tells, as docs.slack.dev/reference/events has it; another shape removes nothing."""

    event_id: str
    event_time: int
    event: _Removed


def _after_the_ack(services: Services, handle: Callable[[Services, _Told], bool]) -> Callable[..., None]:
    def run(body: dict[str, Any], context: BoltContext) -> None:
        bind_log(context)
        try:
            told = _Told.model_validate(body)
        except ValidationError as error:
            _log.warning("a removal of another shape; nothing was changed", error=str(error))
            return
        if not handle(services, told):
            _log.info("Slack tells of an install that is not the present one; nothing was changed")
            return
        _log.warning("costbot was taken out of Slack; messages wait until it is installed again")
        at = services.clock()
        with services.database.writing() as session:
            if deliveries.first_time(session, f"event:{told.event_id}", at=at):
                audit.record(session, Event.SLACK_REMOVED, by=SLACK, at=at)

    return run


def _uninstalled(services: Services, told: _Told) -> bool:
    return services.forget_install(told.event_time)


def _revoked(services: Services, told: _Told) -> bool:
    """Tokens that were rotated are revoked too, so Slack is asked whether the present one is good."""
    if not told.event.tokens.bot:
        return False
    present = services.installed_at()  # the one that Slack is asked about
    try:
        services.gateway.auth_test()
    except SlackRefused as refused:
        return refused.is_token_problem and services.forget_install(present)
    except SlackError as error:
        _log.warning("Slack does not tell whether the token is good still", error=str(error))
    return False
