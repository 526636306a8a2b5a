"""The look-alike's ERP Integrations tool: what was sent to the ERP, the approver, ERP requests and details.

As procore/documentation, erp_integration/erp_technical_guide.md (export workflow), erp_intro.md (states of a
detail) and erp_events_dictionary.md (create_or_update_job, create_sub_job).
"""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.sandbox.procore.company import ERP_REQUESTS, Change, Company, Record
from bot.sandbox.procore.web_api import WebApi, page, refused

STATUSES = ("in progress", "success", "failed", "rejected", "stale")


class ErpTool:
    """Sending a project, or a sub job of one, to the ERP: staged until an approver of Procore decides."""

    def __init__(self, company: Company, web_api: WebApi) -> None:
        self._company = company
        self._web_api = web_api
        self.staged: dict[int, Record] = {}
        self.requests: dict[int, Record] = {}
        self.details: dict[int, Record] = {}

    def routes(self) -> list[Route]:
        """The routes of requests and their details."""
        company, route = "/rest/v1.0/companies/{company_id:int}", self._web_api.route
        return [
            # NOT FOUND: the path of Show ERP Request; made like that of the request details
            route(f"{company}/erp_requests/{{id:int}}", self._show),
            route(f"{company}/erp_request_details", self._list_details),
            route(f"{company}/erp_request_details/{{id:int}}", self._close, "PATCH"),
        ]

    def stage(self, record: Record) -> None:
        """Somebody presses Send to ERP for a project or a sub job."""
        with self._company.lock:
            self.staged[record["id"]] = record

    def retrieve(self, record: Record) -> None:
        """Somebody takes back what no approver decided on yet."""
        with self._company.lock:
            self.staged.pop(record["id"], None)

    reject = retrieve
    """An approver of Procore rejects what is staged: it leaves the tool, and nobody else is told."""

    def accept(self, record: Record, *, by: Record | None = None) -> Record:
        """An approver of Procore accepts what is staged: a request and its detail are made, and told."""
        with self._company.lock:
            del self.staged[record["id"]]
            request = self._sub_job(record) if "project_id" in record else self._job(record)
            project_id = record.get("project_id", record["id"])
        self._tell(request, project_id, by)
        return request

    def send(self, record: Record, *, by: Record | None = None) -> Record:
        """Send to ERP, and accepted."""
        self.stage(record)
        return self.accept(record, by=by)

    def other(self, name: str, data: Record) -> Record:
        """Something else happens in the tool, such as `sync_jobs`, whose data has the detail's id."""
        with self._company.lock:
            detail = self._detail("company", self._company.id)
            request = self._request(name, data | {"request_detail_id": detail["id"]})
        self._tell(request, None, None)
        return request

    def _job(self, project: Record) -> Record:
        fields = ("id", "name", "origin_id", "origin_code", "active")
        job = {key: project[key] for key in fields} | {"synced": bool(project["origin_id"])}
        detail = self._detail("project", project["id"])
        data = {"job": job, "all_cost_codes": self._codes("Project", project["id"])}
        return self._request("create_or_update_job", data, request_detail_id=detail["id"])

    def _sub_job(self, sub_job: Record) -> Record:
        project = self._company.projects[sub_job["project_id"]]
        fields = ("id", "name", "origin_id", "origin_code")
        made = {key: sub_job[key] for key in ("id", "code", "name", "origin_id")}
        detail = self._detail("sub_job", sub_job["id"])
        data = {
            "sub_job": made | {"project": {key: project[key] for key in fields}},
            "all_cost_codes": self._codes("SubJob", sub_job["id"]),
            "request_detail_id": detail["id"],
            "company_id": self._company.id,
        }
        return self._request("create_sub_job", data)

    def _codes(self, biller_type: str, biller_id: int) -> list[Record]:
        """Copies, for a request has what there was when it was made."""
        codes = self._company.billed.get((biller_type, biller_id), {}).values()
        return [
            {key: value for key, value in code.items() if key != "project_id"}
            | {"line_item_types": list(code["line_item_types"])}
            for code in codes
        ]

    def _detail(self, item_type: str, item_id: int) -> Record:
        detail: Record = {
            "id": self._company.new_id(),
            "item_id": item_id,
            "item_type": item_type,
            "status": "in progress",
            "messages": [],
            "created_at": self._company.now,
        }
        self.details[detail["id"]] = detail
        return detail

    def _request(self, name: str, data: Record, **more: int) -> Record:
        request: Record = {
            "id": self._company.new_id(),
            "request_name": name,
            "request_data": data,
            "company_id": self._company.id,
            **more,
        }
        self.requests[request["id"]] = request
        return request

    def _tell(self, request: Record, project_id: int | None, by: Record | None) -> None:
        user_id = by["id"] if by else None
        self._company.tell(Change(ERP_REQUESTS, "create", request["id"], project_id, user_id))

    async def _show(self, request: Request) -> Response:
        found = self.requests.get(request.path_params["id"])
        return JSONResponse(found) if found else refused(404, "Not Found")

    async def _list_details(self, request: Request) -> Response:
        asked = {name: request.query_params.get(f"filters[{name}]") for name in ("item_id", "status")}
        found = [
            each
            for each in self.details.values()
            if all(value in (None, str(each[name])) for name, value in asked.items())
        ]
        return page(request, found)

    async def _close(self, request: Request) -> Response:
        detail = self.details.get(request.path_params["id"])
        if detail is None:
            return refused(404, "Not Found")
        told = (await request.json()).get("request_detail", {})
        if told.get("status") not in STATUSES:
            return JSONResponse({"errors": {"status": ["is not included in the list"]}}, 422)
        detail.update(status=told["status"], messages=list(told.get("messages", [])))
        return JSONResponse(detail)
