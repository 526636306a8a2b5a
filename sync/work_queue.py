"""Work in Redis: which functions are to run, in RQ's queues; never the truth about what is due.

Owns everything that is said to RQ when work is put: serializer, time limits, one waiting piece of each.
"""

from dataclasses import dataclass
from uuid import uuid4

from redis import Redis
from redis.backoff import NoBackoff
from redis.client import Pipeline
from redis.retry import Retry
from rq import Queue
from rq.serializers import JSONSerializer
from rq.utils import as_text

_ANSWER_SECONDS = 3.0
_JOB_SECONDS = 3600
_RESULT_SECONDS = 60
_FAILURE_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Work:
    """A kind of work: its name, its queue, and the dotted name of a function without arguments."""

    name: str
    queue: str
    function: str


class WorkQueue:
    """Puts work into Redis. Every method may raise `redis.RedisError`, soon."""

    def __init__(self, redis_url: str) -> None:
        self._redis = Redis.from_url(
            redis_url,
            socket_connect_timeout=_ANSWER_SECONDS,
            socket_timeout=_ANSWER_SECONDS,
            retry=Retry(NoBackoff(), 1),  # one more try, for a connection that a restart cut
        )

    def put(self, work: Work) -> None:
        """Have the work done soon; nothing is added while it waits already.

        While it runs it is added, because what came in the meantime may have been missed.
        """
        queue = Queue(work.queue, connection=self._redis, serializer=JSONSerializer)

        def put_once(pipeline: Pipeline) -> None:
            waiting = {_name(job_id) for job_id in pipeline.lrange(queue.key, 0, -1)}
            pipeline.multi()
            if work.name not in waiting:
                queue.enqueue(
                    work.function,
                    job_id=f"{work.name}-{uuid4().hex}",
                    job_timeout=_JOB_SECONDS,
                    result_ttl=_RESULT_SECONDS,
                    failure_ttl=_FAILURE_SECONDS,
                    pipeline=pipeline,
                )

        self._redis.transaction(put_once, queue.key)

    def close(self) -> None:
        self._redis.close()


def _name(job_id: bytes | str) -> str:
    return str(as_text(job_id)).rpartition("-")[0]
