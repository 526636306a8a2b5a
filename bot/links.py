"""Links to what costbot has in Slack: the address of a job's card, the same as long as the card stands."""

import structlog
from sqlalchemy.orm import Session

from bot.gateway import Gateway, Posted, SlackError
from workflow import messages

_log = structlog.get_logger()


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
