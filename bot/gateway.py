"""The one gateway to Slack's Web API: short time-outs, Slack's pace, few named errors, every call counted.

Owns the only WebClient. It never repeats a call by itself: whether a call whose result is unknown may
be made again is its caller's to know. No database, no words for people.
"""

import http.client
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus
from ssl import SSLContext
from threading import Lock
from typing import Any, Self
from urllib.parse import urlsplit

import httpx
import structlog
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackRequestError
from slack_sdk.web import SlackResponse
from slack_sdk.webhook import WebhookClient

from bot.authorities import authorities, of_the_machine
from bot.blocks.pieces import Json, Message
from bot.pace import Pace
from bot.slack_answers import (
    RATE_LIMITED,
    SERVER_ERROR,
    TOO_MANY_REQUESTS,
    UNAVAILABLE,
    Bot,
    Channel,
    Posted,
    RateLimited,
    SharedLinks,
    SlackRefused,
    SlackUnavailable,
    SlackUser,
    channel_of,
    error_of,
    header,
    outcome_of,
    seconds_to_wait,
    user_of,
)
from workflow.settings import Settings, SettingsError
from workflow.tally import SLACK_CALLS, Counts
from workflow.tracing import span

TIMEOUT_SECONDS = 8
METADATA_EVENT = "costbot_message"
PAGE = 200
"""Messages or channels in one answer; looking through PAGES of them is enough."""
PAGES = 10
ALT_TEXT = 1_000
"""The longest description of an uploaded picture, in characters."""
_CODE = re.compile(r"[a-z0-9_]{1,60}")
"""What a count may be named by: Slack's own errors, and nothing longer that it may say one day."""

_EXPIRED = "token_expired"
_Method = Callable[..., SlackResponse]
TokenSource = Callable[[str | None], str]
"""Gives the token in force, and another one for a token that Slack has just called expired; may raise as
the gateway does."""
_log = structlog.get_logger()


class Gateway:
    """Slack, as far as costbot uses it. Safe to share between threads.

    Every method raises SlackUnavailable, RateLimited or SlackRefused. `calls` counts by
    (method, `ok`, `rate_limited`, `unavailable` or Slack's error).
    """

    def __init__(
        self,
        client: WebClient,
        *,
        tokens: TokenSource | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.calls: Counter[tuple[str, str]] = Counter()
        self._client = client
        self._pace = Pace(monotonic=monotonic)
        self._sleep = sleep
        self._lock = Lock()
        self._tables_refused = False
        self._tokens: TokenSource = tokens or (lambda _: client.token or "")
        self._home = urlsplit(client.base_url)

    @classmethod
    def connect(cls, settings: Settings) -> Self:
        """The gateway for the bot token in force. Raises SettingsError without one."""
        if settings.slack_bot_token is None:
            raise SettingsError("SLACK_BOT_TOKEN is missing: paste the bot token (xoxb-…) of the Slack app.")
        token = settings.slack_bot_token.get_secret_value()
        return cls(web_client(token, settings.slack_api_url))

    def auth_test(self) -> Bot:
        """Whose token this is."""
        answer = self._call(self._client.auth_test)
        scopes = header(answer.headers, "x-oauth-scopes") or ""
        of_the_org = bool(answer.get("is_enterprise_install"))
        return Bot(
            team_id=(answer.get("enterprise_id") if of_the_org else None) or answer["team_id"],
            team=answer.get("team") or "",
            user_id=answer["user_id"],
            scopes=frozenset(scope.strip() for scope in scopes.split(",") if scope.strip()),
        )

    def post(
        self,
        channel: str,
        message: Message,
        *,
        key: str,
        thread_ts: str | None = None,
        broadcast: bool = False,
    ) -> Posted:
        """Post a message that carries `key`, to be found by later; waits for the channel's turn.

        `channel` may be an id or `#name`; the answer has the id.
        """
        answer = self._send(
            self._client.chat_postMessage,
            message,
            channel=channel,
            metadata=_metadata(key),
            unfurl_links=False,
            unfurl_media=False,
            **({"thread_ts": thread_ts, "reply_broadcast": broadcast} if thread_ts else {}),
        )
        return Posted(answer["channel"], answer["ts"])

    def hold_back(self, channel: str, seconds: float) -> None:
        """Post nothing in the channel for so long: another process has only just done so."""
        self._pace.hold_back(channel, seconds)

    def update(self, at: Posted, message: Message, *, key: str) -> None:
        """Draw a message anew, in place."""
        self._send(self._client.chat_update, message, channel=at.channel, ts=at.ts, metadata=_metadata(key))

    def post_ephemeral(self, channel: str, user_id: str, message: Message) -> None:
        """Post what one member of the channel alone sees."""
        self._send(self._client.chat_postEphemeral, message, channel=channel, user=user_id)

    def find(self, channel: str, key: str, *, since: float, thread_ts: str | None = None) -> Posted | None:
        """The message that carries `key`, posted since then (Unix seconds), in a channel or in a thread."""
        where: Json = {"channel": channel, "oldest": f"{since:.6f}", "include_all_metadata": True}
        method: _Method = self._client.conversations_history
        if thread_ts:
            method, where = self._client.conversations_replies, where | {"ts": thread_ts}
        for message in self._pages(method, "messages", **where):
            metadata = message.get("metadata") or {}
            payload = metadata.get("event_payload") or {}
            if metadata.get("event_type") == METADATA_EVENT and payload.get("key") == key:
                return Posted(channel, message["ts"])
        return None

    def find_file(self, channel: str, name: str, *, since: float) -> bool:
        """Whether a file of this name was shared in a channel since then (Unix seconds)."""
        where: Json = {"channel": channel, "oldest": f"{since:.6f}"}
        return any(
            file.get("name") == name
            for message in self._pages(self._client.conversations_history, "messages", **where)
            for file in message.get("files") or ()
        )

    def open_direct_message(self, user_id: str) -> str:
        """The channel id of the direct message with a person."""
        answer = self._call(self._client.conversations_open, users=user_id)
        return str(answer["channel"]["id"])

    def permalink(self, at: Posted) -> str:
        """The address of a message."""
        answer = self._call(self._client.chat_getPermalink, channel=at.channel, message_ts=at.ts)
        return str(answer["permalink"])

    def open_view(self, trigger_id: str, view: Json) -> str:
        """Open a window, within 3 seconds of the click; returns its id."""
        return str(self._call(self._client.views_open, trigger_id=trigger_id, view=view)["view"]["id"])

    def push_view(self, trigger_id: str, view: Json) -> str:
        """Open a window on top of the one that was clicked in, as `open_view`; three may be stacked."""
        return str(self._call(self._client.views_push, trigger_id=trigger_id, view=view)["view"]["id"])

    def update_view(self, view_id: str, view: Json) -> None:
        """Draw an open window anew."""
        self._call(self._client.views_update, view_id=view_id, view=view)

    def update_view_named(self, external_id: str, view: Json) -> None:
        """Draw anew the window that was given this `external_id`; SlackRefused `not_found` without one."""
        self._call(self._client.views_update, external_id=external_id, view=view)

    def respond(self, response_url: str, message: Message) -> None:
        """Answer a click or a command to the person alone; Slack takes 5 answers within 30 minutes."""
        if not response_url.startswith(("https://", "http://")):
            raise SlackRefused("response_url", "no address")  # the SDK would call it an error of its own
        webhook = WebhookClient(
            response_url, timeout=TIMEOUT_SECONDS, ssl=_trusted_by(response_url), retry_handlers=[]
        )
        outcome = "ok"
        try:
            answer = webhook.send(
                text=message.text,
                blocks=list(message.blocks),
                response_type="ephemeral",
                replace_original=False,
            )
            if answer.status_code != HTTPStatus.OK:
                outcome = answer.body
                raise SlackRefused("response_url", outcome)
        except (OSError, http.client.HTTPException) as error:
            outcome = UNAVAILABLE
            raise SlackUnavailable(f"response_url got no answer: {error}") from error
        except (ValueError, SlackRequestError) as error:
            outcome = "no address"
            raise SlackRefused("response_url", outcome) from error
        finally:
            self._count("response_url", outcome)

    def download(self, url: str, *, at_most: int) -> bytes:
        """A file that a person shared, of so many bytes at most.

        Raises SlackRefused: `file_too_large`, `file_not_found`, or `not_slacks_file` for an address that is
        not Slack's, which never gets the token.
        """
        there = urlsplit(url)
        slacks = there.scheme == "https" and (there.hostname or "").endswith(".slack.com")
        if not slacks and (there.scheme, there.netloc) != (self._home.scheme, self._home.netloc):
            raise SlackRefused("files", "not_slacks_file")
        headers = {"Authorization": f"Bearer {self._tokens(None)}"}
        content = bytearray()
        try:
            with httpx.stream("GET", url, headers=headers, timeout=TIMEOUT_SECONDS) as answer:
                # without the scope, Slack answers with a page to sign in
                if answer.status_code != HTTPStatus.OK or "html" in answer.headers.get("content-type", ""):
                    raise SlackRefused("files", "file_not_found", (f"status {answer.status_code}",))
                for part in answer.iter_bytes():
                    content += part
                    if len(content) > at_most:
                        raise SlackRefused("files", "file_too_large")
        except httpx.HTTPError as error:
            raise SlackUnavailable(f"the file did not arrive: {error}") from error
        return bytes(content)

    def upload(self, name: str, content: bytes, *, alt_text: str | None = None) -> str:
        """Bring a file to Slack, where nobody sees it before `share_files`; its id.

        Raises SlackRefused `upload_failed` when Slack did not take the bytes.
        """
        described = {"alt_txt": alt_text[:ALT_TEXT]} if alt_text else {}
        place = self._call(
            self._client.files_getUploadURLExternal, filename=name, length=len(content), **described
        )
        outcome = "ok"
        try:
            # the address is good for this one file, so it gets no token
            answer = httpx.post(
                str(place["upload_url"]), content=content, timeout=TIMEOUT_SECONDS, verify=authorities()
            )
            if answer.status_code != HTTPStatus.OK:
                outcome = str(answer.status_code)
            if answer.status_code == TOO_MANY_REQUESTS:
                outcome = RATE_LIMITED
        except httpx.HTTPError as error:
            outcome = UNAVAILABLE
            raise SlackUnavailable(f"the file did not leave: {error}") from error
        finally:
            self._count("upload_url", outcome)
        if answer.status_code == TOO_MANY_REQUESTS:
            raise RateLimited("upload_url", seconds_to_wait(answer.headers))
        if answer.status_code >= SERVER_ERROR:
            raise SlackUnavailable(f"the upload got no clear answer: {outcome}")
        if answer.status_code != HTTPStatus.OK:
            raise SlackRefused("upload_url", "upload_failed", (f"status {outcome}",))
        return str(place["file_id"])

    def share_files(self, channel: str, files: Mapping[str, str], *, text: str) -> None:
        """Show uploaded files, titles by id, in one message below `text` (mrkdwn); `channel` is an id."""
        listed = [{"id": file_id, "title": title} for file_id, title in files.items()]
        self._call(
            self._client.files_completeUploadExternal, files=listed, channel_id=channel, initial_comment=text
        )

    def unfurl(self, links: SharedLinks, cards: Mapping[str, list[Json]]) -> None:
        """Show blocks below links, by the address as Slack has told it."""
        where: Json = {"channel": links.channel, "ts": links.ts}
        if links.unfurl_id and links.source:
            where = {"unfurl_id": links.unfurl_id, "source": links.source}
        unfurls = {url: {"blocks": blocks} for url, blocks in cards.items()}
        self._call(self._client.chat_unfurl, unfurls=unfurls, **where)

    def publish_home(self, user_id: str, view: Json) -> None:
        """Show a person their App Home."""
        self._call(self._client.views_publish, user_id=user_id, view=view)

    def complete_step(self, function_execution_id: str, outputs: Json) -> None:
        """End a step of a workflow well; the workflow goes on with `outputs`.

        With the bot token, which Slack takes here: the step's own is void long before an Update comes.
        """
        self._call(
            self._client.functions_completeSuccess,
            function_execution_id=function_execution_id,
            outputs=outputs,
        )

    def fail_step(self, function_execution_id: str, words: str) -> None:
        """End a step of a workflow, and the workflow with it; Slack shows the words to whoever runs it."""
        self._call(
            self._client.functions_completeError, function_execution_id=function_execution_id, error=words
        )

    def user(self, user_id: str) -> SlackUser:
        """A user by id."""
        return user_of(self._call(self._client.users_info, user=user_id, include_locale=True)["user"])

    def user_by_email(self, email: str) -> SlackUser | None:
        """The active member with this e-mail, or None."""
        try:
            return user_of(self._call(self._client.users_lookupByEmail, email=email)["user"])
        except SlackRefused as refused:
            if refused.code == "users_not_found":
                return None
            raise

    def channel(self, channel: str) -> Channel:
        """A channel by id or `#name`; SlackRefused `channel_not_found` when costbot cannot see it."""
        if not channel.startswith("#"):
            return channel_of(self._call(self._client.conversations_info, channel=channel)["channel"])
        name = channel.removeprefix("#")
        wanted = {"types": "public_channel,private_channel", "exclude_archived": False}
        for found in self._pages(self._client.conversations_list, "channels", **wanted):
            if found.get("name") == name:
                return channel_of(found)
        raise SlackRefused("conversations.list", "channel_not_found")

    def _send(self, method: _Method, message: Message, **arguments: Any) -> SlackResponse:
        """Send a message; without its table, where the workspace refuses tables."""
        content = {"text": message.text, "blocks": list(message.blocks)}
        fallback = message.fallback_blocks
        if fallback is not None and self._tables_refused:
            return self._call(method, **arguments, **content | {"blocks": list(fallback)})
        try:
            return self._call(method, **arguments, **content)
        except SlackRefused as refused:
            if fallback is None or not refused.is_blocks_problem:
                raise
            answer = self._call(method, **arguments, **content | {"blocks": list(fallback)})
            self._tables_refused = True
            _log.warning("this workspace refuses tables: cards show them as text", error=refused.code)
            return answer

    def _pages(self, method: _Method, name: str, **arguments: Any) -> Iterator[Json]:
        cursor = ""
        for _ in range(PAGES):
            page = {"cursor": cursor} if cursor else {}
            answer = self._call(method, **arguments, limit=PAGE, **page)
            yield from answer.get(name) or ()
            cursor = (answer.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return

    def _call(self, call: _Method, **arguments: Any) -> SlackResponse:
        method = call.__name__.replace("_", ".", 1)
        self._wait_for_turn(method, arguments.get("channel"))
        outcome = "ok"
        try:
            with span(f"slack {method}"):
                return self._with_token(call, **arguments)
        except SlackRefused as refused:
            outcome = refused.code  # there is no token to call with
            raise
        except SlackApiError as error:
            known = error_of(method, error)
            outcome = outcome_of(known)
            if isinstance(known, RateLimited):
                self._pace.bar(method, known.retry_after)
            raise known from error
        except (OSError, http.client.HTTPException) as error:
            outcome = UNAVAILABLE
            raise SlackUnavailable(f"{method} got no answer: {error}") from error
        finally:
            self._count(method, outcome)

    def counts(self) -> Counts:
        """The calls so far, as `workflow.tally` takes them."""
        with self._lock:
            return {(SLACK_CALLS, *call): number for call, number in self.calls.items()}

    def _count(self, method: str, outcome: str) -> None:
        with self._lock:
            self.calls[method, outcome if _CODE.fullmatch(outcome) else "other"] += 1

    def _with_token(self, call: _Method, **arguments: Any) -> SlackResponse:
        """Call with the token in force; once more with a newer one, where Slack did nothing for the old."""
        token = self._tokens(None)
        try:
            return call(**arguments, token=token)
        except SlackApiError as error:
            newer = self._tokens(token) if error.response.get("error") == _EXPIRED else token
            if newer == token:
                raise
            return call(**arguments, token=newer)

    def _wait_for_turn(self, method: str, channel: str | None) -> None:
        """Keep Slack's pace in the channel; RateLimited at once while Slack wants no call of the method."""
        barred = self._pace.take_call(method)
        if barred > 0:
            raise RateLimited(method, barred)
        if method == "chat.postMessage" and channel is not None:
            turn = self._pace.take_turn(channel)
            if turn > 0:
                self._sleep(turn)


def web_client(token: str, api_url: str) -> WebClient:
    """A client with short time-outs that repeats nothing by itself: a repeated post is a second message."""
    return WebClient(
        token, base_url=api_url, timeout=TIMEOUT_SECONDS, ssl=_trusted_by(api_url), retry_handlers=[]
    )


def _trusted_by(url: str) -> SSLContext | None:
    return of_the_machine() if url.startswith("https:") else None


def _metadata(key: str) -> Json:
    return {"event_type": METADATA_EVENT, "event_payload": {"key": key}}
