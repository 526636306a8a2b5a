"""What is measured and how: a baseline and costbot by turns, so that a busy minute is in both.

Owns the row of the table. The median counts; wall time throughout.
"""

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from statistics import median

_MOST_MIB = 200.0
_FLAT = 1.2
"""So many times as much memory, at most, for ten times as many lines."""

Seconds = Callable[[], float]
"""Does the work once; how long it took."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much of everything there is, and how often it is measured."""

    jobs: int
    approvers: int
    lines_a_job: int
    few_lines: int
    few_ready: int
    imported: int
    burst: int
    clicks: int
    cards: int
    looks: int
    runs: int
    syncs: int

    @property
    def lines(self) -> int:
        """Assignments stored."""
        return self.jobs * self.lines_a_job

    def of_fewer_jobs(self, part: int) -> "Sizes":
        """The same of a company with a tenth, a hundredth, … of the jobs."""
        return replace(self, jobs=self.jobs // part)


FULL = Sizes(
    jobs=10_000,
    approvers=200,
    lines_a_job=100,
    few_lines=1_000,
    few_ready=10,
    imported=100_000,
    burst=1_000,
    clicks=60,
    cards=30,
    looks=20,
    runs=5,
    syncs=3,
)
SHORT = Sizes(
    jobs=200,
    approvers=10,
    lines_a_job=100,
    few_lines=1_000,
    few_ready=10,
    imported=2_000,
    burst=25,
    clicks=20,
    cards=5,
    looks=4,
    runs=1,
    syncs=1,
)


@dataclass(frozen=True, slots=True)
class Memory:
    """The most memory resident, in MiB, with many lines and with a tenth of them."""

    of_a_tenth: float
    of_all: float
    lines: int

    @property
    def is_flat(self) -> bool:
        return self.of_all <= min(_MOST_MIB, self.of_a_tenth * _FLAT)

    def __str__(self) -> str:
        return (
            f"{self.of_all:.0f} MiB resident, {self.of_a_tenth:.0f} with {self.lines // 10:,} lines "
            f"({_MOST_MIB:.0f} at most, and flat)"
        )


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that was measured; `note` says what the goal asks beside the ratio."""

    name: str
    sizes: str
    baseline: str
    goal: float
    baseline_s: float
    ours_s: float
    note: str = ""
    kept: bool = True
    """Whether what the note tells is as it should be."""

    @property
    def ratio(self) -> float:
        return self.ours_s / self.baseline_s

    @property
    def met(self) -> bool:
        return self.kept and self.ratio <= self.goal


def timed(work: Callable[[], object]) -> float:
    """Seconds that the work took."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def by_turns(baseline: Seconds, ours: Seconds, *, runs: int) -> tuple[float, float]:
    """The median seconds of each, baseline first, measured one after the other so many times."""
    bare, costbot = [], []
    for _ in range(runs):
        gc.collect()
        bare.append(baseline())
        gc.collect()
        costbot.append(ours())
    return median(bare), median(costbot)


def percentile(seconds: list[float], share: float) -> float:
    """The value below which this share of them lies."""
    ordered = sorted(seconds)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
