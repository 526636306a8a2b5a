"""What a fault tells of itself: how often it was tried, how, and what it has seen go wrong on the spot.

Owns that a try counts when its effect was seen.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from tests.faults.verdict import Finding


@dataclass(frozen=True)
class Tries:
    """How often a fault was tried; `note` says how, `findings` what no later look would show.

    `cannot_be_had`: the machine lacks what the fault needs, as the note says; else no try at all is wrong.
    """

    times: int
    note: str = ""
    cannot_be_had: bool = False
    findings: tuple[Finding, ...] = ()


def until_seen(times: int, attempt: Callable[[int], bool], *, most_seconds: float) -> int:
    """Attempt until so many had their effect, as `attempt` says of each; how many had, by the time given.

    It is told how many had it before.
    """
    seen, until = 0, time.monotonic() + most_seconds
    while seen < times and time.monotonic() < until:
        seen += attempt(seen)
    return seen
