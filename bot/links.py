"""Links to what costbot has in Slack: a card's address there, as long as the card stands."""

from collections.abc import Callable
from datetime import datetime

import structlog

from bot.gateway import Gateway, Posted, SlackError, SlackRefused
from workflow import directory, messages, outbox
from workflow.database import Database

_log = structlog.get_logger()


def card_of_number(
    database: Database, gateway: Gateway, number: str, *, clock: Callable[[], datetime]
) -> str | None:
    """The address in Slack of the card of the job with this number; None while there is none."""
    with database.reading() as session:
        job = directory.job_by_number(session, number)
    return standing_card(database, gateway, job.id, at=clock()) if job else None


def standing_card(database: Database, gateway: Gateway, job_id: int, *, at: datetime) -> str | None:
    """The address of a job's card for somebody who wants to go there now; None while it has none.

    Slack is asked, for somebody may have deleted the card: then it is to be drawn anew.
    """
    key = messages.card_key(job_id)
    with database.reading() as session:
        card = messages.find(session, key)
    if card is None or card.ts is None:
        return None
    try:
        permalink = gateway.permalink(Posted(card.channel, card.ts))
    except SlackError as error:
        if not (isinstance(error, SlackRefused) and error.is_message_gone):
            _log.warning("Slack does not tell the card's address", error=str(error))
            return card.permalink
        with database.writing() as session:
            if messages.forget(session, key, ts=card.ts):
                outbox.refresh_card(session, job_id, at=at)
        return None
    if permalink != card.permalink:
        with database.writing() as session:
            messages.has_address(session, key, ts=card.ts, permalink=permalink)
    return permalink


def card_address(database: Database, gateway: Gateway, job_id: int) -> str | None:
    """The address of a job's card for a message; None while it has none, or Slack does not tell.

    Slack is asked once for each card, since an address never changes, and a burst tells of it many times.
    """
    key = messages.card_key(job_id)
    with database.reading() as session:
        card = messages.find(session, key)
    if card is None or card.ts is None or card.permalink:
        return card.permalink if card else None
    try:
        permalink = gateway.permalink(Posted(card.channel, card.ts))
    except SlackError as error:
        _log.warning("Slack does not tell the card's address", error=str(error))
        return None
    with database.writing() as session:
        messages.has_address(session, key, ts=card.ts, permalink=permalink)
    return permalink
