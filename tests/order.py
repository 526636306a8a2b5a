"""Which test goes when: the long ones first, dealt out to the test processes.

A long test that is begun last keeps one core busy while the others have nothing left to do. pytest-xdist's
`worksteal` gives each process an equal share of the list, so a long test stands at the head of a share.
Tests that share something dear, such as a running company, stay together.
"""

from collections.abc import Callable, Hashable, Sequence
from itertools import groupby
from typing import TypeVar

T = TypeVar("T")


def dealt(tests: Sequence[T], processes: int, together: Callable[[T], Hashable | None]) -> list[T]:
    """The tests in the order to run them in; `together` is what a long test shares, None for a short one."""
    runs = [list(run) for shared, run in groupby(tests, together) if shared is not None]
    short = [test for test in tests if together(test) is None]
    order: list[T] = []
    left = len(tests)
    for process in range(processes):
        share = left // (processes - process)
        left -= share
        long = [test for run in runs[process::processes] for test in run]
        few = max(0, share - len(long))
        order += [*long, *short[:few]]
        del short[:few]
    return order + short
