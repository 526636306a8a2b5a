"""Installing the app: Slack's page that asks, `oauth.v2.access`, and tokens that expire and are rotated.

Owns codes and refresh tokens. Sources: docs.slack.dev/authentication/installing-with-oauth,
/authentication/using-token-rotation. A code and a refresh token are good once; a token that was exchanged
stays good until it expires.
"""

import base64
import binascii
import secrets
import time
from collections.abc import Mapping
from html import escape
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from bot.sandbox.errors import SlackError
from bot.sandbox.methods import SCOPES
from bot.sandbox.web_api import WebApi
from bot.sandbox.workspace import APP_ID, BOT_USER_ID, Workspace

CLIENT_ID = "1111.2222"
CLIENT_SECRET = "sandbox-client-secret"  # noqa: S105 - opens nothing but this sandbox
TOKEN_SECONDS = 43_200
"""Slack's tokens live for twelve hours where they are rotated."""

Json = dict[str, Any]


class OAuth:
    """The installs of the one app in several workspaces."""

    def __init__(self, teams: Mapping[str, tuple[Workspace, WebApi]], *, token_seconds: float) -> None:
        """`teams` by workspace id; tokens live for `token_seconds`."""
        self.token_seconds = token_seconds
        self.redirect_url = ""
        """The Redirect URL in the app's settings, where the request names none."""
        self._teams = teams
        self._codes: dict[str, str] = {}
        self._refresh: dict[str, str] = {}

    async def page(self, request: Request) -> Response:
        """Slack's page: which workspace, and a button to allow; pressed, it sends the browser back."""
        asked = request.query_params
        back = asked.get("redirect_uri") or self.redirect_url
        if asked.get("client_id") != CLIENT_ID or not back:
            return HTMLResponse("<title>Slack</title>Something is wrong with this app.", 400)
        team = asked.get("allow", "")
        if asked.get("deny"):
            return _back(back, error="access_denied", state=asked.get("state", ""))
        if team in self._teams:
            code = secrets.token_hex(12)
            self._codes[code] = team
            return _back(back, code=code, state=asked.get("state", ""))
        links = "".join(
            f'<p><a href="?{escape(urlencode({**asked, "allow": one}))}">'
            f"Allow in {escape(at.team.name)}</a></p>"
            for one, (at, _) in self._teams.items()
        )
        asks = escape(asked.get("scope", ""))
        return HTMLResponse(f"<title>Slack</title><h1>costbot asks for</h1><p>{asks}</p>{links}")

    def access(self, arguments: Json, authorization: str) -> Json:
        """`oauth.v2.access`: a code or a refresh token for tokens. Raises SlackError."""
        _check_client(arguments, authorization)
        if arguments.get("grant_type") == "refresh_token":
            team = self._refresh.pop(str(arguments.get("refresh_token")), None)
            if team is None:
                raise SlackError("invalid_refresh_token")
        else:
            team = self._codes.pop(str(arguments.get("code")), None)
            if team is None:
                raise SlackError("invalid_code")
        return self._tokens(team)

    def revoke(self, token: str) -> Json:
        """`auth.revoke`: the token is good no more."""
        for _, api in self._teams.values():
            if token in api.access.issued:
                del api.access.issued[token]
                api.access.ended.add(token)
                return {"revoked": True}
        raise SlackError("invalid_auth")

    def uninstall(self, team: str) -> None:
        """An administrator takes the app out of the workspace: no token of it is good any more."""
        access = self._teams[team][1].access
        access.ended |= set(access.issued)
        access.issued.clear()
        self.forget_refresh_tokens(team)

    def forget_refresh_tokens(self, team: str) -> None:
        """Slack takes none of the workspace's refresh tokens any more."""
        self._refresh = {token: of for token, of in self._refresh.items() if of != team}

    def has_token(self, team: str) -> bool:
        """Whether any token of the workspace is good."""
        return bool(self._teams[team][1].access.issued)

    def expire(self, team: str) -> None:
        """Twelve hours pass: the workspace's tokens expire now."""
        issued = self._teams[team][1].access.issued
        issued.update(dict.fromkeys(issued, 0.0))

    def api_of(self, token: str) -> WebApi | None:
        """The Web API of the workspace that the token is for."""
        for _, api in self._teams.values():
            if token in (*api.access.issued, *api.access.ended):
                return api
        return None

    def _tokens(self, team: str) -> Json:
        workspace, api = self._teams[team]
        at = workspace.team
        token, refresh = f"xoxe.xoxb-1-{secrets.token_hex(24)}", f"xoxe-1-{secrets.token_hex(24)}"
        api.access.issued[token] = time.time() + self.token_seconds
        self._refresh[refresh] = team
        return {
            "ok": True,
            "access_token": token,
            "token_type": "bot",
            "scope": ",".join(sorted(SCOPES)),
            "bot_user_id": BOT_USER_ID,
            "app_id": APP_ID,
            "expires_in": int(self.token_seconds),
            "refresh_token": refresh,
            "team": None if at.org_wide else {"id": at.id, "name": at.name},
            "enterprise": {"id": at.enterprise_id, "name": at.name} if at.enterprise_id else None,
            "authed_user": {"id": "U0INSTALLER"},
            "is_enterprise_install": at.org_wide,
        }


def _check_client(arguments: Json, authorization: str) -> None:
    client, secret = str(arguments.get("client_id")), str(arguments.get("client_secret"))
    scheme, _, basic = authorization.partition(" ")
    if scheme.lower() == "basic":
        try:
            client, _, secret = base64.b64decode(basic).decode().partition(":")
        except (binascii.Error, ValueError):
            client = ""
    if client != CLIENT_ID:
        raise SlackError("invalid_client_id")
    if secret != CLIENT_SECRET:
        raise SlackError("bad_client_secret")


def _back(url: str, **said: str) -> Response:
    return RedirectResponse(f"{url}{'&' if '?' in url else '?'}{urlencode(said)}", 302)
