"""How each part of costbot is, as `costbot status` says it: what is asked are the servers and the bot."""

import httpx
from redis import RedisError

from bot.commands.command import CommandLine
from bot.health import NOT_KNOWN, database_check, files_check, redis_check, sync_check
from workflow import tally
from workflow.settings import Settings
from workflow.tally import SLACK_CALLS

_BOT_SECONDS = 5.0
_OK, _NOT_ASKED = "ok", "not known"


def parts_of(line: CommandLine) -> dict[str, str]:
    """What `/readyz` says, with the bot itself: whether it answers, and its connection to Slack."""
    settings, database = line.settings, line.database
    checks = {
        "database": database_check(database),
        "redis": redis_check(settings),
        "sage": files_check(database),
        "data sync": sync_check(settings, database, clock=line.now),
    }
    found = {name: check() or _OK for name, check in checks.items()}
    return {**found, **_ask_the_bot(settings)}


def parts_without_database(settings: Settings, error: Exception) -> dict[str, str]:
    """The same while the database cannot be opened for this error."""
    return {
        "database": type(error).__name__,
        "redis": redis_check(settings)() or _OK,
        "sage": NOT_KNOWN,
        "data sync": NOT_KNOWN,
        **_ask_the_bot(settings),
    }


def _ask_the_bot(settings: Settings) -> dict[str, str]:
    host = f"[{settings.http_host}]" if ":" in settings.http_host else settings.http_host
    address = f"http://{host}:{settings.http_port}"
    try:
        said = httpx.get(f"{address}/readyz", timeout=_BOT_SECONDS, trust_env=False).json()
        # without Socket Mode what comes from Slack comes by HTTP, and there is nothing to be closed
        return {"bot": _OK, "slack": str(said.get("slack", _OK))}
    except (httpx.HTTPError, ValueError, AttributeError):
        return {"bot": f"no bot answers at {address}", "slack": _NOT_ASKED}


def slack_calls(settings: Settings) -> tuple[int, int] | None:
    """How many calls of Slack there were, and how many came too fast for it; None while Redis is away."""
    try:
        counts = tally.read(settings.redis)
    except RedisError:
        return None
    calls = {count: number for count, number in counts.items() if count[0] == SLACK_CALLS}
    limited = sum(number for count, number in calls.items() if count[-1] == "rate_limited")
    return int(sum(calls.values())), int(limited)
