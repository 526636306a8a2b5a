"""What can go wrong on request: refused, limited, broken and unanswered calls, and Slack's real rate limits.

Owns the switches and the counting. The Web API asks it before and after each call.
"""

import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable
from typing import Literal

from pydantic import BaseModel, Field


class Fault(BaseModel):
    """The next `times` calls of `method` (`*` for any) go wrong.

    `ratelimited`: 429 with `retry_after` seconds. `error`: HTTP 200 with `error` as the code.
    `server_error`: 500. `reset`: the connection breaks in the middle of the answer. `hang`: no answer at all,
    for `seconds` at most.
    With `after`, the call is carried out first, so that its caller cannot know.
    """

    method: str
    kind: Literal["ratelimited", "error", "server_error", "reset", "hang"]
    times: int = Field(1, ge=1)
    after: bool = False
    retry_after: int = 1
    error: str = "fatal_error"
    seconds: float = 60


class Faults:
    """The faults that wait for their calls."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []

    def add(self, fault: Fault) -> None:
        self._waiting.append(fault)

    def clear(self) -> None:
        self._waiting.clear()

    def take(self, method: str) -> Fault | None:
        """The fault that strikes this call, counted down."""
        for fault in self._waiting:
            if fault.method in (method, "*"):
                fault.times -= 1
                if not fault.times:
                    self._waiting.remove(fault)
                return fault
        return None


class RateLimits:
    """Slack's own limits, when `enforced`: calls a minute by tier, one post a second per channel.

    `refused` counts by method the calls that were one too many.

    Source: docs.slack.dev/apis/web-api/rate-limits. A short burst of posts is let through, as Slack does.
    """

    BURST = 3

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.enforced = False
        self.refused: Counter[str] = Counter()
        self._monotonic = monotonic
        self._recent: defaultdict[tuple[str, str], deque[float]] = defaultdict(deque)

    def seconds_to_wait(self, method: str, per_minute: int, channel: str) -> int:
        """0 when the call may go ahead (it is then counted), else Slack's `Retry-After`."""
        if not self.enforced:
            return 0
        if method in ("chat.postMessage", "chat.postEphemeral"):
            return self._count((method, channel), self.BURST, float(self.BURST))
        return self._count((method, ""), per_minute, 60.0)

    def _count(self, key: tuple[str, str], most: int, window: float) -> int:
        now = self._monotonic()
        recent = self._recent[key]
        while recent and now - recent[0] >= window:
            recent.popleft()
        if len(recent) >= most:
            self.refused[key[0]] += 1
            return max(1, round(window - (now - recent[0]) + 0.5))
        recent.append(now)
        return 0
