"""Counts of what all processes do, added up in Redis: calls of Slack and Procore, runs of the data sync.

They serve metrics and decide nothing: a flushed Redis starts them anew at nothing, as a counter of Prometheus
may. A process counts in memory and brings what is new, so that counting costs no round trip.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import structlog
from redis import Redis, RedisError

Count = tuple[str, ...]
"""What is counted: its name, then the values of its labels."""
Counts = Mapping[Count, float]

SLACK_CALLS = "slack_calls"
"""With method and outcome."""
PROCORE_CALLS = "procore_calls"
"""With method and outcome."""
SYNC_RUNS = "data_sync_runs"
"""With outcome."""
SYNC_SECONDS = "data_sync_seconds"

_KEY = "costbot:tally"
_BETWEEN = "\t"
_ANSWER_SECONDS = 1.0
_BRING_SECONDS = 5.0
_LONGEST_FIELD = 200
_log = structlog.get_logger()


def add(redis_url: str, counts: Counts) -> bool:
    """Add these to the counts of all processes; False when Redis does not answer."""
    if not counts:
        return True
    try:
        with _connected(redis_url) as client, client.pipeline() as together:
            for count, number in counts.items():
                together.hincrbyfloat(_KEY, _BETWEEN.join(count)[:_LONGEST_FIELD], number)
            together.execute()
    except RedisError as error:
        _log.debug("counts could not be brought to Redis", error=str(error))
        return False
    return True


def add_run(redis_url: str, outcome: str, seconds: float) -> None:
    """Count a run of the data sync."""
    add(redis_url, {(SYNC_RUNS, outcome): 1, (SYNC_SECONDS,): seconds})


def read(redis_url: str) -> dict[Count, float]:
    """The counts of all processes. Raises `redis.RedisError`."""
    with _connected(redis_url) as client:
        kept: Mapping[bytes, bytes] = client.hgetall(_KEY)
    return {tuple(field.decode().split(_BETWEEN)): float(number) for field, number in kept.items()}


@contextmanager
def bringing(redis_url: str, counted: Callable[[], Counts]) -> Iterator[None]:
    """Bring what `counted` tells, which only grows, every few seconds and at the end of the block."""
    brought: dict[Count, float] = {}
    end = threading.Event()

    def bring() -> None:
        now = dict(counted())
        new = {count: number - brought.get(count, 0) for count, number in now.items()}
        if add(redis_url, {count: number for count, number in new.items() if number}):
            brought.update(now)

    def keep_bringing() -> None:
        while not end.wait(_BRING_SECONDS):
            bring()
        bring()

    thread = threading.Thread(target=keep_bringing, name="tally", daemon=True)
    thread.start()
    try:
        yield
    finally:
        end.set()
        thread.join()


def _connected(redis_url: str) -> Redis:
    return Redis.from_url(redis_url, socket_connect_timeout=_ANSWER_SECONDS, socket_timeout=_ANSWER_SECONDS)
