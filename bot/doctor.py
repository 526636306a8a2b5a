"""What `costbot doctor` says of Slack: tokens, scopes, the approvals channel, each with its mend.

Owns which scope each Web API method needs. It changes nothing, and tells nobody in Slack.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx
from slack_sdk.errors import SlackApiError
from sqlalchemy.exc import SQLAlchemyError

from bot.gateway import Gateway, web_client
from bot.http import SERVED_BY
from bot.installations import Installations, connected
from bot.slack_answers import Bot, SlackError, SlackRefused
from workflow.settings import Settings, SettingsError

_SECONDS = 8
_READ = frozenset({"channels:read", "groups:read"})
_HISTORY = frozenset({"channels:history", "groups:history", "im:history"})
_WRITE = frozenset({"chat:write"})
_FILES = frozenset({"files:write"})

METHOD_SCOPES: Mapping[str, frozenset[str]] = {
    "auth.test": frozenset(),
    "chat.getPermalink": frozenset(),
    "chat.postEphemeral": _WRITE,
    "chat.postMessage": _WRITE,
    "chat.unfurl": frozenset({"links:write"}),
    "chat.update": _WRITE,
    "conversations.history": _HISTORY,
    "conversations.info": _READ,
    "conversations.list": _READ,
    "conversations.open": frozenset({"im:write"}),
    "conversations.replies": _HISTORY,
    "files.completeUploadExternal": _FILES,
    "files.getUploadURLExternal": _FILES,
    "functions.completeError": frozenset(),
    "functions.completeSuccess": frozenset(),
    "users.info": frozenset({"users:read", "users:read.email"}),
    "users.lookupByEmail": frozenset({"users:read.email"}),
    "views.open": frozenset(),
    "views.publish": frozenset(),
    "views.push": frozenset(),
    "views.update": frozenset(),
}
"""Bot scopes by method of `bot.gateway`, as docs.slack.dev/reference/methods has them."""

SCOPES = frozenset({"commands", "files:read", "links:read"}).union(*METHOD_SCOPES.values())
"""Every scope that costbot asks for; `bot/manifest.yaml` says why."""

_REINSTALL = (
    "Install the app in the workspace again and set SLACK_BOT_TOKEN to its Bot User OAuth Token (xoxb-…)."
)
_TRY_LATER = "Check the network and SLACK_API_URL, or look at https://slack-status.com."


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at; `mend` says what to do when it is not `ok`, else it is empty."""

    name: str
    ok: bool
    words: str
    mend: str = ""


def look_at_slack(settings: Settings) -> list[Finding]:
    """Everything that costbot needs of Slack, in the order in which to mend it."""
    if settings.companies is None:
        return [*_bot(settings), *_incoming(settings), *_links(settings)]
    return [*_installed(settings), *_links(settings)]


def look_at_app(host: Settings) -> list[Finding]:
    """What all companies of a host share: the Slack app's own settings, and where tokens are kept."""
    name = "Slack app"
    try:
        Installations(host).close()
    except (SettingsError, SQLAlchemyError, OSError) as error:
        mend = "Set SLACK_CLIENT_ID and SLACK_CLIENT_SECRET, and check COSTBOT_INSTALLATIONS_URL."
        return [Finding(name, False, f"tokens cannot be kept: {error}", mend), *_incoming(host)]
    return [Finding(name, True, "tokens are kept, and rotated before they expire"), *_incoming(host)]


def _links(settings: Settings) -> Iterator[Finding]:
    """Whether the bot answers at its public address, and what the Slack app has to be told of it."""
    if settings.public_url is None:
        return
    name, host = "Links to jobs", urlsplit(settings.public_url).hostname
    mend = "Check COSTBOT_PUBLIC_URL and the proxy before the bot, and that `costbot bot` is running."
    try:
        # the address of no job: whatever the bot says to it is marked as its own
        answer = httpx.get(f"{settings.public_url}/jobs/-", timeout=_SECONDS, follow_redirects=False)
    except httpx.HTTPError as error:
        yield Finding(name, False, f"{settings.public_url} does not answer from here: {error}", mend)
        return
    if answer.headers.get(SERVED_BY[0]) != SERVED_BY[1]:
        yield Finding(name, False, f"what answers at {settings.public_url}/jobs is not costbot", mend)
        return
    yield Finding(
        name,
        True,
        f"costbot answers there; Slack shows where jobs stand once {host} is under App Unfurl Domains "
        "(Event Subscriptions)",
    )


def _installed(settings: Settings) -> Iterator[Finding]:
    name, team = "Slack install", settings.slack_team or ""
    install = f"Open {settings.install_page}, and choose the workspace."
    try:
        with connected(settings) as gateway:
            bot = gateway.auth_test()
            yield Finding(name, True, f"good for {bot.team or bot.team_id}")
            yield _scopes(bot, install)
            yield _channel(settings, gateway, install)
    except SlackRefused as refused:
        said = f"Slack does not take the token of {team}: {refused.code}"
        if refused.code == "not_installed":
            said = f"costbot is not installed in {team}"
        yield Finding(name, False, said, install)
    except SlackError as error:
        yield Finding(name, False, f"Slack does not answer: {error}", _TRY_LATER)
    except (SettingsError, SQLAlchemyError) as error:
        yield Finding(name, False, f"the token cannot be read: {error}", "See “Slack app” above.")


def _bot(settings: Settings) -> Iterator[Finding]:
    name = "Slack bot token"
    if settings.slack_bot_token is None:
        yield Finding(
            name, False, "SLACK_BOT_TOKEN is not set", f"Create the app from bot/manifest.yaml. {_REINSTALL}"
        )
        return
    gateway = Gateway.connect(settings)
    try:
        bot = gateway.auth_test()
    except SlackRefused as refused:
        yield Finding(name, False, f"Slack does not take SLACK_BOT_TOKEN: {refused.code}", _REINSTALL)
    except SlackError as error:
        yield Finding(name, False, f"Slack does not answer: {error}", _TRY_LATER)
    else:
        yield Finding(name, True, f"good for {bot.team or bot.team_id}")
        yield _scopes(bot)
        yield _channel(settings, gateway)


def _scopes(bot: Bot, reinstall: str = _REINSTALL) -> Finding:
    name = "Slack scopes"
    if not bot.scopes:
        return Finding(name, True, "this server does not tell them")
    missing = sorted(SCOPES - bot.scopes)
    if missing:
        mend = f"Add them under OAuth & Permissions, Bot Token Scopes. {reinstall}"
        return Finding(name, False, f"missing: {', '.join(missing)}", mend)
    return Finding(name, True, "all there")


def _channel(settings: Settings, gateway: Gateway, reinstall: str = _REINSTALL) -> Finding:
    name, wanted = "Slack channel", settings.channel
    if not wanted:
        return Finding(
            name, False, "COSTBOT_CHANNEL is not set", "Set it to the channel for cards: #name or C… id."
        )
    try:
        channel = gateway.channel(wanted)
    except SlackRefused as refused:
        if refused.code == "unknown_method":
            return Finding(name, True, f"{wanted}; this server does not tell more of it")
        if refused.code != "channel_not_found":
            return Finding(name, False, f"cannot look at {wanted}: {refused.code}", reinstall)
        mend = f"Correct COSTBOT_CHANNEL, or type /invite @costbot in {wanted} if it is private."
        return Finding(name, False, f"there is no {wanted} that costbot can see", mend)
    except SlackError as error:
        return Finding(name, False, f"Slack does not answer: {error}", _TRY_LATER)
    shown = f"#{channel.name}"
    if channel.is_archived:
        return Finding(
            name, False, f"{shown} is archived", "Unarchive it, or set COSTBOT_CHANNEL to another."
        )
    if not channel.is_member:
        return Finding(name, False, f"costbot is not in {shown}", f"Type /invite @costbot in {shown}.")
    return Finding(name, True, f"costbot is in {shown}")


def _incoming(settings: Settings) -> Iterator[Finding]:
    """How clicks and commands reach the bot: Socket Mode, HTTP mode or both."""
    if settings.slack_app_token is None and settings.slack_signing_secret is None:
        yield Finding(
            "Slack events",
            False,
            "neither SLACK_APP_TOKEN nor SLACK_SIGNING_SECRET is set, so no click arrives",
            "Set SLACK_APP_TOKEN (Basic Information, App-Level Tokens, scope connections:write).",
        )
    if settings.slack_app_token is not None:
        yield _socket_mode(settings.slack_app_token.get_secret_value(), settings.slack_api_url)
    if settings.slack_signing_secret is not None:
        words = "SLACK_SIGNING_SECRET is set; Slack's first request will show whether it is right"
        yield Finding("Slack HTTP mode", True, words)


def _socket_mode(token: str, api_url: str) -> Finding:
    name = "Slack Socket Mode"
    try:
        # the one way to try an app token: it asks for an address, and nobody connects to it
        web_client(token, api_url).apps_connections_open(app_token=token)
    except SlackApiError as error:
        mend = (
            "Make an app-level token with the scope connections:write, and switch Socket Mode on in the app."
        )
        return Finding(
            name, False, f"Slack does not take SLACK_APP_TOKEN: {error.response.get('error')}", mend
        )
    except OSError as error:
        return Finding(name, False, f"Slack does not answer: {error}", _TRY_LATER)
    return Finding(name, True, "SLACK_APP_TOKEN opens connections")
