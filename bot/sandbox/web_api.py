"""`POST /api/<method>`: Slack's Web API over HTTP, with its tokens, scopes, refusals and broken lines.

Owns who may call and how a call is answered; what a method does stands in `bot.sandbox.methods`.
"""

import asyncio
import json
import math
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from http import HTTPStatus
from itertools import islice
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse

from bot.sandbox.errors import SlackError
from bot.sandbox.faults import Fault, Faults, RateLimits
from bot.sandbox.methods import METHODS, SCOPES
from bot.sandbox.methods.call import Call, Method
from bot.sandbox.workspace import APP_TOKEN, BOT_TOKEN, Workspace

Json = dict[str, Any]


RESPONSE_URL = "response_url"
_FETCH = Method(lambda _: {}, scopes=("files:read",))


@dataclass
class Access:
    """What the app's tokens are and may do."""

    bot_token: str | None = BOT_TOKEN
    app_token: str = APP_TOKEN
    issued: dict[str, float] = field(default_factory=dict)
    """Tokens of an install, and when they expire (Unix seconds)."""
    ended: set[str] = field(default_factory=set)
    """Tokens of an install that were revoked."""
    revoked: bool = False
    scopes: set[str] = field(default_factory=lambda: set(SCOPES))

    def lose(self, scopes: Iterable[str]) -> None:
        """Have every scope but these."""
        self.scopes = set(SCOPES) - set(scopes)

    def check(self, token: str, method: Method) -> None:
        """Raises SlackError with Slack's code when the token may not call the method."""
        if not token:
            raise SlackError("not_authed")
        if token in self.ended:
            raise SlackError("token_revoked")
        if token not in (self.bot_token, self.app_token, *self.issued):
            raise SlackError("invalid_auth")
        if (token == self.app_token) != (method.token == "app"):  # noqa: S105 - the kind of token, not one
            raise SlackError("not_allowed_token_type")
        if self.revoked:
            raise SlackError("token_revoked")
        if time.time() >= self.issued.get(token, math.inf):
            raise SlackError("token_expired")
        if not set(method.scopes) <= self.scopes:
            raise SlackError("missing_scope")


@dataclass(frozen=True)
class Record:
    """One call as the log keeps it; `answer` is what the caller was, or would have been, told."""

    method: str
    arguments: Json
    at: float
    ok: bool
    error: str | None
    fault: str | None
    answer: Json


class WebApi:
    """The Web API of one workspace."""

    def __init__(self, workspace: Workspace, socket_url: Callable[[str], str]) -> None:
        self.access = Access()
        self.faults = Faults()
        self.limits = RateLimits()
        self.calls: deque[Record] = deque(maxlen=10_000)
        self._workspace = workspace
        self._socket_url = socket_url

    async def endpoint(self, request: Request) -> Response:
        """Answer one call."""
        name = request.path_params["method"]
        token, arguments = await read_call(request)
        fault = self.faults.take(name)
        at = time.time()
        if fault and not fault.after:
            answer: Json = {"ok": False, "error": fault.error if fault.kind == "error" else fault.kind}
        else:
            base_url = str(request.base_url).rstrip("/")
            answer = self._answer(name, token, arguments, base_url)
        kind = fault.kind if fault else None
        error = answer.get("error")
        self.calls.append(Record(name, arguments, at, bool(answer["ok"]), error, kind, answer))
        if fault:
            return await _broken(fault, self._headers(name))
        if error == "ratelimited":
            wait = answer.pop("retry_after")
            return JSONResponse(answer, 429, headers={"Retry-After": str(wait)})
        return JSONResponse(answer, headers=self._headers(name))

    async def file(self, request: Request) -> Response:
        """A file that somebody shared; as Slack does, a page to sign in where the token may not fetch it."""
        file = self._workspace.files.get(request.path_params["file"])
        bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
        try:
            self.access.check(bearer, _FETCH)
        except SlackError:
            return HTMLResponse("<title>Sign in to Slack</title>")
        return Response(file.content, media_type="text/plain") if file else Response(status_code=404)

    async def take_upload(self, request: Request) -> Response:
        """The bytes of a file of the bot's; who has the address may send them. Faults: `upload`."""
        fault = self.faults.take("upload")
        content = await request.body()
        file = self._workspace.uploads.get(request.path_params["file"])
        if fault and not fault.after:
            return await _broken(fault, {})
        if file is None or len(content) != file.length:
            return Response("not the file that was promised", 400)
        file.content = content
        return await _broken(fault, {}) if fault else Response(f"OK - {len(content)}")

    async def respond(
        self,
        request: Request,
        carry_out: Callable[[Request], Awaitable[Response]],
        whose: Callable[[str], str],
    ) -> Response:
        """An answer by a response URL; on the log, and to faults, it is a call of `response_url`.

        The log has its `user` as well, as of an ephemeral message.
        """
        fault = self.faults.take(RESPONSE_URL)
        at, arguments = time.time(), await _body_of(request) | {"user": whose(request.path_params["key"])}
        if fault and not fault.after:
            answer = Response(status_code=HTTPStatus.SERVICE_UNAVAILABLE)
        else:
            answer = await carry_out(request)
        ok, kind = answer.status_code == HTTPStatus.OK, fault.kind if fault else None
        self.calls.append(Record(RESPONSE_URL, arguments, at, ok, None if ok else "refused", kind, {}))
        return await _broken(fault, {}) if fault else answer

    async def uploaded(self, request: Request) -> Response:
        """An uploaded file, for the page."""
        file = self._workspace.uploaded.get(request.path_params["file"])
        if file is None or not file.content:
            return Response(status_code=404)
        return Response(file.content, media_type=str(file.to_slack("")["mimetype"]))

    def records(self, method: str | None, after: int = 0) -> list[Json]:
        """What was called, without the `after` calls that were first."""
        later = islice(self.calls, after, None)
        return [asdict(record) for record in later if method in (None, record.method)]

    def _answer(self, name: str, token: str, arguments: Json, base_url: str) -> Json:
        method = METHODS.get(name)
        if method is None:
            return {"ok": False, "error": "unknown_method", "req_method": name}
        try:
            self.access.check(token, method)
            channel = str(arguments.get("channel", ""))
            wait = self.limits.seconds_to_wait(name, method.per_minute, channel)
            if wait:
                return {"ok": False, "error": "ratelimited", "retry_after": wait}
            call = Call(self._workspace, arguments, base_url, lambda: self._socket_url(base_url))
            return {"ok": True, **method.run(call)}
        except SlackError as refusal:
            return self._refused(refusal, method)

    def _refused(self, refusal: SlackError, method: Method) -> Json:
        answer: Json = {"ok": False, "error": refusal.code}
        if refusal.messages:
            answer |= {"errors": refusal.messages, "response_metadata": {"messages": refusal.messages}}
        if refusal.code == "missing_scope":
            answer |= {"needed": ",".join(method.scopes), "provided": ",".join(sorted(self.access.scopes))}
        return answer

    def _headers(self, name: str) -> Mapping[str, str]:
        accepted = METHODS[name].scopes if name in METHODS else ()
        return {
            "X-OAuth-Scopes": ",".join(sorted(self.access.scopes)),
            "X-Accepted-OAuth-Scopes": ",".join(accepted),
        }


async def _body_of(request: Request) -> Json:
    try:
        body = await request.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


async def read_call(request: Request) -> tuple[str, Json]:
    """The token and arguments of a call, wherever Slack lets them stand."""
    arguments: Json = dict(request.query_params)
    if request.headers.get("content-type", "").startswith("application/json"):
        arguments |= await _body_of(request)
    else:
        arguments |= dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))
    token = str(arguments.pop("token", ""))
    scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
    return (bearer.strip() if scheme.lower() == "bearer" else token), arguments


async def _broken(fault: Fault, headers: Mapping[str, str]) -> Response:
    match fault.kind:
        case "ratelimited":
            refusal = {"ok": False, "error": "ratelimited"}
            return JSONResponse(refusal, 429, headers={"Retry-After": str(fault.retry_after)})
        case "error":
            return JSONResponse({"ok": False, "error": fault.error}, headers=headers)
        case "server_error":
            return Response("Internal Server Error", 500)
        case "hang":
            await asyncio.sleep(fault.seconds)
            return Response("Gateway Time-out", 504)
        case "reset":
            return _CutOff()


class _CutOff(StreamingResponse):
    """An answer that promises a body and breaks off: the server closes the connection."""

    def __init__(self) -> None:
        super().__init__(iter(()), media_type="application/json", headers={"Content-Length": "1000"})

    async def stream_response(self, send: Any) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send(
            {"type": "http.response.body", "body": json.dumps({"ok": True})[:4].encode(), "more_body": True}
        )
