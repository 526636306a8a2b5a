"""Two bots, two workers of each queue and two schedulers on one database and one Redis.

A try counts when both bots were at work in it, and a worker of each queue; none does where one of the four
workers has done nothing in all of them. What schedulers do is seen in the verdict: they log nothing.
"""

import random
import time
from collections import Counter
from collections.abc import Mapping, Sequence

from tests.faults.company import Company
from tests.faults.tries import Tries, until_seen

_SECONDS_A_TRY = 4.0
_MOST_SECONDS = 90.0
_QUEUES = ("worker-notices", "worker-sync")


def two_of_each(company: Company, rng: random.Random, times: int) -> Tries:
    """Load, and in each try everybody is nudged to do everything at once."""
    began = company.crew.mark()

    def attempt(_seen: int) -> bool:
        mark = company.crew.mark()
        for name in ("data_sync", "deliver", "data_sync", "deliver"):
            company.have_done(name)
        company.ask_for_a_data_sync()
        time.sleep(rng.uniform(0.2, _SECONDS_A_TRY))
        at_work = _at_work(company.crew.said_since(mark))
        return at_work["bot"] > 1 and all(at_work[queue] for queue in _QUEUES)

    def everybody_took_part() -> bool:
        at_work = _at_work(company.crew.said_since(began))
        return all(at_work[queue] > 1 for queue in _QUEUES)

    with company.under_load(rng):
        seen = until_seen(times, attempt, most_seconds=_MOST_SECONDS)
        until = time.monotonic() + _MOST_SECONDS
        while not everybody_took_part() and time.monotonic() < until:
            attempt(seen)
    return Tries(seen if everybody_took_part() else 0, "all at work at once")


def _at_work(said: Mapping[str, Sequence[str]]) -> Counter[str]:
    """How many of each kind have logged something."""
    return Counter(member.partition("-")[2] for member, lines in said.items() if lines)
