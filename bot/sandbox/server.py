"""The sandbox as a running server: for the demo in the foreground, for tests in a thread of their process."""

import contextlib
import socket
import threading
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp

_KEEP_ALIVE_SECONDS = 75
"""Longer than clients keep a connection, so that none is closed just as it is used again."""


def serve(app: ASGIApp, host: str = "127.0.0.1", port: int = 0) -> None:
    """Serve an app until interrupted. Raises OSError when the port is taken."""
    with listening(host, port) as listener:
        _server(app).run(sockets=[listener])


@contextlib.contextmanager
def running(app: ASGIApp) -> Iterator[str]:
    """Serve an app in a thread on a free port of loopback; gives its address."""
    with listening("127.0.0.1", 0) as listener:
        server = _server(app)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            yield address(listener)
        finally:
            server.should_exit = True
            thread.join()


def listening(host: str, port: int) -> socket.socket:
    """A socket that takes connections already, so that its address is known before the server runs."""
    return socket.create_server((host, port), backlog=128)


def address(listener: socket.socket) -> str:
    """`http://host:port` of a listening socket."""
    host, port = listener.getsockname()[:2]
    return f"http://{host}:{port}"


def _server(app: ASGIApp) -> uvicorn.Server:
    # Long polls of the page and sockets of the app never end by themselves: they are cut.
    config = uvicorn.Config(
        app,
        log_level="critical",
        access_log=False,
        ws="websockets-sansio",
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=0,
    )
    return uvicorn.Server(config)
