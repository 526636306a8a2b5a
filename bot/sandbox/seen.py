"""What one person sees of the workspace, as JSON for the page and for tests. Reads only."""

from typing import Any

from bot.sandbox.modals import View
from bot.sandbox.workspace import (
    BOT_USER_ID,
    SHORTCUTS,
    Conversation,
    Message,
    User,
    Workspace,
)

Json = dict[str, Any]


def seen_by(workspace: Workspace, user: User, *, connected: bool) -> Json:
    """Conversations with their messages, the open window and App Home of this person."""
    modal = workspace.modals.top(user.id)
    home = workspace.modals.home(user.id)
    return {
        "version": workspace.version,
        "workspace": {"id": workspace.team.id, "name": workspace.team.name},
        "beside": workspace.beside,
        "bot": {"id": BOT_USER_ID, "connected": connected},
        "me": user.id,
        "shortcuts": SHORTCUTS,
        "users": {one.id: _user(one) for one in workspace.users.values()},
        "conversations": [
            _conversation(conversation, user)
            for conversation in workspace.conversations.values()
            if user.id in conversation.members
        ],
        "runs": [run.to_page() for run in workspace.runs.of(user.id)],
        "modal": _view(workspace, modal) if modal else None,
        "home": _view(workspace, home) if home else None,
    }


def _user(user: User) -> Json:
    return {
        "id": user.id,
        "name": user.name,
        "real_name": user.real_name,
        "email": user.email,
        "title": user.title,
        "is_bot": user.is_bot,
        "is_person": bool(user.email) and not user.is_bot and not user.deleted,
        "tz": user.tz,
        "locale": user.locale,
    }


def _conversation(conversation: Conversation, user: User) -> Json:
    return {
        "id": conversation.id,
        "name": conversation.name,
        "is_im": conversation.is_im,
        "is_archived": conversation.is_archived,
        "members": sorted(conversation.members),
        "messages": [_message(m) for m in conversation.messages if m.only_for in (None, user.id)],
    }


def _message(message: Message) -> Json:
    return message.to_slack() | {
        "blocks": message.blocks or _with_files(message),
        "attachments": message.attachments,
        "is_ephemeral": message.only_for is not None,
        "broadcast": message.broadcast,
    }


def _with_files(message: Message) -> list[Json]:
    """A message with files as the page draws it: its text, then pictures and links."""
    if not message.files:
        return []
    shown: list[Json] = [{"type": "section", "text": {"type": "mrkdwn", "text": message.text}}]
    for file in message.files:
        title, url = file["title"], file["url_private"]
        if file["mimetype"].startswith("image/"):
            named = {"type": "plain_text", "text": title}
            shown.append(
                {"type": "image", "image_url": url, "alt_text": file["alt_txt"] or title, "title": named}
            )
        else:
            linked = {"type": "mrkdwn", "text": f"File: <{url}|{file['name']}> {title}"}
            shown.append({"type": "section", "text": linked})
    return shown


def _view(workspace: Workspace, view: View) -> Json:
    return workspace.modals.to_slack(view) | {"errors": view.errors}
