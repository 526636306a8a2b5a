"""Which test goes when: the long ones first, dealt out to the test processes.

A long test that is begun last keeps one core busy while the others have nothing left to do. pytest-xdist's
`worksteal` gives each process an equal share of the list, so a long test stands at the head of a share.
Tests that share something dear, such as a running company, stay together.
"""

from collections.abc import Callable, Hashable, Sequence
from itertools import groupby
from typing import TypeVar

T = TypeVar("T")


def dealt(tests: Sequence[T], processes: int, shared: Callable[[T], Hashable | None]) -> list[T]:
    """The tests in the order to run them in; `shared` is what a long test shares, None for a short one."""
    runs = [list(run) for what, run in groupby(tests, shared) if what is not None]
    short = [test for test in tests if shared(test) is None]
    heads: list[list[T]] = [[] for _ in range(processes)]
    for run in sorted(runs, key=len, reverse=True):
        min(heads, key=len).extend(run)
    order: list[T] = []
    left = len(tests)
    for process, head in enumerate(heads):
        share = left // (processes - process)
        left -= share
        few = max(0, share - len(head))
        order += [*head, *short[:few]]
        del short[:few]
    return order + short
