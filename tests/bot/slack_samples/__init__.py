"""Payloads in the shapes of Slack's published samples (README.md), with an app's own names put into them."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

Json = dict[str, Any]


def _read(name: str) -> dict[str, Json]:
    found: dict[str, Json] = json.loads(Path(__file__).with_name(f"{name}.json").read_text(encoding="utf-8"))
    return found


def _events() -> dict[str, Json]:
    inner = _read("events")
    envelope = inner.pop("envelope")
    return {name: envelope | {"event": event} for name, event in inner.items()}


SAMPLES: dict[str, dict[str, Json]] = {
    "interactive": _read("interactive"),
    "events_api": _events(),
    "slash_commands": _read("slash_commands"),
}
"""By the kind of envelope that Socket Mode has for them."""
ENVELOPES = _read("envelopes")


def dressed(value: Any, names: Mapping[str, Any]) -> Any:
    """The payload with others in the places of the samples' names, wherever such a text stands alone."""
    if isinstance(value, dict):
        return {name: dressed(one, names) for name, one in value.items()}
    if isinstance(value, list):
        return [dressed(one, names) for one in value]
    return names.get(value, value) if isinstance(value, str) else value
