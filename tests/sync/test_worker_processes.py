"""Real worker and scheduler processes, which are stopped and killed."""

import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import psutil
import pytest
import redis

from sync import worker
from sync.sage import embedded_company
from sync.schedule import CronJob, Scheduler, periodic_jobs
from sync.work_queue import Work, WorkQueue
from tests import factories
from tests.processes import kill
from tests.servers import RedisServer
from tests.sync import company_at_work as work
from tests.sync.company_at_work import YARD
from workflow.database import Database
from workflow.settings import Settings
from workflow.vocabulary import Event

_DEADLINE_SECONDS = 120.0
SLOW = Work("data_sync", "sync", "tests.sync.slow_work.sync_slowly")
once = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


TOLD_WHILE_IT_WRITES = """
import io, signal, sys

class Log(io.StringIO):
    told = False

    def write(self, line):
        if "started with PID" in line and not self.told:
            self.told = True
            signal.raise_signal(signal.SIGTERM)
        return len(line)

sys.stdout = Log()
"""


@contextmanager
def process(entry: str, *queues: str, first: str = "") -> Iterator[psutil.Popen]:
    """A worker or scheduler process, with the settings of this process' environment."""
    program = first + (
        "import sys; import sync.worker; from workflow.settings import read_settings; "
        # it looks after the work in hand each second, and not every fifth
        "sync.worker._MONITORING_SECONDS = 1; "
        f"sync.worker.{entry}(read_settings(), *([sys.argv[1:]] if sys.argv[1:] else []))"
    )
    with psutil.Popen([sys.executable, "-c", program, *queues]) as running:
        try:
            yield running
        finally:
            kill(running)


def soon(happens: Callable[[], bool]) -> bool:
    """Whether something comes true before the deadline."""
    deadline = time.monotonic() + _DEADLINE_SECONDS
    while not happens():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


@pytest.fixture
def schedule(settings: Settings, database: Database) -> Callable[[datetime], None]:
    """One tick of a scheduler, at any time."""
    jobs = tuple(job for job in periodic_jobs(settings) if isinstance(job, CronJob))
    scheduler = Scheduler(database, WorkQueue(settings.redis), jobs)
    return scheduler.tick


@once
def test_a_scheduler_process_and_a_worker_process_do_the_work_of_the_schedule(
    settings: Settings, database: Database
) -> None:
    work.accept_everything(database)

    with process("run_scheduler") as scheduler, process("run_worker", "sync"):
        assert soon(lambda: work.batches(database) != [] and not work.undone(database))
        scheduler.send_signal(signal.SIGTERM)

        assert scheduler.wait(_DEADLINE_SECONDS) == 0
    work.assert_all_is_well(database, embedded_company(settings), work.JOBS, "the schedule")


@once
def test_a_worker_that_is_idle_ends_when_it_is_told_to(settings: Settings, redis_client: redis.Redis) -> None:
    with process("run_worker", "sync") as idle:
        assert soon(lambda: redis_client.scard("rq:workers") == 1)
        idle.send_signal(signal.SIGTERM)

        assert idle.wait(_DEADLINE_SECONDS) == 0


@once
def test_a_worker_that_is_told_to_end_while_it_writes_a_log_line_ends(settings: Settings) -> None:
    with process("run_worker", "sync", first=TOLD_WHILE_IT_WRITES) as starting:
        assert starting.wait(_DEADLINE_SECONDS) == 0


@pytest.fixture
def slow_work(settings: Settings, database: Database) -> Callable[[], None]:
    """Starts a data sync in a worker that stands still once Sage has the batch; returns when it does."""
    work.accept_everything(database)

    def start() -> None:
        WorkQueue(settings.redis).put(SLOW)
        assert soon((settings.data_dir / "standing").exists)

    return start


@once
def test_a_worker_that_is_told_to_end_finishes_what_it_has_in_hand(
    settings: Settings, database: Database, slow_work: Callable[[], None]
) -> None:
    with process("run_worker", "sync") as busy:
        slow_work()
        busy.send_signal(signal.SIGTERM)
        assert work.states(database, YARD) == ["accepted"]
        (settings.data_dir / "go").touch()

        assert busy.wait(_DEADLINE_SECONDS) == 0

    work.assert_all_is_well(database, embedded_company(settings), work.JOBS, "told to end")


@once
def test_a_worker_that_is_told_to_end_again_cuts_off_what_it_has_in_hand(
    settings: Settings, database: Database, slow_work: Callable[[], None]
) -> None:
    with process("run_worker", "sync") as busy:
        slow_work()
        [horse] = busy.children()

        def ends_when_told() -> bool:
            if horse.is_running():  # a worker that is ending takes no more signals
                busy.send_signal(signal.SIGTERM)
            try:
                busy.wait(2)  # RQ takes a signal within a second of another for the same
            except psutil.TimeoutExpired:
                return False
            return True

        assert not ends_when_told()
        assert soon(ends_when_told)
        assert not horse.is_running()

    assert busy.returncode == 0
    assert work.states(database, YARD) == ["accepted"]


def test_a_worker_killed_alone_leaves_its_work_running_and_nobody_else_does_it_too(
    settings: Settings, database: Database, slow_work: Callable[[], None]
) -> None:
    work.ask(database)
    with process("run_worker", "sync") as killed:
        slow_work()
        [horse] = killed.children()
        killed.kill()
        killed.wait()

        worker.data_sync()
        assert horse.is_running()
        assert work.undone(database)
        (settings.data_dir / "go").touch()
        assert soon(lambda: work.states(database, YARD) == ["synced"])

    with database.exclusive("data_sync", wait_seconds=_DEADLINE_SECONDS):
        pass  # the work-horse is through
    worker.data_sync()
    assert not work.undone(database)
    work.assert_all_is_well(database, embedded_company(settings), work.JOBS, "killed alone")
    assert work.batches(database) == ["DS000001"]


def test_what_a_worker_killed_with_all_it_had_in_hand_left_is_finished_by_another(
    settings: Settings,
    database: Database,
    slow_work: Callable[[], None],
    schedule: Callable[[datetime], None],
) -> None:
    with process("run_worker", "sync") as killed:
        slow_work()
        schedule(factories.NINE)
        kill(killed)
    assert work.states(database, YARD) == ["accepted"]
    with redis.Redis.from_url(settings.redis) as client:
        client.flushall()

    with process("run_worker", "sync"):
        schedule(factories.NINE + timedelta(seconds=61))
        assert soon(lambda: not work.undone(database))

    work.assert_all_is_well(database, embedded_company(settings), work.JOBS, "killed with its work")
    assert work.batches(database) == ["DS000001"]
    assert work.events(database).count(Event.SYNC_STARTED) == 1


@once
def test_the_heart_of_a_worker_beats_while_work_is_in_hand(
    settings: Settings, slow_work: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    heartbeat = settings.data_dir / "heartbeat"
    monkeypatch.setenv("COSTBOT_HEARTBEAT", str(heartbeat))
    with process("run_worker", "sync"):
        slow_work()
        heartbeat.unlink()

        assert soon(heartbeat.exists)
        (settings.data_dir / "go").touch()


@once
def test_a_worker_that_cannot_touch_its_heartbeat_works_on(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    work.accept_everything(database)
    work.ask(database)
    monkeypatch.setenv("COSTBOT_HEARTBEAT", str(tmp_path / "nowhere" / "heartbeat"))
    WorkQueue(settings.redis).put(Work("data_sync", "sync", "sync.worker.data_sync"))

    with process("run_worker", "sync"):
        assert soon(lambda: not work.undone(database))


@once
def test_a_worker_outlives_a_restart_of_redis(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    work.accept_everything(database)
    with RedisServer() as server:
        monkeypatch.setenv("COSTBOT_REDIS_URL", server.url)
        queue = WorkQueue(server.url)
        with process("run_worker", "sync") as survivor, redis.Redis.from_url(server.url) as client:
            assert soon(lambda: client.scard("rq:workers") == 1)
            server.kill()
            server.start()
            work.ask(database)
            queue.put(Work("data_sync", "sync", "sync.worker.data_sync"))

            assert soon(lambda: not work.undone(database))
            assert survivor.is_running()
        queue.close()
    work.assert_all_is_well(database, embedded_company(settings), work.JOBS, "restart of Redis")
