"""Direct messages: what people are told, and the digests of approvers, gathered by person.

Owns who reads it at this moment, and that an outage or a burst of work is no flood of messages.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from bot import drawing
from bot.blocks import notices
from bot.blocks.pieces import Message
from bot.delivery.outcomes import SOONEST_RETRY, Outcomes
from bot.delivery.readers import NobodyToTell, Readers
from bot.gateway import Gateway
from bot.links import card_address
from bot.posting import OVERTAKEN, Poster, UnderWay
from bot.slack_answers import RateLimited, SlackUnavailable
from workflow import messages, outbox, telling
from workflow.database import Database
from workflow.request_ids import working_for_all
from workflow.tables import OutboxNotice
from workflow.telling import Addressee
from workflow.vocabulary import NoticeKind

EVERY = timedelta(seconds=60)
"""In a burst a person's messages are gathered for so long."""


class People:
    """Writes to one person after the other; `zone` is the company's."""

    def __init__(
        self,
        database: Database,
        gateway: Gateway,
        poster: Poster,
        readers: Readers,
        outcomes: Outcomes,
        *,
        zone: ZoneInfo,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._gateway = gateway
        self._poster = poster
        self._readers = readers
        self._outcomes = outcomes
        self._zone = zone
        self._clock = clock
        self._told_at: dict[int, datetime] = {}

    def tell(self, person_id: int) -> None:
        """One message for all that waits; what was attempted before goes alone, as the message it was.

        While Slack does not answer it, what comes later gathers behind it, so that an outage is no flood.
        Who reads it, and whether in quiet hours, is decided now: the person may be away.
        """
        now = self._told_at[person_id] = self._clock()
        with self._database.reading() as session:
            waiting = outbox.waiting_for_person(session, person_id)
            to = telling.addressee(session, person_id, company_zone=self._zone, at=now)
        by_message: dict[tuple[str | None, NoticeKind], list[OutboxNotice]] = {}
        for notice in waiting:
            by_message.setdefault((notice.message_key, notice.kind), []).append(notice)
        behind: datetime | None = None
        for (key, _), gathered in sorted(by_message.items(), key=lambda item: item[0][0] is None):
            due_at = min(notice.due_at for notice in gathered)
            if due_at > now:
                if key and not gathered[0].attempts:
                    behind = due_at
                continue
            if key is None and behind:
                with self._database.writing() as session:
                    outbox.put_off(session, gathered, until=behind, error="waits for the message before it")
                continue
            if to.quiet_until:
                with self._database.writing() as session:
                    outbox.put_off(session, gathered, until=to.quiet_until, error=None)
                continue
            try:
                with working_for_all(notice.request_id for notice in gathered):
                    self._write_to(to, person_id, gathered, key or messages.direct_key(gathered[0].id))
                self._outcomes.done(gathered)
            except NobodyToTell as nobody:
                self._outcomes.give_up(gathered, nobody.words)
            except Exception as error:  # noqa: BLE001 - whatever ails one notice, the others go on
                self._outcomes.failed(error, gathered)
                if isinstance(error, SlackUnavailable | RateLimited | UnderWay):
                    behind = now + SOONEST_RETRY

    def was_just_told(self, person_id: int) -> bool:
        """Whether in a burst the person's next message is still being gathered."""
        told_at = self._told_at.get(person_id)
        return told_at is not None and self._clock() < told_at + EVERY

    def _write_to(self, to: Addressee, person_id: int, gathered: Sequence[OutboxNotice], key: str) -> None:
        try:
            user_id = self._readers.slack_user(to.person_id)
        except NobodyToTell:
            if to.person_id == person_id:
                raise
            # whoever stands in is not in Slack
            to, user_id = replace(to, person_id=person_id, stand_in=None), self._readers.slack_user(person_id)
        if to.person_id != person_id:
            gathered = self._unheard(to.person_id, gathered)
        cards = {}
        if gathered and gathered[0].kind is not NoticeKind.DIGEST:
            # Slack may be asked for them, which is not to be waited for in a transaction
            cards = {
                job_id: card_address(self._database, self._gateway, job_id)
                for job_id in drawing.jobs_told(gathered)
            }
        with self._readers.direct_message(user_id) as channel:
            with self._database.writing() as session:
                # before it is drawn: what comes from now on joins another message
                if not outbox.gather(session, gathered, key):
                    raise UnderWay(key, OVERTAKEN.total_seconds())
            with self._database.reading() as session, self._readers.speaking_to(session, to.person_id):
                message = self._message(session, to, gathered, cards)
            if message is not None:
                self._poster.put(key, channel, message)

    def _unheard(self, reader_id: int, gathered: Sequence[OutboxNotice]) -> Sequence[OutboxNotice]:
        """Those of which whoever reads them in the place of another does not hear as themselves."""
        events = {notice.event_seq for notice in gathered if notice.event_seq}
        with self._database.reading() as session:
            heard = outbox.told_of(session, reader_id, events)
        return [n for n in gathered if n.kind is NoticeKind.DIGEST or n.event_seq not in heard]

    def _message(
        self,
        session: Session,
        to: Addressee,
        gathered: Sequence[OutboxNotice],
        cards: Mapping[int, str | None],
    ) -> Message | None:
        """What to write, each job with its card in `cards`; None when nothing is left to tell."""
        if not gathered:
            return None
        if gathered[0].kind is NoticeKind.DIGEST:
            said = drawing.digest(session, gathered)
        else:
            said = drawing.direct_message(session, gathered, cards=cards)
        if said is None or to.stand_in is None:
            return said
        return notices.noted(said, drawing.note(to.stand_in))
