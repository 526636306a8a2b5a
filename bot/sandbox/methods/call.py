"""One call of a Web API method: its arguments as Slack reads them, from a form, a query or JSON."""

import base64
import binascii
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from bot.sandbox.errors import SlackError
from bot.sandbox.workspace import Workspace

Json = dict[str, Any]
Item = TypeVar("Item")


@dataclass(frozen=True)
class Call:
    """What a method may use: the workspace, the caller's arguments, and the addresses of this server."""

    workspace: Workspace
    arguments: Mapping[str, Any]
    base_url: str
    socket_url: Callable[[], str]

    def text(self, name: str) -> str | None:
        """An optional string argument."""
        value = self.arguments.get(name)
        return None if value is None else str(value)

    def required(self, name: str) -> str:
        """A string argument. Raises SlackError `invalid_arguments` when it is missing."""
        value = self.text(name)
        if not value:
            raise SlackError("invalid_arguments", [f"[ERROR] missing required field: {name}"])
        return value

    def json(self, name: str) -> Any:
        """An argument that is JSON, given as such or as a string."""
        value = self.arguments.get(name)
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value)
        except ValueError:
            raise SlackError(f"invalid_{name}_format" if name == "blocks" else "invalid_arguments") from None

    def flag(self, name: str) -> bool:
        return str(self.arguments.get(name, "")).lower() in ("1", "true")

    def time(self, name: str, default: float) -> float:
        """A time stamp argument. Raises SlackError `invalid_ts_` and its name."""
        try:
            return float(self.text(name) or default)
        except ValueError:
            raise SlackError(f"invalid_ts_{name}") from None

    def page(self, items: Sequence[Item], *, default: int = 100) -> tuple[list[Item], str]:
        """One page by `cursor` and `limit`, and the cursor of the next (`""` when there is none)."""
        try:
            start = int(base64.b64decode(self.text("cursor") or "").decode() or 0)
            limit = int(self.text("limit") or default)
        except (binascii.Error, ValueError):
            raise SlackError("invalid_cursor") from None
        if not 1 <= limit <= 1000:
            raise SlackError("invalid_limit")
        end = start + limit
        following = base64.b64encode(str(end).encode()).decode() if end < len(items) else ""
        return list(items[start:end]), following


@dataclass(frozen=True)
class Method:
    """A Web API method: the scopes and token it asks for, and its calls a minute (Slack's tier)."""

    run: Callable[[Call], Json]
    scopes: tuple[str, ...] = ()
    per_minute: int = 50
    token: Literal["bot", "app"] = "bot"  # noqa: S105 - the kind of token, not one
