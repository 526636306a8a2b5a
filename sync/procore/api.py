"""Procore's resources as costbot reads and changes them: one method an endpoint, with its source.

REFERENCE is developers.procore.com/reference/rest; docs/procore.md has the table of fields.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sync.procore.client import ProcoreClient, SyncError
from sync.procore.errors import ProcoreRefusedError
from sync.procore.models import (
    CostCode,
    ErpRequest,
    ErpRequestDetail,
    LineItemType,
    Me,
    PermissionTemplate,
    Project,
    StandardCode,
    StandardList,
    SubJob,
    Unusable,
    User,
)

PROJECTS_A_PAGE = 300
"""REFERENCE, List projects: no page has more."""


@dataclass(frozen=True, slots=True)
class ProcoreApi:
    """What one company's Procore has."""

    client: ProcoreClient

    def projects(self, *, since: datetime | None = None) -> Iterator[Project | Unusable]:
        """Projects that are synced with the ERP; only those changed `since`, where it is given.

        REFERENCE, List projects: filters[synced], filters[by_status] (without it, archived projects are left
        out) and filters[updated_at] (a range, joined by three dots).
        """
        params: dict[str, str | int] = {
            "company_id": self.client.company_id,
            "filters[synced]": "true",
            "filters[by_status]": "All",
            "per_page": PROJECTS_A_PAGE,
        }
        if since is not None:
            # the end is far away, for Procore's clock may be ahead of ours
            params["filters[updated_at]"] = f"{since:%Y-%m-%dT%H:%M:%SZ}...2100-01-01T00:00:00Z"
        return self.client.every_or_why(Project, "rest/v1.0/projects", params)

    def sub_jobs(self, project_id: int) -> Iterator[SubJob]:
        """The sub jobs of a project. REFERENCE, List Sub Jobs."""
        return self.client.every(SubJob, "rest/v1.0/sub_jobs", {"project_id": project_id})

    def cost_codes(self, project_id: int, sub_job_id: int | None = None) -> Iterator[CostCode]:
        """The cost codes of a project itself, or of a sub job of it. REFERENCE, List Cost Codes.

        It knows no filter by time.
        """
        params: dict[str, str | int] = {"project_id": project_id}
        if sub_job_id is not None:
            params["sub_job_id"] = sub_job_id
        return self.client.every(CostCode, "rest/v1.0/cost_codes", params)

    def cost_code(self, cost_code_id: int, project_id: int, sub_job_id: int | None = None) -> CostCode | None:
        """One cost code; None when it is gone. REFERENCE, Show Cost Code."""
        params: dict[str, str | int] = {"project_id": project_id}
        if sub_job_id is not None:
            params["sub_job_id"] = sub_job_id
        try:
            found = self.client.show(CostCode, f"rest/v1.0/cost_codes/{cost_code_id}", params)
        except ProcoreRefusedError as refused:
            if refused.status == 404:
                return None
            raise
        return None if found.deleted_at else found

    def standard_lists(self) -> Iterator[StandardList]:
        """The company's standard cost code lists. REFERENCE; deprecated 2022-03-31 and still alive."""
        params: dict[str, str | int] = {"company_id": self.client.company_id}
        return self.client.every(StandardList, "rest/v1.0/standard_cost_code_lists", params)

    def standard_codes(self, list_id: int) -> Iterator[StandardCode]:
        """The active codes of a standard list. REFERENCE, List Standard Cost Codes, view extended."""
        params: dict[str, str | int] = {
            "company_id": self.client.company_id,
            "standard_cost_code_list_id": list_id,
            "only_active_cost_codes": "true",
            "view": "extended",
        }
        return self.client.every(StandardCode, "rest/v1.0/standard_cost_codes", params)

    def line_item_types(self) -> Iterator[LineItemType]:
        """The company's line item types. REFERENCE, List Line Item Types; it knows no pages."""
        params: dict[str, str | int] = {"company_id": self.client.company_id}
        return self.client.every(LineItemType, "rest/v1.0/line_item_types", params)

    def users(self, *, search: str | None = None) -> Iterator[User]:
        """Who is in the Company Directory. REFERENCE, List company users.

        A search matches names and companies too: whoever asks for one person compares the e-mail.
        """
        params = {"filters[search]": search} if search else None
        return self.client.every(User, f"{self._company}/users", params)

    def user(self, user_id: int) -> User | None:
        """One user of the Company Directory; None when they are gone. REFERENCE, Show company user."""
        try:
            return self.client.show(User, f"{self._company}/users/{user_id}")
        except ProcoreRefusedError as refused:
            if refused.status == 404:
                return None
            raise

    def own_user_id(self) -> int:
        """The service account's own user. REFERENCE, Show User Info (me)."""
        return self.client.show(Me, "rest/v1.0/me", {"company_id": self.client.company_id}).id

    def permission_template(self, template_id: int) -> PermissionTemplate:
        """What a template lets its people do. REFERENCE, Company Permission Templates."""
        return self.client.show(PermissionTemplate, f"{self._company}/permission_templates/{template_id}")

    def erp_request(self, request_id: int, path: str) -> ErpRequest:
        """What was sent to the ERP. Show ERP Request; its `path` is NOT FOUND in any public page."""
        company_id = self.client.company_id
        return self.client.show(ErpRequest, path.format(company_id=company_id, id=request_id))

    def open_details(self) -> list[ErpRequestDetail]:
        """The ERP request details that Procore waits for. REFERENCE, List ERP Request Details.

        NOT FOUND: whether it can be filtered by status; what is closed is left out here too.
        """
        params: dict[str, str | int] = {"filters[status]": "in progress"}
        found = self.client.every(ErpRequestDetail, f"{self._company}/erp_request_details", params)
        return [each for each in found if each.is_open]

    def close_detail(self, detail_id: int, status: str, messages: Sequence[str]) -> None:
        """Say how an ERP request ended. REFERENCE, Update ERP Request Detail."""
        body = {"request_detail": {"status": status, "messages": list(messages)}}
        self.client.change(f"{self._company}/erp_request_details/{detail_id}", body)

    def mark_synced(self, items: Sequence[tuple[str, int, str]]) -> Iterator[SyncError]:
        """Give records their ERP id, by item type and id. DOC erp_external_data_details."""
        updates = [
            {"item_type": kind, "item_id": item_id, "origin_id": origin_id}
            for kind, item_id, origin_id in items
        ]
        return self.client.sync(f"{self._company}/external_data", updates)

    @property
    def _company(self) -> str:
        return f"rest/v1.0/companies/{self.client.company_id}"
