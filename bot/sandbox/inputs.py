"""What a person picked or typed, in the words of Slack's payloads.

Pure. `entry` is one element's part of `actions` and `state.values`; `state_of` is all of `state.values`.
Field names by Slack's published samples (slackapi/java-slack-sdk, json-logs).
"""

from collections.abc import Iterator, Mapping
from typing import Any

from bot.sandbox.blocks import elements
from bot.sandbox.errors import SlackError

Json = dict[str, Any]

_ONE_OPTION = {"static_select", "external_select", "radio_buttons", "overflow"}
_MANY_OPTIONS = {"checkboxes", "multi_static_select", "multi_external_select"}
_NAMED = {
    "datepicker": "selected_date",
    "timepicker": "selected_time",
    "datetimepicker": "selected_date_time",
    "users_select": "selected_user",
    "channels_select": "selected_channel",
    "conversations_select": "selected_conversation",
    "multi_users_select": "selected_users",
    "multi_channels_select": "selected_channels",
    "multi_conversations_select": "selected_conversations",
}
_STATELESS = {"button", "overflow", "image", "workflow_button"}


def entry(element: Json, value: Any) -> Json:
    """The fields by which Slack tells what was picked (`value` of an option, or the option) or typed."""
    kind = element["type"]
    if kind == "button":
        return {"text": element["text"], **{k: element[k] for k in ("value", "style", "url") if k in element}}
    if kind in _ONE_OPTION:
        return {"selected_option": None if value in (None, "") else _option(element, value)}
    if kind in _MANY_OPTIONS:
        return {"selected_options": [_option(element, one) for one in value or []]}
    if kind == "rich_text_input":
        return {"rich_text_value": value}
    if kind == "file_input":
        return {"files": value or []}
    return {_NAMED.get(kind, "value"): value or None}


def state_of(
    blocks: list[Json], given: Mapping[str, Mapping[str, Any]] | None = None
) -> dict[str, dict[str, Json]]:
    """`state.values`: for every input its given value (by block and action id), else its initial one."""
    state: dict[str, dict[str, Json]] = {}
    for block in blocks:
        for element in elements(block):
            if element["type"] in _STATELESS:
                continue
            values = (given or {}).get(block["block_id"], {})
            action_id = element["action_id"]
            value = values[action_id] if action_id in values else initial(element)
            state.setdefault(block["block_id"], {})[action_id] = {
                "type": element["type"],
                **entry(element, value),
            }
    return state


def initial(element: Json) -> Any:
    """What an input holds before anyone touches it."""
    return next((value for name, value in element.items() if name.startswith("initial_")), None)


def missing(blocks: list[Json], state: Mapping[str, Mapping[str, Json]]) -> dict[str, str]:
    """What Slack's client says, by block id, of each required input that is empty or too short."""
    return dict(_missing(blocks, state))


def _missing(blocks: list[Json], state: Mapping[str, Mapping[str, Json]]) -> Iterator[tuple[str, str]]:
    for block in blocks:
        if block["type"] != "input":
            continue
        element = block["element"]
        held = state[block["block_id"]][element["action_id"]]
        value = next((held[name] for name in held if name != "type"), None)
        if not value and not block.get("optional"):
            yield block["block_id"], "Please complete this required field."
        elif isinstance(value, str) and value and len(value) < element.get("min_length", 0):
            yield block["block_id"], f"Must be at least {element['min_length']} characters."


def _option(element: Json, value: Any) -> Json:
    if isinstance(value, dict):
        return value
    groups = element.get("option_groups") or [{"options": element.get("options", [])}]
    for group in groups:
        for option in group["options"]:
            if option["value"] == value:
                found: Json = option
                return found
    raise SlackError("option_not_found")
