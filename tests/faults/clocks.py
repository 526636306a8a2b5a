"""A clock that jumps, forward and back by hours, under processes that run: libfaketime, from apt.

Without it nothing is tried, and the table says so.
"""

import random
import re
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.faults.company import Company
from tests.faults.tries import Tries, until_seen

_LIBRARIES = ("/usr/lib/*/faketime/libfaketimeMT.so.1", "/usr/lib/faketime/libfaketimeMT.so.1")
_OFFSET = "clock"
_HOURS = (5, -5, 26, -3)
_NEAR = timedelta(hours=1)
_SEEN_SECONDS = 30.0
_MOST_SECONDS = 180.0


def library() -> Path | None:
    """Where libfaketime is; None where it is not."""
    return next((path for pattern in _LIBRARIES for path in sorted(Path("/").glob(pattern[1:]))), None)


def preload(folder: Path) -> Mapping[str, str]:
    """What has a process live by the clock in the folder; nothing without libfaketime."""
    found = library()
    if found is None:
        return {}
    _set(folder, 0)
    return {
        "LD_PRELOAD": str(found),
        "PYTHONPATH": str(Path(__file__).with_name("faketime")),
        "FAKETIME_TIMESTAMP_FILE": str(folder / _OFFSET),
        "FAKETIME_CACHE_DURATION": "1",
        "DONT_FAKE_MONOTONIC": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "NO_FAKE_STAT": "1",
    }


def jumps(company: Company, rng: random.Random, times: int) -> Tries:
    """All clocks of the crew jump and, after some seconds of load, are right again.

    A try counts once a bot and a worker have logged what they do at the time of that clock.
    """
    if library() is None:
        return Tries(0, "libfaketime is not installed: apt-get install faketime", cannot_be_had=True)
    hours = [_HOURS[number % len(_HOURS)] for number in range(times)]

    def attempt(seen: int) -> bool:
        time.sleep(rng.uniform(1.0, 2.0))
        mark, jump = company.crew.mark(), hours[seen]
        _set(company.folder, jump * 3600)
        until = time.monotonic() + _SEEN_SECONDS
        time.sleep(rng.uniform(5.0, 8.0))
        while not (live_by_it := _live_by(company.crew.said_since(mark), jump)) and time.monotonic() < until:
            time.sleep(0.5)
        _set(company.folder, 0)
        return live_by_it

    with company.under_load(rng, 3):
        seen = until_seen(times, attempt, most_seconds=_MOST_SECONDS)
    return Tries(seen, ", ".join(f"{jump:+} h" for jump in hours[:seen]))


def _live_by(said: Mapping[str, Sequence[str]], jump: int) -> bool:
    """Whether a bot and a worker have logged something at the time of a clock that is so many hours off."""
    there = datetime.now(UTC) + timedelta(hours=jump)
    seen = {
        member.split("-")[1]
        for member, lines in said.items()
        for stamp in re.findall(r'"timestamp": "([^"]+)"', "\n".join(lines))
        if abs(datetime.fromisoformat(stamp) - there) < _NEAR
    }
    return {"bot", "worker"} <= seen


def _set(folder: Path, seconds: int) -> None:
    new = folder / f"{_OFFSET}.new"
    new.write_text(f"{seconds:+d}\n")
    new.replace(folder / _OFFSET)
