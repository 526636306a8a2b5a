"""The sandbox workspace: its people, channels and messages, held in memory.

Owns what Slack would remember of users, conversations and messages. It speaks no HTTP and judges no blocks.
Everything here is touched by one event loop only, so no lock is needed; `changed` wakes whoever watches.
"""

import asyncio
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from bot.sandbox.errors import SlackError
from bot.sandbox.modals import Modals
from bot.sandbox.runs import Runs

TEAM_ID = "T0KESTREL"
TEAM_DOMAIN = "kestrel-sandbox"
TEAM_NAME = "Kestrel Builders"
APP_ID = "A0COSTBOT"
BOT_ID = "B0COSTBOT"
BOT_USER_ID = "U0COSTBOT"
BOT_NAME = "costbot"
BOT_TOKEN = "xoxb-sandbox"  # noqa: S105 - opens nothing but this sandbox
APP_TOKEN = "xapp-sandbox"  # noqa: S105 - opens nothing but this sandbox
SIGNING_SECRET = "sandbox-signing-secret"  # noqa: S105 - opens nothing but this sandbox
CHANNEL_ID = "C0COSTCODES"
CHANNEL_NAME = "cost-codes"
SLACKBOT_ID = "USLACKBOT"
COMMANDS = ("/costcodes",)
SHORTCUTS = (
    {"type": "global", "callback_id": "request_cost_codes", "name": "Request cost codes"},
    {"type": "message", "callback_id": "request_these_cost_codes", "name": "Request these cost codes"},
)
"""As `bot/manifest.yaml` has them; a test compares."""

Json = dict[str, Any]


@dataclass(frozen=True)
class Team:
    """Which workspace it is; `org_wide` when the app is installed in the whole of its organisation."""

    id: str = TEAM_ID
    name: str = TEAM_NAME
    domain: str = TEAM_DOMAIN
    enterprise_id: str | None = None
    org_wide: bool = False

    @property
    def installed_in(self) -> str:
        """The workspace or organisation that an install is for."""
        return self.enterprise_id if self.org_wide and self.enterprise_id else self.id


@dataclass
class User:
    """A member of the workspace, or a stranger from another one (`team_id`)."""

    id: str
    name: str
    real_name: str
    email: str
    team_id: str = TEAM_ID
    title: str = ""
    tz: str = "America/Chicago"
    locale: str = "en-US"
    is_admin: bool = False
    is_restricted: bool = False
    is_ultra_restricted: bool = False
    is_bot: bool = False
    is_email_confirmed: bool = True
    deleted: bool = False

    def to_slack(self, seen_from: Team | None = None) -> Json:
        """The user as Slack tells of them in a workspace."""
        home = seen_from or Team()
        grid: Json = {}
        if home.enterprise_id and self.team_id == home.id:
            grid = {"enterprise_user": {"enterprise_id": home.enterprise_id, "teams": [home.id]}}
        return grid | {
            "id": self.id,
            "team_id": self.team_id,
            "name": self.name,
            "real_name": self.real_name,
            "deleted": self.deleted,
            "tz": self.tz,
            "is_admin": self.is_admin,
            "is_owner": False,
            "is_restricted": self.is_restricted,
            "is_ultra_restricted": self.is_ultra_restricted,
            "is_bot": self.is_bot,
            "is_app_user": self.is_bot,
            "is_email_confirmed": self.is_email_confirmed,
            "is_stranger": self.team_id != home.id,
            "updated": 0,
            "profile": {
                "team": self.team_id,
                "real_name": self.real_name,
                "display_name": self.name,
                "title": self.title,
                "email": self.email,
            },
        }


@dataclass
class Message:
    """One message; `only_for` names the one person who sees an ephemeral one."""

    ts: str
    user: str
    text: str = ""
    blocks: list[Json] = field(default_factory=list)
    attachments: list[Json] = field(default_factory=list)
    files: list[Json] = field(default_factory=list)
    metadata: Json | None = None
    thread_ts: str | None = None
    broadcast: bool = False
    only_for: str | None = None
    edited: str | None = None
    team: str = TEAM_ID

    def to_slack(self, *, with_metadata: bool = True) -> Json:
        message: Json = {
            "type": "message",
            "ts": self.ts,
            "user": self.user,
            "team": self.team,
            "text": self.text,
        }
        if self.user == BOT_USER_ID:
            message |= {"bot_id": BOT_ID, "app_id": APP_ID}
        for name in ("blocks", "attachments", "files", "thread_ts"):
            if getattr(self, name):
                message[name] = getattr(self, name)
        if self.broadcast:
            message["subtype"] = "thread_broadcast"
        if self.edited:
            message["edited"] = {"user": self.user, "ts": self.edited}
        if self.metadata and with_metadata:
            message["metadata"] = self.metadata
        return message


@dataclass(frozen=True)
class SharedFile:
    """A file that somebody shared in a window; only a token with `files:read` may fetch it."""

    id: str
    name: str
    content: bytes

    def to_slack(self, base_url: str) -> Json:
        url = f"{base_url}/files/{self.id}/{quote(self.name)}"
        return {
            "id": self.id,
            "name": self.name,
            "title": self.name,
            "size": len(self.content),
            "filetype": self.name.rpartition(".")[2].lower(),
            "url_private": url,
            "url_private_download": url,
        }


@dataclass
class Upload:
    """A file of the bot's: first only promised, then with its bytes, at last shared."""

    id: str
    name: str
    length: int
    alt_text: str
    title: str = ""
    content: bytes = b""

    def to_slack(self, base_url: str) -> Json:
        kind = self.name.rpartition(".")[2].lower()
        picture = kind in ("png", "jpg", "gif")
        return {
            "id": self.id,
            "name": self.name,
            "title": self.title,
            "size": len(self.content),
            "filetype": kind,
            "mimetype": f"image/{kind}" if picture else f"text/{kind}",
            "url_private": f"{base_url}/upload/{self.id}",
        } | ({"alt_txt": self.alt_text} if picture else {})


@dataclass
class Conversation:
    """A channel, or a direct message between the bot and one person (`with_user`)."""

    id: str
    name: str = ""
    with_user: str | None = None
    members: set[str] = field(default_factory=set)
    is_archived: bool = False
    is_ext_shared: bool = False
    messages: list[Message] = field(default_factory=list)
    team: str = TEAM_ID

    @property
    def is_im(self) -> bool:
        return self.with_user is not None

    def to_slack(self) -> Json:
        common: Json = {
            "id": self.id,
            "created": 0,
            "is_archived": self.is_archived,
            "is_ext_shared": self.is_ext_shared,
            "is_im": self.is_im,
            "context_team_id": self.team,
        }
        if self.is_im:
            return common | {"user": self.with_user, "is_open": True}
        return common | {
            "name": self.name,
            "is_channel": True,
            "is_group": False,
            "is_private": False,
            "is_member": BOT_USER_ID in self.members,
            "num_members": len(self.members),
        }

    def find(self, ts: str) -> Message:
        """The message with this time stamp. Raises SlackError `message_not_found`."""
        for message in self.messages:
            if message.ts == ts:
                return message
        raise SlackError("message_not_found")

    def thread(self, ts: str) -> Iterator[Message]:
        return (message for message in self.messages if ts in (message.ts, message.thread_ts))


class Workspace:
    """Everything that Slack would remember, and a version that counts its changes."""

    def __init__(
        self, people: Iterable[User] = (), *, trigger_seconds: float = 3.0, team: Team | None = None
    ) -> None:
        self.team = team or Team()
        at = self.team.id
        bot = User(BOT_USER_ID, BOT_NAME, BOT_NAME, "", team_id=at, is_bot=True)
        # as Slack's own: not marked as a bot
        slackbot = User(SLACKBOT_ID, "slackbot", "Slackbot", "", team_id=at)
        self.users = {user.id: user for user in (*people, bot, slackbot)}
        channel = Conversation(CHANNEL_ID, CHANNEL_NAME, members=set(self.users), team=at)
        self.conversations = {channel.id: channel}
        self.modals = Modals(at, APP_ID, BOT_ID, trigger_seconds=trigger_seconds)
        self.files: dict[str, SharedFile] = {}
        self.runs = Runs()
        self.unfurl_domains: set[str] = set()
        """The hosts of which the app shows links, as `features.unfurl_domains` of its manifest."""
        self.uploads: dict[str, Upload] = {}
        """Files on their way: gone from here once they are shared."""
        self.uploaded: dict[str, Upload] = {}
        self.version = 0
        self._last_ts = 0
        self._watchers: set[asyncio.Event] = set()

    def changed(self) -> None:
        """Count a change and wake whoever waits for one."""
        self.version += 1
        for watcher in self._watchers:
            watcher.set()

    async def newer_than(self, version: int, seconds: float) -> None:
        """Return once the workspace is newer than `version`, or after so many seconds."""
        if self.version > version:
            return
        watcher = asyncio.Event()
        self._watchers.add(watcher)
        try:
            async with asyncio.timeout(seconds):
                await watcher.wait()
        except TimeoutError:
            pass
        finally:
            self._watchers.discard(watcher)

    def next_ts(self) -> str:
        """A time stamp as Slack's: seconds and microseconds, never twice the same."""
        self._last_ts = max(time.time_ns() // 1000, self._last_ts + 1)
        return f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06d}"

    def user(self, user_id: str) -> User:
        """Raises SlackError `user_not_found`."""
        if user_id not in self.users:
            raise SlackError("user_not_found")
        return self.users[user_id]

    def person(self, who: str) -> User:
        """A user by id or e-mail. Raises SlackError `users_not_found`."""
        for user in self.users.values():
            if who == user.id or (user.email and who.lower() == user.email.lower()):
                return user
        raise SlackError("users_not_found")

    def conversation(self, channel_id: str) -> Conversation:
        """Raises SlackError `channel_not_found`."""
        if channel_id not in self.conversations:
            raise SlackError("channel_not_found")
        return self.conversations[channel_id]

    def named(self, channel: str) -> Conversation:
        """A channel as `chat.postMessage` takes it: an id, `#name`, or a user for a direct message."""
        if channel in self.users:
            return self.direct_message(channel)
        for conversation in self.conversations.values():
            if conversation.name and conversation.name == channel.removeprefix("#"):
                return conversation
        return self.conversation(channel)

    def direct_message(self, user_id: str) -> Conversation:
        """The conversation between the bot and this person, opened at the first call."""
        user = self.user(user_id)
        if user.deleted:
            raise SlackError("user_disabled")
        channel_id = f"D{user_id[1:]}"
        if channel_id not in self.conversations:
            members = {user_id, BOT_USER_ID}
            self.conversations[channel_id] = Conversation(
                channel_id, with_user=user_id, members=members, team=self.team.id
            )
        return self.conversations[channel_id]

    def share(self, name: str, content: bytes) -> SharedFile:
        """Take in a file."""
        file = SharedFile(f"F{len(self.files) + 1:08d}", name, content)
        self.files[file.id] = file
        return file

    def expect(self, name: str, length: int, alt_text: str) -> Upload:
        """Promise a place to a file of the bot's."""
        file = Upload(f"FUP{len(self.uploaded) + 1:06d}", name, length, alt_text)
        self.uploads[file.id] = self.uploaded[file.id] = file
        return file

    def post(self, conversation: Conversation, message: Message) -> Message:
        message.team = self.team.id
        conversation.messages.append(message)
        self.changed()
        return message
