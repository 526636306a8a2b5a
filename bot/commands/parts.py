"""How each part of costbot is, as `costbot status` says it: what is asked are the servers and the bot."""

from collections.abc import Mapping
from dataclasses import dataclass

import httpx
from redis import RedisError

from bot.commands.command import CommandLine
from bot.health import NOT_KNOWN, database_check, files_check, redis_check, sync_check
from workflow import tally
from workflow.settings import Settings
from workflow.tally import SLACK_CALLS, SYNC_RUNS, SYNC_SECONDS

_BOT_SECONDS = 5.0
_OK, _NOT_ASKED = "ok", "not known"


@dataclass(frozen=True, slots=True)
class Tallied:
    """Counts since Redis last started anew: calls of Slack, and runs of the data sync by how they ended."""

    slack_calls: int
    slack_rate_limited: int
    sync_runs: Mapping[str, int]
    sync_seconds: float


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


def tallied(settings: Settings) -> Tallied | None:
    """What all processes have counted; None while Redis is away."""
    try:
        counts = tally.read(settings.redis)
    except RedisError:
        return None
    calls = {count: number for count, number in counts.items() if count[0] == SLACK_CALLS}
    return Tallied(
        slack_calls=int(sum(calls.values())),
        slack_rate_limited=int(sum(calls[call] for call in calls if call[-1] == "rate_limited")),
        sync_runs={count[-1]: int(number) for count, number in counts.items() if count[0] == SYNC_RUNS},
        sync_seconds=counts.get((SYNC_SECONDS,), 0.0),
    )
