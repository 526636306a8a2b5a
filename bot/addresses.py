"""A job's own address, which stays whatever becomes of its card in Slack.

The bot's HTTP server answers it with the way to the card (`bot.http`). Apart from `bot.links`, so that
looking at a job on the command line does not load what talks to Slack.
"""

from urllib.parse import quote

from workflow.settings import Settings


def job_link(settings: Settings, number: str) -> str | None:
    """The stable address of a job; None without a public address of costbot."""
    if settings.public_url is None:
        return None
    return f"{settings.public_url}/jobs/{quote(number, safe='')}"
