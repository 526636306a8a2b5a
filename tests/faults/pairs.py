"""Two bots, two workers of each queue and two schedulers on one database and one Redis.

A try counts when both bots were at work in it, and a worker of each queue: the other one may find that
somebody delivers already, and says nothing. Nor do schedulers, of which the verdict tells.
"""

import random
import time
from collections import Counter
from collections.abc import Mapping, Sequence

from tests.faults.company import Company
from tests.faults.tries import Tries, until_seen

_SECONDS_A_TRY = 4.0
_MOST_SECONDS = 180.0
_QUEUES = ("worker-notices", "worker-sync")


def two_of_each(company: Company, rng: random.Random, times: int) -> Tries:
    """Load, and in each try everybody is nudged to do everything at once."""

    def attempt(_seen: int) -> bool:
        mark = company.crew.mark()
        for name in ("data_sync", "deliver", "data_sync", "deliver"):
            company.have_done(name)
        company.ask_for_a_data_sync()
        time.sleep(rng.uniform(0.2, _SECONDS_A_TRY))
        at_work = _at_work(company.crew.said_since(mark))
        return at_work["bot"] > 1 and all(at_work[queue] for queue in _QUEUES)

    with company.under_load(rng):
        return Tries(until_seen(times, attempt, most_seconds=_MOST_SECONDS))


def _at_work(said: Mapping[str, Sequence[str]]) -> Counter[str]:
    """How many of each kind have logged something."""
    return Counter(member.partition("-")[2] for member, lines in said.items() if lines)
