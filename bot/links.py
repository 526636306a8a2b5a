"""Links to what costbot has in Slack: a card's address there, as long as the card stands."""

import structlog
from sqlalchemy.orm import Session

from bot.gateway import Gateway, Posted, SlackError
from workflow import directory, messages
from workflow.database import Database

_log = structlog.get_logger()


def card_of_number(database: Database, gateway: Gateway, number: str) -> str | None:
    """The address in Slack of the card of the job with this number; None while there is none."""
    with database.reading() as session:
        job = directory.job_by_number(session, number)
        return card_address(session, gateway, job.id) if job else None


def card_address(session: Session, gateway: Gateway, job_id: int) -> str | None:
    """The address of a job's card; None while it has none, or Slack does not tell."""
    card = messages.find(session, messages.card_key(job_id))
    if card is None or card.ts is None:
        return None
    try:
        return gateway.permalink(Posted(card.channel, card.ts))
    except SlackError as error:
        _log.warning("Slack does not tell the card's address", error=str(error))
        return None
