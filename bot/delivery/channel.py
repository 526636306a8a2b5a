"""The approvals channel, as one drain knows it: its id, and why nothing can be posted in it.

Owns telling, once an outage, who can mend it, and that the channel takes messages again.
"""

from collections.abc import Callable
from datetime import datetime

import structlog

from bot.gateway import Gateway
from bot.slack_answers import SlackRefused
from workflow import outages
from workflow.database import Database
from workflow.privileges import Rules

_log = structlog.get_logger()


class Channel:
    """Where cards are posted; `trouble` is Slack's reason why that cannot be done at present."""

    def __init__(
        self,
        database: Database,
        gateway: Gateway,
        *,
        name: str | None,
        rules: Rules,
        clock: Callable[[], datetime],
    ) -> None:
        self.trouble: SlackRefused | None = None
        self._database = database
        self._gateway = gateway
        self._name = name
        self._rules = rules
        self._clock = clock
        self._id: str | None = None
        self._outage_known: bool | None = None
        self._outage_noted = False

    def to_post_in(self) -> str:
        """The channel's id, or its name where Slack does not tell the id. Raises its trouble."""
        if self.trouble:
            raise self.trouble
        if self._name is None:
            raise SlackRefused("chat.postMessage", "channel_not_found", ("COSTBOT_CHANNEL is not set",))
        if self._id is None:
            self._id = self._name
            if self._name.startswith("#"):
                self._id = self._id_of(self._name)
        return self._id

    def refused(self, refused: SlackRefused) -> None:
        """Slack took no message in the channel; where it is for the channel's sake, nothing else is tried."""
        if refused.is_channel_problem:
            self.trouble = refused

    def took(self, channel: str) -> None:
        """A message was posted there: if it is this channel, whoever mends it has done so.

        That one could be changed shows nothing: Slack lets apps do so where they may not post.
        """
        if self._outage_known is None:
            with self._database.reading() as session:
                self._outage_known = outages.is_open(session)
        if self._outage_known and channel == self._id:
            with self._database.writing() as session:
                outages.end(session, channel=self._name or "", at=self._clock())
            self._outage_known = False

    def note_outage(self, trouble: SlackRefused) -> None:
        """Tell who can mend it, once an outage."""
        if self._outage_noted:
            return
        self._outage_noted = self._outage_known = True
        with self._database.writing() as session:
            outages.begin(
                session, channel=self._name or "", code=trouble.code, at=self._clock(), rules=self._rules
            )

    def _id_of(self, name: str) -> str:
        try:
            return self._gateway.channel(name).id
        except SlackRefused as refused:
            if refused.is_channel_problem:
                raise
            _log.warning("cannot look the channel up by its name, so it is used as it is", error=refused.code)
            return name
