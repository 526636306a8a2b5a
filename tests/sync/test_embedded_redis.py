"""The embedded Redis: one server for all who want it, which ends with whoever keeps it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
import pytest
import redis

from sync.embedded_redis import EmbeddedRedisError, embedded_redis
from workflow.settings import Settings

_DEADLINE_SECONDS = 90.0


def settings_in(folder: Path, redis_url: str | None = None) -> Settings:
    return Settings(data_dir=folder, redis_url=redis_url, _env_file=None)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_in(tmp_path / "data")


@pytest.fixture
def client(settings: Settings) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(settings.redis) as client:
        yield client


def server_pid(client: redis.Redis) -> int:
    return int(client.info("server")["process_id"])


def soon(happens: Callable[[], bool]) -> bool:
    """Whether something comes true before the deadline."""
    deadline = time.monotonic() + _DEADLINE_SECONDS
    while time.monotonic() < deadline:
        try:
            if happens():
                return True
        except redis.RedisError:
            pass
        time.sleep(0.02)
    return False


def lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@contextmanager
def another_process(settings: Settings) -> Iterator[subprocess.Popen[str]]:
    """A process that wants the embedded Redis too, until its standard input closes."""
    program = """
import sys
from sync.embedded_redis import embedded_redis
from workflow.settings import read_settings
with embedded_redis(read_settings()):
    print("up", flush=True)
    sys.stdin.read()
"""
    environment = {**os.environ, "COSTBOT_DATA_DIR": str(settings.data_dir)}
    with subprocess.Popen(
        [sys.executable, "-c", program],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "up\n"
        try:
            yield process
        finally:
            process.kill()


def test_it_runs_for_the_length_of_the_block_and_needs_no_tcp_port(
    settings: Settings, client: redis.Redis
) -> None:
    with embedded_redis(settings):
        client.set("work", "in hand")
        pid = server_pid(client)
        assert psutil.Process(pid).net_connections("inet") == []

    assert not lives(pid)
    with pytest.raises(redis.ConnectionError):
        client.ping()


def test_nobody_else_may_use_its_socket(settings: Settings) -> None:
    with embedded_redis(settings):
        assert settings.redis_socket.stat().st_mode & 0o077 == 0


def test_it_keeps_nothing_from_one_time_to_the_next(settings: Settings, client: redis.Redis) -> None:
    with embedded_redis(settings):
        client.set("work", "in hand")
    with embedded_redis(settings):
        assert client.dbsize() == 0


def test_a_redis_that_is_set_is_used_and_none_is_started(tmp_path: Path) -> None:
    with embedded_redis(settings_in(tmp_path / "data", redis_url="redis://127.0.0.1:1/0")):
        assert not (tmp_path / "data").exists()


def test_a_folder_with_a_space_and_letters_beyond_ascii_will_do(tmp_path: Path) -> None:
    settings = settings_in(tmp_path / "my dätà")

    with embedded_redis(settings), redis.Redis.from_url(settings.redis) as client:
        assert client.ping()
        assert settings.redis_socket.parent == tmp_path / "my dätà"


def test_a_folder_whose_path_is_too_long_for_a_socket_gets_a_private_one_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = Path("/tmp") / f"costbot-test-{os.getpid()}"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    settings = settings_in(tmp_path / ("long" * 25))

    with ExitStack() as undo:
        undo.callback(temporary.rmdir)
        with embedded_redis(settings), redis.Redis.from_url(settings.redis) as client:
            assert client.ping()
        folder = settings.redis_socket.parent
        undo.callback(folder.rmdir)
        assert folder.parent == temporary
        assert folder.stat().st_mode & 0o777 == 0o700

        folder.chmod(0o755)
        with pytest.raises(EmbeddedRedisError, match="open to others"), embedded_redis(settings):
            pass


def test_a_server_that_is_killed_is_started_again(settings: Settings, client: redis.Redis) -> None:
    with embedded_redis(settings):
        first = server_pid(client)
        os.kill(first, signal.SIGKILL)

        assert soon(lambda: server_pid(client) != first)


def test_two_processes_share_one_server(settings: Settings, client: redis.Redis) -> None:
    with embedded_redis(settings):
        pid = server_pid(client)
        with another_process(settings):
            assert server_pid(client) == pid
        assert server_pid(client) == pid


def test_a_process_that_waits_takes_over_when_the_keeper_stops(
    settings: Settings, client: redis.Redis
) -> None:
    with ExitStack() as keeper:
        keeper.enter_context(embedded_redis(settings))
        first = server_pid(client)
        with another_process(settings):
            keeper.close()
            assert not lives(first)

            assert soon(client.ping)
            second = server_pid(client)
    assert soon(lambda: not lives(second))


def test_a_keeper_that_is_killed_takes_its_server_along_and_the_next_one_begins(
    settings: Settings, client: redis.Redis
) -> None:
    with another_process(settings) as keeper:
        first = server_pid(client)
        with embedded_redis(settings):
            keeper.kill()

            assert soon(lambda: server_pid(client) != first)
            assert soon(lambda: not lives(first))


def test_a_keeper_that_is_killed_alone_leaves_no_server(settings: Settings, client: redis.Redis) -> None:
    with another_process(settings) as keeper:
        pid = server_pid(client)
        keeper.kill()

        assert soon(lambda: not lives(pid))


def test_the_server_holds_the_lock_so_that_the_next_one_begins_after_its_end(
    settings: Settings, client: redis.Redis
) -> None:
    # in a process of its own, where the lock gets one of the lowest file descriptors
    with another_process(settings):
        held = {file.path for file in psutil.Process(server_pid(client)).open_files()}

    assert str(settings.data_dir / "redis.lock") in held


def test_a_server_that_lost_both_its_shells_is_ended_before_the_next_one(
    settings: Settings, client: redis.Redis
) -> None:
    with embedded_redis(settings):
        first = server_pid(client)
        shell = psutil.Process(first).parent()
        assert shell
        assert soon(lambda: len(shell.children()) > 1)
        watch = next(child for child in shell.children() if child.pid != first)
        watch.kill()
        shell.kill()

        assert soon(lambda: server_pid(client) != first)
        assert not lives(first)


def test_a_server_that_cannot_start_is_told_with_its_own_words_and_the_mend(settings: Settings) -> None:
    (settings.redis_socket / "in the way").mkdir(parents=True)

    words = r"Unix socket.*redis\.log.*COSTBOT_REDIS_URL"
    with pytest.raises(EmbeddedRedisError, match=words), embedded_redis(settings):
        pass


def test_a_folder_that_cannot_be_made_is_told_with_the_mend(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    settings = settings_in(tmp_path / "file" / "data")
    with (
        pytest.raises(EmbeddedRedisError, match=r"has no folder.*COSTBOT_REDIS_URL"),
        embedded_redis(settings),
    ):
        pass


def test_the_machine_s_own_server_is_taken_before_the_one_of_the_package(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "redis-server"
    own.write_text('#!/bin/sh\necho "the machine\'s own"\nexit 1\n')
    own.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    with pytest.raises(EmbeddedRedisError, match="the machine's own"), embedded_redis(settings):
        pass
