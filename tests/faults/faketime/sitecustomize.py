"""Read by each Python that `clocks.preload` starts: sleeping, where libfaketime breaks it.

Python sleeps until a moment of the monotonic clock, which libfaketime 0.9.10 answers with EINVAL.
"""

import select
import time
from typing import SupportsIndex


def _sleep(seconds: float | SupportsIndex, /) -> None:
    select.select([], [], [], max(float(seconds), 0.0))


time.sleep = _sleep
