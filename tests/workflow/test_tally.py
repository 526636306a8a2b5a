"""Counts of many processes add up in Redis; without Redis nobody waits."""

from collections import Counter

import redis

from workflow import tally

CALL = (tally.SLACK_CALLS, "chat.postMessage", "ok")


def test_counts_add_up(redis_url: str) -> None:
    assert tally.read(redis_url) == {}
    for _ in range(2):
        assert tally.add(redis_url, {CALL: 2, (tally.SYNC_SECONDS,): 0.25})
    assert tally.read(redis_url) == {CALL: 4, (tally.SYNC_SECONDS,): 0.5}


def test_a_process_brings_what_is_new_when_it_ends(redis_url: str) -> None:
    counted: Counter[tuple[str, ...]] = Counter()
    for _ in range(2):
        with tally.bringing(redis_url, lambda: counted):
            counted[CALL] += 3
    assert tally.read(redis_url) == {CALL: 9}


def test_a_flushed_redis_starts_anew(redis_url: str, redis_client: redis.Redis) -> None:
    tally.add(redis_url, {CALL: 7})
    redis_client.flushall()
    tally.add(redis_url, {CALL: 1})
    assert tally.read(redis_url) == {CALL: 1}


def test_without_redis_counting_is_no_trouble() -> None:
    nowhere = "redis://127.0.0.1:1/0"
    assert not tally.add(nowhere, {CALL: 1})
    with tally.bringing(nowhere, lambda: {CALL: 1}):
        pass
