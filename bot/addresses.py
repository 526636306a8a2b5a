"""A job's own address, which stays whatever becomes of its card in Slack.

The bot's HTTP server answers it with the way to the card (`bot.http`). Apart from `bot.links`, so that
looking at a job on the command line does not load what talks to Slack.
"""

from urllib.parse import quote, unquote, urlsplit

from workflow.settings import Settings


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
