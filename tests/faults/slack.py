"""Slack at its worst: every way in which it refuses, breaks, is late or says a thing twice.

In each try people work while the fault lasts; afterwards Slack is well again and everything drains.
"""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from tests import processes
from tests.faults.company import Company
from tests.faults.tries import Tries

Run = Callable[[Company, random.Random, int], Tries]
_POSTS = ("chat.postMessage", "chat.update", "conversations.open")
_LATE_SECONDS = 4.0


def answers(kind: str, *, calls: int = 3, methods: tuple[str, ...] = _POSTS, **more: Any) -> Run:
    """The next `calls` calls of each method go wrong; every other one after Slack has carried it out."""

    carries_out = kind not in ("ratelimited", "error")

    def fail(company: Company, rng: random.Random, times: int) -> Tries:
        began = time.time()
        for _ in range(times):
            for method in methods:
                for number in range(calls):
                    after = carries_out and number % 2 == 0
                    company.sandbox.fail_next(method, kind, after=after, **more)
            company.work_a_little(rng)
        return Tries(_struck(company, began), "calls, some of them carried out" if carries_out else "calls")

    return fail


def refuses(code: str, *methods: str) -> Run:
    """Slack answers with this error."""
    return answers("error", methods=methods or _POSTS, error=code)


def card_is_deleted(company: Company, rng: random.Random, times: int) -> Tries:
    """Somebody deletes the card, so that Slack has `message_not_found` for it from now on."""
    deleted = 0
    with company.under_load(rng, 2) as jobs:
        for _ in range(times):
            time.sleep(rng.uniform(2.0, 4.0))
            deleted += company.delete_a_card(jobs, rng)
    return Tries(deleted)


def is_switched(**switches: Any) -> Run:
    """The workspace is so for a few seconds: channel archived, bot thrown out, token revoked."""

    def switch(company: Company, rng: random.Random, times: int) -> Tries:
        refused = 0
        for _ in range(times):
            began = time.time()
            company.sandbox.switch(**switches)
            company.work_a_little(rng)
            company.sandbox.switch(**{name: not on for name, on in switches.items()})
            refused += sum(not call["ok"] and call["at"] >= began for call in company.sandbox.calls())
        return Tries(refused, "calls")

    return switch


def closes_sockets(company: Company, rng: random.Random, times: int) -> Tries:
    """Slack closes the Socket Mode connections, with and without a word."""
    dropped = 0
    with company.under_load(rng, 2):
        for number in range(times):
            time.sleep(rng.uniform(0.3, 1.5))
            dropped += company.sandbox.drop_sockets(warn=number % 2 == 1)
    return Tries(dropped, f"connections, closed {times} times")


def delivers_twice(company: Company, rng: random.Random, times: int) -> Tries:
    """Each delivery comes twice at once."""
    company.sandbox.switch(deliver_twice=times)
    company.work_a_little(rng)
    with company.under_load(rng, 2):
        time.sleep(4.0)
    company.sandbox.switch(deliver_twice=0)
    return Tries(times)


def delivers_again_later(company: Company, rng: random.Random, times: int) -> Tries:
    """Slack brings the newest delivery once more after it was handled."""
    with company.under_load(rng, 2):
        for _ in range(times):
            time.sleep(rng.uniform(0.5, 1.5))
            if company.sandbox.deliveries():
                company.sandbox.deliver_again()
    return Tries(times)


def is_answered_late(company: Company, rng: random.Random, times: int) -> Tries:
    """The bot stands still for longer than Slack waits, and then gets everything late."""
    with company.under_load(rng, 2):
        for _ in range(times):
            time.sleep(rng.uniform(0.5, 1.0))
            with _standing_still(company):
                time.sleep(_LATE_SECONDS)
    return Tries(times)


@contextmanager
def _standing_still(company: Company) -> Iterator[None]:
    with ExitStack() as frozen:
        for bot in company.crew.of("bot"):
            frozen.enter_context(processes.frozen(bot))
        yield


def _struck(company: Company, began: float) -> int:
    """How many calls went wrong since then."""
    return sum(call["fault"] is not None and call["at"] >= began for call in company.sandbox.calls())
