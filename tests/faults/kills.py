"""`kill -9` at random instants, while people request, update, take back, reject and have data syncs run."""

import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress

import psutil

from tests.faults.company import Company
from tests.faults.tries import Tries

_HORSE_SECONDS = 3.0
_POLL_SECONDS = 0.02
_MOST_SECONDS = 900.0
"""A bound for a machine that hangs; what ends the kills is their count."""
_SERVERS = ("valkey-server", "redis-server")

Victims = Callable[[Company, random.Random], Sequence[psutil.Process]]


def bot(company: Company, rng: random.Random) -> Sequence[psutil.Process]:
    return _one(company.crew.of("bot"), rng)


def worker(company: Company, rng: random.Random) -> Sequence[psutil.Process]:
    """The worker alone: its work-horse goes on by itself."""
    return _one(company.crew.of("worker"), rng)


def worker_with_horse(company: Company, rng: random.Random) -> Sequence[psutil.Process]:
    """The worker and whatever it has started, as when a machine loses power."""
    return [member for each in worker(company, rng) for member in (each, *each.children(recursive=True))]


def work_horse(company: Company, rng: random.Random) -> Sequence[psutil.Process]:
    """The process that a worker forks for one piece of work; waited for, since it lives for a moment."""
    deadline = time.monotonic() + _HORSE_SECONDS
    while time.monotonic() < deadline:
        horses = [
            child
            for each in company.crew.of("worker")
            for child in _children(each)
            if "worker" in child.cmdline()
        ]
        if horses:
            time.sleep(rng.uniform(0.0, 0.3))
            return _one(horses, rng)
        time.sleep(_POLL_SECONDS)
    return []


def scheduler(company: Company, rng: random.Random) -> Sequence[psutil.Process]:
    return _one(company.crew.of("scheduler"), rng)


def embedded_redis(company: Company, rng: random.Random) -> Sequence[psutil.Process]:
    return _one([each for each in company.crew.everybody() if each.name() in _SERVERS], rng)


OF_ONE_MACHINE: dict[Victims, int] = {
    bot: 14,
    worker: 10,
    worker_with_horse: 10,
    work_horse: 36,
    scheduler: 10,
    embedded_redis: 20,
}
"""How often out of a hundred each is killed."""
OF_MANY_PROCESSES = {
    victims: share for victims, share in OF_ONE_MACHINE.items() if victims is not embedded_redis
}


def kill_at_random(shares: dict[Victims, int]) -> Callable[[Company, random.Random, int], Tries]:
    """The fault that kills by these shares."""

    def kill(company: Company, rng: random.Random, times: int) -> Tries:
        killed, until = Counter[str](), time.monotonic() + _MOST_SECONDS
        with company.under_load(rng):
            while killed.total() < times and time.monotonic() < until:
                time.sleep(rng.uniform(0.05, 0.7))
                victims = rng.choices(list(shares), list(shares.values()))[0]
                with suppress(psutil.NoSuchProcess):
                    found = victims(company, rng)
                    for process in found:
                        company.kill(process)
                    killed[victims.__name__.replace("_", " ")] += bool(found)
        return Tries(killed.total(), ", ".join(f"{name} {count}" for name, count in sorted(killed.items())))

    return kill


def _one(found: Sequence[psutil.Process], rng: random.Random) -> Sequence[psutil.Process]:
    return [rng.choice(found)] if found else []


def _children(process: psutil.Process) -> list[psutil.Process]:
    with suppress(psutil.NoSuchProcess):
        return process.children()
    return []
