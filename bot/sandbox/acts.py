"""What a person does in the workspace: types a command, clicks, fills in a window, opens App Home.

Owns what follows an act: the delivery to the app, and what the person sees of its answer or its silence.
"""

import asyncio
import html
import re
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from bot.sandbox import inputs, payloads
from bot.sandbox.blocks import find_element
from bot.sandbox.delivery import Answer, Delivery
from bot.sandbox.errors import SlackError
from bot.sandbox.modals import View
from bot.sandbox.response_urls import ResponseUrls
from bot.sandbox.runs import Run, Step
from bot.sandbox.workspace import BOT_USER_ID, COMMANDS, SLACKBOT_ID, Conversation, Message, User, Workspace

Json = dict[str, Any]
Values = dict[str, dict[str, Any]]
TROUBLE = "We had some trouble connecting. Try again?"


@dataclass(frozen=True)
class Outcome:
    """What came of an act: `error` is Slack's code, `message` what the person reads of it.

    `trigger_id` tells a click or a submission from every other.
    """

    error: str | None = None
    message: str | None = None
    options: list[Json] | None = None
    file: Json | None = None
    trigger_id: str | None = None


class Acts:
    """The people of one workspace, acting."""

    def __init__(self, workspace: Workspace, delivery: Delivery, response_urls: ResponseUrls) -> None:
        self._workspace = workspace
        self._delivery = delivery
        self._response_urls = response_urls
        self._going_on: set[asyncio.Task[None]] = set()

    async def slash(self, user: User, channel: str, command: str, text: str, base_url: str) -> Outcome:
        """Type a slash command in a conversation."""
        conversation = self._joined(user, channel)
        if command not in COMMANDS:
            hint = "In Slack, all messages that start with the “/” symbol are interpreted as commands."
            return self._slackbot(
                conversation, user, "not_a_command", f"{command} is not a valid command. {hint}"
            )
        payload = payloads.slash_command(
            user,
            conversation,
            command,
            self._escaped(text),
            trigger_id=self._workspace.modals.trigger(user.id),
            response_url=self._response_urls.new(base_url, conversation, user.id),
        )
        answer = await self._delivery.send("slash_commands", payload)
        error, messages = answer.error, None
        if not error and (answer.body.get("text") or answer.body.get("blocks")):
            try:
                self._response_urls.answer(conversation, user.id, answer.body)
            except SlackError as refusal:
                error, messages = refusal.code, refusal.messages
        if not error:
            return Outcome()
        said = f"{command} failed with the error “{error}”"
        return self._slackbot(conversation, user, error, said if not messages else f"{said}: {messages[0]}")

    async def click_message(
        self,
        user: User,
        channel: str,
        ts: str,
        action_id: str,
        block_id: str | None,
        value: Any,
        base_url: str,
    ) -> Outcome:
        """Use a button, menu or box on a message."""
        conversation, message = self._seen(user, channel, ts)
        block, element = find_element(_blocks(message), action_id, block_id)
        url = self._response_urls.new(base_url, conversation, user.id, message)
        where = payloads.on_message(
            conversation, message.to_slack(), ephemeral=message.only_for is not None, response_url=url
        )
        given = {block["block_id"]: {action_id: value}}
        return await self._click(user, where, block, element, value, inputs.state_of(_blocks(message), given))

    async def click_view(
        self, user: User, view_id: str, action_id: str, block_id: str | None, value: Any, values: Values
    ) -> Outcome:
        """Use a button, menu or box of a window or of App Home; `values` is what else was filled in."""
        view = self._view(user, view_id)
        block, element = find_element(view.blocks, action_id, block_id)
        given = values | {block["block_id"]: values.get(block["block_id"], {}) | {action_id: value}}
        view.state = inputs.state_of(view.blocks, given)
        where = payloads.on_view(self._workspace.modals.to_slack(view))
        return await self._click(user, where, block, element, value, view.state)

    async def submit(self, user: User, view_id: str, values: Values) -> Outcome:
        """Press the submit button of the open window."""
        view = self._view(user, view_id)
        view.state = inputs.state_of(view.blocks, values)
        view.errors = inputs.missing(view.blocks, view.state)
        self._workspace.changed()
        if view.errors:
            return Outcome("missing_input", next(iter(view.errors.values())))
        modals = self._workspace.modals
        trigger_id = modals.trigger(user.id)
        payload = payloads.view_submission(user, modals.to_slack(view), trigger_id=trigger_id)
        answer = await self._delivery.send("interactive", payload)
        if answer.error:
            return Outcome(answer.error, TROUBLE, trigger_id=trigger_id)
        try:
            self._after_submission(user, view, answer.body)
        except SlackError as refusal:
            return Outcome(refusal.code, "; ".join(refusal.messages) or TROUBLE, trigger_id=trigger_id)
        finally:
            self._workspace.changed()
        return Outcome(trigger_id=trigger_id)

    async def close(self, user: User, view_id: str) -> Outcome:
        """Close the open window; the app hears of it when it asked to."""
        view = self._view(user, view_id)
        everything = bool(view.payload["clear_on_close"])
        closed = self._workspace.modals.close(view, everything=everything)
        self._workspace.changed()
        for gone in closed:
            if gone.payload["notify_on_close"]:
                shown = self._workspace.modals.to_slack(gone)
                await self._delivery.send(
                    "interactive", payloads.view_closed(user, shown, is_cleared=everything)
                )
        return Outcome()

    async def open_home(self, user: User) -> Outcome:
        """Open the app's Home tab."""
        view = self._workspace.modals.home(user.id)
        event: Json = {
            "type": "app_home_opened",
            "user": user.id,
            "channel": self._workspace.direct_message(user.id).id,
            "tab": "home",
            "event_ts": self._workspace.next_ts(),
        }
        if view:
            event["view"] = self._workspace.modals.to_slack(view)
        return _told(await self._delivery.send("events_api", payloads.event(event)))

    async def say(self, user: User, channel: str, text: str, thread_ts: str | None) -> Outcome:
        """Write a message; the app hears it where it is a member."""
        conversation = self._joined(user, channel)
        if conversation.is_archived:
            raise SlackError("is_archived")
        typed = html.escape(text, quote=False)  # as Slack's own clients send what people type
        message = Message(self._workspace.next_ts(), user.id, typed, thread_ts=thread_ts)
        self._workspace.post(conversation, message)
        await self._share_links(conversation, message)
        if BOT_USER_ID not in conversation.members:
            return Outcome()
        kind = "im" if conversation.is_im else "channel"
        event = message.to_slack() | {
            "channel": conversation.id,
            "channel_type": kind,
            "event_ts": message.ts,
        }
        return _told(await self._delivery.send("events_api", payloads.event(event)))

    async def _share_links(self, conversation: Conversation, message: Message) -> None:
        """The app hears of links of its domains, whether it is a member or not: typed, and once more sent."""
        urls = [url.rstrip(".,;:!?") for url in re.findall(r"https?://[^\s<>]+", html.unescape(message.text))]
        domains = self._workspace.unfurl_domains
        links = [{"domain": host, "url": url} for url in urls if (host := urlsplit(url).hostname) in domains]
        if not links:
            return
        typing_id = f"{message.user}-{message.ts}"
        typing: Json = {
            "type": "link_shared",
            "channel": "COMPOSER",
            "is_bot_user_member": True,
            "user": message.user,
            "message_ts": typing_id,
            "unfurl_id": typing_id,
            "source": "composer",
            "links": links,
            "event_ts": self._workspace.next_ts(),
        }
        await self._delivery.send("events_api", payloads.event(typing))
        event: Json = {
            "type": "link_shared",
            "channel": conversation.id,
            "is_bot_user_member": BOT_USER_ID in conversation.members,
            "user": message.user,
            "message_ts": message.ts,
            "unfurl_id": f"{conversation.id}-{message.ts}",
            "source": "conversations_history",
            "links": links,
            "event_ts": self._workspace.next_ts(),
        } | ({"thread_ts": message.thread_ts} if message.thread_ts else {})
        outside = conversation.is_ext_shared
        await self._delivery.send("events_api", payloads.event(event, is_ext_shared_channel=outside))

    async def shortcut(self, user: User, callback_id: str) -> Outcome:
        """Pick a global shortcut of the app."""
        trigger_id = self._workspace.modals.trigger(user.id)
        payload = payloads.shortcut(user, callback_id, trigger_id=trigger_id)
        return _told(await self._delivery.send("interactive", payload))

    async def run_workflow(self, user: User, job: str, lines: str, note: str, until: str) -> Outcome:
        """Start the workflow that asks for a cost code update, then waits for it."""
        run = self._workspace.runs.start(user.id)
        asked = {"job": job, "lines": lines, "person": user.id} | ({"note": note} if note else {})
        step = run.begin("ask_for_cost_code_update", asked)
        self._workspace.changed()
        outcome = await self._run_step(run, step)
        waiting = {"job": job, "until": until, "person": user.id}
        task = asyncio.create_task(self._go_on(run, step, waiting))
        self._going_on.add(task)
        task.add_done_callback(self._going_on.discard)
        return outcome

    def stop_workflow(self, run_id: str) -> Outcome:
        """Cancel a workflow."""
        self._workspace.runs.stop(run_id)
        self._workspace.changed()
        return Outcome()

    async def _go_on(self, run: Run, before: Step, inputs: Json) -> None:
        await before.over.wait()
        if before.state == "completed":
            step = run.begin("wait_for_the_update", inputs)
            self._workspace.changed()
            await self._run_step(run, step)

    async def _run_step(self, run: Run, step: Step) -> Outcome:
        event = payloads.event(payloads.function_executed(run, step))
        return _told(await self._delivery.send("events_api", event))

    async def message_shortcut(
        self, user: User, callback_id: str, channel: str, ts: str, base_url: str
    ) -> Outcome:
        """Pick a shortcut of the app from the menu of a message."""
        conversation, message = self._seen(user, channel, ts)
        payload = payloads.message_shortcut(
            user,
            callback_id,
            conversation,
            message.to_slack(),
            trigger_id=self._workspace.modals.trigger(user.id),
            response_url=self._response_urls.new(base_url, conversation, user.id, message),
        )
        return _told(await self._delivery.send("interactive", payload))

    async def options(self, user: User, view_id: str, action_id: str, query: str) -> Outcome:
        """Type into an external select of a window; the app answers with options."""
        view = self._view(user, view_id)
        block, element = find_element(view.blocks, action_id)
        where = payloads.on_view(self._workspace.modals.to_slack(view))
        payload = payloads.block_suggestion(user, where, block, element, query)
        answer = await self._delivery.send("interactive", payload)
        groups = answer.body.get("option_groups") or [{"options": answer.body.get("options") or []}]
        options = [option for group in groups for option in group["options"]]
        return Outcome(answer.error, TROUBLE if answer.error else None, options)

    def upload(self, name: str, content: bytes, base_url: str) -> Outcome:
        """Choose a file in a window; its answer is the value of the window's file input."""
        return Outcome(file=self._workspace.share(name, content).to_slack(base_url))

    async def _click(
        self,
        user: User,
        where: Json,
        block: Json,
        element: Json,
        value: Any,
        state: dict[str, dict[str, Json]],
    ) -> Outcome:
        ids = {name: element[name] for name in ("type", "action_id")} | {"block_id": block["block_id"]}
        action = ids | inputs.entry(element, value)
        trigger_id = self._workspace.modals.trigger(user.id)
        payload = payloads.block_actions(user, where, action, state, trigger_id=trigger_id)
        return replace(_told(await self._delivery.send("interactive", payload)), trigger_id=trigger_id)

    def _after_submission(self, user: User, view: View, body: Json) -> None:
        modals = self._workspace.modals
        match body.get("response_action"):
            case "errors":
                view.errors = {str(block_id): str(text) for block_id, text in body["errors"].items()}
            case "update":
                modals.update(view, body["view"])
            case "push":
                modals.push_for(user.id, body["view"])
            case "clear":
                modals.close(view, everything=True)
            case _:
                modals.close(view)

    def _escaped(self, typed: str) -> str:
        """What was typed after a command as Slack sends it where `should_escape` is on in the manifest.

        Source: docs.slack.dev/interactivity/implementing-slash-commands, on escaping users.
        """

        def mention(found: re.Match[str]) -> str:
            named = next((user for user in self._workspace.users.values() if user.name == found[1]), None)
            return f"<@{named.id}|{named.name}>" if named else found[0]

        return re.sub(r"(?<![\w.])@([\w.-]*\w)", mention, html.escape(typed, quote=False))

    def _joined(self, user: User, channel: str) -> Conversation:
        conversation = self._workspace.named(channel)
        if user.id not in conversation.members:
            raise SlackError("not_in_channel")
        return conversation

    def _seen(self, user: User, channel: str, ts: str) -> tuple[Conversation, Message]:
        conversation = self._joined(user, channel)
        message = conversation.find(ts)
        if message.only_for not in (None, user.id):
            raise SlackError("message_not_found")
        return conversation, message

    def _view(self, user: User, view_id: str) -> View:
        view = self._workspace.modals.find(view_id)
        if view.user != user.id:
            raise SlackError("not_found")
        return view

    def _slackbot(self, conversation: Conversation, user: User, error: str, text: str) -> Outcome:
        message = Message(self._workspace.next_ts(), SLACKBOT_ID, text, only_for=user.id)
        self._workspace.post(conversation, message)
        return Outcome(error, text)


def _blocks(message: Message) -> list[Json]:
    attached = [block for attachment in message.attachments for block in attachment.get("blocks", [])]
    return [*message.blocks, *attached]


def _told(answer: Answer) -> Outcome:
    return Outcome(answer.error, TROUBLE if answer.error else None)
