"""What people do on the look-alike's page, as its forms say it: each act is one of `Company`'s.

Answers with what was done, in words for whoever did it.
"""

from collections.abc import Mapping

from bot.sandbox.procore import shown
from bot.sandbox.procore.company import Company, Record

Form = Mapping[str, list[str]]


class CannotError(Exception):
    """What somebody wanted cannot be; in words for them."""


def on_project(company: Company, project: Record, form: Form, by: Record) -> str:
    """Add a cost code to a project, change the ticks of one, or remove one.

    Raises:
        CannotError: nothing was changed.
    """
    match _said(form, "act"):
        case "add":
            return _add(company, project, form, by)
        case "types":
            return _tick(company, _code(company, project, form), form, by)
        case "remove":
            return _remove(company, _code(company, project, form), by)
    raise CannotError("Nobody can do that here.")


def on_directory(company: Company, form: Form) -> str:
    """Change what somebody of the Company Directory may do.

    Raises:
        CannotError: nothing was changed.
    """
    given, level = _said(form, "user"), _said(form, "level")
    user = company.users.get(int(given)) if given.isdecimal() else None
    if user is None or not level.isdecimal() or int(level) not in shown.PERMISSIONS:
        raise CannotError("Nobody can be changed like that.")
    accountant = "accountant" in form
    company.change_user(user, erp_level=int(level), erp_integrated_accountant=accountant)
    may = "can push to accounting" if accountant else "cannot push to accounting"
    return f"{user['name']}: ERP Integrations {shown.PERMISSIONS[int(level)]}, and {may}."


def _add(company: Company, project: Record, form: Form, by: Record) -> str:
    """A code of the ERP list with cost types; on a code that is there already they are ticked too."""
    wanted, kinds = _said(form, "code"), _kinds(company, form)
    standard = next((each for each in shown.erp_codes(company) if each["full_code"] == wanted), None)
    if standard is None:
        raise CannotError("Choose a cost code from the list.")
    if not kinds:
        raise CannotError(f"Tick at least one cost type for {wanted}.")
    there = next((each for each in _of(company, project).values() if each["full_code"] == wanted), None)
    if there is None:
        company.add_cost_code(project, wanted, standard["name"], types=kinds, by=by)
        return f"{wanted} {standard['name']} was added."
    has = {kind["id"] for kind in there["line_item_types"]}
    new = [kind for kind in kinds if kind["id"] not in has]
    for kind in new:
        company.assign(there, kind, by=by)
    return _ticked(there, [f"{kind['name']} was ticked" for kind in new])


def _tick(company: Company, code: Record, form: Form, by: Record) -> str:
    """The ticks of a code are these from now on; those that are in the ERP stay whatever is said."""
    wanted = {kind["id"] for kind in _kinds(company, form)}
    has = {kind["id"] for kind in code["line_item_types"]}
    changes = []
    for kind in company.line_item_types.values():
        if (code["id"], kind["id"]) in company.synced_assignments:
            continue
        if kind["id"] in wanted - has:
            company.assign(code, kind, by=by)
            changes.append(f"{kind['name']} was ticked")
        elif kind["id"] in has - wanted:
            company.unassign(code, kind, by=by)
            changes.append(f"{kind['name']} was unticked")
    return _ticked(code, changes)


def _remove(company: Company, code: Record, by: Record) -> str:
    if not shown.code(company, code).removable:
        raise CannotError(f"{code['full_code']} is in the ERP, and stays.")
    company.remove(code, by=by)
    return f"{code['full_code']} {code['name']} was removed."


def _ticked(code: Record, changes: list[str]) -> str:
    return f"{code['full_code']}: {', '.join(changes) or 'nothing was changed'}."


def _code(company: Company, project: Record, form: Form) -> Record:
    given = _said(form, "cost_code")
    found = _of(company, project).get(int(given)) if given.isdecimal() else None
    if found is None:
        raise CannotError("That cost code is gone: somebody else removed it.")
    return found


def _of(company: Company, project: Record) -> dict[int, Record]:
    return company.billed.get(("Project", project["id"]), {})


def _kinds(company: Company, form: Form) -> list[Record]:
    wanted = form.get("type", [])
    return [kind for kind in company.line_item_types.values() if kind["code"] in wanted]


def _said(form: Form, name: str) -> str:
    return form.get(name, [""])[0]
