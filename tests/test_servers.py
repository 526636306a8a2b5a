"""The servers that all other tests stand on: real, private to a test, and gone when their owner is."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import psycopg
import pytest
import redis
from sqlalchemy import create_engine, inspect

from tests.servers import PostgresServer, RedisServer, Server


def test_both_databases_have_the_same_tables(sqlite_url: str, postgres_url: str) -> None:
    sqlite, postgres = create_engine(sqlite_url), create_engine(postgres_url)
    tables = set(inspect(sqlite).get_table_names())

    assert tables == set(inspect(postgres).get_table_names())
    assert len(tables) > 5
    sqlite.dispose()
    postgres.dispose()


def test_a_test_sees_nothing_of_another_test_s_database(postgres_server: PostgresServer) -> None:
    with postgres_server.database(template="template0") as one, psycopg.connect(one) as connection:
        connection.execute("CREATE TABLE mark (id int)")
        connection.commit()
        with postgres_server.database(template="template0") as other, psycopg.connect(other) as stranger:
            assert stranger.execute("SELECT to_regclass('mark')").fetchone() == (None,)


def test_redis_starts_empty_for_each_test(redis_server: RedisServer, request: pytest.FixtureRequest) -> None:
    with redis.Redis.from_url(redis_server.url) as client:
        client.set("left", "over")
        request.getfixturevalue("redis_url")

        assert client.dbsize() == 0


def test_postgresql_keeps_what_was_committed_when_it_is_killed() -> None:
    with PostgresServer() as server:
        server.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        server.kill()
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(server.url)
        server.start()
        with psycopg.connect(server.url) as connection:
            assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)


def test_redis_forgets_everything_when_it_is_killed() -> None:
    with RedisServer() as server, redis.Redis.from_url(server.url) as client:
        client.set("work", "in hand")
        server.kill()
        with pytest.raises(redis.ConnectionError):
            client.ping()
        server.start()

        assert client.get("work") is None


@pytest.mark.parametrize("kind", [RedisServer, PostgresServer])
def test_a_server_that_was_stopped_leaves_nothing_behind(kind: Callable[[], Server]) -> None:
    with kind() as server:
        process = psutil.Process(server.pid)

    assert not process.is_running()
    assert not server.folder.exists()


@pytest.mark.parametrize("kind", ["RedisServer", "PostgresServer"])
def test_a_server_ends_when_its_owner_is_killed(kind: str) -> None:
    program = f"""
import time
from tests.servers import {kind}
with {kind}() as server:
    print(server.folder, flush=True)
    time.sleep(600)
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        folder = Path(owner.stdout.readline().strip())
        process = psutil.Process(int((folder / "pid").read_text()))
        owner.kill()

    deadline = time.monotonic() + 30
    while (process.is_running() or folder.exists()) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not process.is_running()
    assert not folder.exists()


def test_a_server_that_cannot_start_shows_its_log() -> None:
    server = RedisServer()
    (server.folder / "redis.sock").mkdir()  # stands where the socket should
    try:
        with pytest.raises(RuntimeError, match="Failed opening Unix socket"):
            server.start()
    finally:
        server.stop()
