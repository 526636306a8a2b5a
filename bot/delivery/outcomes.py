"""What becomes of notices: delivered, put off, or given up; and whether Slack is worth another call.

Owns how long to wait after which error, and saying each trouble once.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

import structlog

from bot.delivery.channel import Channel
from bot.posting import UnderWay
from bot.slack_answers import RateLimited, SlackError, SlackRefused, SlackUnavailable
from workflow import outbox
from workflow.database import Database
from workflow.request_ids import working_for, working_for_all
from workflow.tables import OutboxNotice

SOONEST_RETRY = timedelta(seconds=15)
LATEST_RETRY = timedelta(minutes=10)
GIVE_UP_ATTEMPTS = 5
GIVE_UP_AGE = timedelta(hours=6)
"""A notice that Slack refuses for its own sake is given up after so many attempts and so long a time."""
UNANSWERED_CALLS = 3
"""After so many calls without an answer Slack is down: the rest waits for the next drain."""

_LET_APPS_POST = "let apps post in the channel, or set COSTBOT_CHANNEL to another"
_MENDS = {
    "not_in_channel": "type `/invite @costbot` in the channel",
    "channel_not_found": "correct COSTBOT_CHANNEL, or type `/invite @costbot` in a private channel",
    "is_archived": "unarchive the channel, or set COSTBOT_CHANNEL to another",
    "restricted_action": _LET_APPS_POST,
    "restricted_action_read_only_channel": _LET_APPS_POST,
    "missing_scope": "install the Slack app again from bot/manifest.yaml",
}
_REINSTALL = (
    "install the Slack app again and set SLACK_BOT_TOKEN to its new token; on a host for many companies open "
    "/slack/install instead"
)
_log = structlog.get_logger()


class Outcomes:
    """Of one drain: how many notices it delivered, and whether it was `stopped` since Slack is down."""

    def __init__(self, database: Database, channel: Channel, *, clock: Callable[[], datetime]) -> None:
        self.delivered = 0
        self.stopped = False
        self._database = database
        self._channel = channel
        self._clock = clock
        self._unanswered = 0
        self._said: set[str] = set()

    def failed(
        self, error: Exception, failing: Sequence[OutboxNotice], behind: Iterable[OutboxNotice] = ()
    ) -> None:
        """Put off what failed, and with it what has to come after it; give up what is never taken."""
        now = self._clock()
        age = now - failing[0].created_at
        retry_after = SOONEST_RETRY
        if failing[0].last_error is not None:  # the first trouble may pass, however old the notice is
            retry_after = min(max(age, SOONEST_RETRY), LATEST_RETRY)
        is_its_fault = False
        match error:
            case RateLimited() | UnderWay():
                retry_after = timedelta(seconds=max(error.retry_after, 1.0))
            case SlackUnavailable():
                self._unanswered += 1
                self.stopped = self._unanswered >= UNANSWERED_CALLS
                self._say_once("Slack does not answer; notices wait", error)
            case SlackRefused() if error is self._channel.trouble:
                self._say_once("cannot post; notices wait", error, mend=_MENDS[error.code])
                self._channel.note_outage(error)
            case SlackRefused(is_token_problem=True):
                self.stopped = True
                if error.is_without_token:
                    # whoever installs the app at this moment has brought forward what was put off until then,
                    # and whatever comes first in the next drain asks again with one call
                    retry_after = timedelta()
                mend = _MENDS.get(error.code, _REINSTALL)
                self._say_once("Slack refuses the token; notices wait", error, mend=mend)
            case _:
                is_its_fault = True
                first = failing[0]
                with working_for(first.request_id):
                    _log.error("a notice could not be delivered", notice=first.id, exc_info=error)
        with self._database.writing() as session:
            if is_its_fault and age > GIVE_UP_AGE and failing[0].attempts + 1 >= GIVE_UP_ATTEMPTS:
                outbox.give_up(session, failing, error=str(error))
                return
            until, words = now + retry_after, f"{type(error).__name__}: {error}"
            behind = list(behind)
            outbox.lock(session, [*failing, *behind])
            outbox.put_off(session, failing, until=until, error=words, counts=is_its_fault)
            outbox.put_off(session, behind, until=until, error=words)

    def done(self, notices: Sequence[OutboxNotice]) -> None:
        """Slack has what they tell.

        A message that gathers many is one line of the log, with all their requests: in a burst they would be
        hundreds of thousands.
        """
        now = self._clock()
        with self._database.writing() as session:
            outbox.done(session, notices, at=now)
        waited = [(now - notice.created_at).total_seconds() for notice in notices]
        if len(notices) > 1:
            kind, count = notices[0].kind.value, len(notices)
            with working_for_all(notice.request_id for notice in notices):
                _log.info("gathered notices were delivered", kind=kind, notices=count, seconds=max(waited))
        for notice, seconds in zip(notices, waited, strict=True):
            with working_for(notice.request_id):
                _log.log(
                    logging.INFO if len(notices) == 1 else logging.DEBUG,
                    "a notice was delivered",
                    notice=notice.id,
                    kind=notice.kind.value,
                    event_seq=notice.event_seq,
                    seconds=seconds,
                )
        self.delivered += len(notices)
        self._unanswered = 0

    def give_up(self, notices: Sequence[OutboxNotice], reason: str) -> None:
        """Nobody can be told, now or later."""
        with self._database.writing() as session:
            outbox.give_up(session, notices, error=reason)
        for notice in notices:
            with working_for(notice.request_id):
                _log.warning("a notice was given up", notice=notice.id, reason=reason)

    def _say_once(self, words: str, error: SlackError, **facts: str) -> None:
        """One log line for each trouble, from its first notice that waits until the last is delivered."""
        code = error.code if isinstance(error, SlackRefused) else type(error).__name__
        if code in self._said:
            return
        self._said.add(code)
        with self._database.reading() as session:
            is_said = outbox.is_put_off_by(session, code)
        if not is_said:
            _log.warning(words, error=str(error), **facts)
