"""The bot's HTTP server: what Slack posts in HTTP mode, and the questions of whoever watches the process.

Owns the limits of what is let in. Bolt checks the signature and the five minutes in which a request may be
repeated (docs.slack.dev/authentication/verifying-requests-from-slack). Nothing here blocks the event loop.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Protocol

import structlog
from anyio import CapacityLimiter, to_thread
from slack_bolt import BoltRequest, BoltResponse
from slack_bolt.adapter.starlette.handler import to_starlette_response
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from bot.health import Check
from bot.interaction import UnreadableError, interaction_of
from bot.middleware import BROKEN_BY_JUNK, INTERACTION
from bot.received import body_of
from bot.slow_parts import Question, answers
from workflow.language import ENGLISH, say, speaking

_log = structlog.get_logger()
MOST_BYTES = 1_000_000
"""A window of Slack's 250 KB, form-encoded, is 750 KB at the very most."""

ANSWER_SECONDS = 3.0
"""Less than health checks wait, such as that of docker-compose.yaml."""
SILENT = "does not answer"

LINKS_AT_ONCE = 8
"""Links to jobs that are followed at once; for a click there is a thread however many more there are."""

_SIGNED_BY = ("x-slack-signature", "x-slack-request-timestamp")
_FROM_SLACK = ("content-type", *_SIGNED_BY, "x-slack-retry-num", "x-slack-retry-reason")

_SIGNATURE = re.compile(r"v0=[0-9a-f]{64}")
_TIME = re.compile(r"[0-9]{1,12}")

SERVED_BY = ("X-Served-By", "costbot")
"""By which `costbot doctor` knows who answers at the public address."""
_NOT_KEPT = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", SERVED_BY[0]: SERVED_BY[1]}


class _UnsignedError(Exception):
    """Signature or time are missing, or of a shape that Bolt breaks on."""


class Dispatcher(Protocol):
    """What takes Slack's requests: a Bolt app, or several behind one door."""

    def dispatch(self, req: BoltRequest) -> BoltResponse:
        """Answer one request."""


def http_app(
    bolt: Dispatcher,
    *,
    takes_events: bool,
    ready: Mapping[str, Check],
    notes: Mapping[str, Check] | None = None,
    more: Sequence[Route] = (),
    card_of: Callable[[str], str | None] | None = None,
    language: str = ENGLISH,
    patience: float = ANSWER_SECONDS,
) -> Starlette:
    """`/healthz` and `/readyz`; and `POST /slack/events` when the bot has a signing secret; and `more`.

    `/readyz` is 503 when something in `ready` is wrong, without which this bot cannot do its work. `notes`
    are only said: trouble of all bots alike, or what people left undone, takes none of them from Slack. What
    has said nothing after `patience` seconds does not answer.
    With `card_of`, `/jobs/NUMBER` leads to the job's card in Slack, who asks for the sign-in; a job that is
    unknown and one that has no card are answered alike, and nothing of a job is told here.
    """

    questions = {name: Question(check) for name, check in {**ready, **(notes or {})}.items()}

    async def healthy(_: Request) -> Response:
        return PlainTextResponse("ok")

    async def readiness(_: Request) -> Response:
        found = await run_in_threadpool(answers, questions, seconds=patience)
        said = {name: found.get(name, SILENT) or "ok" for name in questions}
        return JSONResponse(said, 503 if any(said[name] != "ok" for name in ready) else 200)

    routes = [
        Route("/healthz", healthy),
        Route("/readyz", readiness),
        *job_routes(card_of, language=language),
        *more,
    ]
    if takes_events:
        routes.append(_events_route(bolt))
    return Starlette(routes=routes)


def _events_route(bolt: Dispatcher) -> Route:
    """`POST /slack/events`: what Slack has signed goes to `bolt`, what nobody has signed does not."""

    async def events(request: Request) -> Response:
        body = await body_of(request, at_most=MOST_BYTES)
        if body is None:
            return PlainTextResponse(f"at most {MOST_BYTES:,} bytes", 413)
        try:
            asked = _bolt_request(request, body)
        except _UnsignedError:
            _note_refusal(request, "unsigned")
            return PlainTextResponse("this is not signed as Slack signs", 401)
        except (*BROKEN_BY_JUNK, RecursionError, UnreadableError):
            # Bolt reads before it checks the signature, and breaks in many ways on JSON of another shape
            return _no_request()
        try:
            answer = await run_in_threadpool(bolt.dispatch, asked)
        except BROKEN_BY_JUNK as error:
            # and again where it looks for the listener; what listeners do is done after the ack
            _log.warning("Bolt broke on a request", error=str(error))
            return _no_request()
        if answer.status == 401:
            _note_refusal(request, "signature or time are wrong")
        return to_starlette_response(answer)

    return Route("/slack/events", events, methods=["POST"])


def job_routes(
    card_of: Callable[[str], str | None] | None, *, below: str = "", language: str = ENGLISH
) -> list[Route]:
    """The stable addresses of jobs, below a path; none where `card_of` does not tell the way to a card.

    Who follows one is unknown here, so the page of one without a card is in the company's `language`.
    """
    if card_of is None:
        return []
    limiter = CapacityLimiter(LINKS_AT_ONCE)

    async def job(request: Request) -> Response:
        found = await to_thread.run_sync(card_of, request.path_params["number"], limiter=limiter)
        if found is None:
            return HTMLResponse(_no_card(language), 404, headers=_NOT_KEPT)
        return RedirectResponse(found, 302, headers=_NOT_KEPT)

    # a number may hold a slash, which comes unquoted
    return [Route(f"{below}/jobs/{{number:path}}", job)]


def _no_card(language: str) -> str:
    """The page of an address that leads to no card."""
    with speaking(language):
        title, head = say("No card here"), say("There is no card at this address")
        words = say(
            "Perhaps the job number is not right, nothing was asked for in the job yet, or Slack does not "
            "answer at this moment. In Slack, /costcodes jobs all lists every job with requested cost codes."
        )
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"></head>'
        f"<body><h1>{escape(head)}</h1><p>{escape(words)}</p></body></html>\n"
    )


def _bolt_request(request: Request, body: bytes) -> BoltRequest:
    signature, at = (request.headers.get(name, "") for name in _SIGNED_BY)
    if not (_SIGNATURE.fullmatch(signature) and _TIME.fullmatch(at)):
        raise _UnsignedError
    # only these headers: others would switch Bolt's own machinery for functions as a service
    headers = {name: [request.headers[name]] for name in _FROM_SLACK if name in request.headers}
    asked = BoltRequest(body=body.decode(), headers={**headers})
    asked.context[INTERACTION] = interaction_of(asked.body)
    return asked


def _note_refusal(request: Request, why: str) -> None:
    """Somebody who is not Slack, or a signing secret that is not the app's: said without what was sent."""
    _log.warning(
        "a request was refused: not from Slack", why=why, sender=request.client and request.client.host
    )


def _no_request() -> Response:
    return PlainTextResponse("this is no request of Slack's", 400)
