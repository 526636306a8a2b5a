"""When periodic jobs run: the one table of them, and the loop that puts due ones into the queue.

What is due is kept in the database (`workflow.slots`), so neither a flushed Redis nor a second
scheduler loses or doubles it. A sweep has no slot: it looks for work, and finding none is free.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from redis import RedisError
from sqlalchemy.exc import SQLAlchemyError

from sync.work_queue import Work, WorkQueue
from workflow import request_ids, slots
from workflow.database import Database
from workflow.request_ids import working_for
from workflow.settings import Settings, Source
from workflow.vocabulary import PeriodicWork, Queue

LOST_AFTER = timedelta(seconds=60)
"""A slot that was put into the queue so long ago and is not done is put there again: the job may just
take long (then the second one finds nothing to do), or a worker or Redis lost it."""

_TICK_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 30.0

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class CronJob:
    """Runs once for each due time of five cron fields, in UTC."""

    work: Work
    cron: str


@dataclass(frozen=True, slots=True)
class Sweep:
    """Looks every so often for work that nobody put into the queue."""

    work: Work
    every: timedelta


PeriodicJob = CronJob | Sweep


def periodic_jobs(settings: Settings) -> tuple[PeriodicJob, ...]:
    """The one table of periodic jobs."""
    report = Work(PeriodicWork.REPORT, Queue.SYNC, "sync.worker.report")
    jobs: tuple[PeriodicJob, ...] = (
        CronJob(Work(PeriodicWork.DATA_SYNC, Queue.SYNC, "sync.worker.data_sync"), settings.sync_cron),
        CronJob(Work(PeriodicWork.REMIND, Queue.SYNC, "sync.worker.remind"), settings.remind_cron),
        *([CronJob(report, settings.report_cron)] if settings.report_cron else []),
        CronJob(Work(PeriodicWork.TIDY, Queue.SYNC, "sync.worker.tidy"), "17 * * * *"),
        Sweep(
            Work(PeriodicWork.DELIVER, Queue.NOTICES, "bot.delivery.deliver_waiting"), timedelta(seconds=10)
        ),
    )
    if settings.source is Source.PROCORE:
        look = Work(PeriodicWork.PROCORE, Queue.SYNC, "sync.worker.procore")
        events = Work(PeriodicWork.PROCORE_EVENTS, Queue.SYNC, "sync.worker.procore_events")
        people = Work(PeriodicWork.PROCORE_PEOPLE, Queue.SYNC, "sync.worker.procore_people")
        jobs += (CronJob(people, settings.procore_people_cron),)
        jobs += (CronJob(look, settings.procore_cron), Sweep(events, timedelta(seconds=60)))
    return jobs


class Scheduler:
    """Takes due slots and puts their work into the queue; any number of them may run."""

    def __init__(self, database: Database, queue: WorkQueue, jobs: tuple[PeriodicJob, ...]) -> None:
        self._database = database
        self._queue = queue
        self._cron_jobs = [job for job in jobs if isinstance(job, CronJob)]
        self._sweeps = [job for job in jobs if isinstance(job, Sweep)]
        self._work = {job.work.name: job.work for job in jobs}
        # to ask the database and Redis less often; forgetting it changes nothing
        self._looked_at: dict[str, datetime] = {}
        self._swept_at: dict[str, datetime] = {}

    def run(
        self,
        clock: Callable[[], datetime],
        pause: Callable[[float], bool],
        beat: Callable[[], None] = lambda: None,
    ) -> None:
        """Tick until `pause` (given seconds) says to stop; an unreachable database or Redis is waited for.

        `beat` is called after each tick that reached both.
        """
        seconds = 0.0
        while not pause(seconds):
            try:
                self.tick(clock())
                beat()
                seconds = _TICK_SECONDS
            except (SQLAlchemyError, RedisError) as error:
                seconds = min(_LONGEST_PAUSE_SECONDS, max(_TICK_SECONDS, 2 * seconds))
                reason = str(error).partition("\n")[0]
                _log.warning("the scheduler cannot go on yet", error=reason, again_in=seconds)

    def tick(self, now: datetime) -> None:
        """Put into the queue what is due at `now` (aware) and not there."""
        self._take_due(now)
        self._put_waiting(now)
        self._sweep(now)

    def _take_due(self, now: datetime) -> None:
        for job in self._cron_jobs:
            name, due_at = job.work.name, slots.latest_due(job.cron, now)
            if self._looked_at.get(name) != due_at:
                with working_for(request_ids.new()), self._database.writing() as session:
                    slots.take(session, name, due_at, now=now)
                self._looked_at[name] = due_at

    def _put_waiting(self, now: datetime) -> None:
        with self._database.reading() as session:
            waiting = slots.waiting(session, now=now, lost_after=LOST_AFTER)
        for name in {slot.name for slot in waiting} & self._work.keys():
            self._queue.put(self._work[name])
            with self._database.writing() as session:
                for slot in waiting:
                    if slot.name == name:
                        slots.enqueued(session, slot, at=now)

    def _sweep(self, now: datetime) -> None:
        for sweep in self._sweeps:
            name = sweep.work.name
            since = now - self._swept_at[name] if name in self._swept_at else sweep.every
            # less than nothing: the clock was set back
            if not timedelta() <= since < sweep.every:
                self._queue.put(sweep.work)
                self._swept_at[name] = now
