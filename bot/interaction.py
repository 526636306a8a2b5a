"""One act of one person, as Slack sent it: a click, a submitted window, a command, an opened App Home.

Owns reading Slack's payloads into one shape. Field names by Slack's published samples
(slackapi/java-slack-sdk, json-logs/samples/app-backend). It judges nothing and calls nobody.
"""

import html
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from bot.payloads import Opened

Json = Mapping[str, Any]
Value = TypeVar("Value", bound=BaseModel)
_MOST = 90
"""Characters of an id of one click, view or event; of two, with their names, the database has room."""


class UnreadableError(Exception):
    """A payload, button or window holds what this costbot does not understand, such as an older one's."""


@dataclass(frozen=True, slots=True)
class SharedFile:
    """A file that a person shared in a window; `url` asks for the bot's token."""

    name: str
    size: int
    url: str


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
    """What was typed or picked in a window, by block id."""
    picked: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Values of what was picked or ticked in a window, by block id, in its order."""
    files: tuple[SharedFile, ...] = ()
    """What was shared in a window."""
    metadata: str = ""
    """What the window carries that it was done in."""
    message: str = ""
    """The message that a shortcut was picked on, a line a line, its tables with tabs."""

    @property
    def ticked(self) -> tuple[str, ...]:
        """Everything that was picked or ticked in a window, in its order."""
        return tuple(value for values in self.picked.values() for value in values)

    def read(self, model: type[Value]) -> Value:
        """What the button or window carries. Raises UnreadableError."""
        return self._read(model, self.value)

    def read_window(self, model: type[Value]) -> Value:
        """What the window carries in which the button is. Raises UnreadableError."""
        return self._read(model, self.metadata)

    def _read(self, model: type[Value], text: str) -> Value:
        try:
            return model.model_validate_json(text)
        except ValidationError as error:
            raise UnreadableError(self.name) from error


def interaction_of(body: Json) -> Interaction:
    """Read any payload that costbot listens to. Raises UnreadableError for what has another shape."""
    event, view, action = _part(body, "event"), _part(body, "view"), _first(body, "actions")
    in_window = view.get("type") == "modal"
    team, channel = _part(body, "team"), _part(body, "channel")
    person = body["user"] if isinstance(body.get("user"), Mapping) else {}
    return Interaction(
        name=_text(
            action.get("action_id"),
            body.get("action_id"),
            body.get("callback_id"),
            view.get("callback_id"),
            body.get("command"),
            event.get("type"),
            str(body.get("type")),
        ),
        user_id=_id(person.get("id"), body.get("user_id"), _whose(event)) or "",
        team_id=_id(person.get("team_id"), event.get("user_team"), body.get("team_id"), team.get("id")),
        channel_id=_id(channel.get("id"), body.get("channel_id")) or _channel_of(view),
        trigger_id=_id(body.get("trigger_id"), most=_MOST),
        response_url=_text(body.get("response_url")) or None,
        delivery=_delivery(body, view),
        text=_text(body.get("text")),
        value=_text(_carried(action), view.get("private_metadata")),
        view_id=_id(view.get("id"), most=_MOST) if in_window else None,
        is_submission=body.get("type") == "view_submission",
        inputs=typed_into(view),
        picked=_picked_in(view),
        files=tuple(_files(view)),
        metadata=_text(view.get("private_metadata")),
        message=_words_of(_part(body, "message")),
    )


def _whose(event: Json) -> object:
    """The id of the person that an event is of; one such as `user_change` has all of the person there."""
    user = event.get("user")
    return user.get("id") if isinstance(user, Mapping) else user


def typed_into(view: Json) -> dict[str, str]:
    """What the person typed or picked in a window, by block id."""
    return {
        block_id: _text(element.get("value"), _part(element, "selected_option").get("value"))
        for block_id, element in _elements(view)
    }


def _picked_in(view: Json) -> dict[str, tuple[str, ...]]:
    picked = {}
    for block_id, element in _elements(view):
        options = _list(element, "selected_options") or [_part(element, "selected_option")]
        picked[block_id] = tuple(_text(option.get("value")) for option in map(_mapping, options) if option)
    return picked


def _files(view: Json) -> Iterator[SharedFile]:
    for _, element in _elements(view):
        for file in map(_mapping, _list(element, "files")):
            size = file.get("size")
            yield SharedFile(
                name=_text(file.get("name")),
                size=size if isinstance(size, int) else 0,
                url=_text(file.get("url_private_download")),
            )


def _words_of(message: Json) -> str:
    """What a message says: its text without Slack's marks, and its tables, which are not in the text.

    An app's message may say less in its text than it shows, or nothing, so all that it shows is read.
    """
    text = _plain(_text(message.get("text")))
    reads_all = bool(message.get("bot_id")) or not text.strip()
    attached = (
        block for part in map(_mapping, _list(message, "attachments")) for block in _list(part, "blocks")
    )
    blocks = map(_mapping, [*_list(message, "blocks"), *attached])
    shown = [line for block in blocks for line in _shown(block, reads_all=reads_all)]
    if reads_all:
        shown += [line for part in map(_mapping, _list(message, "attachments")) for line in _attached(part)]
        return "\n".join(dict.fromkeys(filter(None, [*text.split("\n"), *shown])))
    return "\n".join([text, *shown])


def _shown(block: Json, *, reads_all: bool) -> Iterator[str]:
    """The lines of a block: of a table its rows, and of an app's message whatever else it says."""
    match block.get("type"):
        case "table":
            rows = _list(block, "rows")
            yield from ("\t".join(map(_cell, row)) for row in rows if isinstance(row, list))
        case "rich_text" if reads_all:
            for element in map(_mapping, _list(block, "elements")):
                is_list = element.get("type") == "rich_text_list"
                for part in _list(element, "elements") if is_list else [element]:
                    yield from _cell(part).splitlines()
        case _ if reads_all:
            texts = (block.get("text"), *_list(block, "fields"), *_list(block, "elements"))
            for text in texts:
                if isinstance(text, Mapping) and isinstance(text.get("text"), str):
                    yield from _plain(text["text"]).split("\n")


def _attached(part: Json) -> Iterator[str]:
    """The lines of an attachment of the older kind."""
    fields = map(_mapping, _list(part, "fields"))
    named = [field.get(name) for field in fields for name in ("title", "value")]
    for text in (part.get("pretext"), part.get("title"), part.get("text"), *named):
        if isinstance(text, str):
            yield from _plain(text).split("\n")


def _plain(text: str) -> str:
    """Text without Slack's marks."""
    text = re.sub(r"<[^<>|]*\|([^<>]*)>|<([^<>]*)>", r"\1\2", text)
    return html.unescape(re.sub(r"(?<!\w)[*_~]+|[*_~]+(?!\w)", "", text))


def _cell(cell: object) -> str:
    """Everything written in a cell of a table."""
    if isinstance(cell, Mapping):
        own = cell.get("text", cell.get("value"))
        return str(own) if isinstance(own, str | int | float) else _cell(cell.get("elements") or [])
    return "".join(map(_cell, cell)) if isinstance(cell, list) else ""


def _elements(view: Json) -> Iterator[tuple[str, Json]]:
    """The state of each input of a window, with the id of its block."""
    for block_id, elements in _part(_part(view, "state"), "values").items():
        for element in _mapping(elements).values():
            yield block_id, _mapping(element)


def _part(owner: Json, name: str) -> Json:
    return _mapping(owner.get(name) or {})


def _list(owner: Json, name: str) -> list[Any]:
    items = owner.get(name) or []
    if not isinstance(items, list):
        raise UnreadableError(name)
    return items


def _first(owner: Json, name: str) -> Json:
    return _mapping(next(iter(_list(owner, name)), {}))


def _mapping(value: object) -> Json:
    if not isinstance(value, Mapping):
        raise UnreadableError("not an object")
    return value


def _text(*candidates: object) -> str:
    """The first of them that is there, which must be text; '' without any."""
    found = next(filter(None, candidates), "")
    if not isinstance(found, str):
        raise UnreadableError("not a text")
    return found


def _id(*candidates: object, most: int = 30) -> str | None:
    """The first of them that is there, which must be an id: what is none never comes near the database."""
    found = _text(*candidates)
    if len(found) > most or not (found.isascii() and found.isprintable()):
        raise UnreadableError("not an id")
    return found or None


def _carried(action: Json) -> object:
    """The value of a button, or of what was chosen in a menu."""
    return (_part(action, "selected_option") or action).get("value")


def _channel_of(view: Json) -> str | None:
    """The channel that a window was opened in."""
    try:
        return Opened.model_validate_json(_text(view.get("private_metadata"))).channel_id
    except ValidationError:
        return None


def _delivery(body: Json, view: Json) -> str | None:
    if event := _id(body.get("event_id"), most=_MOST):
        return f"event:{event}"
    if trigger := _id(body.get("trigger_id"), most=_MOST):
        return f"trigger:{trigger}"
    window, drawn = _id(view.get("id"), most=_MOST), _id(view.get("hash"), most=_MOST)
    return f"view:{window}:{drawn}" if window else None
