"""What happens in the workspace, brought to the app: Socket Mode, or signed HTTP when a URL is set.

Owns Slack's three seconds, its signature and its retries. What is sent is made in `bot.sandbox.payloads`.
Sources: docs.slack.dev/authentication/verifying-requests-from-slack, /apis/events-api.
"""

import asyncio
import json
import time
from collections import deque
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import httpx
from slack_sdk.signature import SignatureVerifier

from bot.authorities import authorities
from bot.sandbox.payloads import from_team
from bot.sandbox.sockets import Sockets
from bot.sandbox.workspace import SIGNING_SECRET, Team

Json = dict[str, Any]
ACK_SECONDS = 3.0


@dataclass(frozen=True)
class Answer:
    """What the app answered in time, or why it did not: `dispatch_failed` or `operation_timeout`."""

    body: Json
    error: str | None = None
    seconds: float = 0.0


@dataclass(frozen=True)
class Delivered:
    """One delivery as the log keeps it."""

    kind: str
    payload: Json
    retry: int
    answer: Answer
    at: float
    """When it was answered, or given up; Unix seconds."""


class Delivery:
    """The way to the app, by whichever transport is set."""

    def __init__(
        self, sockets: Sockets, *, ack_seconds: float = ACK_SECONDS, team: Team | None = None
    ) -> None:
        self._team = team or Team()
        self.url: str | None = None
        self.twice = 0
        self.log: deque[Delivered] = deque(maxlen=1_000)
        self._sockets = sockets
        self._ack_seconds = ack_seconds
        self._http = httpx.AsyncClient(timeout=ack_seconds, trust_env=False, verify=authorities())

    @property
    def connected(self) -> bool:
        return self.url is not None or len(self._sockets) > 0

    async def send(self, kind: str, payload: Json) -> Answer:
        """Deliver `slash_commands`, `interactive` or `events_api` once, or twice at once when so switched."""
        payload = from_team(payload, self._team)
        if self.twice:
            self.twice -= 1
            first, _ = await asyncio.gather(self._once(kind, payload), self._once(kind, payload, retry=1))
            return first
        return await self._once(kind, payload)

    async def again(self) -> Answer:
        """Deliver the last delivery once more, as Slack does when it missed the answer."""
        last = self.log[-1]
        return await self._once(last.kind, last.payload, retry=last.retry + 1)

    async def close(self) -> None:
        await self._http.aclose()

    async def _once(self, kind: str, payload: Json, *, retry: int = 0) -> Answer:
        started = time.monotonic()
        body: Json = {}
        error = None
        try:
            async with asyncio.timeout(self._ack_seconds):
                if self.url:
                    body = await self._post(self.url, kind, payload, retry)
                else:
                    body = await (await self._sockets.send(kind, payload, retry=retry))
        except (TimeoutError, httpx.TimeoutException):
            error = "operation_timeout"
        except (ConnectionError, httpx.HTTPError):
            error = "dispatch_failed"
        answer = Answer(body, error, time.monotonic() - started)
        self.log.append(Delivered(kind, payload, retry, answer, time.time()))
        return answer

    async def _post(self, url: str, kind: str, payload: Json, retry: int) -> Json:
        body, content_type = _encoded(kind, payload)
        stamp = str(int(time.time()))
        signature = SignatureVerifier(SIGNING_SECRET).generate_signature(timestamp=stamp, body=body)
        headers = {
            "Content-Type": content_type,
            "X-Slack-Request-Timestamp": stamp,
            "X-Slack-Signature": signature or "",
        }
        if retry:
            headers |= {"X-Slack-Retry-Num": str(retry), "X-Slack-Retry-Reason": "http_timeout"}
        response = await self._http.post(url, content=body, headers=headers)
        response.raise_for_status()
        if "json" in response.headers.get("content-type", ""):
            answer = response.json()
            return answer if isinstance(answer, dict) else {}
        return {"text": response.text} if response.text else {}


def _encoded(kind: str, payload: Json) -> tuple[str, str]:
    """The body and content type by which Slack posts this kind."""
    form = "application/x-www-form-urlencoded"
    if kind == "slash_commands":
        return urlencode(payload), form
    if kind == "interactive":
        return urlencode({"payload": json.dumps(payload)}), form
    return json.dumps(payload), "application/json"
