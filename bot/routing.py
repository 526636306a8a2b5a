"""Which company a request of Slack's is for: each has a Bolt app of its own, and gets its workspace's alone.

Owns the way in on a host for many. A company's listeners are made with that company's services and know of no
other, so what a payload says of jobs, messages or people is looked up in its own database alone.
"""

from collections.abc import Callable, Mapping
from typing import Any

import structlog
from slack_bolt import Ack, App, BoltContext, BoltRequest, BoltResponse

from bot.app import bare_app
from bot.blocks import installing, notices
from bot.blocks.updates_window import message_view
from bot.gateway import Gateway, web_client
from bot.interaction import interaction_of
from bot.listeners import strangers
from bot.slack_answers import SlackError
from workflow.settings import Settings

_log = structlog.get_logger()


class ManyApps:
    """The Bolt apps of all companies behind one door; looks like one to Bolt's Socket Mode handler."""

    def __init__(self, apps: Mapping[str, App], nobodys: App) -> None:
        """`apps` is by workspace or organisation; `nobodys` answers everybody else."""
        self._apps = apps
        self._nobodys = nobodys
        self.client, self.logger = nobodys.client, nobodys.logger

    def dispatch(self, req: BoltRequest) -> BoltResponse:
        """Have the app of the request's company answer it; each checks Slack's signature first."""
        return self.app_for(req).dispatch(req)

    def app_for(self, req: BoltRequest) -> App:
        """The app of the company whose install the request is for."""
        return self._apps.get(team_of(req) or "", self._nobodys)

    def close(self) -> None:
        """Finish what was acknowledged."""
        for app in (*self._apps.values(), self._nobodys):
            app.listener_runner.listener_executor.shutdown(wait=True)


def team_of(req: BoltRequest) -> str | None:
    """The workspace, or the organisation, whose install of the app Slack sends this for.

    Bolt knows where Slack says so: with Slack Connect that is not the workspace of the person who acts.
    """
    context = req.context
    return context.enterprise_id if context.is_enterprise_install else context.team_id


def nobodys_app(settings: Settings) -> App:
    """The app for workspaces that no company names: it says so, does nothing, and has no token."""
    app = bare_app(settings)
    gateway = Gateway(web_client("", settings.slack_api_url))
    for listen in (app.action, app.shortcut):
        listen(strangers.ANYTHING)(ack=strangers.acknowledge, lazy=[_answer_by(gateway)])
    app.command(strangers.ANYTHING)(_answer_command)
    app.view_submission(strangers.ANYTHING)(_answer_window)
    app.view_closed(strangers.ANYTHING)(strangers.acknowledge)
    app.options(strangers.ANYTHING)(strangers.offer_nothing)
    app.event(strangers.ANYTHING)(_note_event)
    return app


def _answer_by(gateway: Gateway) -> Callable[..., None]:
    def answer(body: dict[str, Any], context: BoltContext) -> None:
        words, url = _words(context), interaction_of(body).response_url
        if url is None:
            return
        try:
            gateway.respond(url, notices.answer(words))
        except SlackError as error:
            _log.info("an answer to a stranger did not arrive", error=str(error))

    return answer


def _answer_command(ack: Ack, context: BoltContext) -> None:
    ack(_words(context))


def _answer_window(ack: Ack, context: BoltContext) -> None:
    ack(response_action="update", view=message_view(installing.TITLE, _words(context)))


def _note_event(ack: Ack, context: BoltContext) -> None:
    _words(context)
    ack()


def _words(context: BoltContext) -> str:
    team = (context.enterprise_id if context.is_enterprise_install else context.team_id) or ""
    _log.warning("a request from a workspace that no company names", team=team)
    return installing.unknown_workspace(team)
