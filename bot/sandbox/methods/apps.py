"""`auth.test`, `bots.info`, `apps.connections.open` and `blocks.validate`."""

from bot.blocks.checking import problems, view_problems
from bot.sandbox import workspace as ours
from bot.sandbox.errors import SlackError
from bot.sandbox.methods.call import Call, Json, Method


def auth_test(call: Call) -> Json:
    """Who the token belongs to."""
    team = call.workspace.team
    return {
        "url": f"{call.base_url}/",
        "team": team.name,
        "team_id": team.installed_in,
        "user": ours.BOT_NAME,
        "user_id": ours.BOT_USER_ID,
        "bot_id": ours.BOT_ID,
        "is_enterprise_install": team.org_wide,
    } | ({"enterprise_id": team.enterprise_id} if team.enterprise_id else {})


def bots_info(call: Call) -> Json:
    """The one bot of the workspace."""
    if call.text("bot") != ours.BOT_ID:
        raise SlackError("bot_not_found")
    bot = {"id": ours.BOT_ID, "app_id": ours.APP_ID, "user_id": ours.BOT_USER_ID, "name": ours.BOT_NAME}
    return {"bot": bot | {"deleted": False, "updated": 0}}


def connections_open(call: Call) -> Json:
    """A WebSocket address, good for one connection."""
    return {"url": call.socket_url()}


def validate_blocks(call: Call) -> Json:
    """Judge blocks, or a view's blocks, without showing them."""
    view = call.json("view")
    found = view_problems(view) if isinstance(view, dict) else problems(call.json("blocks"), "message")
    if found:
        raise SlackError("invalid_blocks", [f"[ERROR] {problem}" for problem in found])
    return {}


METHODS = {
    "auth.test": Method(auth_test, per_minute=600),
    "bots.info": Method(bots_info, ("users:read",)),
    "apps.connections.open": Method(connections_open, per_minute=1000, token="app"),  # noqa: S106 - a kind
    "blocks.validate": Method(validate_blocks),
}
