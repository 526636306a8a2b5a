"""The schedule: no slot missed, none doubled, whatever happens to schedulers and Redis."""

import importlib
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
import redis
from sqlalchemy import select

from sync.schedule import LOST_AFTER, CronJob, PeriodicJob, Scheduler, Sweep, periodic_jobs
from sync.work_queue import Work, WorkQueue
from tests import factories
from tests.servers import PostgresServer, RedisServer
from tests.sync.test_work_queue import names
from workflow import slots
from workflow.database import Database, migrate
from workflow.settings import Settings
from workflow.tables import ScheduleSlot

HOURLY = CronJob(Work("hourly", "sync", "tests.sync.test_work_queue.nothing"), "0 * * * *")
NIGHTLY = CronJob(Work("nightly", "sync", "tests.sync.test_work_queue.nothing"), "30 2 * * *")
SWEEP = Sweep(Work("sweep", "notices", "tests.sync.test_work_queue.nothing"), timedelta(seconds=10))


def at(hour: int, minute: int = 0, second: int = 0) -> datetime:
    return datetime(2026, 11, 2, hour, minute, second, tzinfo=UTC)


@pytest.fixture
def queue(redis_url: str) -> Iterator[WorkQueue]:
    queue = WorkQueue(redis_url)
    yield queue
    queue.close()


@pytest.fixture
def scheduler(database: Database, queue: WorkQueue) -> Callable[..., Scheduler]:
    """Another scheduler on the same database and Redis."""

    def another(*jobs: PeriodicJob) -> Scheduler:
        return Scheduler(database, queue, jobs or (HOURLY,))

    return another


def due(database: Database, name: str = "hourly") -> list[datetime]:
    """The slots on record."""
    with database.reading() as session:
        query = select(ScheduleSlot.due_at).where(ScheduleSlot.name == name).order_by(ScheduleSlot.due_at)
        return list(session.scalars(query))


def work_off(database: Database, client: redis.Redis, now: datetime) -> list[str]:
    """What a worker does: takes all that waits, and finishes the slots that are due."""
    taken = names(client, "sync")
    client.delete("rq:queue:sync")
    with database.writing() as session:
        for name in set(taken):
            slots.done(session, name, now, at=now)
    return taken


def test_the_table_names_each_job_once_and_functions_that_exist() -> None:
    jobs = periodic_jobs(Settings(sync_cron="*/15 * * * *", _env_file=None))

    assert [job.work.name for job in jobs] == ["data_sync", "remind", "tidy", "deliver"]
    assert isinstance(jobs[0], CronJob)
    assert jobs[0].cron == "*/15 * * * *"
    for job in jobs:
        module, _, function = job.work.function.rpartition(".")
        assert callable(getattr(importlib.import_module(module), function))


def test_the_channel_gets_a_report_by_the_schedule_that_is_set() -> None:
    jobs = periodic_jobs(Settings(report_cron="0 8 * * 1", _env_file=None))
    [report] = [job for job in jobs if job.work.name == "report"]
    assert isinstance(report, CronJob)
    assert report.cron == "0 8 * * 1"
    module, _, function = report.work.function.rpartition(".")
    assert callable(getattr(importlib.import_module(module), function))


def test_a_due_slot_is_put_into_the_queue_once(
    scheduler: Callable[..., Scheduler], database: Database, redis_client: redis.Redis
) -> None:
    one = scheduler(HOURLY, NIGHTLY)
    for second in range(5):
        one.tick(at(9, 0, second))

    assert due(database) == [at(9)]
    assert due(database, "nightly") == [at(2, 30)]
    assert sorted(names(redis_client, "sync")) == ["hourly", "nightly"]


def test_every_hour_has_its_slot(
    scheduler: Callable[..., Scheduler], database: Database, redis_client: redis.Redis
) -> None:
    one = scheduler()
    worked = []
    for minute in range(0, 181, 20):
        now = at(9) + timedelta(minutes=minute)
        one.tick(now)
        worked.append(work_off(database, redis_client, now))

    assert due(database) == [at(9), at(10), at(11), at(12)]
    assert worked == [["hourly"], [], [], ["hourly"], [], [], ["hourly"], [], [], ["hourly"]]


def test_after_a_downtime_the_latest_slot_runs_and_stands_for_those_before(
    scheduler: Callable[..., Scheduler], database: Database, redis_client: redis.Redis
) -> None:
    scheduler().tick(at(9, 5))
    work_off(database, redis_client, at(9, 5))

    scheduler().tick(at(13, 30))

    assert due(database) == [at(9), at(13)]
    assert work_off(database, redis_client, at(13, 30)) == ["hourly"]


def test_a_restarted_scheduler_repeats_nothing(
    scheduler: Callable[..., Scheduler], database: Database, redis_client: redis.Redis
) -> None:
    scheduler().tick(at(9, 5))
    work_off(database, redis_client, at(9, 5))

    scheduler().tick(at(9, 59))

    assert due(database) == [at(9)]
    assert names(redis_client, "sync") == []


def test_several_schedulers_at_once_double_nothing(
    scheduler: Callable[..., Scheduler], database: Database, redis_client: redis.Redis
) -> None:
    several = [scheduler(HOURLY, SWEEP) for _ in range(4)]
    for hour in (9, 10, 11):
        barrier = threading.Barrier(len(several))

        def tick(one: Scheduler, now: datetime, barrier: threading.Barrier) -> None:
            barrier.wait(120)
            one.tick(now)

        threads = [threading.Thread(target=tick, args=(one, at(hour), barrier)) for one in several]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert names(redis_client, "notices") == ["sweep"]
        assert work_off(database, redis_client, at(hour)) == ["hourly"]

    assert due(database) == [at(9), at(10), at(11)]


def test_what_a_flushed_redis_lost_is_put_there_again(
    scheduler: Callable[..., Scheduler], database: Database, redis_client: redis.Redis
) -> None:
    one = scheduler()
    one.tick(at(9))
    redis_client.flushall()

    one.tick(at(9) + LOST_AFTER)
    assert names(redis_client, "sync") == []
    one.tick(at(9) + LOST_AFTER + timedelta(seconds=1))

    assert names(redis_client, "sync") == ["hourly"]
    assert due(database) == [at(9)]


def test_after_a_clock_that_was_ahead_is_set_back_slots_and_sweeps_go_on(
    scheduler: Callable[..., Scheduler], database: Database, redis_client: redis.Redis
) -> None:
    one = scheduler(HOURLY, SWEEP)
    for now in (at(9), at(14)):
        one.tick(now)
        work_off(database, redis_client, now)
        redis_client.delete("rq:queue:notices")

    one.tick(at(9, 0, 5))
    assert names(redis_client, "notices") == ["sweep"]
    one.tick(at(10))

    assert names(redis_client, "sync") == ["hourly"]
    assert due(database) == [at(9), at(10), at(14)]


def test_what_is_done_is_not_put_there_again(
    scheduler: Callable[..., Scheduler], database: Database, redis_client: redis.Redis
) -> None:
    one = scheduler()
    one.tick(at(9))
    work_off(database, redis_client, at(9))
    redis_client.flushall()

    one.tick(at(9, 10))

    assert names(redis_client, "sync") == []


def test_a_slot_that_came_due_while_redis_was_away_is_put_there_once_it_is_back(database: Database) -> None:
    with RedisServer() as server:
        queue = WorkQueue(server.url)
        one = Scheduler(database, queue, (HOURLY,))
        one.tick(at(9))
        server.kill()
        with pytest.raises(redis.RedisError):
            one.tick(at(10))
        assert due(database) == [at(9), at(10)]
        server.start()

        one.tick(at(10, 5))

        with redis.Redis.from_url(server.url) as client:
            assert work_off(database, client, at(10, 5)) == ["hourly"]
        queue.close()


def test_a_run_asked_for_by_a_person_is_put_into_the_queue_at_the_next_tick(
    scheduler: Callable[..., Scheduler], database: Database, redis_client: redis.Redis
) -> None:
    one = scheduler()
    one.tick(at(9))
    work_off(database, redis_client, at(9))
    with database.writing() as session:
        approver = factories.approver(session)
        slots.ask_now(session, "hourly", by=factories.actor(approver), at=at(9, 20))

    one.tick(at(9, 20, 1))

    assert names(redis_client, "sync") == ["hourly"]


def test_a_slot_of_a_job_that_is_no_longer_in_the_table_is_left_alone(
    scheduler: Callable[..., Scheduler], database: Database, redis_client: redis.Redis
) -> None:
    scheduler(NIGHTLY).tick(at(9))
    redis_client.flushall()

    scheduler(HOURLY).tick(at(9, 30))

    assert names(redis_client, "sync") == ["hourly"]


def test_a_sweep_is_put_into_the_queue_every_ten_seconds(
    scheduler: Callable[..., Scheduler], redis_client: redis.Redis
) -> None:
    one = scheduler(SWEEP)
    found = []
    for second in range(0, 31, 5):
        one.tick(at(9, 0, second))
        found.append(names(redis_client, "notices"))
        redis_client.delete("rq:queue:notices")

    assert found == [["sweep"], [], ["sweep"], [], ["sweep"], [], ["sweep"]]


class Clock:
    """Time that passes in pauses; something happens at some of them, and the last one says stop."""

    def __init__(self, *happens: Callable[[], object]) -> None:
        self.now = at(9)
        self.pauses: list[float] = []
        self._happens = list(happens)

    def __call__(self) -> datetime:
        return self.now

    def pause(self, seconds: float) -> bool:
        self.pauses.append(seconds)
        self.now += timedelta(seconds=seconds)
        if not self._happens:
            return True
        self._happens.pop(0)()
        return False


def nothing() -> None:
    """Nothing happens."""


def test_the_loop_waits_ever_longer_for_redis_and_goes_on(database: Database) -> None:
    with RedisServer() as server:
        queue = WorkQueue(server.url)
        clock = Clock(nothing, server.kill, nothing, nothing, nothing, server.start, nothing)
        beats: list[float] = []

        Scheduler(database, queue, (HOURLY, Sweep(SWEEP.work, timedelta()))).run(
            clock, clock.pause, lambda: beats.append((clock.now - at(9)).total_seconds())
        )

        assert clock.pauses == [0, 1, 2, 4, 8, 16, 1, 1]
        assert beats == [0, 31, 32]
        with redis.Redis.from_url(server.url) as client:
            assert names(client, "notices") == ["sweep"]
        queue.close()


def test_the_loop_waits_for_a_database_that_went_away_and_misses_nothing(
    redis_url: str, redis_client: redis.Redis
) -> None:
    with PostgresServer() as server:
        migrate(server.url)
        database, queue = Database(server.url), WorkQueue(redis_url)
        clock = Clock(nothing, server.kill, nothing, server.start)

        Scheduler(database, queue, (HOURLY,)).run(clock, clock.pause)

        assert clock.pauses == [0, 1, 2, 4, 1]
        assert due(database) == [at(9)]
        assert names(redis_client, "sync") == ["hourly"]
        database.close()
        queue.close()
