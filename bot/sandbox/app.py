"""The sandbox server: Slack's Web API, Socket Mode, the control API and the page, wired together.

`bot.sandbox.server` serves it. A Procore look-alike may stand beside it, at addresses of its own.
"""

import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles

from bot.sandbox.acts import Acts
from bot.sandbox.control import Control
from bot.sandbox.delivery import ACK_SECONDS, Delivery
from bot.sandbox.response_urls import ResponseUrls
from bot.sandbox.sockets import Sockets
from bot.sandbox.web_api import WebApi
from bot.sandbox.workspace import Workspace

STATIC = Path(__file__).parent / "static"


def create_app(
    workspace: Workspace,
    *,
    ack_seconds: float = ACK_SECONDS,
    beside: Sequence[BaseRoute] = (),
    at_end: Callable[[], None] = lambda: None,
) -> Starlette:
    """The sandbox of one workspace as an ASGI app.

    `SLACK_API_URL` of the bot under trial is this server's address with `/api/`; the page is at `/`.
    `ack_seconds` is how long the app may take to acknowledge (Slack: 3). `beside` are routes of another
    look-alike, and `at_end` is called when the server stops.
    """
    sockets = Sockets(workspace.changed)
    web_api = WebApi(workspace, sockets.url)
    return wired(workspace, web_api, sockets, ack_seconds=ack_seconds, beside=beside, at_end=at_end)


def wired(
    workspace: Workspace,
    web_api: WebApi,
    sockets: Sockets,
    *,
    ack_seconds: float,
    beside: Sequence[BaseRoute] = (),
    at_end: Callable[[], None] = lambda: None,
) -> Starlette:
    """The sandbox of one workspace on a Web API and on sockets that others may use too."""
    delivery = Delivery(sockets, ack_seconds=ack_seconds, team=workspace.team)
    response_urls = ResponseUrls(workspace)
    acts = Acts(workspace, delivery, response_urls)
    control = Control(workspace, web_api, sockets, delivery, acts)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        await delivery.close()
        at_end()

    return Starlette(
        routes=[
            Route("/", _page),
            Route("/api/{method}", web_api.endpoint, methods=["GET", "POST"]),
            Route("/files/{file}/{name}", web_api.file),
            Route("/upload/{file}", web_api.take_upload, methods=["POST"]),
            Route("/upload/{file}", web_api.uploaded),
            Route(
                "/response/{key}",
                partial(web_api.respond, carry_out=response_urls.endpoint, whose=response_urls.whose),
                methods=["POST"],
            ),
            WebSocketRoute("/socket/", sockets.endpoint),
            Mount("/sandbox", routes=control.routes()),
            Mount("/static", StaticFiles(directory=STATIC)),
            *beside,
        ],
        lifespan=lifespan,
    )


async def _page(_: Request) -> Response:
    return FileResponse(STATIC / "index.html")
