"""Slack's pace: one message a second in a channel, and so many calls a minute of a method.

Owns when this process may call. It waits for nobody and calls nobody; safe to share between threads.
Other processes call too, so Slack may still say that it was too often.
"""

import time
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from threading import Lock

SECONDS_A_MESSAGE = 1.05
"""Slack lets an app post about one message a second in a channel; some calls take longer than others."""
CALLS_A_MINUTE: Mapping[str, int] = {
    "chat.update": 50,
    "conversations.open": 50,
    "users.lookupByEmail": 50,
}
"""Slack's limits of what delivery calls once for each of many cards or people; the rest is far from its own.

Who clicks is not among them (`users.info`): nobody may be refused because of a limit that is only ours.

Source: docs.slack.dev/apis/web-api/rate-limits.
"""
_MINUTE = 63.0
"""Slack counts when calls arrive, and some take longer than others."""


class Pace:
    """When the next message or call may go out."""

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = Lock()
        self._channel_free_at: dict[str, float] = {}
        self._method_free_at: dict[str, float] = {}
        self._called: defaultdict[str, deque[float]] = defaultdict(deque)

    def hold_back(self, channel: str, seconds: float) -> None:
        """No message in the channel for so long."""
        with self._lock:
            free_at = self._monotonic() + seconds
            self._channel_free_at[channel] = max(free_at, self._channel_free_at.get(channel, free_at))

    def bar(self, method: str, seconds: float) -> None:
        """No call of the method for so long: Slack has said so."""
        with self._lock:
            self._method_free_at[method] = self._monotonic() + seconds

    def take_call(self, method: str) -> float:
        """Count a call that is made now, with 0; else in how many seconds one may be made."""
        with self._lock:
            now = self._monotonic()
            barred = self._method_free_at.get(method, now) - now
            if barred > 0:
                return barred
            most = CALLS_A_MINUTE.get(method)
            if most is None:
                return 0.0
            called = self._called[method]
            while called and called[0] + _MINUTE <= now:
                called.popleft()
            if len(called) >= most:
                return called[0] + _MINUTE - now
            called.append(now)
            return 0.0

    def take_turn(self, channel: str) -> float:
        """Take the channel's next turn for one message; in how many seconds it comes."""
        with self._lock:
            now = self._monotonic()
            turn = max(now, self._channel_free_at.get(channel, now))
            self._channel_free_at[channel] = turn + SECONDS_A_MESSAGE
            return turn - now
