"""Installing the app in a workspace or an organisation: Bolt's OAuth flow, for the companies of the host.

Owns who may install: only a workspace or organisation that a company names. Nothing of another one's install
is kept.
"""

from collections.abc import Callable, Mapping
from urllib.parse import urljoin

import structlog
from slack_bolt import BoltRequest, BoltResponse
from slack_bolt.adapter.starlette.handler import to_starlette_response
from slack_bolt.error import BoltError
from slack_bolt.oauth import OAuthFlow
from slack_bolt.oauth.callback_options import CallbackOptions, FailureArgs, SuccessArgs
from slack_bolt.oauth.oauth_settings import OAuthSettings
from slack_sdk.oauth.installation_store import Installation
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.blocks import installing
from bot.doctor import SCOPES
from bot.installations import ROTATE_MINUTES, STATE_SECONDS, Installations
from workflow.settings import Settings

INSTALL = "/slack/install"
REDIRECT = "/slack/oauth_redirect"
_HTML = {"Content-Type": "text/html; charset=utf-8"}
_log = structlog.get_logger()


class UnknownCompanyError(BoltError):
    """An install from where no company of the host is."""

    def __init__(self, team: str, name: str) -> None:
        super().__init__(f"no company names {team}")
        self.team = team
        self.name = name


def install_routes(
    host: Settings,
    companies: Mapping[str, Settings],
    installations: Installations,
    *,
    installed: Callable[[str, Installation], None],
) -> list[Route]:
    """The pages of the install. `companies` is by workspace or organisation, as `COSTBOT_SLACK_TEAM` has it.

    `installed` is told of each install that was kept, with the team it is for.
    """
    flow = _Flow(host, companies, installations, installed)
    return [
        Route(INSTALL, _endpoint(flow.handle_installation), methods=["GET"]),
        Route(REDIRECT, _endpoint(flow.handle_callback), methods=["GET"]),
    ]


def team_of(installation: Installation) -> tuple[str, str]:
    """The id and the name of the workspace, or of the organisation where all of it was installed."""
    if installation.is_enterprise_install:
        return installation.enterprise_id or "", installation.enterprise_name or ""
    return installation.team_id or "", installation.team_name or ""


class _Flow(OAuthFlow):
    """Bolt's flow with costbot's pages, which keeps an install only for a company of the host."""

    def __init__(
        self,
        host: Settings,
        companies: Mapping[str, Settings],
        installations: Installations,
        installed: Callable[[str, Installation], None],
    ) -> None:
        super().__init__(
            client=installations.client,
            settings=OAuthSettings(
                client_id=installations.client_id,
                client_secret=installations.client_secret,
                scopes=sorted(SCOPES),
                user_scopes=[],
                redirect_uri=host.public_url + REDIRECT if host.public_url else None,
                install_path=INSTALL,
                redirect_uri_path=REDIRECT,
                callback_options=CallbackOptions(success=self._done, failure=self._failed),
                authorization_url=urljoin(host.slack_api_url, "../oauth/v2/authorize"),
                installation_store=installations.store,
                installation_store_bot_only=True,
                token_rotation_expiration_minutes=ROTATE_MINUTES,
                state_store=installations.states,
                state_expiration_seconds=STATE_SECONDS,
            ),
        )
        self._companies = companies
        self._installations = installations
        self._installed = installed

    def store_installation(self, request: BoltRequest, installation: Installation) -> None:
        """Keep the install; UnknownCompanyError where it is nobody's, and its token is given back."""
        team, name = team_of(installation)
        if team not in self._companies:
            self._installations.revoke(installation)
            _log.warning("an install was refused: no company names this team", team=team)
            raise UnknownCompanyError(team, name)
        super().store_installation(request, installation)
        _log.info("costbot was installed", team=team, company=self._companies[team].company)
        self._installed(team, installation)

    def build_install_page_html(self, url: str, request: BoltRequest) -> str:
        return installing.install_page(url)

    def _done(self, args: SuccessArgs) -> BoltResponse:
        team, name = team_of(args.installation)
        return _page(200, installing.installed_page(name or team, self._companies[team].channel))

    def _failed(self, args: FailureArgs) -> BoltResponse:
        if isinstance(args.error, UnknownCompanyError):
            return _page(403, installing.unknown_company_page(args.error.team, args.error.name))
        return _page(args.suggested_status_code, installing.trouble_page(args.reason))


def _endpoint(handle: Callable[[BoltRequest], BoltResponse]) -> Callable[[Request], object]:
    async def endpoint(request: Request) -> Response:
        # only what the flow reads: other headers would switch Bolt's machinery for functions as a service
        asked = BoltRequest(
            body="", query=request.url.query, headers={"cookie": [request.headers.get("cookie", "")]}
        )
        try:
            return to_starlette_response(await run_in_threadpool(handle, asked))
        except OSError as error:
            _log.warning("Slack does not answer an install", error=str(error))
            return to_starlette_response(_page(503, installing.trouble_page("no_answer")))
        except SQLAlchemyError as error:
            _log.warning("the database of the installs does not answer", error=str(error))
            return to_starlette_response(_page(503, installing.trouble_page("no_database")))

    return endpoint


def _page(status: int, html: str) -> BoltResponse:
    return BoltResponse(status=status, body=html, headers={**_HTML, "Cache-Control": "no-store"})
