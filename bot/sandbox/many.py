"""Several workspaces on one server, with one app that is installed in each by OAuth, as at Slack itself.

`SLACK_API_URL` is the server's address with `/api/`; what one workspace's people see and do is below
`/team/<id>/`, as `bot.sandbox.app` has it for one.
"""

from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute

from bot.sandbox.app import wired
from bot.sandbox.delivery import ACK_SECONDS
from bot.sandbox.errors import SlackError
from bot.sandbox.oauth import TOKEN_SECONDS, OAuth
from bot.sandbox.sockets import Sockets
from bot.sandbox.web_api import WebApi, read_call
from bot.sandbox.workspace import APP_TOKEN, Workspace


def create_many(
    workspaces: Iterable[Workspace], *, ack_seconds: float = ACK_SECONDS, token_seconds: float = TOKEN_SECONDS
) -> tuple[Starlette, OAuth]:
    """The server as an ASGI app, and the installs; nothing is installed at first."""
    held = list(workspaces)

    def changed() -> None:
        for workspace in held:
            workspace.changed()

    sockets = Sockets(changed)
    teams = {one.team.id: (one, WebApi(one, sockets.url)) for one in held}
    for _, api in teams.values():
        api.access.bot_token = None
    oauth = OAuth(teams, token_seconds=token_seconds)

    async def call(request: Request) -> Response:
        token, arguments = await read_call(request)
        name = request.path_params["method"]
        try:
            if name == "oauth.v2.access":
                return JSONResponse(oauth.access(arguments, request.headers.get("authorization", "")))
            if name == "auth.revoke":
                return JSONResponse({"ok": True, **oauth.revoke(token)})
        except SlackError as refusal:
            return JSONResponse({"ok": False, "error": refusal.code})
        # a token that nobody issued is refused by any of them
        api = next(iter(teams.values()))[1] if token == APP_TOKEN else oauth.api_of(token)
        return await (api or next(iter(teams.values()))[1]).endpoint(request)

    each = {one.team.id: wired(one, api, sockets, ack_seconds=ack_seconds) for one, api in teams.values()}

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for app in each.values():
                await stack.enter_async_context(app.router.lifespan_context(app))
            yield

    routes = [
        Route("/api/{method}", call, methods=["GET", "POST"]),
        Route("/oauth/v2/authorize", oauth.page),
        WebSocketRoute("/socket/", sockets.endpoint),
        *(Mount(f"/team/{team}", app) for team, app in each.items()),
    ]
    return Starlette(routes=routes, lifespan=lifespan), oauth
