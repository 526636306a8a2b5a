"""`files.*`: uploads in Slack's three steps: ask for an address, send the bytes there, complete."""

from bot.sandbox.errors import SlackError
from bot.sandbox.methods.call import Call, Json, Method
from bot.sandbox.methods.chat import writable
from bot.sandbox.workspace import BOT_USER_ID, Message

WRITE = ("files:write",)
_ALT_TEXT = 1_000


def upload_address(call: Call) -> Json:
    """Where the bytes of one file go."""
    name = call.required("filename")
    try:
        length = int(call.required("length"))
    except ValueError:
        raise SlackError("invalid_arguments") from None
    if length < 1:
        raise SlackError("invalid_arguments")
    alt_text = call.text("alt_txt") or ""
    if len(alt_text) > _ALT_TEXT:
        raise SlackError("alt_txt_too_large")
    file = call.workspace.expect(name, length, alt_text)
    return {"upload_url": f"{call.base_url}/upload/{file.id}", "file_id": file.id}


def complete(call: Call) -> Json:
    """Show uploaded files in a conversation, as one message."""
    wanted = call.json("files")
    if not isinstance(wanted, list) or not wanted or not all(isinstance(one, dict) for one in wanted):
        raise SlackError("invalid_arguments")
    workspace = call.workspace
    channel = call.text("channel_id")
    conversation = writable(workspace.conversation(channel)) if channel else None
    files = []
    for one in wanted:
        file = workspace.uploads.get(str(one.get("id")))
        if file is None or not file.content:
            raise SlackError("file_not_found")
        file.title = str(one.get("title") or file.name)
        files.append(file)
    if conversation:
        text = call.text("initial_comment") or ""
        shared = [file.to_slack(call.base_url) for file in files]
        workspace.post(conversation, Message(workspace.next_ts(), BOT_USER_ID, text, files=shared))
    for file in files:
        del workspace.uploads[file.id]
    return {"files": [{"id": file.id, "title": file.title} for file in files]}


METHODS = {
    "files.getUploadURLExternal": Method(upload_address, WRITE, per_minute=100),
    "files.completeUploadExternal": Method(complete, WRITE, per_minute=100),
}
