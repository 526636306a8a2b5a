"""Work in Redis: one waiting piece of each kind, as JSON."""

import json
import threading
import zlib

import pytest
import redis
from rq import Queue, SimpleWorker
from rq.serializers import JSONSerializer

from sync.work_queue import Work, WorkQueue
from tests.servers import RedisServer

SWEEP = Work("sweep", "notices", "tests.sync.test_work_queue.nothing")
OTHER = Work("sweep-up", "notices", "tests.sync.test_work_queue.nothing")


def nothing() -> None:
    """Work that is done at once."""


def names(client: redis.Redis, queue: str) -> list[str]:
    """The names of the work that waits, in its order."""
    jobs = Queue(queue, connection=client, serializer=JSONSerializer).get_job_ids()
    return [job_id.rpartition("-")[0] for job_id in jobs]


def test_work_that_waits_already_is_not_doubled(redis_url: str, redis_client: redis.Redis) -> None:
    queue = WorkQueue(redis_url)
    for work in (SWEEP, OTHER, SWEEP, OTHER, SWEEP):
        queue.put(work)

    assert names(redis_client, "notices") == ["sweep", "sweep-up"]


def test_many_who_put_the_same_work_at_once_put_it_once(redis_url: str, redis_client: redis.Redis) -> None:
    barrier = threading.Barrier(12)

    def put() -> None:
        queue = WorkQueue(redis_url)
        barrier.wait(120)
        queue.put(SWEEP)
        queue.close()

    threads = [threading.Thread(target=put) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert names(redis_client, "notices") == ["sweep"]


def test_work_that_comes_while_the_same_is_running_waits_for_its_turn(
    redis_url: str, redis_client: redis.Redis
) -> None:
    queue = WorkQueue(redis_url)
    queue.put(SWEEP)
    redis_client.lpop("rq:queue:notices")  # what a worker does when it begins

    queue.put(SWEEP)

    assert names(redis_client, "notices") == ["sweep"]


def test_work_is_stored_as_json_and_forgotten_soon(redis_url: str, redis_client: redis.Redis) -> None:
    WorkQueue(redis_url).put(SWEEP)

    [key] = redis_client.keys("rq:job:*")
    job = redis_client.hgetall(key)
    data = job[b"data"]
    assert isinstance(data, bytes)
    assert json.loads(zlib.decompress(data)) == [SWEEP.function, None, [], {}]
    assert (job[b"result_ttl"], job[b"failure_ttl"]) == (b"60", b"3600")


def test_a_worker_does_what_was_put(redis_url: str, redis_client: redis.Redis) -> None:
    WorkQueue(redis_url).put(SWEEP)

    worker = SimpleWorker(["notices"], connection=redis_client, serializer=JSONSerializer)
    worker.work(burst=True, logging_level="WARNING")

    assert (worker.successful_job_count, worker.failed_job_count) == (0, 0)
    worker.refresh()  # type: ignore[no-untyped-call]
    assert (worker.successful_job_count, worker.failed_job_count) == (1, 0)


def test_a_connection_that_a_restart_of_redis_cut_is_made_again() -> None:
    with RedisServer() as server:
        queue = WorkQueue(server.url)
        queue.put(SWEEP)
        server.kill()
        with pytest.raises(redis.RedisError):
            queue.put(SWEEP)
        server.start()

        queue.put(SWEEP)

        with redis.Redis.from_url(server.url) as client:
            assert names(client, "notices") == ["sweep"]
        queue.close()
