"""The hook in Procore that sends costbot its webhooks: making it, and seeing what became of its deliveries.

Source: procore/documentation, plan_your_app/webhooks_api.md; fields of a delivery as REFERENCE, List Webhooks
Deliveries.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar

from pydantic import AliasChoices, BaseModel, Field

from sync.procore.api import ProcoreApi
from sync.procore.errors import ProcoreRefusedError
from sync.procore.models import Resource, Time, parsed
from workflow import procore_events, procore_projects
from workflow.database import Database

NAMESPACE = "costbot"
PAYLOAD_VERSION = "v4"
"""What Procore advises for new integrations; the receiver reads v2 and v3 too."""

# NOT FOUND: the list of resource names for webhooks, other than ERP Requests and Company Users; what Procore
# refuses is said, and the look every few minutes finds what such a webhook would have told
TRIGGERS = (
    ("Cost Codes", "create"),
    ("Cost Codes", "update"),
    ("Cost Codes", "delete"),
    ("Projects", "create"),
    ("Projects", "update"),
    ("Company Users", "create"),
    ("Company Users", "update"),
    ("Company Users", "delete"),
    ("ERP Requests", "create"),
)
_HOOKS = "rest/v1.0/webhooks/hooks"
DELIVERIES_A_CALL = 100
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class Hook(Resource):
    """A hook of the company."""

    called = "webhooks hook"

    namespace: str
    destination_url: str


class DeliveredEvent(BaseModel):
    """The event that was sent."""

    project_id: int | None = None
    resource: str | None = Field(None, validation_alias=AliasChoices("resource_type", "resource_name"))
    resource_id: int | None = None
    timestamp: Time | None = None


class Delivery(BaseModel):
    """One attempt to send an event; v4 events have ids as text."""

    called: ClassVar[str] = "webhooks delivery"

    id: int | None = None
    event: DeliveredEvent
    outcome: str
    response_status: int | None = None
    started_at: Time | None = None


@dataclass(frozen=True, slots=True)
class Connected:
    """The hook that was made; `refused` has the triggers that Procore did not take, with its words."""

    hook_id: int
    triggers: int
    refused: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class HookState:
    """What Procore says of the hook's newest deliveries; each is at most a page of them.

    `gaps` are projects whose webhooks were discarded, and which are to be read at once.
    """

    failing: int
    discarded: int
    last_status: int | None
    gaps: int


def connect(
    api: ProcoreApi, database: Database, *, url: str, secret: str, clock: Callable[[], datetime]
) -> Connected:
    """Make the company's hook to `url` and its triggers, in place of one that costbot made before.

    Raises:
        ProcoreError: the hook may be there without all its triggers; connect again.
    """
    client, company_id = api.client, api.client.company_id
    for old in there(api):
        # its secret cannot be read, so it is made anew
        client.remove(f"{_HOOKS}/{old}", {"company_id": company_id})
    body = {
        "company_id": company_id,
        "hook": {
            "api_version": PAYLOAD_VERSION,
            "namespace": NAMESPACE,
            "destination_url": url,
            "destination_headers": {"Authorization": f"Bearer {secret}"},
        },
    }
    try:
        made = client.create(_HOOKS, body)
    except ProcoreRefusedError as refusal:
        # a refusal may quote what was sent
        raise ProcoreRefusedError(refusal.status, str(refusal).replace(secret, "***")) from None
    hook = parsed(Hook, made)
    refused = []
    for resource, event in TRIGGERS:
        trigger = {"resource_name": resource, "event_type": event}
        body = {"company_id": company_id, "api_version": PAYLOAD_VERSION, "trigger": trigger}
        try:
            client.create(f"{_HOOKS}/{hook.id}/triggers", body)
        except ProcoreRefusedError as error:
            if error.status not in (400, 404, 422):
                raise
            refused.append((f"{resource} {event}", str(error)))
    own = api.own_user_id()
    with database.writing() as session:
        procore_events.put_hook(
            session, hook.id, url=url, payload_version=PAYLOAD_VERSION, own_user_id=own, at=clock()
        )
    return Connected(hook.id, len(TRIGGERS) - len(refused), tuple(refused))


def there(api: ProcoreApi) -> list[int]:
    """The ids of costbot's hooks that Procore has."""
    params: dict[str, str | int] = {"company_id": api.client.company_id, "namespace": NAMESPACE}
    return [hook.id for hook in api.client.every(Hook, _HOOKS, params)]


def state(api: ProcoreApi, database: Database, hook_id: int, *, clock: Callable[[], datetime]) -> HookState:
    """What became of the hook's deliveries; the projects of what was discarded are read next."""
    failing = deliveries(api, hook_id, "failing")
    discarded = deliveries(api, hook_id, "discarded")
    # in which order they come is not documented
    newest = max(deliveries(api, hook_id, "any"), key=lambda each: each.started_at or _LONG_AGO, default=None)
    projects = {each.event.project_id for each in discarded if each.event.project_id is not None}
    with database.writing() as session:
        gaps = sum(procore_projects.stale(session, project_id, at=clock()) for project_id in sorted(projects))
    return HookState(len(failing), len(discarded), newest.response_status if newest else None, gaps)


def deliveries(api: ProcoreApi, hook_id: int, status: str, *, pages: int = 1) -> list[Delivery]:
    """The first deliveries of a status: `any`, `successful`, `failing` or `discarded`.

    The list has no links: it pages by page_size and page_start, the id after which a page begins.
    """
    params: dict[str, str | int] = {
        "company_id": api.client.company_id,
        "filters[status]": status,
        "page_size": DELIVERIES_A_CALL,
    }
    found: list[Delivery] = []
    for _ in range(pages):
        page = list(api.client.every(Delivery, f"{_HOOKS}/{hook_id}/deliveries", params))
        found += page
        if len(page) < DELIVERIES_A_CALL or page[-1].id is None or page[-1].id == params.get("page_start"):
            break
        params["page_start"] = page[-1].id
    return found
