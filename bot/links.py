"""Links to what costbot has in Slack: a card's address there, as long as the card stands."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from threading import BoundedSemaphore

import structlog

from bot.gateway import Gateway
from bot.slack_answers import Posted, SlackError, SlackRefused
from workflow import directory, messages, outbox
from workflow.database import Database

ASKING_AT_ONCE = 4
"""Links followed at once of which Slack is asked where the card stands; of the others it is where it was."""
_log = structlog.get_logger()


def cards_by_number(
    database: Database, gateway: Gateway, *, clock: Callable[[], datetime]
) -> Callable[[str], str | None]:
    """Tells the address in Slack of the card of the job with a number; None while there is none.

    Anybody may follow a link, and many may while Slack hangs: most of them do not wait for it.
    """
    turns = BoundedSemaphore(ASKING_AT_ONCE)

    def card_of(number: str) -> str | None:
        with database.reading() as session:
            job = directory.job_by_number(session, number)
        if job is None:
            return None
        if not turns.acquire(blocking=False):
            card = _drawn(database, job.id)
            return card.address if card else None
        try:
            return standing_card(database, gateway, job.id, at=clock())
        finally:
            turns.release()

    return card_of


def standing_card(database: Database, gateway: Gateway, job_id: int, *, at: datetime) -> str | None:
    """The address of a job's card for somebody who wants to go there now; None while it has none.

    Slack is asked, for somebody may have deleted the card: then it is to be drawn anew.
    """
    key, card = messages.card_key(job_id), _drawn(database, job_id)
    if card is None:
        return None
    try:
        permalink = gateway.permalink(card.stands)
    except SlackError as error:
        if not (isinstance(error, SlackRefused) and error.is_message_gone):
            _log.warning("Slack does not tell the card's address", error=str(error))
            return card.address
        with database.writing() as session:
            if messages.forget(session, key, ts=card.stands.ts):
                outbox.refresh_card(session, job_id, at=at)
        return None
    if permalink != card.address:
        with database.writing() as session:
            messages.has_address(session, key, ts=card.stands.ts, permalink=permalink)
    return permalink


def card_address(database: Database, gateway: Gateway, job_id: int) -> str | None:
    """The address of a job's card for a message; None while it has none, or Slack does not tell.

    Slack is asked once for each card, since an address never changes, and a burst tells of it many times.
    """
    key, card = messages.card_key(job_id), _drawn(database, job_id)
    if card is None or card.address:
        return card.address if card else None
    try:
        permalink = gateway.permalink(card.stands)
    except SlackError as error:
        _log.warning("Slack does not tell the card's address", error=str(error))
        return None
    with database.writing() as session:
        messages.has_address(session, key, ts=card.stands.ts, permalink=permalink)
    return permalink


@dataclass(frozen=True, slots=True)
class _Drawn:
    """A card that stands in Slack as far as is known; `address` is what Slack has last told of it."""

    stands: Posted
    address: str | None


def _drawn(database: Database, job_id: int) -> _Drawn | None:
    with database.reading() as session:
        card = messages.find(session, messages.card_key(job_id))
    return _Drawn(Posted(card.channel, card.ts), card.permalink) if card and card.ts else None
