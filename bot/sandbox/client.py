"""A client of the sandbox for tests: be a person, see what the person sees, and make things go wrong.

    sandbox = Sandbox(url)
    dana = sandbox.as_person(sample_company.APPROVER)
    card = dana.wait_for_message("24-017")
    dana.click("Update", card)
    dana.wait_for(lambda seen: "accepted" in seen.message("24-017").words)

Every `wait_for` has a deadline and says in its error what was on the screen.
"""

import base64
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx

from bot.sandbox.blocks import elements
from bot.sandbox.workspace import BOT_USER_ID, CHANNEL_ID

Json = dict[str, Any]
Found = TypeVar("Found")
DEADLINE = 60.0
NO_AUTHORITIES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For clients of plain HTTP on this machine: httpx would read all certificates (30 ms) for each of them."""


class RefusedError(Exception):
    """The sandbox cannot do that: the button is not there, the window is closed, nobody of that name."""


@dataclass(frozen=True)
class Outcome:
    """What came of an act; `error` is None, or `operation_timeout`, `dispatch_failed` or the like.

    `trigger_id` tells a click or a submission from every other; what answers it in a direct message has it.
    """

    error: str | None
    message: str | None
    options: list[Json] | None
    file: Json | None = None
    trigger_id: str | None = None


@dataclass(frozen=True)
class Surface:
    """Something with blocks: a message, a window or App Home."""

    raw: Json

    @property
    def blocks(self) -> list[Json]:
        attached = [b for attachment in self.raw.get("attachments", []) for b in attachment.get("blocks", [])]
        return [*self.raw["blocks"], *attached]

    @property
    def words(self) -> str:
        """Everything a person could read on it, in order."""
        return "\n".join(_texts(self.blocks))

    @property
    def buttons(self) -> list[str]:
        """Labels of the buttons."""
        return [element["text"]["text"] for element in self._elements() if element["type"] == "button"]

    def element(self, name: str) -> Json:
        """The button or input with this action id or label, and its `block_id`. Raises RefusedError."""
        for element in self._elements():
            label = element["text"]["text"] if element["type"] == "button" else None
            if name in (element.get("action_id"), label):
                return element
        raise RefusedError(
            f"there is no {name!r} here, only {[e.get('action_id') for e in self._elements()]}"
        )

    def _elements(self) -> list[Json]:
        return [
            element | {"block_id": block["block_id"]} for block in self.blocks for element in elements(block)
        ]


@dataclass(frozen=True)
class Message(Surface):
    """One message; `only_for_me` marks an ephemeral one."""

    channel: str

    @property
    def ts(self) -> str:
        return str(self.raw["ts"])

    @property
    def text(self) -> str:
        """The fall-back text, as a phone notification shows it."""
        return str(self.raw["text"])

    @property
    def words(self) -> str:
        return "\n".join([self.text, *_texts(self.blocks)])

    @property
    def only_for_me(self) -> bool:
        return bool(self.raw["is_ephemeral"])

    @property
    def thread_ts(self) -> str | None:
        return self.raw.get("thread_ts")


@dataclass(frozen=True)
class View(Surface):
    """An open window or App Home."""

    @property
    def id(self) -> str:
        return str(self.raw["id"])

    @property
    def title(self) -> str:
        return str(self.raw["title"]["text"]) if self.raw.get("title") else ""

    @property
    def submit(self) -> str | None:
        """Label of the submit button."""
        return self.raw["submit"]["text"] if self.raw.get("submit") else None

    @property
    def errors(self) -> dict[str, str]:
        """What is wrong with the inputs, by block id."""
        return dict(self.raw["errors"])


@dataclass(frozen=True)
class Seen:
    """What a person sees at one moment."""

    raw: Json

    @property
    def modal(self) -> View | None:
        return View(self.raw["modal"]) if self.raw["modal"] else None

    @property
    def home(self) -> View | None:
        return View(self.raw["home"]) if self.raw["home"] else None

    @property
    def messages(self) -> list[Message]:
        """Messages of the approvals channel, oldest first, thread answers among them."""
        return self._in(lambda conversation: conversation["id"] == CHANNEL_ID)

    @property
    def direct_messages(self) -> list[Message]:
        """Messages between the bot and this person."""
        return self._in(lambda conversation: conversation["is_im"])

    @property
    def ephemerals(self) -> list[Message]:
        """Messages that only this person sees, anywhere."""
        return [message for message in self._in(lambda _: True) if message.only_for_me]

    def find(self, containing: str) -> Message | None:
        """The newest message of the channel, outside threads, with these words."""
        found = [m for m in self.messages if containing in m.words and m.thread_ts in (None, m.ts)]
        return found[-1] if found else None

    def message(self, containing: str) -> Message:
        """As `find`. Raises RefusedError when there is none."""
        found = self.find(containing)
        if found is None:
            raise RefusedError(f"no message with {containing!r}")
        return found

    def thread(self, message: Message) -> list[Message]:
        """The answers to a message, oldest first."""
        return [
            one for one in self._in(lambda _: True) if one.thread_ts == message.ts and one.ts != message.ts
        ]

    def _in(self, wanted: Callable[[Json], bool]) -> list[Message]:
        return [
            Message(message, conversation["id"])
            for conversation in self.raw["conversations"]
            if wanted(conversation)
            for message in conversation["messages"]
        ]

    def __str__(self) -> str:
        shown = [
            f"- {message.words}"
            for conversation in (self.messages, self.direct_messages)
            for message in conversation
        ]
        return "\n".join([*shown, f"modal: {self.modal.words if self.modal else None}"])


class Person:
    """One person of the workspace, in front of Slack."""

    def __init__(self, http: httpx.Client, who: str) -> None:
        self._http = http
        self.who = who

    def sees(self) -> Seen:
        return Seen(_result(self._http.get(f"/sandbox/people/{self.who}")))

    def slash(self, text: str, channel: str = CHANNEL_ID) -> Outcome:
        """Type a command: `/costcodes jobs ready`."""
        return self._act("slash", text=text, channel=channel)

    def click(
        self,
        name: str,
        on: Surface | None = None,
        *,
        value: Any = None,
        values: Json | None = None,
        confirm: bool = True,
    ) -> Outcome:
        """Use a button or menu, by label or action id, on a message or view (default: the open window).

        A button with a confirm dialog is confirmed, or with `confirm=False` left: then nothing is sent.
        `value` picks an option; `values` is what else is filled in, by block id and action id.
        """
        surface = on or self._modal()
        element = surface.element(name)
        if element.get("confirm") and not confirm:
            return Outcome(None, None, None)
        place: Json = {"value": value, "action_id": element["action_id"], "block_id": element["block_id"]}
        if isinstance(surface, Message):
            return self._act("click", channel=surface.channel, ts=surface.ts, **place)
        return self._act("click", view_id=surface.raw["id"], values=values or {}, **place)

    def submit(self, values: Json | None = None) -> Outcome:
        """Press the submit button of the open window; `values` by block id and action id."""
        return self._act("submit", view_id=self._modal().id, values=values or {})

    def close(self) -> Outcome:
        """Close the open window."""
        return self._act("close", view_id=self._modal().id)

    def open_home(self) -> Outcome:
        return self._act("home")

    def say(self, text: str, channel: str = CHANNEL_ID, thread_ts: str | None = None) -> Outcome:
        """Write a message."""
        return self._act("say", text=text, channel=channel, thread_ts=thread_ts)

    def shortcut(self, callback_id: str, on: Message | None = None) -> Outcome:
        """Pick a global shortcut, or one from the menu of a message."""
        place = {"channel": on.channel, "ts": on.ts} if on else {}
        return self._act("shortcut", callback_id=callback_id, **place)

    def run_workflow(self, job: str, lines: str, *, note: str = "", until: str = "Update") -> Outcome:
        """Start the workflow that asks for a cost code update and then waits for it."""
        return self._act("run-workflow", job=job, lines=lines, note=note, until=until)

    def stop_workflow(self, run_id: str) -> Outcome:
        """Cancel a workflow."""
        return self._act("stop-workflow", run_id=run_id)

    def wait_for_step(self, title: str, state: str, seconds: float = DEADLINE) -> Json:
        """The newest step of this title, once it is in this state."""

        def wanted(seen: Seen) -> Json | None:
            steps = [step for run in seen.raw["runs"] for step in run["steps"] if step["title"] == title]
            return steps[-1] if steps and steps[-1]["state"] == state else None

        return self.wait_for(wanted, seconds)

    def options(self, action_id: str, query: str = "") -> list[Json]:
        """What an external select of the open window offers for a query."""
        return self._act("options", view_id=self._modal().id, action_id=action_id, query=query).options or []

    def upload(self, name: str, content: bytes) -> Json:
        """Choose a file; its answer is a value for a file input."""
        encoded = base64.b64encode(content).decode()
        return self._act("upload", name=name, content=encoded).file or {}

    def wait_for(self, wanted: Callable[[Seen], Found | None], seconds: float = DEADLINE) -> Found:
        """The first truthy result of `wanted` on what the person sees; a RefusedError in it means not yet.

        Raises AssertionError after so many seconds, with what was on the screen.
        """
        deadline = time.monotonic() + seconds
        query: dict[str, str] = {}
        while True:
            seen = Seen(_result(self._http.get(f"/sandbox/people/{self.who}", params=query)))
            try:
                found = wanted(seen)
            except RefusedError:
                found = None
            if found:
                return found
            left = deadline - time.monotonic()
            if left <= 0:
                raise AssertionError(f"{self.who} waited {seconds} s in vain; on the screen:\n{seen}")
            query = {"after": str(seen.raw["version"]), "wait": str(min(left, 5.0))}

    def wait_for_message(self, containing: str, seconds: float = DEADLINE) -> Message:
        """The newest message of the channel with these words."""
        return self.wait_for(lambda seen: seen.find(containing), seconds)

    def wait_for_modal(self, containing: str = "", seconds: float = DEADLINE) -> View:
        """The open window, once its title or text holds these words."""

        def wanted(seen: Seen) -> View | None:
            modal = seen.modal
            return modal if modal and containing in f"{modal.title}\n{modal.words}" else None

        return self.wait_for(wanted, seconds)

    def wait_for_ephemeral(self, containing: str, seconds: float = DEADLINE) -> Message:
        """The message with these words that only this person sees."""
        return self.wait_for(
            lambda seen: next((m for m in reversed(seen.ephemerals) if containing in m.words), None), seconds
        )

    def wait_for_direct_message(self, containing: str, seconds: float = DEADLINE) -> Message:
        """The direct message with these words."""
        return self.wait_for(
            lambda seen: next((m for m in reversed(seen.direct_messages) if containing in m.words), None),
            seconds,
        )

    def _modal(self) -> View:
        modal = self.sees().modal
        if modal is None:
            raise RefusedError("no window is open")
        return modal

    def _act(self, act: str, **body: Any) -> Outcome:
        return Outcome(**_result(self._http.post(f"/sandbox/people/{self.who}/{act}", json=body)))


class Sandbox:
    """A running sandbox."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self.api_url = f"{self.url}/api/"
        self._http = httpx.Client(base_url=self.url, timeout=60, trust_env=False, verify=NO_AUTHORITIES)

    def as_person(self, who: str) -> Person:
        """Be the person with this e-mail or user id."""
        return Person(self._http, who)

    def calls(self, method: str | None = None, *, after: int = 0) -> list[Json]:
        """Calls of the Web API so far: `method`, `arguments`, `at`, `ok`, `error`, `fault`, `answer`.

        Without the `after` that were first, for whoever has seen these.
        """
        asked = {"after": str(after)} | ({"method": method} if method else {})
        calls: list[Json] = _result(self._http.get("/sandbox/calls", params=asked))
        return calls

    def windows(self) -> list[tuple[str, Surface]]:
        """Every window that was shown so far, as it was then, and the id of whom it was shown to."""
        shown: list[Json] = _result(self._http.get("/sandbox/windows"))
        return [(one["user"], Surface(one)) for one in shown]

    def deliveries(self) -> list[Json]:
        """What was brought to the app so far: `kind`, `payload`, `retry`, `answer`, `at`."""
        deliveries: list[Json] = _result(self._http.get("/sandbox/deliveries"))
        return deliveries

    def deliver_again(self) -> None:
        """Bring the last delivery once more, as Slack does when it missed the answer."""
        self._post("deliveries/again")

    def fail_next(self, method: str, kind: str, times: int = 1, **more: Any) -> None:
        """Make the next calls of a method go wrong: see `bot.sandbox.faults.Fault`."""
        self._post("faults", method=method, kind=kind, times=times, **more)

    def clear_faults(self) -> None:
        _result(self._http.delete("/sandbox/faults"))

    def drop_sockets(self, *, warn: bool = False) -> int:
        """Close the app's Socket Mode connections; how many there were."""
        return int(self._post("sockets/drop", warn=warn)["dropped"])

    def say_by_sockets(self, text: str) -> None:
        """Send the app's Socket Mode connections a text that need be no envelope."""
        self._post("sockets/say", text=text)

    def switch(self, **switches: Any) -> None:
        """Set `archived`, `bot_in_channel`, `token_revoked`, `missing_scopes`, `rate_limits`, `events_url`
        or `deliver_twice`: see `bot.sandbox.control.Switches`.
        """
        self._post("switches", **switches)

    def put_user(self, user_id: str, **fields: Any) -> None:
        """Add a user (a stranger has another `team_id`) or change one."""
        self._post("users", id=user_id, **fields)

    def wait_for_bot(self, seconds: float = DEADLINE) -> None:
        """Return once the app is connected; AssertionError after so many seconds."""
        self.as_person(BOT_USER_ID).wait_for(lambda seen: seen.raw["bot"]["connected"], seconds)

    def close(self) -> None:
        self._http.close()

    def _post(self, path: str, **body: Any) -> Json:
        answer: Json = _result(self._http.post(f"/sandbox/{path}", json=body))
        return answer


def _result(response: httpx.Response) -> Any:
    body = response.json()
    if response.status_code == httpx.codes.BAD_REQUEST:
        raise RefusedError(f"{body['error']}: {body['messages']}")
    response.raise_for_status()
    return body


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for one in value:
            yield from _texts(one)
    elif isinstance(value, dict):
        for name, one in value.items():
            if name == "text" and isinstance(one, str):
                yield one
            elif isinstance(one, list | dict):
                yield from _texts(one)
