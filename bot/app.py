"""The Bolt app: middleware, then listeners. Building it asks nobody anything.

Every listener acknowledges in the request and works in a thread after it, so that Slack's three seconds hold
whatever the database or Slack itself does.
"""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from slack_bolt import App
from slack_bolt.authorization import AuthorizeResult

from bot import middleware
from bot.gateway import Gateway
from bot.identity import Identity
from bot.listeners import (
    actions,
    asking,
    commands,
    home,
    options,
    privilege,
    removal,
    several,
    steps,
    strangers,
    unfurling,
    windows,
)
from bot.visit import ForgetInstall, Services, keep_settings, know_no_better, know_of_none
from workflow.checks import SageLimits
from workflow.database import Database
from workflow.settings import Settings

WORKERS = 10


def build_app(
    settings: Settings,
    *,
    gateway: Gateway,
    database: Database,
    nudge: Callable[[str], None],
    clock: Callable[[], datetime],
    limits: SageLimits,
    read_back: Callable[[int], None],
    know_person: Callable[[int], None] = know_no_better,
    forget_install: ForgetInstall = keep_settings,
    installed_at: Callable[[], float] = know_of_none,
) -> App:
    """The app for `/slack/events` and Socket Mode alike.

    `nudge` asks for a periodic job's work now, by its name in the schedule, and never raises; `clock` gives
    aware times; `limits` is what the company's Sage takes; `read_back` reads what Sage holds for a job now,
    by its id, and never raises; `know_person` reads a person of Procore's directory anew where that is due,
    by their id, and never raises; `forget_install` drops the workspace's token, where costbot keeps it, and
    `installed_at` tells which. Shut `app.listener_runner.listener_executor` down at the end: what was
    acknowledged goes on in it.
    """
    app = bare_app(settings)
    app.use(middleware.drop_other_events)
    identity = Identity(gateway, database, clock=clock)
    services = Services(
        settings,
        gateway,
        database,
        identity,
        nudge,
        clock,
        limits,
        read_back,
        know_person,
        forget_install,
        installed_at,
        app.listener_runner.listener_executor,
    )
    # Bolt asks one listener after the other, so those of the commonest clicks come first
    for surface in (
        actions,
        several,
        asking,
        options,
        privilege,
        windows,
        commands,
        home,
        removal,
        steps,
        unfurling,
    ):
        surface.register(app, services)
    strangers.register(app, services)
    return app


def bare_app(settings: Settings) -> App:
    """An app that listens to nothing yet, for requests that Slack has signed."""
    # Bolt's warnings are advice to whoever writes an app, such as how to listen to what this one ignores
    logger = logging.getLogger("slack_bolt.costbot")
    logger.setLevel(logging.ERROR)
    secret = settings.slack_signing_secret
    app = App(
        name="costbot",
        logger=logger,
        process_before_response=True,
        signing_secret=secret.get_secret_value() if secret else "",
        authorize=_without_a_call,
        raise_error_for_unhandled_request=True,
        listener_executor=ThreadPoolExecutor(WORKERS, thread_name_prefix="listener"),
        ignoring_self_events_enabled=False,
        attaching_function_token_enabled=False,
    )
    app.error(middleware.answer_trouble)
    app.use(middleware.name_the_request)
    return app


def _without_a_call(enterprise_id: str | None, team_id: str | None, user_id: str | None) -> AuthorizeResult:
    """Let every request of Slack's in, without asking Slack before the ack.

    Who acts is found out after it, in `bot.identity`; the token stays in `bot.gateway`.
    """
    return AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id, user_id=user_id)
