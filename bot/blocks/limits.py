"""Slack's Block Kit limits, and the two ways data is made fit for them: `escape` and `clamp`.

Owns every number by which Slack refuses blocks. It draws none.

Sources: docs.slack.dev (Block Kit reference, views), slackapi/bolt-js issues 2509 and 2867 (size of all).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

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
