"""`users.*`: who is who in the workspace."""

from bot.sandbox.errors import SlackError
from bot.sandbox.methods.call import Call, Json, Method
from bot.sandbox.workspace import User


def info(call: Call) -> Json:
    """One member by id, with the language that they have set where it is asked for."""
    user = call.workspace.user(call.required("user"))
    return {
        "user": user.to_slack(call.workspace.team)
        | ({"locale": user.locale} if call.flag("include_locale") else {})
    }


def list_all(call: Call) -> Json:
    """Every member of the workspace; strangers are not members."""
    team = call.workspace.team
    own = [user.to_slack(team) for user in call.workspace.users.values() if user.team_id == team.id]
    found, cursor = call.page(own)
    return {"members": found, "response_metadata": {"next_cursor": cursor}}


def lookup_by_email(call: Call) -> Json:
    """The active member with this confirmed e-mail. Raises `users_not_found`."""
    user: User = call.workspace.person(call.required("email"))
    if user.deleted or user.team_id != call.workspace.team.id:
        raise SlackError("users_not_found")
    return {"user": user.to_slack(call.workspace.team)}


METHODS = {
    "users.info": Method(info, ("users:read",), per_minute=100),
    "users.list": Method(list_all, ("users:read",), per_minute=20),
    "users.lookupByEmail": Method(lookup_by_email, ("users:read.email",)),
}
