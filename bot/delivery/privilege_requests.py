"""Requests for the privilege: one message for each administrator, drawn in place once it is answered."""

from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

from bot import drawing
from bot.delivery.outcomes import Outcomes
from bot.delivery.readers import NobodyToTell, Readers
from bot.posting import Poster
from workflow import messages, outbox, telling
from workflow.database import Database
from workflow.tables import OutboxNotice


class PrivilegeRequests:
    """Tells one administrator of one request after the other; `zone` is the company's."""

    def __init__(
        self,
        database: Database,
        poster: Poster,
        readers: Readers,
        outcomes: Outcomes,
        *,
        zone: ZoneInfo,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._poster = poster
        self._readers = readers
        self._outcomes = outcomes
        self._zone = zone
        self._clock = clock

    def tell(self, notice: OutboxNotice) -> None:
        """Draw a request for the privilege for one administrator: new, or in place once it is answered.

        What is drawn in place pings nobody, so it does not wait for the end of quiet hours.
        """
        person_id, now = notice.person_id or 0, self._clock()
        try:
            user_id = self._readers.slack_user(person_id)
            with self._database.reading() as session, self._readers.speaking_to(session, person_id):
                request_id, message = drawing.privilege_request(session, notice)
                quiet_until = telling.quiet_until(session, person_id, company_zone=self._zone, at=now)
            key = messages.privilege_key(request_id, person_id)
            if quiet_until and self._poster.where(key) is None:
                with self._database.writing() as session:
                    outbox.put_off(session, [notice], until=quiet_until, error=None)
                return
            with self._readers.direct_message(user_id) as channel:
                self._poster.draw(key, channel, message)
            self._outcomes.done([notice])
        except NobodyToTell as nobody:
            self._outcomes.give_up([notice], nobody.words)
        except Exception as error:  # noqa: BLE001 - whatever ails one notice, the others go on
            self._outcomes.failed(error, [notice])
