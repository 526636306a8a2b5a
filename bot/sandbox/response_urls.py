"""`response_url`: the address by which an app answers a command or click, five times within thirty minutes.

Source: docs.slack.dev/interactivity/handling-user-interaction#message_responses.
"""

import secrets
import time
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from bot.sandbox.errors import SlackError
from bot.sandbox.methods.chat import content
from bot.sandbox.workspace import BOT_USER_ID, Conversation, Message, Workspace

Json = dict[str, Any]
USES = 5
SECONDS = 30 * 60


@dataclass
class ResponseUrl:
    """For whom and about which message an app may answer."""

    conversation: Conversation
    user: str
    message: Message | None
    deadline: float
    uses_left: int = USES


class ResponseUrls:
    """The addresses given out, and what apps answer through them."""

    def __init__(self, workspace: Workspace, *, seconds: float = SECONDS) -> None:
        self._workspace = workspace
        self._seconds = seconds
        self._given: dict[str, ResponseUrl] = {}

    def new(
        self, base_url: str, conversation: Conversation, user: str, message: Message | None = None
    ) -> str:
        key = secrets.token_urlsafe(16)
        self._given[key] = ResponseUrl(conversation, user, message, time.monotonic() + self._seconds)
        return f"{base_url}/response/{key}"

    def whose(self, key: str) -> str:
        """The id of the person whom an address answers."""
        return self._given[key].user if key in self._given else ""

    async def endpoint(self, request: Request) -> Response:
        """Take one answer; Slack tells apart an address that is unknown, used up or too old."""
        given = self._given.get(request.path_params["key"])
        if given is None:
            return PlainTextResponse("no_service", 404)
        if not given.uses_left:
            return PlainTextResponse("used_url", 404)
        if time.monotonic() > given.deadline:
            return PlainTextResponse("expired_url", 404)
        given.uses_left -= 1
        try:
            self.answer(given.conversation, given.user, await request.json(), given.message)
        except ValueError:
            return PlainTextResponse("invalid_payload", 400)
        except SlackError as refusal:
            return PlainTextResponse(refusal.code, 400)
        return PlainTextResponse("ok")

    def answer(
        self, conversation: Conversation, user: str, body: Json, original: Message | None = None
    ) -> Message | None:
        """Show what the app answered: to the person alone, unless it says `in_channel`."""
        if original and (body.get("delete_original") or body.get("replace_original")):
            return self._change(conversation, original, body)
        text = body.get("text") or ""
        blocks, attachments = content(text, body.get("blocks"), body.get("attachments"))
        in_channel = body.get("response_type") == "in_channel"
        message = Message(
            self._workspace.next_ts(),
            BOT_USER_ID,
            text,
            blocks,
            attachments,
            thread_ts=body.get("thread_ts"),
            only_for=None if in_channel else user,
        )
        return self._workspace.post(conversation, message)

    def _change(self, conversation: Conversation, original: Message, body: Json) -> Message | None:
        if original not in conversation.messages:
            raise SlackError("message_not_found")
        if body.get("delete_original"):
            conversation.messages.remove(original)
        else:
            text = body.get("text") or ""
            original.blocks, original.attachments = content(text, body.get("blocks"), body.get("attachments"))
            original.text = text
            original.edited = self._workspace.next_ts()
        self._workspace.changed()
        return original
