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
    assert company.postgres
    cut, deadline = 0, time.monotonic() + _MOST_SECONDS
    with company.under_load(rng, 3), psycopg.connect(company.postgres.url, autocommit=True) as connection:
        while cut < times and time.monotonic() < deadline:
            row = connection.execute(_CUT).fetchone()
            cut += row[0] if row else 0
            time.sleep(rng.uniform(0.0, 0.05))
        row = connection.execute(_CUT_ALL).fetchone()
        idle = row[0] if row else 0
    return Tries(cut + idle, f"{cut} in a transaction, {idle} between two")


def take_locks_away(company: Company, rng: random.Random, times: int) -> Tries:
    """`pg_terminate_backend` for whoever holds a lock, and goes on with it lost; counts the locks."""
    assert company.postgres
    taken, deadline = 0, time.monotonic() + _MOST_SECONDS
    with company.under_load(rng, 3), psycopg.connect(company.postgres.url, autocommit=True) as connection:
        while taken < times and time.monotonic() < deadline:
            row = connection.execute(_TAKE_LOCKS).fetchone()
            taken += row[0] if row else 0
            time.sleep(rng.uniform(0.0, 0.4))
    return Tries(taken)
