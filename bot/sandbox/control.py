"""`/sandbox/…`: what a person sees and does, and the switches that make things go wrong.

For the page and for tests; Slack has nothing like it, and costbot must never call it.
"""

import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict, fields
from typing import Any

from pydantic import Base64Bytes, BaseModel, ConfigDict, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.sandbox.acts import Acts, Outcome, Values
from bot.sandbox.delivery import Delivery
from bot.sandbox.errors import SlackError
from bot.sandbox.faults import Fault
from bot.sandbox.seen import seen_by
from bot.sandbox.sockets import Sockets
from bot.sandbox.web_api import WebApi
from bot.sandbox.workspace import BOT_USER_ID, CHANNEL_ID, User, Workspace

Json = dict[str, Any]
LONGEST_WAIT = 25.0


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Slash(_Body):
    """A typed command: `/costcodes jobs ready`."""

    text: str
    channel: str = CHANNEL_ID


class Click(_Body):
    """A click on a message (`channel`, `ts`) or in a view (`view_id`); `value` picks an option."""

    action_id: str
    block_id: str | None = None
    channel: str = CHANNEL_ID
    ts: str | None = None
    view_id: str | None = None
    value: Any = None
    values: Values = {}


class Submit(_Body):
    """The submit button of a window, with what was filled in by block id and action id."""

    view_id: str
    values: Values = {}


class Close(_Body):
    """The close button of a window."""

    view_id: str


class Home(_Body):
    """The Home tab of the app."""


class Say(_Body):
    """A message of a person's own."""

    text: str
    channel: str = CHANNEL_ID
    thread_ts: str | None = None


class Shortcut(_Body):
    """A global shortcut, or with `ts` one of a message."""

    callback_id: str
    channel: str = CHANNEL_ID
    ts: str | None = None


class RunWorkflow(_Body):
    """The workflow that asks for a cost code update and waits for it; `until` is `Update` or `synced`."""

    job: str
    lines: str
    note: str = ""
    until: str = "Update"


class StopWorkflow(_Body):
    """Cancel a workflow."""

    run_id: str


class Options(_Body):
    """What was typed into an external select of a window."""

    view_id: str
    action_id: str
    query: str = ""


class Upload(_Body):
    """A file chosen in a window, its content in base64."""

    name: str
    content: Base64Bytes


class Switches(_Body):
    """What is wrong with the workspace for now; only what is given changes."""

    archived: bool | None = None
    bot_in_channel: bool | None = None
    token_revoked: bool | None = None
    missing_scopes: list[str] | None = None
    rate_limits: bool | None = None
    events_url: str | None = None
    deliver_twice: int | None = None
    unfurl_domains: list[str] | None = None
    ext_shared: bool | None = None


class Control:
    """The control API of one workspace."""

    def __init__(
        self, workspace: Workspace, web_api: WebApi, sockets: Sockets, delivery: Delivery, acts: Acts
    ) -> None:
        self._workspace = workspace
        self._web_api = web_api
        self._sockets = sockets
        self._delivery = delivery
        self._acts = acts

    def routes(self) -> list[Route]:
        return [
            Route("/people/{who}", _answered(self._seen)),
            Route("/people/{who}/{act}", _answered(self._act), methods=["POST"]),
            Route("/users", _answered(self._put_user), methods=["POST"]),
            Route("/calls", _answered(self._calls)),
            Route("/windows", _answered(self._windows)),
            Route("/deliveries", _answered(self._deliveries)),
            Route("/deliveries/again", _answered(self._deliver_again), methods=["POST"]),
            Route("/faults", _answered(self._add_fault), methods=["POST"]),
            Route("/faults", _answered(self._clear_faults), methods=["DELETE"]),
            Route("/sockets/drop", _answered(self._drop_sockets), methods=["POST"]),
            Route("/sockets/say", _answered(self._say_by_sockets), methods=["POST"]),
            Route("/switches", _answered(self._switch), methods=["POST"]),
        ]

    async def _seen(self, request: Request) -> Any:
        """What a person sees; waits for something newer than `after` when given, `wait` seconds at most."""
        user = self._workspace.person(request.path_params["who"])
        if "after" in request.query_params:
            wait = min(float(request.query_params.get("wait", LONGEST_WAIT)), LONGEST_WAIT)
            await self._workspace.newer_than(int(request.query_params["after"]), wait)
        return seen_by(self._workspace, user, connected=self._delivery.connected)

    async def _act(self, request: Request) -> Any:
        user = self._workspace.person(request.path_params["who"])
        act = request.path_params["act"]
        below = str(request.scope.get("root_path", "")).removesuffix("/sandbox")
        base_url = str(request.url.replace(path=below, query="", fragment="")).rstrip("/")
        outcome = await self._acted(act, user, await _json(request), base_url)
        return asdict(outcome)

    async def _acted(self, act: str, user: User, body: Json, base_url: str) -> Outcome:
        match act:
            case "slash":
                slash = Slash.model_validate(body)
                command, _, text = slash.text.strip().partition(" ")
                return await self._acts.slash(user, slash.channel, command, text.strip(), base_url)
            case "click":
                return await self._click(user, Click.model_validate(body), base_url)
            case "submit":
                submit = Submit.model_validate(body)
                return await self._acts.submit(user, submit.view_id, submit.values)
            case "close":
                return await self._acts.close(user, Close.model_validate(body).view_id)
            case "home":
                Home.model_validate(body)
                return await self._acts.open_home(user)
            case "say":
                say = Say.model_validate(body)
                return await self._acts.say(user, say.channel, say.text, say.thread_ts)
            case "shortcut":
                return await self._shortcut(user, Shortcut.model_validate(body), base_url)
            case "options":
                asked = Options.model_validate(body)
                return await self._acts.options(user, asked.view_id, asked.action_id, asked.query)
            case "upload":
                upload = Upload.model_validate(body)
                return self._acts.upload(upload.name, upload.content, base_url)
        return await self._ran(act, user, body)

    async def _ran(self, act: str, user: User, body: Json) -> Outcome:
        """What a person does with workflows."""
        match act:
            case "run-workflow":
                run = RunWorkflow.model_validate(body)
                return await self._acts.run_workflow(user, run.job, run.lines, run.note, run.until)
            case "stop-workflow":
                return self._acts.stop_workflow(StopWorkflow.model_validate(body).run_id)
        raise SlackError("unknown_act")

    async def _click(self, user: User, click: Click, base_url: str) -> Outcome:
        action, block, value = click.action_id, click.block_id, click.value
        if click.view_id:
            return await self._acts.click_view(user, click.view_id, action, block, value, click.values)
        if not click.ts:
            raise SlackError("message_not_found")
        return await self._acts.click_message(user, click.channel, click.ts, action, block, value, base_url)

    async def _shortcut(self, user: User, picked: Shortcut, base_url: str) -> Outcome:
        if picked.ts is None:
            return await self._acts.shortcut(user, picked.callback_id)
        return await self._acts.message_shortcut(
            user, picked.callback_id, picked.channel, picked.ts, base_url
        )

    async def _put_user(self, request: Request) -> Any:
        """Add a user, or change one: a stranger of another team, a guest, a bot, a new e-mail."""
        body = await _json(request)
        known = {field.name for field in fields(User)}
        if not set(body) <= known or "id" not in body:
            raise SlackError("invalid_arguments", sorted(set(body) - known))
        old = self._workspace.users.get(body["id"])
        new = {"name": body["id"].lower(), "real_name": body["id"], "email": ""}
        base = asdict(old) if old else new | {"team_id": self._workspace.team.id}
        self._workspace.users[body["id"]] = User(**(base | body))
        if old is None:
            self._workspace.conversation(CHANNEL_ID).members.add(body["id"])
        self._workspace.changed()
        return self._workspace.users[body["id"]].to_slack(self._workspace.team)

    async def _calls(self, request: Request) -> Any:
        asked = request.query_params
        return self._web_api.records(asked.get("method"), int(asked.get("after", 0)))

    async def _windows(self, request: Request) -> Any:
        return [{"user": user, "blocks": blocks} for user, blocks in self._workspace.modals.shown]

    async def _deliveries(self, request: Request) -> Any:
        return [asdict(delivered) for delivered in self._delivery.log]

    async def _deliver_again(self, request: Request) -> Any:
        return asdict(await self._delivery.again())

    async def _add_fault(self, request: Request) -> Any:
        self._web_api.faults.add(Fault.model_validate(await _json(request)))
        return {}

    async def _clear_faults(self, request: Request) -> Any:
        self._web_api.faults.clear()
        return {}

    async def _drop_sockets(self, request: Request) -> Any:
        return {"dropped": await self._sockets.drop(warn=bool((await _json(request)).get("warn")))}

    async def _say_by_sockets(self, request: Request) -> Any:
        await self._sockets.say(str((await _json(request)).get("text")))
        return {}

    async def _switch(self, request: Request) -> Any:
        wanted = Switches.model_validate(await _json(request))
        channel = self._workspace.conversation(CHANNEL_ID)
        access = self._web_api.access
        if wanted.archived is not None:
            channel.is_archived = wanted.archived
        if wanted.bot_in_channel is not None:
            (channel.members.add if wanted.bot_in_channel else channel.members.discard)(BOT_USER_ID)
        if wanted.ext_shared is not None:
            channel.is_ext_shared = wanted.ext_shared
        if wanted.token_revoked is not None:
            access.revoked = wanted.token_revoked
        if wanted.missing_scopes is not None:
            access.lose(wanted.missing_scopes)
        if wanted.rate_limits is not None:
            self._web_api.limits.enforced = wanted.rate_limits
        if "events_url" in wanted.model_fields_set:
            self._delivery.url = wanted.events_url
        if wanted.unfurl_domains is not None:
            self._workspace.unfurl_domains = set(wanted.unfurl_domains)
        if wanted.deliver_twice is not None:
            self._delivery.twice = wanted.deliver_twice
        self._workspace.changed()
        return {}


def _answered(handler: Callable[[Request], Awaitable[Any]]) -> Callable[[Request], Awaitable[Response]]:
    """The handler's result as JSON, or 400 with `error` when the request asks for what cannot be."""

    async def endpoint(request: Request) -> Response:
        try:
            return JSONResponse(await handler(request))
        except SlackError as refusal:
            return JSONResponse({"error": refusal.code, "messages": refusal.messages}, 400)
        except ValidationError as wrong:
            return JSONResponse({"error": "invalid_arguments", "messages": [str(wrong)]}, 400)

    return endpoint


async def _json(request: Request) -> Json:
    try:
        body = json.loads(await request.body() or b"{}")
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise SlackError("invalid_json")
    return body
