"""Links to what costbot has in Slack.

`job_link` is a job's own address, which stays whatever becomes of its card: the bot's HTTP server answers
it with the way to the card (`bot.http`). `card_address` is the card's in Slack, as long as the card stands.
"""

from urllib.parse import quote, unquote, urlsplit

import structlog
from sqlalchemy.orm import Session

from bot.gateway import Gateway, Posted, SlackError
from workflow import directory, messages
from workflow.database import Database
from workflow.settings import Settings

_log = structlog.get_logger()


def job_link(settings: Settings, number: str) -> str | None:
    """The stable address of a job; None without a public address of costbot."""
    if settings.public_url is None:
        return None
    return f"{settings.public_url}/jobs/{quote(number, safe='')}"


def number_in_link(settings: Settings, url: str) -> str | None:
    """The number of the job whose stable address this is; None for every other address."""
    if settings.public_url is None:
        return None
    try:
        ours, theirs = urlsplit(f"{settings.public_url}/jobs/"), urlsplit(url)
        is_ours = (theirs.hostname, theirs.port) == (ours.hostname, ours.port)
    except ValueError:
        return None
    if not is_ours or not theirs.path.startswith(ours.path):
        return None
    return unquote(theirs.path.removeprefix(ours.path)) or None


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
