"""The processes that do periodic work: RQ entry points, worker, scheduler, and the nudge that wakes them.

Thin: an entry point reads from the database what is due, calls the use case and notes what is done.
It may be killed anywhere, run twice, or find nothing to do.
"""

import importlib
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from queue import Empty, SimpleQueue
from types import FrameType

import structlog
from redis import Redis, RedisError
from redis.client import Pipeline
from rq import Queue, Worker
from rq.exceptions import StopRequested
from rq.executions import Execution
from rq.job import Job
from rq.serializers import JSONSerializer
from sqlalchemy.orm import Session

from sync.data_sync import RunState, refresh_read_back, run
from sync.heartbeat import heart
from sync.sage import open_company
from sync.sage.company import SageBusyError, SageCompany, SageUnreachableError
from sync.schedule import Scheduler, periodic_jobs
from sync.work_queue import WorkQueue
from workflow import (
    deliveries,
    drafts,
    escalation,
    expiry,
    outbox,
    procore_requests,
    reminders,
    request_ids,
    slots,
    tally,
    tracing,
    waiting_steps,
)
from workflow import procore_events as kept_events
from workflow.database import Database
from workflow.privileges import SCHEDULE, Actor
from workflow.request_ids import working_for
from workflow.settings import Settings, Source, read_settings
from workflow.tables import Person, ScheduleSlot
from workflow.tracing import span
from workflow.vocabulary import PeriodicWork, Place

_KEEP = timedelta(days=30)
_REPORT_LATE = timedelta(days=1)
_RETRY_SECONDS = 2.0
_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)

# a killed worker is noticed after about a minute with these, and after a quarter of an hour with RQ's own
_WORKER_TTL_SECONDS = 25
_MAINTENANCE_SECONDS = 10
_MONITORING_SECONDS = 5

_log = structlog.get_logger()


def data_sync() -> None:
    """RQ entry point: run data syncs until no slot is left; nothing while another process runs one.

    That one sees, when it is through, the slots that came in the meantime.
    """
    _work_off(PeriodicWork.DATA_SYNC, _sync_once)


def remind() -> None:
    """RQ entry point: expire, escalate and remind of what has waited for long."""
    _work_off(PeriodicWork.REMIND, _look_at_what_waits)


def report() -> None:
    """RQ entry point: have the channel told of the last seven days."""
    _work_off(PeriodicWork.REPORT, _ask_for_report)


def procore() -> None:
    """RQ entry point: look in Procore for what changed."""
    _work_off(PeriodicWork.PROCORE, _look_in_procore)


def procore_people() -> None:
    """RQ entry point: read Procore's Company Directory."""
    _work_off(PeriodicWork.PROCORE_PEOPLE, _read_directory)


def procore_events() -> None:
    """RQ entry point: work on the webhooks that came from Procore."""
    from sync.procore.events import work_on_events

    settings = read_settings()
    with closing(Database(settings.database)) as database:
        if work_on_events(settings, database, open_company(settings), clock=_now):
            nudger(settings)(PeriodicWork.DELIVER)


def tidy() -> None:
    """RQ entry point: drop what is finished and a month old."""
    _work_off(PeriodicWork.TIDY, _tidy_once)


def nudger(settings: Settings) -> Callable[[str], None]:
    """A function that has the work of a periodic job, by its name, done now; Redis trouble is only logged.

    It may be lost with Redis, so it is for what the schedule would find anyway, later.
    """
    queue = WorkQueue(settings.redis)
    work = {job.work.name: job.work for job in periodic_jobs(settings)}

    def nudge(name: str) -> None:
        try:
            queue.put(work[name])
        except RedisError as error:
            _log.warning("nobody was nudged; the schedule catches up", job=name, error=str(error))

    return nudge


def read_back(company: SageCompany, database: Database, job_id: int) -> None:
    """Read what Sage holds for a job now; when Sage cannot be asked, the next data sync does it."""
    try:
        refresh_read_back(database, company, [job_id], clock=_now)
    except SageUnreachableError as error:
        words = "Sage cannot be reached; a preview shows it as it was last read"
        _log.log(error.level, words, error=str(error))


def run_worker(settings: Settings, queues: Sequence[str]) -> None:
    """Work on these queues until SIGTERM or SIGINT; the piece of work in hand is finished first.

    Main thread only.
    """
    for job in periodic_jobs(settings):
        if job.work.queue in queues:
            # imported here once, and not in the process of each piece of work
            importlib.import_module(job.work.function.rpartition(".")[0])
    with suppress(StopRequested):
        while not _worker_ended_as_asked(settings, queues):
            with _stopping() as pause:
                if pause(_RETRY_SECONDS):
                    return


def run_scheduler(settings: Settings) -> None:
    """Put due work into the queues until SIGTERM or SIGINT. Main thread only."""
    with (
        _stopping() as pause,
        closing(Database(settings.database)) as database,
        closing(WorkQueue(settings.redis)) as queue,
    ):
        Scheduler(database, queue, periodic_jobs(settings)).run(_now, pause, heart(settings))


class _Worker(Worker):
    """RQ's worker, which remembers whether it ended because it was asked to, and shows that it works."""

    stop_asked = False
    beat: Callable[[], None]

    def perform_job(self, job: Job, queue: Queue, execution: Execution) -> bool:
        try:
            with span("work", function=job.func_name):
                return bool(super().perform_job(job, queue, execution))
        finally:
            tracing.flush()  # the process of a piece of work ends without a word

    def procline(self, message: str) -> None:
        """Keep the title that costbot has in a list of processes; RQ would put the worker's number there."""

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        self.stop_asked = True
        super().request_stop(signum, frame)  # type: ignore[no-untyped-call]

    def run_maintenance_tasks(self) -> None:
        """Every few seconds, with no work in hand, while it waits for some."""
        if self.stop_asked:
            # whatever the signal came into has caught what RQ raised for it, as logging does
            raise StopRequested
        super().run_maintenance_tasks()  # type: ignore[no-untyped-call]

    def heartbeat(self, timeout: int | None = None, pipeline: Pipeline | None = None) -> None:
        """While it waits for work; in a pipeline nothing has reached Redis yet."""
        super().heartbeat(timeout, pipeline)
        if pipeline is None:
            self.beat()

    def maintain_heartbeats(self, job: Job, execution: Execution) -> None:
        """While a piece of work runs."""
        super().maintain_heartbeats(job, execution)
        self.beat()


def _worker_ended_as_asked(settings: Settings, queues: Sequence[str]) -> bool:
    """Run one RQ worker to its end; False when trouble with Redis ended it."""
    try:
        worker = _Worker(
            list(queues),
            connection=Redis.from_url(settings.redis),
            serializer=JSONSerializer,
            worker_ttl=_WORKER_TTL_SECONDS,
            maintenance_interval=_MAINTENANCE_SECONDS,
            job_monitoring_interval=_MONITORING_SECONDS,
        )
        worker.beat = heart(settings)
        for number in _STOP_SIGNALS:
            signal.signal(number, worker.request_stop)  # RQ does so too, once it has registered itself
        worker.work()
    except RedisError as error:
        _log.warning("the worker cannot reach Redis", error=str(error), again_in=_RETRY_SECONDS)
        return False
    return worker.stop_asked


@contextmanager
def _stopping() -> Iterator[Callable[[float], bool]]:
    """A pause of so many seconds, which SIGTERM and SIGINT end; True once either has come."""
    # its `put` may interrupt its own `get`, which is more than threading.Event promises
    asked: SimpleQueue[int] = SimpleQueue()

    def pause(seconds: float) -> bool:
        try:
            asked.put(asked.get(timeout=seconds))
        except Empty:
            return False
        return True

    before = {
        number: signal.signal(number, lambda number, _frame: asked.put(number)) for number in _STOP_SIGNALS
    }
    try:
        yield pause
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _work_off(name: PeriodicWork, once: Callable[[Settings, Database, Actor], bool]) -> None:
    """Do a periodic job for its newest slot, as long as there is one and `once` says that it was done."""
    settings = read_settings()
    with closing(Database(settings.database)) as database:
        while True:
            with database.reading() as session:
                slot, there = slots.undone(session, name), slots.every_undone(session, name)
                by = _actor(session, slot) if slot else SCHEDULE
            if slot is None:
                return
            with working_for(slot.request_id or request_ids.new()):
                if not once(settings, database, by):
                    return
            with database.writing() as session:
                slots.done(session, name, slot.due_at, at=_now(), of=there)


def _sync_once(settings: Settings, database: Database, by: Actor) -> bool:
    count = partial(tally.add_run, settings.redis)
    try:
        report = run(database, open_company(settings), by=by, clock=_now, count=count)
    except SageUnreachableError as error:
        words = "Sage cannot be reached; the data sync is tried again soon"
        _log.log(error.level, words, error=str(error))
        if not isinstance(error, SageBusyError):
            with database.writing() as session:
                told = slots.cannot_reach_sage(session, PeriodicWork.DATA_SYNC, at=_now())
            if told:
                nudger(settings)(PeriodicWork.DELIVER)
        return False
    if report.state is RunState.ANOTHER_IS_RUNNING:
        return False
    _log.info("data sync", **report.model_dump())
    with database.writing() as session:
        outbox.refresh_ready_cards(session, at=_now())
    nudger(settings)(PeriodicWork.DELIVER)
    if settings.source is Source.PROCORE:
        from sync.procore.work import tell

        tell(settings, database, clock=_now)
    return True


def _look_at_what_waits(settings: Settings, database: Database, _by: Actor) -> bool:
    patience, calendar = settings.patience, settings.calendar
    with database.reading() as session:
        expiring = expiry.due(session, patience=patience, at=_now())
    for one in expiring:
        with database.writing() as session:
            expiry.expire(session, requested_update_id=one, patience=patience, at=_now())
    with database.reading() as session:
        escalating = escalation.due(session, patience=patience, calendar=calendar, at=_now())
        unknown = escalation.unknown_emails(session, patience)
    if escalating and unknown:
        _log.warning("COSTBOT_ESCALATE_TO names people whom the directory does not have", emails=unknown)
    for one in escalating:
        with database.writing() as session:
            escalation.escalate(
                session, requested_update_id=one, patience=patience, calendar=calendar, at=_now()
            )
    with database.reading() as session:
        due = reminders.due(session, patience=patience, calendar=calendar, at=_now())
    with database.writing() as session:
        reminded = reminders.remind(session, due, patience=patience, calendar=calendar, at=_now())
    with database.writing() as session:
        given_up = waiting_steps.give_up(session, at=_now())
    if expiring or escalating or reminded or given_up:
        nudger(settings)(PeriodicWork.DELIVER)
    return True


def _read_directory(settings: Settings, database: Database, _by: Actor) -> bool:
    from sync.procore.people import refresh_people

    # done even when Procore was away: the next time comes soon, and a click reads its own person
    refresh_people(settings, database, clock=_now)
    return True


def _ask_for_report(settings: Settings, database: Database, _by: Actor) -> bool:
    with database.writing() as session:
        slot = slots.undone(session, PeriodicWork.REPORT)
        if slot is None:
            return True
        if _now() - slot.due_at > _REPORT_LATE:
            # the schedule stood still, or it was only now set and this time was before it
            _log.info("no report for a time so long ago", due_at=str(slot.due_at))
        elif deliveries.first_time(session, f"report:{slot.due_at.isoformat()}", at=_now()):
            outbox.put_report(session, until=slot.due_at, at=_now())
    nudger(settings)(PeriodicWork.DELIVER)
    return True


def _look_in_procore(settings: Settings, database: Database, _by: Actor) -> bool:
    # imported here, for who works with files needs none of it
    from sync.procore.work import look

    report = look(settings, database, open_company(settings), clock=_now)
    if report:
        nudger(settings)(PeriodicWork.DELIVER)
    # done even when Procore was away: the next time comes soon, and what is to be read is kept
    return report is None or not report.is_anothers


def _tidy_once(_settings: Settings, database: Database, _by: Actor) -> bool:
    before = _now() - _KEEP
    with database.writing() as session:
        deliveries.forget(session, before=before)
        drafts.forget(session, before=before)
        outbox.forget(session, before=before)
        kept_events.forget(session, before=before)
        procore_requests.forget(session, before=before)
        waiting_steps.forget(session, before=before)
        slots.forget(session, before=before)
    return True


def _actor(session: Session, slot: ScheduleSlot) -> Actor:
    """Who a slot's work is done for: the person who asked for it now, else the schedule itself."""
    person = session.get(Person, slot.asked_by_id) if slot.asked_by_id else None
    return Actor(Place.SCHEDULE, person.name, person.id) if person else SCHEDULE


def _now() -> datetime:
    return datetime.now(UTC)
