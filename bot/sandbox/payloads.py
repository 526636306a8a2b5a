"""The payloads that Slack sends to an app, built from what happened.

Pure. Field names by Slack's published samples (slackapi/java-slack-sdk, json-logs/samples/app-backend).
"""

import secrets
import time
from typing import Any

from bot.sandbox.runs import FUNCTIONS, Parameters, Run, Step
from bot.sandbox.workspace import APP_ID, BOT_USER_ID, TEAM_DOMAIN, TEAM_ID, Conversation, Team, User

Json = dict[str, Any]
VERIFICATION_TOKEN = "sandbox-verification-token"  # noqa: S105 - Slack's deprecated field, opens nothing


def slash_command(
    user: User, conversation: Conversation, command: str, text: str, *, trigger_id: str, response_url: str
) -> Json:
    """A slash command, all values strings as in its form."""
    return {
        "token": VERIFICATION_TOKEN,
        "team_id": user.team_id,
        "team_domain": TEAM_DOMAIN,
        "channel_id": conversation.id,
        "channel_name": "directmessage" if conversation.is_im else conversation.name,
        "user_id": user.id,
        "user_name": user.name,
        "command": command,
        "text": text,
        "api_app_id": APP_ID,
        "is_enterprise_install": "false",
        "response_url": response_url,
        "trigger_id": trigger_id,
    }


def block_actions(user: User, where: Json, action: Json, state: Json, *, trigger_id: str) -> Json:
    """A click or a pick; `where` is the part that tells of the message or view it was on."""
    actions = [action | {"action_ts": f"{time.time():.6f}"}]
    return (
        _interaction("block_actions", user, trigger_id)
        | where
        | {"state": {"values": state}, "actions": actions}
    )


def on_message(conversation: Conversation, message: Json, *, ephemeral: bool, response_url: str) -> Json:
    """Where a click was, when it was on a message."""
    container = {
        "type": "message",
        "message_ts": message["ts"],
        "channel_id": conversation.id,
        "is_ephemeral": ephemeral,
    }
    if "thread_ts" in message:
        container["thread_ts"] = message["thread_ts"]
    where: Json = {"container": container, "channel": _channel(conversation), "response_url": response_url}
    # Slack leaves an ephemeral message out of the payload: the app is expected to have kept what it needs.
    return where if ephemeral else where | {"message": message}


def on_view(view: Json) -> Json:
    """Where a click was, when it was in a modal or App Home."""
    return {"container": {"type": "view", "view_id": view["id"]}, "view": view}


def view_submission(user: User, view: Json, *, trigger_id: str) -> Json:
    """The submit button of a modal."""
    return _interaction("view_submission", user, trigger_id) | {"view": view, "response_urls": []}


def view_closed(user: User, view: Json, *, is_cleared: bool) -> Json:
    """A modal was closed; carries no trigger."""
    return _interaction("view_closed", user) | {"view": view, "is_cleared": is_cleared}


def block_suggestion(user: User, where: Json, block: Json, element: Json, query: str) -> Json:
    """What was typed into an external select, to be answered with options."""
    ids = {"block_id": block["block_id"], "action_id": element["action_id"], "value": query}
    return _interaction("block_suggestion", user) | where | ids


def shortcut(user: User, callback_id: str, *, trigger_id: str) -> Json:
    """A global shortcut."""
    return _interaction("shortcut", user, trigger_id) | {
        "callback_id": callback_id,
        "action_ts": f"{time.time():.6f}",
    }


def message_shortcut(
    user: User,
    callback_id: str,
    conversation: Conversation,
    message: Json,
    *,
    trigger_id: str,
    response_url: str,
) -> Json:
    """A shortcut picked from the menu of a message."""
    return _interaction("message_action", user, trigger_id) | {
        "callback_id": callback_id,
        "action_ts": f"{time.time():.6f}",
        "message_ts": message["ts"],
        "message": message,
        "channel": _channel(conversation),
        "response_url": response_url,
    }


def function_executed(run: Run, step: Step) -> Json:
    """A step of a workflow is to be run."""
    function = FUNCTIONS[step.callback_id]
    return {
        "type": "function_executed",
        "function": {
            "id": "Fn0COSTBOT",
            "callback_id": step.callback_id,
            "title": function.title,
            "type": "app",
            "app_id": APP_ID,
            "input_parameters": _parameters(function.inputs),
            "output_parameters": _parameters(function.outputs),
            "date_created": 0,
            "date_updated": 0,
            "date_deleted": 0,
        },
        "inputs": step.inputs,
        "function_execution_id": step.id,
        "workflow_execution_id": run.id,
        "event_ts": f"{time.time():.6f}",
        "bot_access_token": "xwfp-sandbox",
    }


def from_team(payload: Json, team: Team) -> Json:
    """The payload as it comes from this workspace; those made here are as the sample company's has them."""
    sent = dict(payload)
    org = {"id": team.enterprise_id, "name": team.name} if team.enterprise_id else None
    if "command" in sent:
        sent |= {"team_domain": team.domain, "is_enterprise_install": str(team.org_wide).lower()}
        return sent | ({"enterprise_id": team.enterprise_id} if team.enterprise_id else {})
    if sent.get("type") == "event_callback":
        authorized = sent["authorizations"][0] | {
            "enterprise_id": team.enterprise_id,
            "team_id": None if team.org_wide else team.id,
            "is_enterprise_install": team.org_wide,
        }
        return sent | {"team_id": team.id, "authorizations": [authorized]}
    here = None if team.org_wide else {"id": team.id, "domain": team.domain}
    return sent | {"team": here, "enterprise": org, "is_enterprise_install": team.org_wide}


def event(body: Json, *, is_ext_shared_channel: bool = False) -> Json:
    """An event in its outer envelope."""
    return {
        "token": VERIFICATION_TOKEN,
        "team_id": TEAM_ID,
        "api_app_id": APP_ID,
        "event": body,
        "type": "event_callback",
        "event_id": f"Ev{secrets.token_hex(5).upper()}",
        "event_time": int(time.time()),
        "authorizations": [
            {"enterprise_id": None, "team_id": TEAM_ID, "user_id": BOT_USER_ID, "is_bot": True}
        ],
        "is_ext_shared_channel": is_ext_shared_channel,
    }


def _interaction(kind: str, user: User, trigger_id: str | None = None) -> Json:
    payload: Json = {
        "type": kind,
        "team": {"id": TEAM_ID, "domain": TEAM_DOMAIN},
        "user": {"id": user.id, "username": user.name, "name": user.name, "team_id": user.team_id},
        "api_app_id": APP_ID,
        "token": VERIFICATION_TOKEN,
        "enterprise": None,
        "is_enterprise_install": False,
    }
    return payload | ({"trigger_id": trigger_id} if trigger_id else {})


def _channel(conversation: Conversation) -> Json:
    return {"id": conversation.id, "name": "directmessage" if conversation.is_im else conversation.name}


def _parameters(declared: Parameters) -> list[Json]:
    return [
        {"name": name, "type": kind, "is_required": required} for name, (kind, required) in declared.items()
    ]
