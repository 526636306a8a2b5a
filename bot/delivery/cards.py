"""Cards in the channel, and the replies below them: what happened to a job.

Owns the order of one job: its card is drawn once for all that ask for it, then its thread is answered.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from bot import drawing
from bot.delivery.channel import Channel
from bot.delivery.digest import Digest
from bot.delivery.outcomes import Outcomes
from bot.pace import SECONDS_A_MESSAGE
from bot.posting import Poster
from bot.slack_answers import Posted, SlackRefused
from workflow import messages, outbox
from workflow.bursts import BurstFacts
from workflow.database import Database
from workflow.language import later
from workflow.privileges import Rules
from workflow.request_ids import working_for, working_for_all
from workflow.tables import OutboxNotice
from workflow.vocabulary import NoticeKind


class Cards:
    """Tells the channel of one job after the other."""

    def __init__(
        self,
        database: Database,
        poster: Poster,
        channel: Channel,
        digest: Digest,
        outcomes: Outcomes,
        *,
        next_sync: Callable[[], datetime],
        rules: Rules,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._poster = poster
        self._channel = channel
        self._digest = digest
        self._outcomes = outcomes
        self._next_sync = next_sync
        self._rules = rules
        self._clock = clock

    def tell(self, job_id: int) -> None:
        """Draw the job's card once for all that ask for it, then answer in its thread, in order."""
        with self._database.reading() as session:
            cards = outbox.waiting_for_job(session, job_id, NoticeKind.CARD)
            replies = outbox.waiting_for_job(session, job_id, NoticeKind.THREAD)
        key = messages.card_key(job_id)
        failing, behind = cards or replies[:1], replies
        there: Posted | None = None
        try:
            there = self._poster.where(key)
            if cards or there is None:
                # read after the notices: whatever asked to be shown is on the card
                with self._database.reading() as session:
                    card = drawing.card(session, job_id, next_sync=self._next_sync(), rules=self._rules)
                if card is None:
                    self._outcomes.done(cards)
                    self._outcomes.give_up(
                        replies, later("nothing was asked for in this job, so it has no card")
                    )
                    return
                before, channel = there, self._channel.to_post_in()
                with working_for_all(notice.request_id for notice in failing):
                    there = self._poster.draw(key, channel, card)
                self._outcomes.done(cards)
                if there != before:
                    self._channel.took(channel)
                if before is None and self._digest.burst:
                    self._let_cards_go_first(replies, self._digest.burst)
                    return
            while behind and behind[0].due_at <= self._clock():
                failing, behind = behind[:1], behind[1:]
                with working_for(failing[0].request_id):
                    self._reply(failing[0], there.channel, there.ts)
                self._outcomes.done(failing)
                self._channel.took(there.channel)
            self._queue_up(behind)
        except SlackRefused as refused:
            if there and refused.is_message_gone:
                # somebody deleted the card: the next round draws it anew and answers there
                self._poster.forget(key, there)
            self._channel.refused(refused)
            self._outcomes.failed(refused, failing, behind)
        except Exception as error:  # noqa: BLE001 - whatever ails one notice, the others go on
            self._outcomes.failed(error, failing, behind)

    def _let_cards_go_first(self, replies: Sequence[OutboxNotice], burst: BurstFacts) -> None:
        """In a burst the replies below new cards come when each job has its card."""
        until = self._clock() + timedelta(seconds=burst.waiting * SECONDS_A_MESSAGE)
        with self._database.writing() as session:
            outbox.put_off(session, replies, until=until, error=None)

    def _queue_up(self, replies: Sequence[OutboxNotice]) -> None:
        """Replies wait for the one before them, which was put off."""
        early = [reply for reply in replies if reply.due_at < replies[0].due_at]
        if early:
            with self._database.writing() as session:
                why = later("waits for the reply before it")
                outbox.put_off(session, early, until=replies[0].due_at, error=why)

    def _reply(self, notice: OutboxNotice, channel: str, card_ts: str) -> None:
        with self._database.reading() as session:
            reply = drawing.reply(session, notice)
        key = messages.thread_key(notice.event_seq or 0)
        self._poster.put(key, channel, reply, thread_ts=card_ts, broadcast=notice.broadcast)
