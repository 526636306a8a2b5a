"""What the look-alike's one company has: projects, cost codes, line item types, people.

Owns the records, as JSON has them, and the acts of Procore's own users; knows no HTTP. Every act that Procore
would send a webhook for is told to `listeners`.
"""

import itertools
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

Record = dict[str, Any]
Listener = Callable[["Change"], None]

COST_CODES = "Cost Codes"
ERP_REQUESTS = "ERP Requests"
COMPANY_USERS = "Company Users"
PROJECTS = "Projects"


@dataclass(frozen=True, slots=True)
class Change:
    """Something that happened, as a webhook tells it."""

    resource_name: str
    event_type: str
    resource_id: int
    project_id: int | None
    user_id: int | None
    application_id: str | None = None


@dataclass
class Company:
    """One company in memory; its methods may be called from any thread.

    `delimiter` stands between the tiers of a full code; `clock` gives Unix seconds.
    """

    id: int = 4001
    name: str = "Kestrel Builders"
    delimiter: str = "-"
    clock: Callable[[], float] = field(default=lambda: datetime.now(UTC).timestamp())
    projects: dict[int, Record] = field(default_factory=dict)
    sub_jobs: dict[int, Record] = field(default_factory=dict)
    cost_codes: dict[int, Record] = field(default_factory=dict)
    billed: dict[tuple[str, int], dict[int, Record]] = field(default_factory=dict)
    """The cost codes of each project and sub job, by `biller_type` and `biller_id`."""
    standard_lists: dict[int, Record] = field(default_factory=dict)
    standard_codes: dict[int, Record] = field(default_factory=dict)
    line_item_types: dict[int, Record] = field(default_factory=dict)
    users: dict[int, Record] = field(default_factory=dict)
    templates: dict[int, Record] = field(default_factory=dict)
    synced_assignments: set[tuple[int, int]] = field(default_factory=set)
    listeners: list[Listener] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.lock = threading.RLock()
        self._ids = itertools.count(70001)

    @property
    def now(self) -> str:
        """The time as Procore writes it."""
        return datetime.fromtimestamp(self.clock(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def new_id(self) -> int:
        """An id that nothing else has."""
        return next(self._ids)

    def ids_from(self, first: int) -> None:
        """New ids begin here."""
        self._ids = itertools.count(first)

    def add_user(
        self,
        name: str,
        email: str,
        *,
        erp_level: int | None = 2,
        accountant: bool = False,
        active: bool = True,
    ) -> Record:
        """Somebody in the Company Directory; `erp_level` as in `user_access_levels`, None for no template."""
        with self.lock:
            template = self._template(erp_level) if erp_level is not None else None
            first, _, last = name.partition(" ")
            user_id = self.new_id()
            user: Record = {
                "id": user_id,
                "name": name,
                "first_name": first,
                "last_name": last,
                "email_address": email,
                "is_active": active,
                "is_employee": True,
                "job_title": "",
                "erp_integrated_accountant": accountant,
                "company_permission_template": template
                and {"id": template["id"], "name": template["name"], "type": "company_tools"},
                "updated_at": self.now,
            }
            self.users[user_id] = user
            return user

    def change_user(self, user: Record, **changes: Any) -> None:
        """Change fields of a user; `erp_level` gives another permission template."""
        with self.lock:
            if "erp_level" in changes:
                template = self._template(changes.pop("erp_level"))
                user["company_permission_template"] = {
                    "id": template["id"],
                    "name": template["name"],
                    "type": "company_tools",
                }
            user.update(changes, updated_at=self.now)
        self.tell(Change(COMPANY_USERS, "update", user["id"], None, None))

    def add_project(self, number: str, name: str, *, erp: bool = True, **more: Any) -> Record:
        """A project; an ERP-integrated one has the ERP's job code."""
        with self.lock:
            project: Record = {
                "id": self.new_id(),
                "name": name,
                "display_name": f"{number} {name}",
                "project_number": number,
                "active": True,
                "origin_id": f"job-{number}" if erp else None,
                "origin_code": number if erp else None,
                "is_erp_integrated": erp,
                "standard_cost_code_list_id": None,
                "created_at": self.now,
                "updated_at": self.now,
                "company": {"id": self.id, "name": self.name},
                **more,
            }
            self.projects[project["id"]] = project
            return project

    def add_sub_job(self, project: Record, code: str, name: str) -> Record:
        """A sub job of a project: an extra, to Sage."""
        with self.lock:
            made: Record = {
                "id": self.new_id(),
                "project_id": project["id"],
                "code": code,
                "name": name,
                "origin_id": None,
            }
            self.sub_jobs[made["id"]] = made
            return made

    def add_type(self, code: str, name: str, *, erp: bool = True) -> Record:
        """A line item type, which is a cost type on screen and a category to Sage."""
        with self.lock:
            kind: Record = {
                "id": self.new_id(),
                "code": code,
                "name": name,
                "base_type": "other",
                "origin_id": f"category-{code}" if erp else None,
                "origin_data": None,
            }
            self.line_item_types[kind["id"]] = kind
            return kind

    def add_standard_list(self, name: str = "ERP Standard Cost Codes", *, erp: bool = True) -> Record:
        """A standard cost code list; the company's ERP connection makes exactly one that is the ERP's."""
        with self.lock:
            made: Record = {
                "id": self.new_id(),
                "name": name,
                "is_erp_list": erp,
                "available_to_use_on_new_projects": True,
            }
            self.standard_lists[made["id"]] = made
            return made

    def add_standard_code(
        self, standard_list: Record, code: str, name: str, *, parent: Record | None = None
    ) -> Record:
        """A code of a standard list, under its parent's code."""
        with self.lock:
            made: Record = {
                "id": self.new_id(),
                "standard_cost_code_list_id": standard_list["id"],
                "parent_id": parent["id"] if parent else None,
                "code": code,
                "full_code": self._full(code, parent),
                "name": name,
                "origin_id": f"standard-{self._full(code, parent)}",
                "origin_data": None,
            }
            self.standard_codes[made["id"]] = made
            return made

    def add_cost_code(
        self,
        project: Record,
        code: str,
        name: str,
        *,
        types: Iterable[Record] = (),
        parent: Record | None = None,
        sub_job: Record | None = None,
        by: Record | None = None,
        origin_id: str | None = None,
        quietly: bool = False,
    ) -> Record:
        """Somebody adds a cost code to a project, or to a sub job of it; `quietly` sends no webhook."""
        with self.lock:
            biller = sub_job or project
            made: Record = {
                "id": self.new_id(),
                "name": name,
                "code": code,
                "full_code": self._full(code, parent),
                "sortable_code": self._full(code, parent),
                "parent": {"id": parent["id"] if parent else None},
                "biller": biller["name"],
                "biller_id": biller["id"],
                "biller_type": "SubJob" if sub_job else "Project",
                "biller_origin_id": biller["origin_id"],
                "budgeted": False,
                "position": None,
                "origin_id": origin_id,
                "origin_data": None,
                "standard_cost_code_id": None,
                "line_item_types": [self._typed(kind) for kind in types],
                "created_at": self.now,
                "updated_at": self.now,
                "deleted_at": None,
                "project_id": project["id"],
            }
            self.cost_codes[made["id"]] = made
            self.billed.setdefault((made["biller_type"], biller["id"]), {})[made["id"]] = made
        if not quietly:
            self.tell(Change(COST_CODES, "create", made["id"], project["id"], _id(by)))
        return made

    def assign(self, cost_code: Record, kind: Record, *, by: Record | None = None) -> None:
        """Somebody ticks a cost type of a cost code."""
        with self.lock:
            cost_code["line_item_types"].append(self._typed(kind))
            cost_code["updated_at"] = self.now
        self.tell(Change(COST_CODES, "update", cost_code["id"], cost_code["project_id"], _id(by)))

    def unassign(self, cost_code: Record, kind: Record, *, by: Record | None = None) -> None:
        """Somebody takes the tick of a cost type away."""
        with self.lock:
            cost_code["line_item_types"] = [
                each for each in cost_code["line_item_types"] if each["id"] != kind["id"]
            ]
            cost_code["updated_at"] = self.now
        self.tell(Change(COST_CODES, "update", cost_code["id"], cost_code["project_id"], _id(by)))

    def remove(self, cost_code: Record, *, by: Record | None = None) -> None:
        """Somebody deletes a cost code of a project."""
        with self.lock:
            del self.cost_codes[cost_code["id"]]
            del self.billed[cost_code["biller_type"], cost_code["biller_id"]][cost_code["id"]]
        self.tell(Change(COST_CODES, "delete", cost_code["id"], cost_code["project_id"], _id(by)))

    def mark_synced(self, records: dict[int, Record], record: Record, origin_id: str) -> str | None:
        """Give a record its ERP id; says what is wrong where another record of the company has it."""
        with self.lock:
            for other in records.values():
                if other["origin_id"] == origin_id and other["id"] != record["id"]:
                    return "has already been taken"
            record["origin_id"], record["updated_at"] = origin_id, self.now
            return None

    def _template(self, erp_level: int) -> Record:
        for template in self.templates.values():
            if template["user_access_levels"].get("erp_integrations") == erp_level:
                return template
        template = {
            "id": self.new_id(),
            "company_id": self.id,
            "name": f"ERP level {erp_level}",
            "type": "company_tools",
            "user_access_levels": {"admin": 1, "directory": 2, "erp_integrations": erp_level},
        }
        self.templates[template["id"]] = template
        return template

    def _full(self, code: str, parent: Record | None) -> str:
        return f"{parent['full_code']}{self.delimiter}{code}" if parent else code

    @staticmethod
    def _typed(kind: Record) -> Record:
        return {key: kind[key] for key in ("id", "name", "code", "base_type", "origin_id")}

    def tell(self, change: Change) -> None:
        """Something happened that webhooks may be wanted for."""
        for listener in self.listeners:
            listener(change)


def _id(record: Record | None) -> int | None:
    return record["id"] if record else None
