"""Slack's Block Kit limits, and the two ways data is made fit for them: `escape` and `clamp`.

Owns every number and rule by which Slack refuses blocks. Production, the tests and the sandbox share it, so
that what passes here is what the sandbox accepts. It only reports: it never mends blocks, and it draws none.

Sources: docs.slack.dev (Block Kit reference, views), slackapi/bolt-js issues 2509 and 2867 (size of all).
Problems read as Slack's own `response_metadata.messages` do, with a JSON pointer to the place.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from typing import Any, Literal, TypeVar

_T = TypeVar("_T")
_Found = Generator[str, None, _T]
"""Yields problems and returns what it looked at."""

Surface = Literal["message", "modal", "home"]
Blocks = Sequence[Mapping[str, Any]]

BLOCKS = {"message": 50, "modal": 100, "home": 100}
MESSAGE_CHARACTERS = 12_000
"""Text of all blocks of a message; near 13,200, by its own count, Slack says `msg_blocks_too_long`."""
MESSAGE_TEXT = 4_000
"""Characters of `text` that Slack advises; it refuses more than MESSAGE_TEXT_MAX."""
MESSAGE_TEXT_MAX = 40_000
VIEW_BYTES = 250_000
VIEW_TITLE = 24
PRIVATE_METADATA = 3_000
CALLBACK_ID = 255
BLOCK_ID = ACTION_ID = 255

HEADER_TEXT = 150
SECTION_TEXT = 3_000
SECTION_FIELD = 2_000
SECTION_FIELDS = 10
CONTEXT_ELEMENTS = 10
ACTIONS_ELEMENTS = 25
ALERT_TEXT = 200
MARKDOWN_TEXT = 12_000
INPUT_LABEL = 2_000
BUTTON_TEXT = 75
BUTTON_VALUE = 2_000
URL = 3_000
ALT_TEXT = 2_000
PLACEHOLDER = 150
INPUT_VALUE = 3_000
OPTION_TEXT = 75
OPTION_VALUE = 150
OPTION_DESCRIPTION = 75
OPTIONS = {
    "overflow": 5,
    "checkboxes": 10,
    "radio_buttons": 10,
    "static_select": 100,
    "multi_static_select": 100,
}
OPTION_GROUPS = 100
MAX_FILES = 10
CONFIRM_TITLE = 100
CONFIRM_TEXT = 300
CONFIRM_BUTTON = 30
TABLE_ROWS = 100
TABLE_COLUMNS = 20

_EVERYWHERE = {
    "actions",
    "card",
    "context",
    "divider",
    "header",
    "image",
    "input",
    "rich_text",
    "section",
    "video",
}
_ROOMY = {"carousel", "container", "data_table"}
SURFACE_BLOCKS: dict[Surface, set[str]] = {
    "message": _EVERYWHERE | _ROOMY | {"context_actions", "file", "markdown", "plan", "table", "task_card"},
    "modal": _EVERYWHERE | {"alert"},
    "home": _EVERYWHERE | _ROOMY,
}

_SELECTS = {
    f"{many}{source}_select"
    for many in ("", "multi_")
    for source in ("static", "external", "users", "conversations", "channels")
}
_LOOKED_UP = {"external_select", "multi_external_select"}
_PICKERS = {"datepicker", "timepicker", "datetimepicker"}
_CHOICES = _SELECTS | _PICKERS | {"checkboxes", "radio_buttons"}
_TEXT_INPUTS = {"plain_text_input", "email_text_input", "number_input", "url_text_input", "rich_text_input"}
_ACTION_ELEMENTS = _CHOICES | {"button", "overflow", "workflow_button", *_TEXT_INPUTS}
_ACCESSORIES = _CHOICES - {"datetimepicker"} | {"button", "overflow", "workflow_button", "image"}
_INPUT_ELEMENTS = _CHOICES | _TEXT_INPUTS | {"file_input"}

_FORMATTING = re.compile(r"[*_~`]")
_EMOJI_NAME = re.compile(r":(?=[\w+'-]+:)")
_QUOTED_LINE = re.compile(r"^(?=\s*&gt;)", re.MULTILINE)
_SPLIT_TOKEN = re.compile(r"(&[a-z]*|<[^<>]*)$")
_BREAK = "\u200b"
_DIRECTION = re.compile("[\u202a-\u202e\u2066-\u2069]")


def escape(text: str) -> str:
    """Data as Slack `mrkdwn` that shows just that: no mention, link, emoji, quotation or formatting.

    `&`, `<` and `>` are escaped as Slack documents, which also disarms `<!channel>`, `<@U…>`, `<url|text>`.
    Slack has no escape for `*`, `_`, `~`, a backtick or `:name:`: a zero-width space breaks their hold on the
    words beside them. Not for `plain_text` or table cells, which show data as it is.
    What turns the direction of writing would turn our words behind it too, and goes: right-to-left text reads
    right without it.
    """
    text = _DIRECTION.sub("", text)
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    text = _FORMATTING.sub(lambda mark: f"{_BREAK}{mark[0]}{_BREAK}", text)
    text = _EMOJI_NAME.sub(f":{_BREAK}", text)
    return _QUOTED_LINE.sub(_BREAK, text)


def clamp(text: str, limit: int) -> str:
    """`text` in at most `limit` characters, `…` for what was cut; an `&amp;` or `<…>` stays whole or goes."""
    if len(text) <= limit:
        return text
    if limit < 1:
        return ""
    return _SPLIT_TOKEN.sub("", text[: limit - 1]) + "…"


def total_characters(blocks: Blocks) -> int:
    """Characters of everything a person or the app put into the blocks: all strings but types and ids."""
    return sum(len(text) for block in blocks for text in _strings(block))


def problems(blocks: Blocks, surface: Surface) -> list[str]:
    """Why Slack would refuse these blocks on this surface; an empty list when it would not."""
    return list(_blocks(blocks, surface))


def view_problems(view: Mapping[str, Any]) -> list[str]:
    """Why Slack would refuse this whole modal or home view: blocks, title, buttons, metadata and size."""
    return list(_view(view))


def _view(view: Mapping[str, Any]) -> Iterator[str]:
    surface = view.get("type")
    if surface not in ("modal", "home"):
        yield _at("/type", "must be modal or home")
        return
    if surface == "modal":
        yield from _text(view.get("title"), "/title", VIEW_TITLE, plain=True)
        for name in ("submit", "close"):
            if view.get(name) is not None:
                yield from _text(view[name], f"/{name}", VIEW_TITLE, plain=True)
        if view.get("submit") is None and any(
            block.get("type") == "input" for block in _objects(view.get("blocks"))
        ):
            yield _at("/submit", "is required when the view has input blocks")
    yield from _string(view, "private_metadata", "", PRIVATE_METADATA)
    yield from _string(view, "callback_id", "", CALLBACK_ID)
    yield from _string(view, "external_id", "", CALLBACK_ID)
    if len(json.dumps(view, ensure_ascii=False).encode()) > VIEW_BYTES:
        yield _at("", f"must be less than {VIEW_BYTES + 1} bytes")
    yield from _blocks(view.get("blocks"), surface)


def _blocks(blocks: Any, surface: Surface) -> Iterator[str]:
    if not isinstance(blocks, list | tuple):
        yield _at("/blocks", "must be an array")
        return
    if not blocks and surface != "home":
        yield _at("/blocks", "no fewer than 1 item allowed")
    if len(blocks) > BLOCKS[surface]:
        yield _at("/blocks", f"no more than {BLOCKS[surface]} items allowed")
    for index, block in enumerate(blocks):
        at = f"/blocks/{index}"
        if not isinstance(block, Mapping):
            yield _at(at, "must be an object")
        elif str(block.get("type")) not in SURFACE_BLOCKS[surface]:
            yield _at(at, f"unsupported type: {block.get('type')}")
        else:
            yield from _string(block, "block_id", at, BLOCK_ID)
            yield from _block(block, at)
    known = _objects(blocks)
    yield from _repeated("block_id", known, "/blocks")
    if surface == "message":
        yield from _whole_message(known)


def _whole_message(blocks: Blocks) -> Iterator[str]:
    if sum(block.get("type") == "table" for block in blocks) > 1:
        yield _at("/blocks", "only one table is allowed")
    if sum(len(str(b.get("text", ""))) for b in blocks if b.get("type") == "markdown") > MARKDOWN_TEXT:
        yield _at("/blocks", f"markdown must be less than {MARKDOWN_TEXT + 1} characters in all")
    if total_characters(blocks) > MESSAGE_CHARACTERS:
        yield _at("/blocks", f"must be less than {MESSAGE_CHARACTERS + 1} characters in all")


def _block(block: Mapping[str, Any], at: str) -> Iterator[str]:
    rules = _RULES.get(block["type"])
    return rules(block, at) if rules else iter(())


def _header(block: Mapping[str, Any], at: str) -> Iterator[str]:
    return _text(block.get("text"), f"{at}/text", HEADER_TEXT, plain=True)


def _alert(block: Mapping[str, Any], at: str) -> Iterator[str]:
    return _text(block.get("text"), f"{at}/text", ALERT_TEXT)


def _markdown(block: Mapping[str, Any], at: str) -> Iterator[str]:
    return _string(block, "text", at, MARKDOWN_TEXT, required=True)


def _context(block: Mapping[str, Any], at: str) -> Iterator[str]:
    for where, element in (yield from _items(block, "elements", at, CONTEXT_ELEMENTS)):
        if element.get("type") == "image":
            yield from _image(element, where)
        else:
            yield from _text(element, where, SECTION_TEXT)


def _actions(block: Mapping[str, Any], at: str) -> Iterator[str]:
    elements = yield from _items(block, "elements", at, ACTIONS_ELEMENTS)
    for where, element in elements:
        yield from _element(element, where, _ACTION_ELEMENTS)
    yield from _repeated("action_id", [element for _, element in elements], at)


def _input(block: Mapping[str, Any], at: str) -> Iterator[str]:
    yield from _text(block.get("label"), f"{at}/label", INPUT_LABEL, plain=True)
    if block.get("hint") is not None:
        yield from _text(block["hint"], f"{at}/hint", INPUT_LABEL, plain=True)
    yield from _element(block.get("element"), f"{at}/element", _INPUT_ELEMENTS)


def _section(block: Mapping[str, Any], at: str) -> Iterator[str]:
    if block.get("text") is None and not block.get("fields"):
        yield _at(at, "missing required field: text or fields")
    if block.get("text") is not None:
        yield from _text(block["text"], f"{at}/text", SECTION_TEXT)
    if block.get("fields") is not None:
        fields = yield from _items(block, "fields", at, SECTION_FIELDS)
        for where, field in fields:
            yield from _text(field, where, SECTION_FIELD)
    if block.get("accessory") is not None:
        yield from _element(block["accessory"], f"{at}/accessory", _ACCESSORIES)


def _rich_text(block: Mapping[str, Any], at: str) -> Iterator[str]:
    for where, element in (yield from _items(block, "elements", at)):
        if element.get("type") == "rich_text_list":
            for inner, section in (yield from _items(element, "elements", where)):
                yield from _runs(section, inner)
        elif element.get("type") in ("rich_text_section", "rich_text_preformatted", "rich_text_quote"):
            yield from _runs(element, where)
        else:
            yield _at(where, f"unsupported type: {element.get('type')}")


def _runs(element: Mapping[str, Any], at: str) -> Iterator[str]:
    for where, run in (yield from _items(element, "elements", at)):
        if run.get("type") == "text":
            yield from _string(run, "text", where, required=True)


def _table(block: Mapping[str, Any], at: str) -> Iterator[str]:
    rows = block.get("rows")
    if not isinstance(rows, list) or not rows:
        yield _at(f"{at}/rows", "no fewer than 1 item allowed")
        return
    if len(rows) > TABLE_ROWS:
        yield _at(f"{at}/rows", f"no more than {TABLE_ROWS} items allowed")
    settings = block.get("column_settings")
    if isinstance(settings, list) and len(settings) > TABLE_COLUMNS:
        yield _at(f"{at}/column_settings", f"no more than {TABLE_COLUMNS} items allowed")
    for number, row in enumerate(rows):
        where = f"{at}/rows/{number}"
        if not isinstance(row, list) or not 1 <= len(row) <= TABLE_COLUMNS:
            yield _at(where, f"must have between 1 and {TABLE_COLUMNS} cells")
        else:
            for column, cell in enumerate(row):
                yield from _cell(cell, f"{where}/{column}")


def _cell(cell: Any, at: str) -> Iterator[str]:
    match cell:
        case {"type": "raw_text"}:
            yield from _string(cell, "text", at, required=True)
        case {"type": "raw_number"}:
            if not isinstance(cell.get("value"), int | float):
                yield _at(f"{at}/value", "must be a number")
        case {"type": "rich_text"}:
            yield from _rich_text(cell, at)
        case _:
            yield _at(at, "must be raw_text, raw_number or rich_text")


def _element(element: Any, at: str, allowed: set[str]) -> Iterator[str]:
    if not isinstance(element, Mapping) or str(element.get("type")) not in allowed:
        kind = element.get("type") if isinstance(element, Mapping) else None
        yield _at(at, f"unsupported type: {kind}")
        return
    kind = element["type"]
    yield from _string(element, "action_id", at, ACTION_ID)
    if element.get("placeholder") is not None:
        yield from _text(element["placeholder"], f"{at}/placeholder", PLACEHOLDER, plain=True)
    if element.get("confirm") is not None:
        yield from _confirm(element["confirm"], f"{at}/confirm")
    if kind == "button":
        yield from _button(element, at)
    elif kind == "image":
        yield from _image(element, at)
    elif kind in OPTIONS:
        yield from _choices(element, at, OPTIONS[kind])
    elif kind in _LOOKED_UP:
        yield from _initial(element, at)
    elif kind == "file_input" and not 1 <= element.get("max_files", 1) <= MAX_FILES:
        yield _at(f"{at}/max_files", f"must be between 1 and {MAX_FILES}")
    elif kind == "plain_text_input":
        yield from _string(element, "initial_value", at, INPUT_VALUE)


def _button(button: Mapping[str, Any], at: str) -> Iterator[str]:
    yield from _text(button.get("text"), f"{at}/text", BUTTON_TEXT, plain=True)
    yield from _string(button, "value", at, BUTTON_VALUE)
    yield from _string(button, "url", at, URL)
    if button.get("style") not in (None, "primary", "danger"):
        yield _at(f"{at}/style", "must be primary or danger")


def _choices(element: Mapping[str, Any], at: str, most: int) -> Iterator[str]:
    options: list[Mapping[str, Any]] = []
    if element.get("option_groups") is not None:
        for where, group in (yield from _items(element, "option_groups", at, OPTION_GROUPS)):
            yield from _text(group.get("label"), f"{where}/label", OPTION_TEXT, plain=True)
            options += yield from _options(group, where, most)
    else:
        options += yield from _options(element, at, most)
    chosen = (
        [element["initial_option"]] if element.get("initial_option") else element.get("initial_options") or []
    )
    if any(option not in options for option in chosen):
        yield _at(at, "initial options must be among the options")


def _initial(element: Mapping[str, Any], at: str) -> Iterator[str]:
    """What is picked already in a menu whose options the app is asked for."""
    for name in ("initial_option", "initial_options"):
        picked = element.get(name)
        chosen = {"options": [picked] if name == "initial_option" else picked}
        if picked is not None:
            yield from _options(chosen, f"{at}/{name}", OPTIONS["multi_static_select"])


def _options(owner: Mapping[str, Any], at: str, most: int) -> _Found[list[Mapping[str, Any]]]:
    items = yield from _items(owner, "options", at, most)
    for where, option in items:
        yield from _text(option.get("text"), f"{where}/text", OPTION_TEXT)
        yield from _string(option, "value", where, OPTION_VALUE, required=True)
        if option.get("description") is not None:
            yield from _text(option["description"], f"{where}/description", OPTION_DESCRIPTION)
    return [option for _, option in items]


def _confirm(confirm: Mapping[str, Any], at: str) -> Iterator[str]:
    yield from _text(confirm.get("title"), f"{at}/title", CONFIRM_TITLE, plain=True)
    yield from _text(confirm.get("text"), f"{at}/text", CONFIRM_TEXT)
    for name in ("confirm", "deny"):
        yield from _text(confirm.get(name), f"{at}/{name}", CONFIRM_BUTTON, plain=True)


def _image(image: Mapping[str, Any], at: str) -> Iterator[str]:
    if image.get("slack_file") is None:
        yield from _string(image, "image_url", at, URL, required=True)
    yield from _string(image, "alt_text", at, ALT_TEXT, required=True)


def _text(text: Any, at: str, limit: int, *, plain: bool = False) -> Iterator[str]:
    kinds = ("plain_text",) if plain else ("plain_text", "mrkdwn")
    if not isinstance(text, Mapping):
        yield _at(at, "missing required field: text object")
    elif text.get("type") not in kinds:
        yield _at(at, f"must be {' or '.join(kinds)}")
    else:
        yield from _string(text, "text", at, limit, required=True)


def _string(
    owner: Mapping[str, Any], name: str, at: str, limit: int | None = None, *, required: bool = False
) -> Iterator[str]:
    value = owner.get(name)
    where = f"{at}/{name}"
    if value is None:
        if required:
            yield _at(where, "missing required field")
    elif not isinstance(value, str):
        yield _at(where, "must be a string")
    elif required and not value:
        yield _at(where, "must be more than 0 characters")
    elif limit is not None and len(value) > limit:
        yield _at(where, f"must be less than {limit + 1} characters")


def _items(
    owner: Mapping[str, Any], name: str, at: str, most: int | None = None
) -> _Found[list[tuple[str, Mapping[str, Any]]]]:
    """The objects of a list with their places, after the problems of the list itself."""
    items = owner.get(name)
    where = f"{at}/{name}"
    if not isinstance(items, list) or not items:
        yield _at(where, "no fewer than 1 item allowed")
        return []
    if most is not None and len(items) > most:
        yield _at(where, f"no more than {most} items allowed")
    found = [(f"{where}/{index}", item) for index, item in enumerate(items) if isinstance(item, Mapping)]
    if len(found) < len(items):
        yield _at(where, "must be an array of objects")
    return found


def _repeated(name: str, owners: Blocks, at: str) -> Iterator[str]:
    for value, count in Counter(str(owner[name]) for owner in owners if owner.get(name)).items():
        if count > 1:
            yield _at(at, f"{name} {value!r} already exists")


def _objects(values: Any) -> Blocks:
    return (
        [value for value in values if isinstance(value, Mapping)] if isinstance(values, list | tuple) else []
    )


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            if key not in ("type", "block_id", "action_id"):
                yield from _strings(inner)
    elif isinstance(value, Sequence):
        for inner in value:
            yield from _strings(inner)


def _at(pointer: str, problem: str) -> str:
    return f"{problem} [json-pointer:{pointer}]"


_RULES: dict[str, Callable[[Mapping[str, Any], str], Iterator[str]]] = {
    "actions": _actions,
    "alert": _alert,
    "context": _context,
    "header": _header,
    "image": _image,
    "input": _input,
    "markdown": _markdown,
    "rich_text": _rich_text,
    "section": _section,
    "table": _table,
}
