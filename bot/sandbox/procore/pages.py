"""The look-alike's page in the browser: projects and their cost codes, the Company Directory, webhooks.

A form is answered with the page it stands on, so that all works without JavaScript; page.js spares the
reading of it, and shows what changes meanwhile.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from bot.sandbox.procore import acts, shown
from bot.sandbox.procore.acts import CannotError, Form
from bot.sandbox.procore.company import COMPANY_USERS, COST_CODES, Change, Company, Record
from bot.sandbox.procore.webhooks import Webhooks

HOME = "/procore"
_FOLDER = Path(__file__).parent / "page"
_YOU = "procore_user"
_SENT, _SENT_OF_A_PROJECT = 50, 5

Facts = dict[str, Any]
Act = Callable[[Request, Form, Record], str]


class Pages:
    """The pages of one company; `you` is the e-mail of who sits before them until another is chosen."""

    def __init__(self, company: Company, webhooks: Webhooks, *, you: str) -> None:
        self._company = company
        self._webhooks = webhooks
        self._you = you
        self._templates = Environment(
            loader=FileSystemLoader(_FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True
        )

    def routes(self) -> list[BaseRoute]:
        """Every page, below HOME."""
        return [
            Route(HOME, _to_projects),
            self._page("/projects", "projects.html", self._projects),
            self._page("/projects/{number:path}", "project.html", self._project, self._change_project),
            self._page("/directory", "directory.html", self._directory, self._change_directory),
            self._page("/webhooks", "webhooks.html", self._sent),
            Mount(f"{HOME}/static", StaticFiles(directory=_FOLDER)),
        ]

    def _page(
        self, path: str, template: str, facts: Callable[[Request], Facts | None], act: Act | None = None
    ) -> Route:
        """One page: `facts` for its template, None where there is no such page; `act` does what forms say."""

        async def answer(request: Request) -> Response:
            form = parse_qs((await request.body()).decode(errors="replace"))
            chosen = form["you"][0] if "you" in form else request.cookies.get(_YOU)
            told = wrong = ""
            with self._company.lock:
                you = self._person(chosen)
                try:
                    if act is not None and "act" in form:
                        told = act(request, form, you)
                except CannotError as error:
                    wrong = str(error)
                found = facts(request)
                drawn = self._drawn(template if found else "missing.html", you, found or {}, told, wrong)
            response = HTMLResponse(drawn, 404 if found is None else 422 if wrong else 200)
            if "you" in form:
                response.set_cookie(_YOU, str(you["id"]), path=HOME, samesite="strict")
            return response

        return Route(f"{HOME}{path}", answer, methods=["GET", "POST"])

    def _drawn(self, template: str, you: Record, facts: Facts, told: str, wrong: str) -> str:
        users = [user for user in shown.users(self._company) if user.active]
        return self._templates.get_template(template).render(
            home=HOME, company=self._company.name, you=you, users=users, told=told, wrong=wrong, **facts
        )

    def _person(self, chosen: str | None) -> Record:
        users = self._company.users
        found = users.get(int(chosen)) if chosen and chosen.isdecimal() else None
        return found or next(each for each in users.values() if each["email_address"] == self._you)

    def _record(self, request: Request) -> Record | None:
        number = request.path_params["number"]
        return next((p for p in self._company.projects.values() if p["project_number"] == number), None)

    def _projects(self, _: Request) -> Facts:
        return {"projects": shown.projects(self._company)}

    def _project(self, request: Request) -> Facts | None:
        record = self._record(request)
        if record is None:
            return None
        project = shown.project(self._company, record)
        return {
            "project": project,
            "types": list(self._company.line_item_types.values()),
            "not_yet": shown.not_yet(self._company, project),
            "sent": self._log(_SENT_OF_A_PROJECT, of=record),
        }

    def _change_project(self, request: Request, form: Form, you: Record) -> str:
        record = self._record(request)
        return acts.on_project(self._company, record, form, you) if record else ""

    def _directory(self, _: Request) -> Facts:
        return {"people": shown.users(self._company), "permissions": shown.PERMISSIONS}

    def _change_directory(self, _: Request, form: Form, __: Record) -> str:
        return acts.on_directory(self._company, form)

    def _sent(self, _: Request) -> Facts:
        return {
            "destinations": self._webhooks.destinations(),
            "on_their_way": self._webhooks.on_their_way(),
            "sent": self._log(_SENT),
        }

    def _log(self, most: int, *, of: Record | None = None) -> list[Facts]:
        """The newest webhooks in words, of one project or of all: what they told, and what became of them."""
        found = []
        for delivery in reversed(self._webhooks.deliveries()):
            change = _change(delivery["body"])
            if of is None or change.project_id == of["id"]:
                found.append(self._told(delivery, change))
            if len(found) == most:
                break
        return found

    def _told(self, delivery: Record, change: Change) -> Facts:
        company = self._company
        about = f"no. {change.resource_id}"
        if change.resource_name == COST_CODES and change.resource_id in company.cost_codes:
            about = company.cost_codes[change.resource_id]["full_code"]
        elif change.resource_name == COMPANY_USERS and change.resource_id in company.users:
            about = company.users[change.resource_id]["name"]
        project = company.projects.get(change.project_id or 0)
        by = company.users.get(change.user_id or 0)
        return {
            "at": delivery["completed_at"],
            "what": f"{change.resource_name} {change.event_type}",
            "about": about,
            "project": project["project_number"] if project else "",
            "by": by["name"] if by else "",
            "outcome": delivery["outcome"],
            "answer": delivery["response_status"] or "no answer",
        }


def _change(body: Record) -> Change:
    """What a webhook told; the ids of v4 are text."""
    resource, project, user = (int(body[key] or 0) for key in ("resource_id", "project_id", "user_id"))
    name = body.get("resource_type") or body["resource_name"]
    return Change(name, body.get("reason") or body["event_type"], resource, project, user)


async def _to_projects(_: Request) -> Response:
    return RedirectResponse(f"{HOME}/projects", 302)
