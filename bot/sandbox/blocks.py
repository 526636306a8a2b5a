"""What Slack does to blocks it takes in: checks them, gives them ids, finds the element a person used.

Pure: no state. The rules themselves stand in `bot.blocks.limits`.
"""

import copy
import json
import secrets
from collections.abc import Iterator
from typing import Any

from bot.blocks.checking import problems
from bot.blocks.limits import MESSAGE_CHARACTERS, total_characters
from bot.sandbox.errors import SlackError

Json = dict[str, Any]


def sized(payload: Any) -> int:
    """Bytes of the payload as JSON."""
    return len(json.dumps(payload, ensure_ascii=False).encode())


def check_message_blocks(blocks: Any) -> None:
    """Refuse blocks as `chat.postMessage` does: `msg_blocks_too_long`, or `invalid_blocks` with why."""
    if isinstance(blocks, list) and total_characters(blocks) > MESSAGE_CHARACTERS:
        raise SlackError("msg_blocks_too_long")
    found = problems(blocks, "message")
    if found:
        raise SlackError("invalid_blocks", [f"[ERROR] {problem}" for problem in found])


def with_ids(blocks: list[Json]) -> list[Json]:
    """A copy in which every block and interactive element has an id, as Slack fills them in."""
    blocks = copy.deepcopy(blocks)
    for block in blocks:
        block.setdefault("block_id", secrets.token_urlsafe(4))
        for element in elements(block):
            if element.get("type") not in ("image", "plain_text", "mrkdwn"):
                element.setdefault("action_id", secrets.token_urlsafe(4))
    return blocks


def elements(block: Json) -> Iterator[Json]:
    """The elements of a block that a person could use."""
    if block["type"] == "actions":
        yield from block["elements"]
    for name in ("accessory", "element"):
        if isinstance(block.get(name), dict):
            yield block[name]


def find_element(blocks: list[Json], action_id: str, block_id: str | None = None) -> tuple[Json, Json]:
    """The block and element with this action id. Raises SlackError `action_not_found`."""
    for block in blocks:
        for element in elements(block):
            if element.get("action_id") == action_id and block_id in (None, block["block_id"]):
                return block, element
    raise SlackError("action_not_found")
