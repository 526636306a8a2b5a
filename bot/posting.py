"""One message per key in Slack, whatever is killed or goes unanswered on the way.

`chat.postMessage` has no idempotency key: so the attempt is on record before the call, and after an
unknown result the message is looked for, by the key in its metadata, before it is posted again. A young
attempt is left alone: whoever made it may have lost the lock and not know, with the call still on its way;
and of two who come to attempt the same at once one does.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TypeVar

import structlog
from sqlalchemy.orm import Session

from bot.blocks.pieces import Message
from bot.gateway import Gateway
from bot.pace import SECONDS_A_MESSAGE
from bot.slack_answers import Posted, RateLimited, SlackError, SlackRefused
from workflow import messages
from workflow.database import Database
from workflow.tables import SlackMessage

CLOCKS_DIFFER = timedelta(minutes=5)
"""How far Slack's clock may be from ours, where a message is looked for since its attempt."""
UNDER_WAY = timedelta(seconds=15)
"""How long an attempt may take: its turn in the channel and the time-out of the call, with room to spare."""
OVERTAKEN = timedelta(seconds=1)
"""After so long it is looked again what has become of a message that somebody else has just attempted."""
Files = TypeVar("Files")
"""Files that were brought to Slack, as whoever shows them knows them."""
_CANNOT_LOOK = {"missing_scope", "unknown_method"}
_log = structlog.get_logger()


class UnderWay(SlackError):  # noqa: N818 - a state of the world, not a mistake
    """Another attempt at the message may still be on its way to Slack, for `retry_after` seconds at most."""

    def __init__(self, key: str, retry_after: float) -> None:
        super().__init__(f"{key} may be on its way to Slack already")
        self.retry_after = retry_after


class Poster:
    """Puts messages into Slack by key; raises UnderWay and what the gateway raises, and may then be called
    again.
    """

    def __init__(self, database: Database, gateway: Gateway, *, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._gateway = gateway
        self._clock = clock
        self._paced: set[str] = set()

    def where(self, key: str) -> Posted | None:
        """Where the message of this key stands, as far as is known without asking Slack."""
        known = self._known(key)
        return Posted(known.channel, known.ts) if known and known.ts else None

    def put(
        self,
        key: str,
        channel: str,
        message: Message,
        *,
        thread_ts: str | None = None,
        broadcast: bool = False,
    ) -> Posted:
        """Post the message, unless it stands there already."""
        posted, _ = self._put(key, channel, message, thread_ts=thread_ts, broadcast=broadcast)
        return posted

    def draw(self, key: str, channel: str, message: Message) -> Posted:
        """Update the message in place; post a new one where there is none, or it was deleted.

        One in another channel than `channel`, by its id, is left for a new one when that channel is closed.
        """
        there = self.where(key)
        if there is not None:
            try:
                self._gateway.update(there, message, key=key)
            except SlackRefused as refused:
                if not (refused.is_message_gone or _is_left_behind(refused, there.channel, channel)):
                    raise
                self.forget(key, there)
            else:
                return there
        posted, is_new = self._put(key, channel, message)
        if not is_new:
            self._gateway.update(posted, message, key=key)
        return posted

    def share(
        self, key: str, channel: str, name: str, upload: Callable[[], Files], show: Callable[[Files], None]
    ) -> None:
        """Show files, of which one is called `name`, unless they stand there already; `channel` is an id.

        Files carry no metadata, so what was attempted is looked for by its name.
        """
        known = self._known(key)
        if known is not None and self._is_shared(known, channel, name):
            return
        files = upload()  # nobody sees them yet, and it may take longer than an attempt
        with self._attempt(key, channel, known):
            show(files)

    def forget(self, key: str, there: Posted) -> None:
        """The message is not there in Slack any more."""
        with self._database.writing() as session:
            messages.forget(session, key, ts=there.ts)

    def _put(
        self,
        key: str,
        channel: str,
        message: Message,
        *,
        thread_ts: str | None = None,
        broadcast: bool = False,
    ) -> tuple[Posted, bool]:
        known = self._known(key)
        if known is not None:
            there = Posted(known.channel, known.ts) if known.ts else self._look_for(known, channel, thread_ts)
            if there is not None:
                self._note(key, there)
                return there, False
        # without its id a channel cannot be looked into
        with self._attempt(key, "" if _is_name(channel) else channel, known):
            posted = self._gateway.post(channel, message, key=key, thread_ts=thread_ts, broadcast=broadcast)
        self._note(key, posted)
        return posted, True

    @contextmanager
    def _attempt(self, key: str, channel_id: str, known: SlackMessage | None) -> Iterator[None]:
        """The call is made in the block, with the attempt on record, by one alone of those who come to it.

        `known` is what was known when it was decided. Raises UnderWay when somebody else came first.
        """
        at = self._clock()
        with self._database.writing() as session:
            self._keep_pace(session, channel_id)
            if not messages.attempt(session, key, channel=channel_id, at=at, known=known):
                raise UnderWay(key, OVERTAKEN.total_seconds())
        try:
            yield
        except (SlackRefused, RateLimited):
            with self._database.writing() as session:
                messages.refused(session, key, at=at)
            raise

    def _keep_pace(self, session: Session, channel: str) -> None:
        """Slack's pace in the channel goes on from the process that posted there before this one."""
        if channel in self._paced:
            return
        self._paced.add(channel)
        latest = messages.latest_attempt(session, channel)
        if latest is not None:
            # an attempt is on record before it waits for its turn
            left = (latest - self._clock()).total_seconds() + 2 * SECONDS_A_MESSAGE
            if 0 < left <= 2 * SECONDS_A_MESSAGE:
                self._gateway.hold_back(channel, left)

    def _is_shared(self, attempted: SlackMessage, channel: str, name: str) -> bool:
        since = self._since(attempted)
        try:
            return self._gateway.find_file(attempted.channel, name, since=since)
        except SlackRefused as refused:
            if _is_left_behind(refused, attempted.channel, channel):
                return False
            if refused.code not in _CANNOT_LOOK:
                raise
        _log.warning("cannot look whether files are there, so they may appear twice", key=attempted.key)
        return False

    def _since(self, attempted: SlackMessage) -> float:
        """From when on, by Slack's clock, to look for what was attempted. Raises UnderWay while it is young.

        Our clock may be hours away from Slack's, or have been at the attempt: Slack's own time of the newest
        message that costbot knows is held against it.
        """
        age = self._clock() - attempted.attempted_at
        if age < -CLOCKS_DIFFER:
            return 0.0  # the clock was set back since, so nobody knows how long ago it was
        if age < UNDER_WAY:
            raise UnderWay(attempted.key, (UNDER_WAY - age).total_seconds())
        with self._database.reading() as session:
            newest = messages.newest(session)
        at = attempted.attempted_at.timestamp()
        if newest is not None:
            at = min(at, newest - age.total_seconds())
        return max(at - CLOCKS_DIFFER.total_seconds(), 0.0)

    def _look_for(self, attempted: SlackMessage, channel: str, thread_ts: str | None) -> Posted | None:
        """Where an attempt at the message has led to, which is now to stand in `channel`."""
        since = self._since(attempted)
        try:
            if attempted.channel:
                return self._gateway.find(attempted.channel, attempted.key, since=since, thread_ts=thread_ts)
        except SlackRefused as refused:
            if _is_left_behind(refused, attempted.channel, channel):
                return None
            if refused.code not in _CANNOT_LOOK:
                raise
        _log.warning("cannot look whether a message is there, so it may appear twice", key=attempted.key)
        return None

    def _note(self, key: str, posted: Posted) -> None:
        with self._database.writing() as session:
            messages.posted(session, key, channel=posted.channel, ts=posted.ts)

    def _known(self, key: str) -> SlackMessage | None:
        with self._database.reading() as session:
            return messages.find(session, key)


def _is_left_behind(refused: SlackRefused, was_in: str, channel: str) -> bool:
    """Whether a message is of a channel that is closed to costbot, and from now on belongs in another."""
    return refused.is_channel_problem and channel != was_in and not _is_name(channel)


def _is_name(channel: str) -> bool:
    """Whether a channel is given by its name: then nobody knows its id."""
    return channel.startswith("#")
