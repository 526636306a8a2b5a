"""What the headers of an answer say about when Procore may be called again; pure.

Whatever they say, a wait ends: no window of Procore's is longer than an hour.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

LONGEST_WAIT = timedelta(hours=1, minutes=1)
_SPIKE_AT_MOST = timedelta(minutes=5)
_LARGEST_LIMIT = 10_000_000


@dataclass(frozen=True, slots=True)
class Told:
    """`hourly_limit` where the headers tell of the hour, not the spike; `wait_until` where none is left."""

    hourly_limit: int | None = None
    wait_until: datetime | None = None


def told_by(headers: Mapping[str, str], *, now: datetime) -> Told:
    """What X-Rate-Limit-Limit, -Remaining and -Reset say; nothing where they are absent or make no sense.

    Which window they describe is not said: one that ends minutes from now is the hour. An hour in its last
    minutes is so taken for a spike, which costs nothing.
    """
    reset = _time(headers.get("X-Rate-Limit-Reset"))
    limit = _whole(headers.get("X-Rate-Limit-Limit"))
    remaining = _whole(headers.get("X-Rate-Limit-Remaining"))
    if reset is None:
        return Told()
    wait_until = min(reset, now + LONGEST_WAIT) if remaining == 0 and reset > now else None
    hourly = limit if limit and now + _SPIKE_AT_MOST < reset <= now + LONGEST_WAIT else None
    return Told(hourly, wait_until)


def retry_after(headers: Mapping[str, str], *, now: datetime) -> datetime | None:
    """Until when Retry-After says to wait: seconds or a date; None where it says nothing usable."""
    text = headers.get("Retry-After", "").strip()
    seconds = _whole(text)
    if seconds is not None:
        return now + min(timedelta(seconds=seconds), LONGEST_WAIT)
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    date = date.replace(tzinfo=UTC) if date.tzinfo is None else date
    return min(max(date, now), now + LONGEST_WAIT)


def _whole(text: str | None) -> int | None:
    text = (text or "").strip()
    if not text.isascii() or not text.isdigit() or len(text) > len(str(_LARGEST_LIMIT)):
        return None
    return int(text)


def _time(text: str | None) -> datetime | None:
    text = (text or "").strip()
    if not text.isascii() or not text.isdigit() or len(text) > 11:
        return None
    return datetime.fromtimestamp(int(text), UTC)
