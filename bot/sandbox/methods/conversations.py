"""`conversations.*`: find, join and read channels and direct messages."""

import math

from bot.sandbox.errors import SlackError
from bot.sandbox.methods.call import Call, Json, Method
from bot.sandbox.workspace import BOT_USER_ID, Conversation, Message

READ = ("channels:read",)
HISTORY = ("channels:history",)


def open_direct_message(call: Call) -> Json:
    """The direct message with one person; the sandbox has no group messages."""
    channel = call.text("channel")
    if channel:
        return {"channel": call.workspace.conversation(channel).to_slack()}
    users = call.required("users").split(",")
    if len(users) != 1:
        raise SlackError("too_many_users")
    conversation = call.workspace.direct_message(users[0])
    return {"channel": conversation.to_slack() if call.flag("return_im") else {"id": conversation.id}}


def info(call: Call) -> Json:
    """One conversation."""
    return {"channel": call.workspace.conversation(call.required("channel")).to_slack()}


def list_all(call: Call) -> Json:
    """Channels, and direct messages when `types` asks for them."""
    types = (call.text("types") or "public_channel").split(",")
    wanted = [
        conversation.to_slack()
        for conversation in call.workspace.conversations.values()
        if ("im" if conversation.is_im else "public_channel") in types
        and not (conversation.is_archived and call.flag("exclude_archived"))
    ]
    channels, cursor = call.page(wanted)
    return {"channels": channels, "response_metadata": {"next_cursor": cursor}}


def members(call: Call) -> Json:
    """Who is in a conversation."""
    conversation = call.workspace.conversation(call.required("channel"))
    found, cursor = call.page(sorted(conversation.members))
    return {"members": found, "response_metadata": {"next_cursor": cursor}}


def join(call: Call) -> Json:
    """Let the bot into a public channel."""
    conversation = call.workspace.conversation(call.required("channel"))
    if conversation.is_im:
        raise SlackError("method_not_supported_for_channel_type")
    if conversation.is_archived:
        raise SlackError("is_archived")
    conversation.members.add(BOT_USER_ID)
    call.workspace.changed()
    return {"channel": conversation.to_slack()}


def history(call: Call) -> Json:
    """Messages of a channel, newest first, without replies that stayed in their thread."""
    conversation = _readable(call)
    shown = [m for m in conversation.messages if m.thread_ts in (None, m.ts) or m.broadcast]
    return _messages(call, conversation, list(reversed(_between(call, shown))))


def replies(call: Call) -> Json:
    """A message and its thread, oldest first."""
    conversation = _readable(call)
    thread = [m for m in conversation.thread(call.required("ts")) if not m.only_for]
    if not thread:
        raise SlackError("thread_not_found")
    return _messages(call, conversation, [thread[0], *_between(call, thread[1:])])


def _readable(call: Call) -> Conversation:
    conversation = call.workspace.conversation(call.required("channel"))
    if BOT_USER_ID not in conversation.members:
        raise SlackError("not_in_channel")
    return conversation


def _between(call: Call, messages: list[Message]) -> list[Message]:
    oldest, latest = call.time("oldest", 0), call.time("latest", math.inf)
    inclusive = call.flag("inclusive")
    return [
        message
        for message in messages
        if not message.only_for
        and (oldest < float(message.ts) < latest or (inclusive and float(message.ts) in (oldest, latest)))
    ]


def _messages(call: Call, conversation: Conversation, messages: list[Message]) -> Json:
    found, cursor = call.page(messages)
    with_metadata = call.flag("include_all_metadata")
    return {
        "messages": [_with_thread(conversation, message, with_metadata) for message in found],
        "has_more": bool(cursor),
        "pin_count": 0,
        "response_metadata": {"next_cursor": cursor},
    }


def _with_thread(conversation: Conversation, message: Message, with_metadata: bool) -> Json:
    answers = [m for m in conversation.thread(message.ts) if m is not message and not m.only_for]
    shown = message.to_slack(with_metadata=with_metadata)
    if answers:
        shown |= {"thread_ts": message.ts, "reply_count": len(answers), "latest_reply": answers[-1].ts}
    return shown


METHODS = {
    "conversations.open": Method(open_direct_message, ("im:write",)),
    "conversations.info": Method(info, READ),
    "conversations.list": Method(list_all, READ, per_minute=20),
    "conversations.members": Method(members, READ, per_minute=100),
    "conversations.join": Method(join, ("channels:join",)),
    "conversations.history": Method(history, HISTORY),
    "conversations.replies": Method(replies, HISTORY),
}
