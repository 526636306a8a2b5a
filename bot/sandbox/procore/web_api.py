"""The look-alike's REST API: the token, reading, sync actions.

Paths and fields as docs/procore.md lists them with their sources; NOT FOUND stands beside what is not
documented.
"""

import json
import secrets
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.sandbox.procore.company import Company, Record
from bot.sandbox.procore.faults import Faults
from bot.sandbox.procore.limits import Limits, RateLimit

TOKEN_SECONDS = 5400
SYNC_UPDATES = 1000
OWN_USER_ID = 60001
"""The user that the service account is."""
_STATUSES = {"Active": (True,), "Inactive": (False,), "All": (True, False)}
_PER_PAGE, _MOST_PER_PAGE, _MOST_PROJECTS = 100, 2000, 300

Handler = Callable[[Request], Awaitable[Response]]


class WebApi:
    """The API of one company for one service account."""

    def __init__(
        self, company: Company, *, client_id: str, client_secret: str, limits: Limits, faults: Faults
    ) -> None:
        self.company = company
        self.faults = faults
        self.limit = RateLimit(limits, company.clock)
        self.calls: list[str] = []
        """Method and path of every call that was answered, as tests count them."""
        self.tokens_given = 0
        self._credentials = (client_id, client_secret)
        self._tokens: dict[str, float] = {}

    def revoke_tokens(self) -> None:
        """Every token that was given is no longer good."""
        self._tokens.clear()

    def routes(self) -> list[Route]:
        """Every route but those of webhooks and of the ERP Integrations tool."""
        rest, company = "/rest/v1.0", "/rest/v1.0/companies/{company_id:int}"
        return [
            Route("/oauth/token", self._token, methods=["POST"]),
            self.route(f"{rest}/me", self._me),
            self.route(f"{rest}/projects", self._projects),
            self.route(f"{rest}/projects/{{id:int}}", self._one(self.company.projects)),
            self.route(f"{rest}/sub_jobs", self._sub_jobs),
            self.route(f"{rest}/cost_codes", self._cost_codes),
            self.route(f"{rest}/cost_codes/{{id:int}}", self._one(self.company.cost_codes)),
            self.route(f"{rest}/standard_cost_code_lists", self._standard_lists),
            self.route(f"{rest}/standard_cost_codes", self._standard_codes),
            self.route(f"{rest}/line_item_types", self._types),
            self.route(f"{company}/users", self._users),
            self.route(f"{company}/users/{{id:int}}", self._one(self.company.users)),
            self.route(f"{company}/permission_templates/{{id:int}}", self._one(self.company.templates)),
            self.route(f"{company}/external_data", self._external_data, "PATCH"),
            # NOT FOUND: the path of this sync; its reference page is named cost-code-line-item-types
            self.route(f"{rest}/cost_code_line_item_types/sync", self._sync_assignments, "PATCH"),
        ]

    def route(self, path: str, handler: Handler, *methods: str) -> Route:
        """A route behind the token, the company header, the rate limit and the faults."""

        async def guarded(request: Request) -> Response:
            return await self._guarded(request, handler)

        return Route(path, guarded, methods=list(methods or ("GET",)))

    async def _guarded(self, request: Request, handler: Handler) -> Response:
        word, _, token = request.headers.get("Authorization", "").partition(" ")
        if word != "Bearer" or self._tokens.get(token, 0.0) <= self.company.clock():
            return refused(401, "Unauthorized: the access token is missing, expired or revoked.")
        if request.headers.get("Procore-Company-Id") != str(self.company.id):
            return refused(403, "The Procore-Company-Id header is missing, or names another company.")
        allowed, headers = self.limit.call()
        if not allowed:
            words = "You have surpassed the max number of requests. Please wait until your limit resets."
            return JSONResponse({"errors": words}, 429, headers)
        self.calls.append(f"{request.method} {request.url.path}")
        fault = self.faults.take(request.url.path)
        if fault is None or fault.after:
            with self.company.lock:
                asked = request.path_params.get("company_id", self.company.id)
                response = await handler(request) if asked == self.company.id else refused(404, "Not Found")
            response.headers.update(headers)
        else:
            response = JSONResponse(fault.body, fault.status, headers | fault.headers)
        if fault and fault.after:
            return JSONResponse(fault.body, fault.status, headers | fault.headers)
        return response

    async def _token(self, request: Request) -> Response:
        fault = self.faults.take(request.url.path)
        if fault:
            return JSONResponse(fault.body, fault.status, fault.headers)
        form = dict(parse_qsl((await request.body()).decode()))
        if form.get("grant_type") != "client_credentials":
            return JSONResponse({"error": "unsupported_grant_type"}, 400)
        if (form.get("client_id"), form.get("client_secret")) != self._credentials:
            return JSONResponse({"error": "invalid_client", "error_description": "Unknown client."}, 401)
        token, now = secrets.token_urlsafe(24), self.company.clock()
        self._tokens[token] = now + TOKEN_SECONDS
        self.tokens_given += 1
        return JSONResponse(
            {
                "access_token": token,
                "token_type": "bearer",
                "expires_in": TOKEN_SECONDS,
                "created_at": int(now),
            }
        )

    def _one(self, records: dict[int, Record]) -> Handler:
        async def show(request: Request) -> Response:
            found = records.get(request.path_params["id"])
            return JSONResponse(found) if found else refused(404, "Not Found")

        return show

    async def _me(self, _: Request) -> Response:
        return JSONResponse({"id": OWN_USER_ID, "login": "costbot@service.example", "name": "costbot"})

    async def _projects(self, request: Request) -> Response:
        if not request.query_params.get("company_id"):
            return refused(400, "company_id is missing")
        wanted = _STATUSES.get(request.query_params.get("filters[by_status]", "Active"), ())
        found: Iterable[Record] = [
            each for each in self.company.projects.values() if each["active"] in wanted
        ]
        if request.query_params.get("filters[synced]") == "true":
            found = [each for each in found if each["origin_id"]]
        if since := request.query_params.get("filters[updated_at]"):
            first, _, last = since.partition("...")
            found = [each for each in found if first <= each["updated_at"] <= (last or "9999")]
        return page(request, found, most=_MOST_PROJECTS)

    async def _sub_jobs(self, request: Request) -> Response:
        project = request.query_params.get("project_id")
        if not project:
            return refused(400, "project_id is missing")
        found = [each for each in self.company.sub_jobs.values() if str(each["project_id"]) == project]
        return page(request, found)

    async def _cost_codes(self, request: Request) -> Response:
        project, sub_job = request.query_params.get("project_id"), request.query_params.get("sub_job_id")
        if not project:
            return refused(400, "project_id is missing")
        if not project.isdigit() or int(project) not in self.company.projects:
            return refused(404, "Not Found")
        biller = ("SubJob", _whole(sub_job, 0)) if sub_job else ("Project", int(project))
        return page(request, self.company.billed.get(biller, {}).values())

    async def _standard_lists(self, request: Request) -> Response:
        return page(request, self.company.standard_lists.values())

    async def _standard_codes(self, request: Request) -> Response:
        asked = request.query_params.get("standard_cost_code_list_id")
        found = [
            each
            for each in self.company.standard_codes.values()
            if str(each["standard_cost_code_list_id"]) == asked
        ]
        if request.query_params.get("view") != "extended":
            found = [{key: each[key] for key in ("id", "standard_cost_code_list_id")} for each in found]
        return page(request, found)

    async def _types(self, request: Request) -> Response:
        # one of the lists that know no pages
        return JSONResponse(list(self.company.line_item_types.values()))

    async def _users(self, request: Request) -> Response:
        found: Iterable[Record] = self.company.users.values()
        if word := request.query_params.get("filters[search]", "").lower():
            found = [
                each
                for each in found
                if any(word in str(each[key]).lower() for key in ("name", "email_address", "job_title"))
            ]
        if since := request.query_params.get("filters[updated_at]"):
            found = [each for each in found if since.partition("...")[0] <= each["updated_at"]]
        return page(request, found)

    async def _external_data(self, request: Request) -> Response:
        kinds = {
            "project": self.company.projects,
            "cost_code": self.company.cost_codes,
            "line_item_type": self.company.line_item_types,
            "sub_job": self.company.sub_jobs,
        }

        def sync(update: Record) -> str | None:
            record = kinds.get(str(update.get("item_type")), {}).get(int(update.get("item_id", 0)))
            if record is None:
                return "could not be found"
            return self.company.mark_synced(kinds[update["item_type"]], record, str(update["origin_id"]))

        return await _synced(request, sync)

    async def _sync_assignments(self, request: Request) -> Response:
        def sync(update: Record) -> str | None:
            code = self.company.cost_codes.get(int(update.get("cost_code_id", 0)))
            kind = int(update.get("line_item_type_id", 0))
            if code is None or kind not in [each["id"] for each in code["line_item_types"]]:
                return "could not be found"
            self.company.synced_assignments.add((code["id"], kind))
            return None

        return await _synced(request, sync)


async def _synced(request: Request, sync: Callable[[Record], str | None]) -> Response:
    """A sync action: always 200, and each update that failed among `errors` with its own words."""
    updates = json.loads(await request.body()).get("updates")
    if not isinstance(updates, list) or len(updates) > SYNC_UPDATES:
        return refused(400, f"updates must be a list of at most {SYNC_UPDATES}")
    entities: list[Any] = []
    errors: list[Any] = []
    for update in updates:
        wrong = sync(update)
        if wrong is None:
            entities.append(update)
        else:
            errors.append({**update, "errors": {"base": [wrong]}})
    return JSONResponse({"entities": entities, "errors": errors})


def page(request: Request, found: Iterable[Record], *, most: int = _MOST_PER_PAGE) -> Response:
    """One page of a list, with the headers that tell of the others."""
    items = list(found)
    page = max(1, _whole(request.query_params.get("page"), 1))
    per_page = min(most, max(1, _whole(request.query_params.get("per_page"), _PER_PAGE)))
    last = max(1, -(-len(items) // per_page))
    places = {"first": 1, "prev": page - 1, "next": page + 1, "last": last}
    if page == 1:
        del places["first"], places["prev"]
    if page >= last:
        del places["next"]
    links = (
        f'<{request.url.include_query_params(page=place, per_page=per_page)}>; rel="{rel}"'
        for rel, place in places.items()
    )
    headers = {"Per-Page": str(per_page), "Total": str(len(items)), "Link": ", ".join(links)}
    return JSONResponse(items[(page - 1) * per_page : page * per_page], headers=headers)


def _whole(text: str | None, otherwise: int) -> int:
    return int(text) if text and text.isdigit() else otherwise


def refused(status: int, words: str) -> Response:
    """A refusal, with Procore's words."""
    return JSONResponse({"errors": words}, status)


def iso(seconds: float) -> str:
    """Unix seconds as a webhook's timestamp."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
