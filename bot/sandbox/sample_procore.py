"""The sample company as its Procore has it, from the same files as without Procore: nothing waits yet."""

import csv
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from bot.sandbox import sample_company
from bot.sandbox.procore.company import Company

_LEVELS = {"none": 1, "read_only": 2, "standard": 3, "admin": 4}


def company(*, clock: Callable[[], float] = time.time) -> Company:
    """Projects with the cost codes that Sage holds, the ERP's lists, and the Company Directory."""
    made = Company(clock=clock)
    types = {row["category"]: made.add_type(row["category"], row["name"]) for row in _rows("categories")}
    erp = made.add_standard_list()
    for row in _rows("standard_codes"):
        made.add_standard_code(erp, row["code"], row["description"])
    for row in _rows("people"):
        made.add_user(
            row["name"],
            row["email"],
            erp_level=_LEVELS[row["erp_permission"]],
            accountant=row["can_push_to_accounting"] == "yes",
            active=row["active"] == "yes",
        )
    projects = {
        row["number"]: made.add_project(row["number"], row["name"], id=int(row["procore_project_id"]))
        for row in _rows("jobs")
    }
    held: dict[tuple[str, str], list[dict[str, str]]] = {}
    for row in _rows("sage"):
        held.setdefault((row["job"], row["code"]), []).append(row)
    for (job, code), rows in held.items():
        kinds = [types[row["category"]] for row in rows]
        added = made.add_cost_code(
            projects[job],
            code,
            rows[0]["description"],
            types=kinds,
            origin_id=f"{job}//{code}",
            quietly=True,
        )
        made.synced_assignments |= {(added["id"], kind["id"]) for kind in kinds}
    return made


def _rows(name: str) -> Iterator[dict[str, str]]:
    path: Path = sample_company.FOLDER / f"{name}.csv"
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)
