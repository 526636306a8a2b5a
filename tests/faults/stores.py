"""The database and Redis at fault: flushed, killed and started again, connections cut in mid-transaction."""

import random
import time

import psycopg
from redis import Redis, RedisError

from tests.faults.company import Company
from tests.faults.tries import Tries

_CUT = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() AND xact_start IS NOT NULL
"""
_CUT_ALL = _CUT.replace(" AND xact_start IS NOT NULL", "")
_TAKE_LOCKS = """
SELECT count(pg_terminate_backend(pid)) FROM pg_locks WHERE locktype = 'advisory' AND granted
"""
_MOST_SECONDS = 40.0


def flush_redis(company: Company, rng: random.Random, times: int) -> Tries:
    """FLUSHALL, under load."""
    done, until = 0, time.monotonic() + _MOST_SECONDS
    with company.under_load(rng, 3), Redis.from_url(company.settings.redis) as client:
        while done < times and time.monotonic() < until:
            time.sleep(rng.uniform(0.2, 1.0))
            try:
                client.flushall()
                done += 1
            except RedisError:
                client.close()
    return Tries(done)


def restart_redis(company: Company, rng: random.Random, times: int) -> Tries:
    """`kill -9` of the Redis server, which keeps nothing, and back after up to two seconds."""
    assert company.redis
    with company.under_load(rng, 3):
        for _ in range(times):
            time.sleep(rng.uniform(0.5, 2.0))
            company.redis.kill()
            time.sleep(rng.uniform(0.1, 2.0))
            company.redis.start()
    return Tries(times)


def restart_postgresql(company: Company, rng: random.Random, times: int) -> Tries:
    """`kill -9` of the whole PostgreSQL server, which then recovers what was committed."""
    assert company.postgres
    with company.under_load(rng, 3):
        for _ in range(times):
            time.sleep(rng.uniform(0.5, 3.0))
            company.postgres.kill()
            time.sleep(rng.uniform(0.1, 2.0))
            company.postgres.start()
    return Tries(times)


def cut_connections(company: Company, rng: random.Random, times: int) -> Tries:
    """`pg_terminate_backend` for whoever is in a transaction; counts the connections that were cut."""
    cut, idle = _terminate(company, rng, times, _CUT, most_pause=0.05, in_the_end=_CUT_ALL)
    return Tries(cut + idle, f"{cut} in a transaction, {idle} between two")


def take_locks_away(company: Company, rng: random.Random, times: int) -> Tries:
    """`pg_terminate_backend` for whoever holds a lock, and goes on with it lost; counts the locks."""
    taken, more = _terminate(company, rng, times, _TAKE_LOCKS, most_pause=0.4, in_the_end=_TAKE_LOCKS)
    return Tries(taken + more)


def _terminate(
    company: Company, rng: random.Random, times: int, whom: str, *, most_pause: float, in_the_end: str
) -> tuple[int, int]:
    """Under load, until so many connections were cut or the time is over; how many, and how many at last."""
    assert company.postgres
    deadline = time.monotonic() + _MOST_SECONDS
    with company.under_load(rng, 3), psycopg.connect(company.postgres.url, autocommit=True) as connection:

        def cut(statement: str) -> int:
            row = connection.execute(statement).fetchone()
            return int(row[0]) if row else 0

        total = 0
        while total < times and time.monotonic() < deadline:
            total += cut(whom)
            time.sleep(rng.uniform(0.0, most_pause))
        return total, cut(in_the_end)
