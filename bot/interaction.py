"""One act of one person, as Slack sent it: a click, a submitted window, a command, an opened App Home.

Owns reading Slack's payloads into one shape. Field names by Slack's published samples
(slackapi/java-slack-sdk, json-logs/samples/app-backend). It judges nothing and calls nobody.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from bot.payloads import WindowMetadata

Json = Mapping[str, Any]
Value = TypeVar("Value", bound=BaseModel)


class UnreadableError(Exception):
    """A button or window carries what this costbot does not understand: it is an older one's."""


@dataclass(frozen=True, slots=True)
class Interaction:
    """Who did what where; what a kind of payload does not carry is None."""

    name: str
    """For logs: the `action_id`, the `callback_id`, the command or the event."""
    user_id: str
    team_id: str | None
    """The person's own workspace, as the payload has it."""
    channel_id: str | None
    trigger_id: str | None
    response_url: str | None
    delivery: str | None
    """The same for each time that Slack delivers this one."""
    text: str
    """What was typed after the command."""
    value: str
    """What the button, the chosen option or the window carries, or what was typed and entered."""
    view_id: str | None
    """The window that it was done in; App Home is none."""
    is_submission: bool
    inputs: Mapping[str, str]
    """What was typed into a window, by block id."""

    def read(self, model: type[Value]) -> Value:
        """What the button or window carries. Raises UnreadableError."""
        try:
            return model.model_validate_json(self.value)
        except ValidationError as error:
            raise UnreadableError(self.name) from error


def interaction_of(body: Json) -> Interaction:
    """Read any payload that costbot listens to."""
    event, view = body.get("event") or {}, body.get("view") or {}
    in_window = view.get("type") == "modal"
    action = (body.get("actions") or [{}])[0]
    user, team, channel = body.get("user"), body.get("team") or {}, body.get("channel") or {}
    person = user if isinstance(user, dict) else {}
    name = action.get("action_id") or view.get("callback_id") or body.get("command") or event.get("type")
    return Interaction(
        name=name or str(body.get("type")),
        user_id=person.get("id") or body.get("user_id") or event.get("user") or "",
        team_id=person.get("team_id") or event.get("user_team") or body.get("team_id") or team.get("id"),
        channel_id=channel.get("id") or body.get("channel_id") or _channel_of(view),
        trigger_id=body.get("trigger_id"),
        response_url=body.get("response_url"),
        delivery=_delivery(body, view),
        text=body.get("text") or "",
        value=_carried(action) or view.get("private_metadata") or "",
        view_id=view.get("id") if in_window else None,
        is_submission=body.get("type") == "view_submission",
        inputs=typed_into(view),
    )


def typed_into(view: Json) -> dict[str, str]:
    """What the person typed into a window, by block id."""
    blocks = (view.get("state") or {}).get("values") or {}
    return {
        block_id: element.get("value") or ""
        for block_id, elements in blocks.items()
        for element in elements.values()
    }


def _carried(action: Json) -> str | None:
    chosen: Json = action.get("selected_option") or action
    return chosen.get("value")


def _channel_of(view: Json) -> str | None:
    """The channel that a window was opened in."""
    try:
        return WindowMetadata.model_validate_json(view.get("private_metadata") or "").channel_id
    except ValidationError:
        return None


def _delivery(body: Json, view: Json) -> str | None:
    if body.get("event_id"):
        return f"event:{body['event_id']}"
    if body.get("trigger_id"):
        return f"trigger:{body['trigger_id']}"
    return f"view:{view['id']}:{view.get('hash')}" if view.get("id") else None
