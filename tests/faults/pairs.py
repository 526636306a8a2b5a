"""Two bots, two workers of each queue and two schedulers on one database and one Redis."""

import random
import time

from tests.faults.company import Company
from tests.faults.tries import Tries

_SECONDS_A_TRY = 4.0


def two_of_each(company: Company, rng: random.Random, times: int) -> Tries:
    """Load, and in each try everybody is nudged to do everything at once."""
    with company.under_load(rng):
        for _ in range(times):
            for name in ("data_sync", "deliver", "data_sync", "deliver"):
                company.have_done(name)
            company.ask_for_a_data_sync()
            time.sleep(rng.uniform(0.2, _SECONDS_A_TRY))
    return Tries(times)
