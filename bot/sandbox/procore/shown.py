"""What the look-alike's page shows, read from the company's records: pure, no HTTP and no HTML."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from bot.sandbox.procore.company import Company, Record

ERP_TOOL = "erp_integrations"
PERMISSIONS = {1: "None", 2: "Read Only", 3: "Standard", 4: "Admin"}
"""The levels of a tool in a permission template."""


class ErpState(StrEnum):
    """How a project stands with the ERP."""

    SYNCED = "Synced"
    READY = "Ready to Update"
    NOT_INTEGRATED = "Not in ERP"


@dataclass(frozen=True, slots=True)
class ShownType:
    """A cost type of a cost code, ticked or not; what is in the ERP can no longer be taken away."""

    code: str
    name: str
    ticked: bool
    in_erp: bool


@dataclass(frozen=True, slots=True)
class ShownCode:
    """A cost code of a project with every cost type of the company."""

    id: int
    code: str
    name: str
    erp_id: str | None
    types: tuple[ShownType, ...]

    @property
    def waiting(self) -> int:
        """Cost types that are ticked and not in the ERP."""
        return sum(kind.ticked and not kind.in_erp for kind in self.types)

    @property
    def removable(self) -> bool:
        return self.erp_id is None and not any(kind.in_erp for kind in self.types)


@dataclass(frozen=True, slots=True)
class ShownProject:
    """A project with its cost codes; its address is its number."""

    id: int
    number: str
    name: str
    state: ErpState
    codes: tuple[ShownCode, ...]

    @property
    def waiting(self) -> int:
        return sum(code.waiting for code in self.codes)


@dataclass(frozen=True, slots=True)
class ShownUser:
    """Somebody of the Company Directory."""

    id: int
    name: str
    email: str
    active: bool
    level: int
    accountant: bool


def projects(company: Company) -> list[ShownProject]:
    """Every project, by number."""
    shown = (project(company, each) for each in company.projects.values())
    return sorted(shown, key=lambda each: each.number)


def project(company: Company, record: Record) -> ShownProject:
    """A project with the cost codes that it has of its own, by code."""
    billed = company.billed.get(("Project", record["id"]), {}).values()
    codes = sorted((code(company, each) for each in billed), key=lambda each: each.code)
    if record["origin_id"] is None:
        state = ErpState.NOT_INTEGRATED
    else:
        state = ErpState.READY if any(each.waiting for each in codes) else ErpState.SYNCED
    return ShownProject(record["id"], record["project_number"], record["name"], state, tuple(codes))


def users(company: Company) -> list[ShownUser]:
    """The Company Directory, in the order in which people came."""
    return [
        ShownUser(
            record["id"],
            record["name"],
            record["email_address"],
            record["is_active"],
            _level(company, record),
            bool(record["erp_integrated_accountant"]),
        )
        for record in company.users.values()
    ]


def not_yet(company: Company, shown: ShownProject) -> dict[str, list[Record]]:
    """The codes of the ERP list that a project does not have, by division: what stands before the dash."""
    has = {code.code for code in shown.codes}
    found: dict[str, list[Record]] = {}
    for record in erp_codes(company):
        if record["full_code"] not in has:
            division, _, _ = record["full_code"].partition(company.delimiter)
            found.setdefault(division, []).append(record)
    return found


def erp_codes(company: Company) -> Iterable[Record]:
    """The ERP standard cost code list."""
    lists = {each["id"] for each in company.standard_lists.values() if each["is_erp_list"]}
    return (each for each in company.standard_codes.values() if each["standard_cost_code_list_id"] in lists)


def code(company: Company, record: Record) -> ShownCode:
    """A cost code with the ticks of every cost type."""
    ticked = {kind["id"] for kind in record["line_item_types"]}
    return ShownCode(
        record["id"],
        record["full_code"],
        record["name"],
        record["origin_id"],
        tuple(
            ShownType(
                kind["code"],
                kind["name"],
                kind["id"] in ticked,
                (record["id"], kind["id"]) in company.synced_assignments,
            )
            for kind in company.line_item_types.values()
        ),
    )


def _level(company: Company, user: Record) -> int:
    template = user["company_permission_template"]
    levels = company.templates[template["id"]]["user_access_levels"] if template else {}
    return int(levels.get(ERP_TOOL) or 1)
