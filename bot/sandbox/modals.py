"""Windows (modals) and App Home pages: who sees which, stacked as Slack stacks them.

Owns views, their hashes and input state, and the trigger ids that open them. Delivers nothing.
Sources: docs.slack.dev/surfaces/modals, /reference/methods/views.open, views.push, views.update.
"""

import itertools
import secrets
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from bot.blocks.checking import view_problems
from bot.blocks.limits import VIEW_BYTES
from bot.sandbox.blocks import sized, with_ids
from bot.sandbox.errors import SlackError

Json = dict[str, Any]
STACKED_VIEWS = 3
_REMEMBERED = 10_000
_TEXTS = ("title", "submit", "close")
_OWN = ("private_metadata", "callback_id", "external_id")
_FLAGS = ("clear_on_close", "notify_on_close", "submit_disabled")


@dataclass
class View:
    """One modal or home page as its reader sees it; `state` holds what was typed and picked."""

    id: str
    user: str
    payload: Json
    hash: str
    root_id: str
    previous_id: str | None = None
    state: dict[str, dict[str, Json]] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def blocks(self) -> list[Json]:
        blocks: list[Json] = self.payload["blocks"]
        return blocks


class Modals:
    """Each person's stack of modals and home page, and the triggers that may open one."""

    def __init__(self, team_id: str, app_id: str, bot_id: str, *, trigger_seconds: float) -> None:
        self._marks = {
            "team_id": team_id,
            "app_id": app_id,
            "app_installed_team_id": team_id,
            "bot_id": bot_id,
        }
        self.trigger_seconds = trigger_seconds
        self._triggers: dict[str, tuple[str, float]] = {}
        self._used_triggers: set[str] = set()
        self._stacks: dict[str, list[View]] = {}
        self._homes: dict[str, View] = {}
        self._numbers = itertools.count(1)
        self.shown: deque[tuple[str, list[Json]]] = deque(maxlen=_REMEMBERED)
        """To whom which window was shown, and what it said, the newest last."""

    def trigger(self, user_id: str) -> str:
        """A trigger id for this person: good once, within Slack's three seconds."""
        trigger_id = f"{next(self._numbers)}.{secrets.token_hex(8)}"
        self._triggers[trigger_id] = (user_id, time.monotonic() + self.trigger_seconds)
        return trigger_id

    def open(self, trigger_id: str, payload: Json) -> View:
        """Show a new modal in place of any that the person has open."""
        check(payload, "modal")
        user = self._exchange(trigger_id)
        view = self._new(user, payload)
        self._stacks[user] = [view]
        self.shown.append((user, view.blocks))
        return view

    def push(self, trigger_id: str, payload: Json) -> View:
        """Put a modal on top of the open one."""
        check(payload, "modal")
        return self.push_for(self._exchange(trigger_id), payload)

    def push_for(self, user: str, payload: Json) -> View:
        """As `push`, for the person who just submitted. Raises `push_limit_reached` at Slack's three."""
        check(payload, "modal")
        stack = self._stacks.get(user, [])
        if not stack:
            raise SlackError("not_found")
        if len(stack) >= STACKED_VIEWS:
            raise SlackError("push_limit_reached")
        view = self._new(user, payload, root=stack[0].id, previous=stack[-1].id)
        stack.append(view)
        self.shown.append((user, view.blocks))
        return view

    def update(self, view: View, payload: Json, hash: str | None = None) -> View:  # noqa: A002 - Slack's name
        check(payload, "modal")
        if hash and hash != view.hash:
            raise SlackError("hash_conflict")
        view.payload = self._normal(payload)
        view.hash = self._hash()
        view.errors = {}
        self.shown.append((view.user, view.blocks))
        kept = {block["block_id"] for block in view.blocks}
        view.state = {block_id: state for block_id, state in view.state.items() if block_id in kept}
        return view

    def publish(self, user: str, payload: Json, hash: str | None = None) -> View:  # noqa: A002 - Slack's name
        check(payload, "home")
        old = self._homes.get(user)
        if hash and (old is None or hash != old.hash):
            raise SlackError("hash_conflict")
        view = self._new(user, payload, view_id=old.id if old else None)
        self._homes[user] = view
        return view

    def find(self, view_id: str | None, external_id: str | None = None) -> View:
        """An open view by either id. Raises SlackError `not_found`."""
        for view in self._open_views():
            if view_id and view.id == view_id:
                return view
            if external_id and view.payload.get("external_id") == external_id:
                return view
        raise SlackError("not_found")

    def top(self, user: str) -> View | None:
        stack = self._stacks.get(user)
        return stack[-1] if stack else None

    def home(self, user: str) -> View | None:
        return self._homes.get(user)

    def close(self, view: View, *, everything: bool = False) -> list[View]:
        """Take a modal off its person's stack, or the whole stack; what was closed, top first."""
        stack = self._stacks.get(view.user, [])
        gone = list(reversed(stack)) if everything else [view]
        self._stacks[view.user] = [kept for kept in stack if kept not in gone]
        return gone

    def to_slack(self, view: View) -> Json:
        """The view as it stands in Slack's payloads and answers."""
        return self._marks | {
            "id": view.id,
            **view.payload,
            "state": {"values": view.state},
            "hash": view.hash,
            "root_view_id": view.root_id,
            "previous_view_id": view.previous_id,
        }

    def _open_views(self) -> list[View]:
        return [*itertools.chain.from_iterable(self._stacks.values()), *self._homes.values()]

    def _exchange(self, trigger_id: str) -> str:
        if trigger_id in self._used_triggers:
            raise SlackError("exchanged_trigger_id")
        if trigger_id not in self._triggers:
            raise SlackError("invalid_trigger_id")
        user, deadline = self._triggers.pop(trigger_id)
        if time.monotonic() > deadline:
            raise SlackError("expired_trigger_id")
        self._used_triggers.add(trigger_id)
        return user

    def _new(
        self,
        user: str,
        payload: Json,
        *,
        root: str | None = None,
        previous: str | None = None,
        view_id: str | None = None,
    ) -> View:
        external_id = payload.get("external_id")
        if external_id and any(view.payload["external_id"] == external_id for view in self._open_views()):
            raise SlackError("duplicate_external_id")
        view_id = view_id or f"V{next(self._numbers):08d}"
        return View(view_id, user, self._normal(payload), self._hash(), root or view_id, previous)

    def _normal(self, payload: Json) -> Json:
        return {
            "type": payload["type"],
            "blocks": with_ids(payload.get("blocks", [])),
            **{name: payload.get(name) for name in _TEXTS},
            **{name: payload.get(name) or "" for name in _OWN},
            **{name: bool(payload.get(name)) for name in _FLAGS},
        }

    def _hash(self) -> str:
        return f"{int(time.time())}.{next(self._numbers):08d}"


def check(payload: Any, kind: str) -> None:
    """Refuse a view as Slack does: `view_too_large`, or `invalid_arguments` with the problems."""
    if not isinstance(payload, dict) or payload.get("type") != kind:
        raise SlackError("invalid_arguments", [f"[ERROR] must be a {kind} view [json-pointer:/view/type]"])
    if sized(payload) > VIEW_BYTES:
        raise SlackError("view_too_large")
    found = view_problems(payload)
    if found:
        raise SlackError("invalid_arguments", [f"[ERROR] {problem}" for problem in found])
