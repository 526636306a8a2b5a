"""`chat.*`: post, update, delete and point at messages."""

import html
from typing import Any
from urllib.parse import urlsplit

from bot.blocks.limits import MESSAGE_TEXT_MAX
from bot.sandbox.blocks import check_message_blocks, with_ids
from bot.sandbox.errors import SlackError
from bot.sandbox.methods.call import Call, Json, Method
from bot.sandbox.workspace import BOT_ID, BOT_USER_ID, Conversation, Message

WRITE = ("chat:write",)


def content(text: str, blocks: Any, attachments: Any) -> tuple[list[Json], list[Json]]:
    """Checked blocks and attachments with their ids. Raises SlackError as `chat.postMessage` would."""
    if not (text or blocks or attachments):
        raise SlackError("no_text")
    if len(text) > MESSAGE_TEXT_MAX:
        raise SlackError("msg_too_long")
    if blocks:
        check_message_blocks(blocks)
    attachments = attachments or []
    if not isinstance(attachments, list) or not all(isinstance(one, dict) for one in attachments):
        raise SlackError("invalid_attachments")
    for attachment in attachments:
        if attachment.get("blocks"):
            try:
                check_message_blocks(attachment["blocks"])
            except SlackError as refusal:
                code = "invalid_attachments" if refusal.code == "invalid_blocks" else refusal.code
                raise SlackError(code, refusal.messages) from None
    with_block_ids = [
        item | {"blocks": with_ids(item["blocks"])} if item.get("blocks") else item for item in attachments
    ]
    return with_ids(blocks or []), with_block_ids


def writable(conversation: Conversation) -> Conversation:
    """The conversation, when the bot may write there. Raises `is_archived` or `not_in_channel`."""
    if conversation.is_archived:
        raise SlackError("is_archived")
    if BOT_USER_ID not in conversation.members:
        raise SlackError("not_in_channel")
    return conversation


def post_message(call: Call) -> Json:
    """Post to a channel (id or `#name`), a thread, or a person's direct message."""
    conversation = writable(call.workspace.named(call.required("channel")))
    text = call.text("text") or ""
    blocks, attachments = content(text, call.json("blocks"), call.json("attachments"))
    thread_ts = call.text("thread_ts")
    if thread_ts and all(message.ts != thread_ts for message in conversation.messages):
        raise SlackError("thread_not_found")
    message = Message(
        call.workspace.next_ts(),
        BOT_USER_ID,
        text,
        blocks,
        attachments,
        metadata=_metadata(call),
        thread_ts=thread_ts,
        broadcast=bool(thread_ts) and call.flag("reply_broadcast"),
    )
    call.workspace.post(conversation, message)
    return {"channel": conversation.id, "ts": message.ts, "message": message.to_slack()}


def update(call: Call) -> Json:
    """Change a message of the bot's own; what is not given stays as it was."""
    conversation = writable(call.workspace.conversation(call.required("channel")))
    message = _own(conversation, call.required("ts"), "cant_update_message")
    text = call.text("text")
    blocks, attachments = call.json("blocks"), call.json("attachments")
    new = content(
        message.text if text is None else text,
        message.blocks if blocks is None else blocks,
        message.attachments if attachments is None else attachments,
    )
    message.text = message.text if text is None else text
    message.blocks, message.attachments = new
    if "metadata" in call.arguments:
        message.metadata = _metadata(call)
    message.edited = call.workspace.next_ts()
    call.workspace.changed()
    return {
        "channel": conversation.id,
        "ts": message.ts,
        "text": message.text,
        "message": message.to_slack(),
    }


def post_ephemeral(call: Call) -> Json:
    """Post what one member of a channel alone sees."""
    conversation = writable(call.workspace.named(call.required("channel")))
    user = call.workspace.user(call.required("user"))
    if user.id not in conversation.members:
        raise SlackError("user_not_in_channel")
    text = call.text("text") or ""
    blocks, attachments = content(text, call.json("blocks"), call.json("attachments"))
    message = Message(
        call.workspace.next_ts(),
        BOT_USER_ID,
        text,
        blocks,
        attachments,
        thread_ts=call.text("thread_ts"),
        only_for=user.id,
    )
    call.workspace.post(conversation, message)
    return {"message_ts": message.ts}


def delete(call: Call) -> Json:
    """Remove a message of the bot's own."""
    conversation = call.workspace.conversation(call.required("channel"))
    message = _own(conversation, call.required("ts"), "cant_delete_message")
    conversation.messages.remove(message)
    call.workspace.changed()
    return {"channel": conversation.id, "ts": message.ts}


def unfurl(call: Call) -> Json:
    """Show blocks below links of a message, by their addresses."""
    unfurls = call.json("unfurls")
    if not isinstance(unfurls, dict) or not all(isinstance(one, dict) for one in unfurls.values()):
        raise SlackError("invalid_unfurls_format")
    if not unfurls:
        raise SlackError("missing_unfurls")
    unfurl_id, channel, ts = call.text("unfurl_id"), call.text("channel"), call.text("ts")
    if unfurl_id:
        if not call.text("source"):
            raise SlackError("missing_source")
        channel, _, ts = unfurl_id.partition("-")
    if not channel or not ts:
        raise SlackError("missing_channel" if not channel else "missing_ts")
    try:
        message = call.workspace.conversation(channel).find(ts)
    except SlackError:
        raise SlackError("cannot_find_message") from None
    typed = html.unescape(message.text)
    for url, shown in unfurls.items():
        host = urlsplit(url).hostname
        if url not in typed or host not in call.workspace.unfurl_domains:
            raise SlackError("cannot_unfurl_url")
        _, [attachment] = content("", None, [shown])
        mark = {"is_app_unfurl": True, "app_unfurl_url": url, "from_url": url, "bot_id": BOT_ID}
        kept = [one for one in message.attachments if one.get("app_unfurl_url") != url]
        message.attachments = [*kept, attachment | mark]
    call.workspace.changed()
    return {}


def permalink(call: Call) -> Json:
    """The address of a message on the sandbox's page."""
    conversation = call.workspace.conversation(call.required("channel"))
    message = conversation.find(call.required("message_ts"))
    anchor = f"p{message.ts.replace('.', '')}"
    return {"channel": conversation.id, "permalink": f"{call.base_url}/#/{conversation.id}/{anchor}"}


def _own(conversation: Conversation, ts: str, refusal: str) -> Message:
    message = conversation.find(ts)
    if message.only_for:
        raise SlackError("message_not_found")
    if message.user != BOT_USER_ID:
        raise SlackError(refusal)
    return message


def _metadata(call: Call) -> Json | None:
    metadata = call.json("metadata")
    if not metadata:
        return None
    if not isinstance(metadata, dict) or not {"event_type", "event_payload"} <= set(metadata):
        raise SlackError("invalid_metadata_format")
    return metadata


METHODS = {
    "chat.postMessage": Method(post_message, WRITE, per_minute=600),
    "chat.update": Method(update, WRITE),
    "chat.postEphemeral": Method(post_ephemeral, WRITE, per_minute=100),
    "chat.delete": Method(delete, WRITE),
    "chat.unfurl": Method(unfurl, ("links:write",)),
    "chat.getPermalink": Method(permalink, per_minute=600),
}
