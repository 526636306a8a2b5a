"""Requests as Slack posts them, signed; the way to each place of them; whether secrets are compared well."""

import hmac
import json
import time
from collections.abc import Iterator
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

import pytest

from bot.sandbox.workspace import SIGNING_SECRET


def signed(body: str | bytes, *, at: float | None = None, **header: str) -> dict[str, Any]:
    """Arguments of a POST that Slack signed (docs.slack.dev/authentication/verifying-requests-from-slack)."""
    stamp = str(int(time.time() if at is None else at))
    content = body.encode() if isinstance(body, str) else body
    base = b":".join((b"v0", stamp.encode(), content))
    signature = f"v0={hmac.new(SIGNING_SECRET.encode(), base, sha256).hexdigest()}"
    slack = {
        "Content-Type": "application/json",
        "X-Slack-Request-Timestamp": stamp,
        "X-Slack-Signature": signature,
    }
    return {
        "content": content,
        "headers": slack | {name.replace("_", "-"): value for name, value in header.items()},
    }


def posted(kind: str, payload: dict[str, Any]) -> dict[str, Any]:
    """Arguments of the POST by which Slack brings `interactive`, `events_api` or `slash_commands`."""
    if kind == "events_api":
        return signed(json.dumps(payload))
    form = payload if kind == "slash_commands" else {"payload": json.dumps(payload)}
    return signed(urlencode(form, errors="replace"), Content_Type="application/x-www-form-urlencoded")


def interactive(payload: dict[str, Any]) -> dict[str, Any]:
    """What Slack posts for something that a person did."""
    person = {"user": {"id": "U1", "team_id": "T1"}, "team": {"id": "T1"}, "channel": {"id": "C1"}}
    return posted("interactive", person | payload)


def compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What was given, each time that `hmac.compare_digest` compares it from here on."""
    given: list[Any] = []
    compare_digest = hmac.compare_digest

    def compare(one: Any, other: Any) -> bool:
        given.append(one)
        return compare_digest(one, other)

    monkeypatch.setattr(hmac, "compare_digest", compare)
    return given


def places(value: Any, before: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to each place of a payload."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, one in inner:
        yield (*before, name)
        yield from places(one, (*before, name))
