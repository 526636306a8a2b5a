"""The look-alike's webhooks: hooks, triggers, deliveries, and the sending of them.

As procore/documentation, plan_your_app/webhooks.md and webhooks_api.md: 5 seconds to answer; whatever is not
2xx holds the queue and is sent again with a growing pause; after 12 hours what waits is discarded.
"""

import itertools
import json
import queue
import secrets
import threading
from collections.abc import Callable
from typing import Any

import httpx
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.authorities import authorities
from bot.sandbox.procore.company import Change, Company, Record
from bot.sandbox.procore.web_api import WebApi, iso

TIMEOUT_SECONDS = 5.0
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 3600.0
DISCARDED_AFTER_SECONDS = 12 * 3600.0
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


class Webhooks:
    """Hooks of the company and the thread that sends their events; `close` ends it.

    `pause` waits so many seconds, or less when it is told to stop: tests pass one of their own clock.
    """

    def __init__(
        self, company: Company, web_api: WebApi, *, pause: Callable[[float], None] | None = None
    ) -> None:
        self._company = company
        self._web_api = web_api
        self._stopping = threading.Event()
        self._pause = pause or (lambda seconds: self._stopping.wait(seconds) and None)
        self._hooks: dict[int, Record] = {}
        self._triggers: dict[int, Record] = {}
        self._headers: dict[int, dict[str, str]] = {}
        self._deliveries: list[Record] = []
        self._events = itertools.count(231346001)
        self._waiting: queue.Queue[tuple[Record, dict[str, Any], float] | None] = queue.Queue()
        self._sender = threading.Thread(target=self._send_all, daemon=True)
        self._sender.start()
        company.listeners.append(self._happened)

    def routes(self) -> list[Route]:
        """The routes of hooks, triggers and deliveries."""
        hooks, route = "/rest/v1.0/webhooks/hooks", self._web_api.route
        return [
            route(hooks, self._list_hooks),
            route(hooks, self._create_hook, "POST"),
            route(f"{hooks}/{{hook:int}}", self._delete_hook, "DELETE"),
            route(f"{hooks}/{{hook:int}}/triggers", self._list_triggers),
            route(f"{hooks}/{{hook:int}}/triggers", self._create_trigger, "POST"),
            route(f"{hooks}/{{hook:int}}/deliveries", self._list_deliveries),
        ]

    def destinations(self) -> list[str]:
        """Where webhooks go."""
        with self._company.lock:
            return [str(hook["destination_url"]) for hook in self._hooks.values()]

    def on_their_way(self) -> int:
        """How many are neither delivered nor discarded yet."""
        return self._waiting.unfinished_tasks

    def deliveries(self) -> list[Record]:
        """Every attempt to deliver, oldest first; `body` is what was sent."""
        with self._company.lock:
            return list(self._deliveries)

    def send_again(self) -> None:
        """Deliver every event once more, as Procore may."""
        for delivery in list(self._deliveries):
            hook = self._hooks.get(delivery["hook_id"])
            if hook and delivery["outcome"] == "ok":
                self._waiting.put((hook, delivery["body"], self._company.clock()))

    def wait(self) -> None:
        """Return once everything that happened was delivered or discarded."""
        self._waiting.join()

    def close(self) -> None:
        self._stopping.set()
        self._waiting.put(None)
        self._sender.join()

    def _happened(self, change: Change) -> None:
        with self._company.lock:
            wanted = {
                trigger["webhook_hook_id"]
                for trigger in self._triggers.values()
                if (trigger["resource_name"], trigger["event_type"])
                == (change.resource_name, change.event_type)
            }
            for hook_id in sorted(wanted & self._hooks.keys()):
                body = self._body(self._hooks[hook_id]["api_version"], change)
                self._waiting.put((self._hooks[hook_id], body, self._company.clock()))

    def _body(self, version: str, change: Change) -> dict[str, Any]:
        ulid, at = _ulid(self._company.clock()), iso(self._company.clock())
        if version == "v4":
            ids = {
                "company_id": self._company.id,
                "project_id": change.project_id,
                "user_id": change.user_id,
                "resource_id": change.resource_id,
            }
            strings = {key: None if value is None else str(value) for key, value in ids.items()}
            return {
                "id": ulid,
                "timestamp": at,
                "reason": change.event_type,
                "resource_type": change.resource_name,
                **strings,
            }
        body = {
            "id": next(self._events),
            "ulid": ulid,
            "timestamp": at,
            "metadata": {
                "source_user_id": change.user_id,
                "source_project_id": change.project_id,
                "source_operation_id": None,
                "source_company_id": self._company.id,
                "source_application_id": change.application_id,
            },
            "user_id": change.user_id,
            "company_id": self._company.id,
            "project_id": change.project_id,
            "api_version": f"{version}.0",
            "event_type": change.event_type,
            "resource_name": change.resource_name,
            "resource_id": change.resource_id,
        }
        return body | ({"related_resources": []} if version == "v3" else {})

    def _send_all(self) -> None:
        with httpx.Client(timeout=TIMEOUT_SECONDS, verify=authorities()) as client:
            while (item := self._waiting.get()) is not None:
                try:
                    self._send(client, *item)
                finally:
                    self._waiting.task_done()

    def _send(self, client: httpx.Client, hook: Record, body: dict[str, Any], since: float) -> None:
        pause = FIRST_PAUSE_SECONDS
        while not self._stopping.is_set() and hook["id"] in self._hooks:
            status, error = self._post(client, hook, body)
            over = self._company.clock() - since >= DISCARDED_AFTER_SECONDS
            fine = status is not None and 200 <= status < 300
            outcome = "ok" if fine else "discarded" if over else "retried"
            with self._company.lock:
                self._deliveries.append(
                    {
                        "id": self._company.new_id(),
                        "hook_id": hook["id"],
                        "event": body,
                        "body": body,
                        "outcome": outcome,
                        "response_status": status,
                        "response_error": error,
                        "response_body": None,
                        "response_headers": {},
                        "started_at": self._company.now,
                        "completed_at": self._company.now,
                    }
                )
            if outcome != "retried":
                return
            self._pause(pause)
            pause = min(LONGEST_PAUSE_SECONDS, 2 * pause)

    def _post(
        self, client: httpx.Client, hook: Record, body: dict[str, Any]
    ) -> tuple[int | None, str | None]:
        try:
            answer = client.post(hook["destination_url"], json=body, headers=self._headers[hook["id"]])
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return None, str(error) or type(error).__name__
        return answer.status_code, None

    async def _list_hooks(self, request: Request) -> Response:
        asked = request.query_params.get("namespace")
        return JSONResponse([hook for hook in self._hooks.values() if asked in (None, hook["namespace"])])

    async def _create_hook(self, request: Request) -> Response:
        told = json.loads(await request.body())
        hook = told.get("hook", {})
        if str(told.get("company_id")) != str(self._company.id):
            return JSONResponse({"errors": "company_id or project_id is missing"}, 400)
        wrong = {
            field: ["can't be blank"]
            for field in ("api_version", "namespace", "destination_url")
            if not hook.get(field)
        }
        if wrong:
            return JSONResponse({"errors": wrong}, 422)
        hook_id = self._company.new_id()
        self._headers[hook_id] = dict(hook.get("destination_headers") or {})
        self._hooks[hook_id] = {
            "id": hook_id,
            "api_version": str(hook["api_version"]).removesuffix(".0"),
            "namespace": hook["namespace"],
            "owned_by_current_application": True,
            "destination_url": hook["destination_url"],
            "destination_headers": dict.fromkeys(self._headers[hook_id], "*****"),
        }
        return JSONResponse(self._hooks[hook_id], 201)

    async def _delete_hook(self, request: Request) -> Response:
        hook = self._hooks.pop(request.path_params["hook"], None)
        return JSONResponse(hook, 200 if hook else 404)

    async def _list_triggers(self, request: Request) -> Response:
        hook = request.path_params["hook"]
        return JSONResponse([each for each in self._triggers.values() if each["webhook_hook_id"] == hook])

    async def _create_trigger(self, request: Request) -> Response:
        told, hook = json.loads(await request.body()), request.path_params["hook"]
        trigger = told.get("trigger", {})
        if hook not in self._hooks:
            return JSONResponse({"errors": "Not Found"}, 404)
        if trigger.get("event_type") not in ("create", "update", "delete"):
            return JSONResponse({"errors": {"event_type": ["is not included in the list"]}}, 422)
        wanted = (trigger.get("resource_name"), trigger["event_type"])
        for each in self._triggers.values():
            if each["webhook_hook_id"] == hook and (each["resource_name"], each["event_type"]) == wanted:
                return JSONResponse({"errors": {"resource_name": ["has already been taken"]}}, 422)
        made = {
            "id": self._company.new_id(),
            "webhook_hook_id": hook,
            "resource_name": wanted[0],
            "event_type": wanted[1],
        }
        self._triggers[made["id"]] = made
        return JSONResponse(made, 201)

    async def _list_deliveries(self, request: Request) -> Response:
        outcomes = {"successful": ("ok",), "discarded": ("discarded",), "failing": ("retried", "failed")}
        asked = request.query_params.get("filters[status]") or request.query_params.get("filter[status]")
        found = [
            {key: value for key, value in each.items() if key not in ("body", "hook_id")}
            for each in self._deliveries
            if each["hook_id"] == request.path_params["hook"]
            and each["outcome"] in outcomes.get(asked or "any", ("ok", "retried", "failed", "discarded"))
            and each["id"] > int(request.query_params.get("page_start") or 0)
        ]
        return JSONResponse(found[: int(request.query_params.get("page_size") or 100)])


def _ulid(seconds: float) -> str:
    """26 characters: 48 bits of milliseconds, 80 of chance."""
    number = (int(seconds * 1000) << 80) | secrets.randbits(80)
    return "".join(_ALPHABET[(number >> shift) & 31] for shift in range(125, -5, -5))
