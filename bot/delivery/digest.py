"""The digest of a burst: one message that tells the channel of many ready jobs before their cards come.

Owns when it is drawn. It is one message by its key, so that a kill leaves neither two of them nor none.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from bot.blocks.notices import burst_digest
from bot.posting import Poster
from bot.slack_answers import SlackRefused
from workflow import bursts, messages
from workflow.bursts import BurstFacts
from workflow.database import Database

DRAW_EVERY = timedelta(seconds=10)
"""How often it is drawn anew; Slack takes some fifty changes of messages a minute, for all cards together."""


class Digest:
    """Of the burst that is under way, as long as one is."""

    def __init__(
        self, database: Database, poster: Poster, *, threshold: int, clock: Callable[[], datetime]
    ) -> None:
        self.burst: BurstFacts | None = None
        self._database = database
        self._poster = poster
        self._threshold = threshold
        self._clock = clock
        self._drawn_at: datetime | None = None

    def draw(self, channel: Callable[[], str]) -> BurstFacts | None:
        """Post or draw the digest where it is time to; the burst that is under way.

        Raises what the poster and `channel` raise; the next call tries again.
        """
        self.burst = self._look()
        if self.burst is None:
            return None
        is_over, now = not self.burst.waiting, self._clock()
        if is_over or self._drawn_at is None or now >= self._drawn_at + DRAW_EVERY:
            self._draw(self.burst, channel())
            self._drawn_at = now
        if is_over:
            self._end(self.burst)
        return self.burst

    def _look(self) -> BurstFacts | None:
        with self._database.reading() as session:
            burst = bursts.under_way(session)
            begins = burst is None and bursts.waiting(session) >= self._threshold
        if burst is None and not begins:
            return None
        with self._database.writing() as session:
            if begins:
                bursts.begin(session)
            bursts.hush(session)
            return bursts.under_way(session)

    def _draw(self, burst: BurstFacts, channel: str) -> None:
        try:
            self._poster.draw(messages.burst_key(burst.id), channel, burst_digest(burst))
        except SlackRefused as refused:
            # a digest that Slack does not take must not be tried for ever
            if not (refused.is_channel_problem or refused.is_token_problem or refused.is_message_gone):
                self._end(burst)
            raise

    def _end(self, burst: BurstFacts) -> None:
        with self._database.writing() as session:
            bursts.end(session, burst.id, at=self._clock())
        self.burst = None
