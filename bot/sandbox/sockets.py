"""Socket Mode: the WebSocket connections of the app, and envelopes that go to one of them.

Owns connections, tickets and acknowledgements. Source: docs.slack.dev/apis/events-api/using-socket-mode.
"""

import asyncio
import contextlib
import itertools
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from bot.sandbox.workspace import APP_ID

Json = dict[str, Any]
MOST_CONNECTIONS = 10


@dataclass(eq=False)
class Connection:
    """One WebSocket and the envelopes it has not acknowledged yet."""

    websocket: WebSocket
    waiting: dict[str, asyncio.Future[Json]] = field(default_factory=dict)


class Sockets:
    """The app's connections; an envelope goes to one of them; `changed` hears of comings and goings."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._tickets: set[str] = set()
        self._connections: list[Connection] = []
        self._turn: Iterator[int] = itertools.count()

    def __len__(self) -> int:
        return len(self._connections)

    def url(self, base_url: str) -> str:
        """A WebSocket address for one connection."""
        ticket = secrets.token_urlsafe(12)
        self._tickets.add(ticket)
        return f"{base_url.replace('http', 'ws', 1)}/socket/?ticket={ticket}&app_id={APP_ID}"

    async def endpoint(self, websocket: WebSocket) -> None:
        """Hold one connection from hello to the end."""
        ticket = websocket.query_params.get("ticket", "")
        await websocket.accept()
        if ticket not in self._tickets or len(self) >= MOST_CONNECTIONS:
            reason = "too_many_websockets" if ticket in self._tickets else "link_disabled"
            await websocket.send_json({"type": "disconnect", "reason": reason})
            await websocket.close()
            return
        self._tickets.discard(ticket)
        connection = Connection(websocket)
        self._connections.append(connection)
        self._changed()
        try:
            await websocket.send_json(self._hello())
            while True:
                self._acknowledged(connection, await websocket.receive_json())
        except (WebSocketDisconnect, RuntimeError):
            pass  # the app, or a switch of ours, closed it
        finally:
            self._forget(connection)

    async def send(self, kind: str, payload: Json, *, retry: int = 0) -> asyncio.Future[Json]:
        """Send an envelope; the future gives the payload of its acknowledgement.

        Raises ConnectionError when the app has no connection.
        """
        if not self._connections:
            raise ConnectionError("no Socket Mode connection")
        connection = self._connections[next(self._turn) % len(self)]
        envelope_id = secrets.token_hex(16)
        envelope: Json = {
            "envelope_id": envelope_id,
            "type": kind,
            "payload": payload,
            "accepts_response_payload": kind != "events_api",
        }
        if kind == "events_api":
            envelope |= {"retry_attempt": retry, "retry_reason": "timeout" if retry else ""}
        answer = asyncio.get_running_loop().create_future()
        connection.waiting[envelope_id] = answer
        try:
            await connection.websocket.send_json(envelope)
        except (WebSocketDisconnect, RuntimeError):
            self._forget(connection)
        return answer

    async def say(self, text: str) -> None:
        """Send every connection something that need be no envelope: what a client has to live through."""
        for connection in self._connections:
            with contextlib.suppress(WebSocketDisconnect, RuntimeError):
                await connection.websocket.send_text(text)

    async def drop(self, *, warn: bool) -> int:
        """Close every connection, with Slack's `disconnect` message when `warn`; how many there were."""
        dropped = list(self._connections)
        for connection in dropped:
            self._forget(connection)
            with contextlib.suppress(WebSocketDisconnect, RuntimeError):
                if warn:
                    await connection.websocket.send_json(
                        {"type": "disconnect", "reason": "refresh_requested"}
                    )
                await connection.websocket.close(1012)
        return len(dropped)

    def _hello(self) -> Json:
        return {
            "type": "hello",
            "num_connections": len(self),
            "connection_info": {"app_id": APP_ID},
            "debug_info": {"host": "sandbox", "approximate_connection_time": 3600},
        }

    def _acknowledged(self, connection: Connection, message: Any) -> None:
        if not isinstance(message, dict):
            return
        answer = connection.waiting.pop(str(message.get("envelope_id")), None)
        if answer and not answer.done():
            answer.set_result(message.get("payload") or {})

    def _forget(self, connection: Connection) -> None:
        if connection in self._connections:
            self._connections.remove(connection)
            self._changed()
        for answer in connection.waiting.values():
            if not answer.done():
                answer.set_exception(ConnectionError("the connection was lost before the app answered"))
        connection.waiting.clear()
