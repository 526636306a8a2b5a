"""`POST /procore/webhooks`: Procore's events are let in and kept; the worker does the rest.

On a host for many each company has a route of its own, with its own secret and database.

Procore signs nothing (procore/documentation, webhooks_api.md): it sends the Authorization header that its
hook was made with. An answer may take five seconds; here it takes one row in the database.
"""

import hmac
import json
from collections.abc import Callable
from datetime import datetime

import structlog
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot.received import body_of
from workflow import procore_events, request_ids
from workflow.database import Database
from workflow.procore_events import Told
from workflow.request_ids import working_for
from workflow.settings import Settings, Source, company_path
from workflow.vocabulary import PeriodicWork

PATH = "/procore/webhooks"
MOST_BYTES = 100_000
_log = structlog.get_logger()


def webhook_path(settings: Settings) -> str:
    """Where a company's webhooks come in: on a host for many, below the company's own path."""
    return (company_path(settings.company) if settings.company else "") + PATH


def webhook_routes(
    settings: Settings, database: Database, nudge: Callable[[str], None], clock: Callable[[], datetime]
) -> list[Route]:
    """The route of a company, where its settings switch it on."""
    secret, company_id = settings.procore_webhook_secret, settings.procore_company_id
    if settings.source is not Source.PROCORE or secret is None or company_id is None:
        return []
    return [
        webhook_route(
            path=webhook_path(settings),
            secret=secret.get_secret_value(),
            company_id=company_id,
            database=database,
            nudge=nudge,
            clock=clock,
        )
    ]


def webhook_route(
    *,
    secret: str,
    company_id: int,
    database: Database,
    nudge: Callable[[str], None],
    clock: Callable[[], datetime],
    path: str = PATH,
) -> Route:
    """The route; `secret` is what the Authorization header must say after `Bearer `."""
    expected = f"Bearer {secret}".encode()

    def keep(told: Told) -> None:
        with working_for(request_ids.new()):
            with database.writing() as session:
                new = procore_events.keep(session, told, at=clock())
            _log.info("a webhook of Procore came", ulid=told.ulid, project=told.project_id, new=new)
        if new:
            nudge(PeriodicWork.PROCORE_EVENTS)

    async def come(request: Request) -> Response:
        given = request.headers.get("Authorization", "").encode()
        if not hmac.compare_digest(given, expected):
            sender = request.client and request.client.host
            _log.warning("a webhook was refused: its Authorization is not the hook's", sender=sender)
            return PlainTextResponse("the Authorization header is not the hook's", 401)
        body = await body_of(request, at_most=MOST_BYTES)
        if body is None:
            return PlainTextResponse(f"at most {MOST_BYTES:,} bytes", 413)
        told = _told(body, company_id)
        if told is not None:
            try:
                await run_in_threadpool(keep, told)
            except SQLAlchemyError as error:
                _log.error("a webhook of Procore could not be kept", error=str(error).partition("\n")[0])
                return PlainTextResponse("try again later", 503)
        # what cannot be used is taken too: sent again it would hold up what comes after it
        return Response(status_code=204)

    return Route(path, come, methods=["POST"])


def _told(body: bytes, company_id: int) -> Told | None:
    """What a webhook says; None for one that is not for this company or that nobody can read."""
    try:
        told = procore_events.read(json.loads(body))
    except (ValueError, RecursionError):
        told = None
    if told is None:
        _log.warning("a webhook of Procore has a shape that costbot does not know")
    elif told.company_id != company_id:
        _log.warning("a webhook of Procore is of another company", company=told.company_id)
        return None
    return told
