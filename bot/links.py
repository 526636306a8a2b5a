"""Links to what costbot has in Slack: a card's address there, as long as the card stands."""

import structlog

from bot.gateway import Gateway, Posted, SlackError
from workflow import directory, messages
from workflow.database import Database

_log = structlog.get_logger()


def card_of_number(database: Database, gateway: Gateway, number: str) -> str | None:
    """The address in Slack of the card of the job with this number; None while there is none."""
    with database.reading() as session:
        job = directory.job_by_number(session, number)
    return card_address(database, gateway, job.id) if job else None


def card_address(database: Database, gateway: Gateway, job_id: int) -> str | None:
    """The address of a job's card; None while it has none, or Slack does not tell.

    Slack is asked once for each card, since an address never changes.
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
