"""What Slack says: its errors by what they mean to costbot, and people, channels and messages as it has them.

Owns which of Slack's many codes come to the same. Nothing here calls Slack.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from slack_sdk.errors import SlackApiError

from bot.blocks.pieces import Json
from workflow.masking import mask

TOO_MANY_REQUESTS = 429
SERVER_ERROR = 500
_USUAL_WAIT, _LONGEST_WAIT = 60.0, 3600.0
RATE_LIMITED, UNAVAILABLE = "rate_limited", "unavailable"
_UNKNOWN_RESULT = {"fatal_error", "internal_error", "request_timeout", "service_unavailable"}
_MESSAGE_GONE = {"message_not_found", "cant_update_message", "thread_not_found", "invalid_thread_ts"}
_CHANNEL_PROBLEM = {
    "not_in_channel",
    "channel_not_found",
    "is_archived",
    "restricted_action",
    "restricted_action_read_only_channel",
}
_OF_THIS_METHOD = {"missing_scope", "not_allowed_token_type"}
_NO_TOKEN = {
    "account_inactive",
    "invalid_auth",
    "invalid_refresh_token",
    "not_authed",
    "not_installed",
    "token_expired",
    "token_revoked",
}
_STEP_OVER = {"execution_not_in_running_state", "function_execution_not_found"}
_BLOCKS_REFUSED = {"invalid_blocks", "invalid_attachments"}


class SlackError(Exception):
    """A call to Slack did not do what it should."""


class SlackUnavailable(SlackError):  # noqa: N818 - a state of the world, not a mistake
    """Slack did not answer, or not clearly: whether the call was carried out is unknown."""


class RateLimited(SlackError):  # noqa: N818 - likewise
    """Slack wants no call of this method for `retry_after` seconds; this one was not carried out."""

    def __init__(self, method: str, retry_after: float) -> None:
        super().__init__(f"{method} is rate limited for {retry_after:.0f} s")
        self.retry_after = retry_after


class SlackRefused(SlackError):  # noqa: N818 - likewise
    """Slack said no with `code`, as in Slack's documentation; nothing was done."""

    def __init__(self, method: str, code: str, details: tuple[str, ...] = ()) -> None:
        super().__init__(": ".join((f"{method} was refused with {code}", *details)))
        self.code = code

    @property
    def is_message_gone(self) -> bool:
        """The message to change or to answer is not there any more."""
        return self.code in _MESSAGE_GONE

    @property
    def is_channel_problem(self) -> bool:
        """The bot cannot write into the channel as things are."""
        return self.code in _CHANNEL_PROBLEM

    @property
    def is_token_problem(self) -> bool:
        """The token is not good, or not good for this method."""
        return self.is_without_token or self.code in _OF_THIS_METHOD

    @property
    def is_without_token(self) -> bool:
        """There is no token, or none that is good for anything: every other call would be refused as well."""
        return self.code in _NO_TOKEN

    @property
    def is_step_over(self) -> bool:
        """Slack has an end of this step already, or the workflow was stopped: nobody waits for an answer."""
        return self.code in _STEP_OVER

    @property
    def is_blocks_problem(self) -> bool:
        return self.code in _BLOCKS_REFUSED


@dataclass(frozen=True, slots=True)
class Bot:
    """Whose token this is, and what it may do."""

    team_id: str
    """The workspace, or the Enterprise Grid organisation (E…) where the app is installed in all of it."""
    team: str
    user_id: str
    scopes: frozenset[str]


@dataclass(frozen=True, slots=True)
class SlackUser:
    """A member, guest, bot or stranger, as Slack knows them."""

    id: str
    name: str
    email: str | None
    email_confirmed: bool
    team_id: str
    teams: tuple[str, ...]
    """The other workspaces of the same Enterprise Grid that they belong to, and its organisation."""
    is_guest: bool
    is_bot: bool
    deleted: bool
    time_zone: str | None = None
    """Where they read, by its IANA name."""
    locale: str | None = None
    """The language that they have set, such as `es-LA`; only `users.info` tells it."""


@dataclass(frozen=True, slots=True)
class Channel:
    """A conversation, and whether costbot is in it."""

    id: str
    name: str
    is_member: bool
    is_archived: bool


@dataclass(frozen=True, slots=True)
class Posted:
    """Where a message stands: channel id and time stamp."""

    channel: str
    ts: str


@dataclass(frozen=True, slots=True)
class SharedLinks:
    """Where links stand, as `link_shared` has it: in a message, or in one that is still being typed."""

    channel: str
    ts: str
    unfurl_id: str | None = None
    source: str | None = None


def error_of(method: str, error: SlackApiError) -> SlackError:
    """What an answer that is no success means."""
    response = error.response
    if response.status_code == TOO_MANY_REQUESTS:
        return RateLimited(method, seconds_to_wait(response.headers))
    code = mask(str(response.get("error") or ""))
    # an answer that is no JSON has, in place of a code, a sentence of the SDK's
    if response.status_code >= SERVER_ERROR or code in _UNKNOWN_RESULT or not code or " " in code:
        return SlackUnavailable(f"{method} got no clear answer: {response.status_code} {code}")
    details = (response.get("response_metadata") or {}).get("messages") or ()
    return SlackRefused(method, code, tuple(mask(str(detail)) for detail in details))


def seconds_to_wait(headers: Mapping[str, Any]) -> float:
    """How long `Retry-After` says to wait: a second where it is missing, and never for ever.

    Slack says seconds. What stands in between may say a date, by whatever clock it has.
    """
    try:
        said = float(header(headers, "retry-after") or 1)
    except ValueError:
        return _USUAL_WAIT
    return min(said, _LONGEST_WAIT) if said >= 0 else _USUAL_WAIT


def outcome_of(error: SlackError) -> str:
    """What a call that failed is counted as."""
    match error:
        case RateLimited():
            return RATE_LIMITED
        case SlackRefused():
            return error.code
    return UNAVAILABLE


def header(headers: Mapping[str, Any], name: str) -> str | None:
    """A header by its name in small letters."""
    for key, value in headers.items():
        if key.lower() == name:
            return str(value[0] if isinstance(value, list) else value)
    return None


def user_of(user: Json) -> SlackUser:
    """A user, as `users.info` and `users.lookupByEmail` have them."""
    profile, grid = user.get("profile") or {}, user.get("enterprise_user") or {}
    return SlackUser(
        id=user["id"],
        name=user.get("real_name") or profile.get("real_name") or user.get("name") or user["id"],
        email=profile.get("email"),
        # Slack's documented examples leave the field out; only its `false` says that nobody confirmed it
        email_confirmed=user.get("is_email_confirmed") is not False,
        team_id=user.get("team_id") or "",
        teams=(*(grid.get("teams") or ()), *filter(None, (grid.get("enterprise_id"),))),
        is_guest=any(user.get(name) for name in ("is_restricted", "is_ultra_restricted", "is_stranger")),
        is_bot=bool(user.get("is_bot")),
        deleted=bool(user.get("deleted")),
        time_zone=user.get("tz") or None,
        locale=user.get("locale") or None,
    )


def channel_of(channel: Json) -> Channel:
    """A channel, as `conversations.info` and `conversations.list` have it."""
    return Channel(
        id=channel["id"],
        name=channel.get("name") or "",
        is_member=bool(channel.get("is_member")),
        is_archived=bool(channel.get("is_archived")),
    )
