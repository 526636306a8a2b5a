"""Faults of the look-alike on demand: what the next call of a path gets in place of its answer."""

from collections import deque
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Fault:
    """An answer in place of the real one: of calls whose path begins with `path`.

    `after` lets the act happen first, as when an answer is lost on its way.
    """

    path: str = "/"
    status: int = 503
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None
    after: bool = False


class Faults:
    """A queue of faults; each is met once."""

    def __init__(self) -> None:
        self._waiting: deque[Fault] = deque()

    def expect(self, *faults: Fault) -> None:
        """The next calls of these paths go wrong, in this order."""
        self._waiting.extend(faults)

    def take(self, path: str) -> Fault | None:
        """The fault that a call of this path meets."""
        for fault in self._waiting:
            if path.startswith(fault.path):
                self._waiting.remove(fault)
                return fault
        return None
