"""The bot as a process: Socket Mode, HTTP mode or both, the health pages, and a clean end on SIGTERM.

Owns starting and stopping; it decides nothing about what Slack sends.
"""

import contextlib
import logging
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import cast

import structlog
import uvicorn
from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode.builtin import SocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from starlette.applications import Starlette
from starlette.routing import Route

from bot import charts
from bot.app import build_app
from bot.gateway import Gateway, web_client
from bot.health import Check, database_check, files_check, redis_check, sync_check
from bot.http import http_app
from bot.links import cards_by_number
from bot.logs import seldom
from bot.metrics import Metrics, Watched, metrics_route
from bot.middleware import BROKEN_BY_JUNK
from bot.procore_webhooks import webhook_routes
from bot.routing import ManyApps
from workflow.checks import SageLimits
from workflow.database import Database
from workflow.settings import Settings, SettingsError
from workflow.tally import bringing

_FIRST_RETRY_SECONDS = 1.0
_LONGEST_RETRY_SECONDS = 60.0
_LOOK_SECONDS = 3
"""How often the SDK looks whether its connection is alive: a lost one is back within this time, and one that
fell silent within some five times this."""
_LOOKS_IN_VAIN = 2.5
_SAY_AGAIN_SECONDS = 600.0
_STOP_SECONDS = 5
_CHARTS_AFTER_SECONDS = 10.0
_log = structlog.get_logger()


def run_bot(
    settings: Settings,
    *,
    nudge: Callable[[str], None],
    limits: SageLimits,
    read_back: Callable[[Database, int], None],
    know_person: Callable[[Database, int], None],
) -> None:
    """Serve Slack until SIGTERM or SIGINT; what was acknowledged is finished first.

    `nudge`, `limits`, `read_back` and `know_person` are as for `build_app`.

    Raises:
        SettingsError: a token is missing, or the port is taken.
    """
    require_way_in(settings)
    gateway = Gateway.connect(settings)
    with listening(settings) as listener, contextlib.closing(Database(settings.database)) as database:
        app = build_app(
            settings,
            gateway=gateway,
            database=database,
            nudge=nudge,
            clock=_now,
            limits=limits,
            read_back=partial(read_back, database),
            know_person=partial(know_person, database),
        )
        socket_mode = SocketMode(app, settings) if settings.slack_app_token else None
        sockets = slack_check(socket_mode)
        web = http_app(
            app,
            takes_events=settings.slack_signing_secret is not None,
            # with both ways in, a closed socket is no reason to refuse what comes by the other
            ready={"database": database_check(database)} | ({} if settings.slack_signing_secret else sockets),
            notes={
                "redis": redis_check(settings),
                **(sockets if settings.slack_signing_secret else {}),
                "sage": files_check(database),
                "data sync": sync_check(settings, database, clock=_now),
            },
            more=[
                *webhook_routes(settings, database, nudge, _now),
                *metrics_routes(settings, [Watched(settings, database)], socket_mode),
            ],
            card_of=cards_by_number(database, gateway, clock=_now) if settings.public_url else None,
            language=settings.language,
        )
        with finished(app), bringing(settings.redis, gateway.counts):
            serve(web, settings, listener, socket_mode)


def require_way_in(settings: Settings) -> None:
    """Raise SettingsError when nothing could arrive from Slack."""
    if settings.slack_app_token is None and settings.slack_signing_secret is None:
        raise SettingsError(
            "SLACK_APP_TOKEN and SLACK_SIGNING_SECRET are both missing: set the first for Socket Mode, "
            "the second for HTTP mode."
        )


class _Handler(SocketModeHandler):
    """Passes over what Bolt cannot read, which the HTTP server refuses: Slack hears nothing of it."""

    def handle(self, client: SocketModeClient, req: SocketModeRequest) -> None:  # type: ignore[override]
        """Handle one envelope."""
        try:
            super().handle(client, req)
        except BROKEN_BY_JUNK as error:
            _log.warning("a request was not understood", error=f"{type(error).__name__}: {error}")


class SocketMode:
    """The WebSocket to Slack: opened here however long that takes, and again by the SDK when it is lost."""

    def __init__(
        self, app: App | ManyApps, settings: Settings, *, look_seconds: float = _LOOK_SECONDS
    ) -> None:
        token = settings.slack_app_token.get_secret_value() if settings.slack_app_token else ""
        logger = logging.getLogger("slack_sdk.socket_mode")
        logger.addFilter(seldom(_SAY_AGAIN_SECONDS))  # it tries every few seconds, and says so each time
        self._handler = _Handler(
            cast("App", app),  # it only dispatches
            token,
            logger=logger,
            # not the bot's client: this one must carry the app token, to the same server
            web_client=web_client(token, settings.slack_api_url),
            ping_interval=look_seconds,
        )
        self._silent_after = _LOOKS_IN_VAIN * look_seconds
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._connect, name="socket mode", daemon=True)

    def start(self) -> None:
        """Begin to connect, in a thread of its own."""
        self._thread.start()

    def problem(self) -> str | None:
        """Why nothing arrives from Slack at the moment, or None."""
        session = self._handler.client.current_session
        if session is None or not session.is_active():
            return "no connection to Slack"
        # Slack answers each ping; the SDK makes the connection anew some pings later
        heard = session.last_ping_pong_time
        if heard is not None and time.time() - heard > self._silent_after:
            return "Slack says nothing on its connection"
        return None

    def stop(self) -> None:
        """Close the connection; what has arrived is still handled."""
        self._stop.set()
        self._thread.join()
        self._handler.close()  # type: ignore[no-untyped-call]

    def _connect(self) -> None:
        delay = _FIRST_RETRY_SECONDS
        while not self._stop.is_set():
            try:
                self._handler.connect()  # type: ignore[no-untyped-call]
            except (SlackApiError, OSError) as error:
                _log.warning("cannot connect to Slack yet", error=str(error), again_in_seconds=delay)
            else:
                _log.info("connected to Slack", mode="Socket Mode")
                return
            self._stop.wait(delay)
            delay = min(delay * 2, _LONGEST_RETRY_SECONDS)


@contextlib.contextmanager
def finished(app: App) -> Iterator[None]:
    """What the app has acknowledged in the block is done when the block ends."""
    try:
        yield
    finally:
        app.listener_runner.listener_executor.shutdown(wait=True)


def serve(
    web: Starlette, settings: Settings, listener: socket.socket, socket_mode: SocketMode | None
) -> None:
    """Serve until SIGTERM or SIGINT. Main thread only."""
    server = uvicorn.Server(
        uvicorn.Config(
            web, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=_STOP_SECONDS
        )
    )
    # uvicorn raises the signal once more when it has stopped; the process ends by returning from here
    for end in (signal.SIGTERM, signal.SIGINT):
        signal.signal(end, lambda *_: None)
    if socket_mode:
        socket_mode.start()
    _prepare_charts()
    host, port = listener.getsockname()[:2]
    _log.info(
        "the bot is up", address=f"http://{host}:{port}", http_mode=settings.slack_signing_secret is not None
    )
    try:
        server.run(sockets=[listener])
    finally:
        if socket_mode:
            socket_mode.stop()
        _log.info("the bot has stopped")


def _prepare_charts() -> None:
    """Whoever asks for the first report does not wait for what draws its chart, nor the start for that."""
    later = threading.Timer(_CHARTS_AFTER_SECONDS, charts.prepare)
    later.name, later.daemon = "charts", True
    later.start()


@contextlib.contextmanager
def listening(settings: Settings) -> Iterator[socket.socket]:
    """The bot's port; SettingsError when it is taken."""
    family = socket.AF_INET6 if ":" in settings.http_host else socket.AF_INET
    try:
        listener = socket.create_server((settings.http_host, settings.http_port), family=family)
    except OSError as error:
        raise SettingsError(
            f"The bot cannot listen on {settings.http_host}:{settings.http_port}: {error.strerror}. "
            "Set COSTBOT_HTTP_HOST or COSTBOT_HTTP_PORT."
        ) from error
    with listener:
        yield listener


def slack_check(socket_mode: SocketMode | None) -> dict[str, Check]:
    """Whether Socket Mode is connected, where it is on."""
    return {"slack": socket_mode.problem} if socket_mode else {}


def metrics_routes(
    settings: Settings, companies: Sequence[Watched], socket_mode: SocketMode | None
) -> list[Route]:
    """The route of `/metrics`, where the settings switch it on."""
    if settings.metrics_token is None:
        return []
    connected = (lambda: socket_mode.problem() is None) if socket_mode else None
    metrics = Metrics(companies, slack_connected=connected, clock=_now)
    return [metrics_route(metrics, settings.metrics_token.get_secret_value())]


def _now() -> datetime:
    return datetime.now(UTC)
