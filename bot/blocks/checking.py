"""Why Slack would refuse blocks: the tests ask it of what costbot draws, the sandbox of what it is sent.

Owns every rule by which Slack refuses blocks. It only reports, and mends none. Problems read as Slack's own
`response_metadata.messages` do, with a JSON pointer to the place.

Sources: docs.slack.dev (Block Kit reference, views).
"""

import json
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping
from typing import Any, TypeVar

from bot.blocks import limits
from bot.blocks.limits import Blocks, Surface, total_characters

_T = TypeVar("_T")
_Found = Generator[str, None, _T]
"""Yields problems and returns what it looked at."""

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
        yield from _text(view.get("title"), "/title", limits.VIEW_TITLE, plain=True)
        for name in ("submit", "close"):
            if view.get(name) is not None:
                yield from _text(view[name], f"/{name}", limits.VIEW_TITLE, plain=True)
        if view.get("submit") is None and any(
            block.get("type") == "input" for block in _objects(view.get("blocks"))
        ):
            yield _at("/submit", "is required when the view has input blocks")
    yield from _string(view, "private_metadata", "", limits.PRIVATE_METADATA)
    yield from _string(view, "callback_id", "", limits.CALLBACK_ID)
    yield from _string(view, "external_id", "", limits.CALLBACK_ID)
    if len(json.dumps(view, ensure_ascii=False).encode()) > limits.VIEW_BYTES:
        yield _at("", f"must be less than {limits.VIEW_BYTES + 1} bytes")
    yield from _blocks(view.get("blocks"), surface)


def _blocks(blocks: Any, surface: Surface) -> Iterator[str]:
    if not isinstance(blocks, list | tuple):
        yield _at("/blocks", "must be an array")
        return
    if not blocks and surface != "home":
        yield _at("/blocks", "no fewer than 1 item allowed")
    if len(blocks) > limits.BLOCKS[surface]:
        yield _at("/blocks", f"no more than {limits.BLOCKS[surface]} items allowed")
    for index, block in enumerate(blocks):
        at = f"/blocks/{index}"
        if not isinstance(block, Mapping):
            yield _at(at, "must be an object")
        elif str(block.get("type")) not in limits.SURFACE_BLOCKS[surface]:
            yield _at(at, f"unsupported type: {block.get('type')}")
        else:
            yield from _string(block, "block_id", at, limits.BLOCK_ID)
            yield from _block(block, at)
    known = _objects(blocks)
    yield from _repeated("block_id", known, "/blocks")
    if surface == "message":
        yield from _whole_message(known)


def _whole_message(blocks: Blocks) -> Iterator[str]:
    if sum(block.get("type") == "table" for block in blocks) > 1:
        yield _at("/blocks", "only one table is allowed")
    if sum(len(str(b.get("text", ""))) for b in blocks if b.get("type") == "markdown") > limits.MARKDOWN_TEXT:
        yield _at("/blocks", f"markdown must be less than {limits.MARKDOWN_TEXT + 1} characters in all")
    if total_characters(blocks) > limits.MESSAGE_CHARACTERS:
        yield _at("/blocks", f"must be less than {limits.MESSAGE_CHARACTERS + 1} characters in all")


def _block(block: Mapping[str, Any], at: str) -> Iterator[str]:
    rules = _RULES.get(block["type"])
    return rules(block, at) if rules else iter(())


def _header(block: Mapping[str, Any], at: str) -> Iterator[str]:
    return _text(block.get("text"), f"{at}/text", limits.HEADER_TEXT, plain=True)


def _alert(block: Mapping[str, Any], at: str) -> Iterator[str]:
    return _text(block.get("text"), f"{at}/text", limits.ALERT_TEXT)


def _markdown(block: Mapping[str, Any], at: str) -> Iterator[str]:
    return _string(block, "text", at, limits.MARKDOWN_TEXT, required=True)


def _context(block: Mapping[str, Any], at: str) -> Iterator[str]:
    for where, element in (yield from _items(block, "elements", at, limits.CONTEXT_ELEMENTS)):
        if element.get("type") == "image":
            yield from _image(element, where)
        else:
            yield from _text(element, where, limits.SECTION_TEXT)


def _actions(block: Mapping[str, Any], at: str) -> Iterator[str]:
    elements = yield from _items(block, "elements", at, limits.ACTIONS_ELEMENTS)
    for where, element in elements:
        yield from _element(element, where, _ACTION_ELEMENTS)
    yield from _repeated("action_id", [element for _, element in elements], at)


def _input(block: Mapping[str, Any], at: str) -> Iterator[str]:
    yield from _text(block.get("label"), f"{at}/label", limits.INPUT_LABEL, plain=True)
    if block.get("hint") is not None:
        yield from _text(block["hint"], f"{at}/hint", limits.INPUT_LABEL, plain=True)
    yield from _element(block.get("element"), f"{at}/element", _INPUT_ELEMENTS)


def _section(block: Mapping[str, Any], at: str) -> Iterator[str]:
    if block.get("text") is None and not block.get("fields"):
        yield _at(at, "missing required field: text or fields")
    if block.get("text") is not None:
        yield from _text(block["text"], f"{at}/text", limits.SECTION_TEXT)
    if block.get("fields") is not None:
        fields = yield from _items(block, "fields", at, limits.SECTION_FIELDS)
        for where, field in fields:
            yield from _text(field, where, limits.SECTION_FIELD)
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
    if len(rows) > limits.TABLE_ROWS:
        yield _at(f"{at}/rows", f"no more than {limits.TABLE_ROWS} items allowed")
    settings = block.get("column_settings")
    if isinstance(settings, list) and len(settings) > limits.TABLE_COLUMNS:
        yield _at(f"{at}/column_settings", f"no more than {limits.TABLE_COLUMNS} items allowed")
    for number, row in enumerate(rows):
        where = f"{at}/rows/{number}"
        if not isinstance(row, list) or not 1 <= len(row) <= limits.TABLE_COLUMNS:
            yield _at(where, f"must have between 1 and {limits.TABLE_COLUMNS} cells")
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
    yield from _string(element, "action_id", at, limits.ACTION_ID)
    if element.get("placeholder") is not None:
        yield from _text(element["placeholder"], f"{at}/placeholder", limits.PLACEHOLDER, plain=True)
    if element.get("confirm") is not None:
        yield from _confirm(element["confirm"], f"{at}/confirm")
    if kind == "button":
        yield from _button(element, at)
    elif kind == "image":
        yield from _image(element, at)
    elif kind in limits.OPTIONS:
        yield from _choices(element, at, limits.OPTIONS[kind])
    elif kind in _LOOKED_UP:
        yield from _initial(element, at)
    elif kind == "file_input" and not 1 <= element.get("max_files", 1) <= limits.MAX_FILES:
        yield _at(f"{at}/max_files", f"must be between 1 and {limits.MAX_FILES}")
    elif kind == "plain_text_input":
        yield from _string(element, "initial_value", at, limits.INPUT_VALUE)


def _button(button: Mapping[str, Any], at: str) -> Iterator[str]:
    yield from _text(button.get("text"), f"{at}/text", limits.BUTTON_TEXT, plain=True)
    yield from _string(button, "value", at, limits.BUTTON_VALUE)
    yield from _string(button, "url", at, limits.URL)
    if button.get("style") not in (None, "primary", "danger"):
        yield _at(f"{at}/style", "must be primary or danger")


def _choices(element: Mapping[str, Any], at: str, most: int) -> Iterator[str]:
    options: list[Mapping[str, Any]] = []
    if element.get("option_groups") is not None:
        for where, group in (yield from _items(element, "option_groups", at, limits.OPTION_GROUPS)):
            yield from _text(group.get("label"), f"{where}/label", limits.OPTION_TEXT, plain=True)
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
            yield from _options(chosen, f"{at}/{name}", limits.OPTIONS["multi_static_select"])


def _options(owner: Mapping[str, Any], at: str, most: int) -> _Found[list[Mapping[str, Any]]]:
    items = yield from _items(owner, "options", at, most)
    for where, option in items:
        yield from _text(option.get("text"), f"{where}/text", limits.OPTION_TEXT)
        yield from _string(option, "value", where, limits.OPTION_VALUE, required=True)
        if option.get("description") is not None:
            yield from _text(option["description"], f"{where}/description", limits.OPTION_DESCRIPTION)
    return [option for _, option in items]


def _confirm(confirm: Mapping[str, Any], at: str) -> Iterator[str]:
    yield from _text(confirm.get("title"), f"{at}/title", limits.CONFIRM_TITLE, plain=True)
    yield from _text(confirm.get("text"), f"{at}/text", limits.CONFIRM_TEXT)
    for name in ("confirm", "deny"):
        yield from _text(confirm.get(name), f"{at}/{name}", limits.CONFIRM_BUTTON, plain=True)


def _image(image: Mapping[str, Any], at: str) -> Iterator[str]:
    if image.get("slack_file") is None:
        yield from _string(image, "image_url", at, limits.URL, required=True)
    yield from _string(image, "alt_text", at, limits.ALT_TEXT, required=True)


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
