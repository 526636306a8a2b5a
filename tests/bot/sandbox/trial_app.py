"""A small, real Bolt app to try the sandbox with: it answers commands, clicks and windows, and remembers."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from slack_bolt import Ack, App, Respond
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient

from bot.sandbox.client import Sandbox, Seen
from bot.sandbox.workspace import APP_TOKEN, BOT_TOKEN, SIGNING_SECRET

Json = dict[str, Any]


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def button(action_id: str, label: str, **more: Any) -> Json:
    return {"type": "button", "action_id": action_id, "text": plain(label), "value": action_id, **more}


CONFIRM = {
    "title": plain("Update?"),
    "text": plain("14 lines"),
    "confirm": plain("Update"),
    "deny": plain("Back"),
}
CARD: list[Json] = [
    {"type": "section", "text": {"type": "mrkdwn", "text": "*24-017* Riverside"}},
    {
        "type": "actions",
        "elements": [
            button("view", "View"),
            button("update", "Update", confirm=CONFIRM),
            button("slow", "Slow"),
            {
                "type": "overflow",
                "action_id": "more",
                "options": [{"text": plain("History"), "value": "history"}],
            },
        ],
    },
]
COMMENT = {
    "type": "input",
    "block_id": "comment",
    "label": plain("Comment"),
    "element": {"type": "plain_text_input", "action_id": "text", "multiline": True},
}
CATEGORY = {
    "type": "input",
    "block_id": "category",
    "optional": True,
    "label": plain("Category"),
    "element": {"type": "external_select", "action_id": "pick", "min_query_length": 0},
}


def window(title: str, *blocks: Json, **more: Any) -> Json:
    return {"type": "modal", "title": plain(title), "blocks": list(blocks), **more}


REJECT = window("Reject", COMMENT, CATEGORY, submit=plain("Send"), callback_id="reject", notify_on_close=True)


def eventually(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Poll until the condition is true, or fail after so many seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def errors(seen: Seen) -> dict[str, str]:
    """What the open window says is wrong, by block id."""
    return seen.modal.errors if seen.modal else {}


def _is_away(handler: SocketModeHandler) -> bool:
    return not handler.client.is_connected()


class TrialApp:
    """The app, and what it was told, by kind."""

    def __init__(self, sandbox: Sandbox) -> None:
        client = WebClient(BOT_TOKEN, base_url=sandbox.api_url, timeout=60)
        self.client = client
        self.told: list[tuple[str, Json]] = []
        self.bolt = App(client=client, signing_secret=SIGNING_SECRET, process_before_response=True)
        self._app_client = WebClient(base_url=sandbox.api_url, timeout=60)
        self.bolt.command("/costcodes")(self.command)
        for action in ("view", "update", "more", "slow", "push"):
            self.bolt.action(action)(self.click)
        self.bolt.view("reject")(self.submitted)
        self.bolt.view_closed("reject")(self.closed)
        self.bolt.options("pick")(self.options)
        self.bolt.global_shortcut("new_request")(self.shortcut)
        self.bolt.message_shortcut("about_this")(self.shortcut)
        self.bolt.event("app_home_opened")(self.event)
        self.bolt.event("message")(self.event)

    @contextmanager
    def connected(self, sandbox: Sandbox, connections: int = 1) -> Iterator["TrialApp"]:
        """Be connected to the sandbox by Socket Mode."""
        handlers = [
            SocketModeHandler(self.bolt, APP_TOKEN, web_client=self._app_client, ping_interval=0.1)
            for _ in range(connections)
        ]
        for handler in handlers:
            handler.client.connect()
        sandbox.wait_for_bot()
        try:
            yield self
        finally:
            for handler in handlers:
                handler.client.auto_reconnect_enabled = False
            sandbox.drop_sockets()  # else each client sits in its read for three seconds before it can close
            for handler in handlers:
                eventually(partial(_is_away, handler))
                handler.client.close()

    def kinds(self) -> list[str]:
        return [kind for kind, _ in self.told]

    def command(self, ack: Ack, body: Json, respond: Respond, client: WebClient) -> None:
        self.told.append(("command", body))
        match body["text"]:
            case "help":
                ack("Try `/costcodes jobs`")
            case "aloud":
                ack({"text": "Hear, hear", "response_type": "in_channel"})
            case "later":
                ack()
                respond("Here it is")
            case "reject":
                ack()
                client.views_open(trigger_id=body["trigger_id"], view=REJECT)
            case "silent":
                pass
            case _:
                ack()

    def click(self, ack: Ack, body: Json, client: WebClient) -> None:
        self.told.append(("click", body))
        action = body["actions"][0]["action_id"]
        if action == "slow":
            return
        ack()
        if action == "view":
            push = {"type": "actions", "elements": [button("push", "Next")]}
            client.views_open(trigger_id=body["trigger_id"], view=window("Codes", CARD[0], push))
        if action == "push":
            client.views_push(trigger_id=body["trigger_id"], view=window("Second", CARD[0]))

    def submitted(self, ack: Ack, body: Json) -> None:
        self.told.append(("submitted", body))
        match body["view"]["state"]["values"]["comment"]["text"]["value"]:
            case "short":
                ack(response_action="errors", errors={"comment": "Say a little more"})
            case "update":
                ack(response_action="update", view=window("Thank you", CARD[0]))
            case "push":
                ack(response_action="push", view=window("On top", CARD[0]))
            case "clear":
                ack(response_action="clear")
            case _:
                ack()

    def closed(self, ack: Ack, body: Json) -> None:
        self.told.append(("closed", body))
        ack()

    def options(self, ack: Ack, body: Json) -> None:
        self.told.append(("options", body))
        ack(options=[{"text": plain(f"Labor {body['value']}"), "value": "L"}])

    def shortcut(self, ack: Ack, body: Json) -> None:
        self.told.append(("shortcut", body))
        ack()

    def event(self, body: Json) -> None:
        self.told.append(("event", body["event"]))
