"""The look-alike's two rate-limit windows: an hour and ten seconds.

The headers tell of the window that would run out first (procore/documentation,
plan_your_app/rate_limiting.md).
"""

from collections.abc import Callable
from dataclasses import dataclass

HOUR, SPIKE = 3600, 10


@dataclass(frozen=True, slots=True)
class Limits:
    """Calls that are allowed in an hour and in ten seconds."""

    hourly: int = 3600
    spike: int = 25


class _Window:
    def __init__(self, seconds: int, limit: int) -> None:
        self.seconds, self.limit = seconds, limit
        self.used, self.resets_at = 0, 0.0

    def roll(self, now: float) -> None:
        if now >= self.resets_at:
            self.used, self.resets_at = 0, float(int(now) + self.seconds)

    @property
    def remaining(self) -> int:
        return max(0, self.limit - self.used)


class RateLimit:
    """Counts the calls of one company."""

    def __init__(self, limits: Limits, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._windows = [_Window(SPIKE, limits.spike), _Window(HOUR, limits.hourly)]
        self.busiest_spike = 0

    def call(self) -> tuple[bool, dict[str, str]]:
        """Count a call: whether it may pass, and the headers of its answer."""
        now = self._clock()
        for window in self._windows:
            window.roll(now)
        allowed = all(window.remaining for window in self._windows)
        if allowed:
            for window in self._windows:
                window.used += 1
        self.busiest_spike = max(self.busiest_spike, self._windows[0].used)
        told = min(self._windows, key=lambda window: (window.remaining, -window.seconds))
        return allowed, {
            "X-Rate-Limit-Limit": str(told.limit),
            "X-Rate-Limit-Remaining": str(told.remaining),
            "X-Rate-Limit-Reset": str(int(told.resets_at)),
        }
