"""How the value of a setting is checked; what is wrong raises ValueError with the mend."""

import re
from collections.abc import Callable
from urllib.parse import urlsplit

from croniter import CroniterBadDateError, croniter
from pydantic import AfterValidator, SecretStr
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError


def usable_database_url(url: str) -> str:
    """The address with its driver named; raises ValueError with the mend."""
    try:
        parts = make_url(url)
        usable = {
            "sqlite": parts.database not in (None, "", ":memory:"),  # several processes share it
            "postgresql": True,
            "postgresql+psycopg": True,
        }.get(parts.drivername, False)
    except (ArgumentError, ValueError):
        usable = False
    if not usable:
        raise ValueError(
            "use sqlite:////path/costbot.db or postgresql+psycopg://user:password@host/name, "
            "with / : @ of a password written as %2F %3A %40"
        )
    return url.replace("postgresql://", "postgresql+psycopg://", 1)


def a_redis_url(url: str) -> str:
    """The address of a Redis."""
    if not _is_address(url, "redis", "rediss") and not (url.startswith("unix://") and urlsplit(url).path):
        raise ValueError("use redis://host:6379/0, rediss://… or unix:///path/redis.sock")
    return url


def a_cron(expression: str) -> str:
    """Five cron fields that come due."""
    fields = expression.split()
    # R and H are croniter's own: another time at each reading, so that no two schedulers would agree
    usable = len(fields) == 5 and croniter.is_valid(expression) and not any(f[0] in "RrHh" for f in fields)
    if usable:
        try:
            croniter(expression).get_next()
        except CroniterBadDateError:
            usable = False
    if not usable:
        raise ValueError("use five cron fields that come due, such as `0 * * * *` for every hour")
    return expression


def a_web_address(url: str) -> str:
    """An address of the web, with `/` at its end."""
    if not _is_address(url, "http", "https"):
        raise ValueError("use an address that begins with https:// or http://")
    return url if url.endswith("/") else url + "/"


def a_path_of_one(path: str) -> str:
    """A path of Procore's API for one thing by its id."""
    if not re.fullmatch(r"rest/([\w./-]|\{company_id\})+/\{id\}", path):
        raise ValueError("use a path that begins with rest/ and ends with /{id}; {company_id} may be in it")
    return path


def a_public_address(url: str) -> str:
    """The bot's address as others see it, without `/` at its end."""
    parts = urlsplit(url) if _is_address(url, "http", "https") else None
    if parts is None or "?" in url or "#" in url or parts.username is not None:
        raise ValueError("use the bot's address as others see it, such as https://costbot.example.com")
    return url.rstrip("/")


def written(read: Callable[[str], object]) -> AfterValidator:
    """Text that `read` understands; it raises ValueError with the mend."""

    def check(text: str) -> str:
        read(text)
        return text

    return AfterValidator(check)


def a_slack_team(team: str) -> None:
    """The id of a workspace or of an organisation."""
    if not re.fullmatch(r"[TE][A-Z0-9]+", team):
        raise ValueError("use the id of a workspace (T…) or of an Enterprise Grid organisation (E…)")


def _is_address(url: str, *schemes: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def prefixed(prefix: str) -> AfterValidator:
    """A token that begins as Slack's do of that kind."""

    def check(token: SecretStr) -> SecretStr:
        if not token.get_secret_value().startswith(prefix):
            raise ValueError(f"use the token that begins with {prefix}")
        return token

    return AfterValidator(check)
