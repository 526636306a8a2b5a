"""RQ's entry points, and real worker and scheduler processes that are stopped and killed."""

import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import pytest
import redis
from sqlalchemy import func, select
from structlog.testing import capture_logs

from sync import worker
from sync.sage import embedded_company, open_company
from sync.sage.company import SageBusyError
from sync.sage.folders import Folders
from sync.schedule import CronJob, Scheduler, periodic_jobs
from sync.work_queue import Work, WorkQueue
from tests import factories
from tests.processes import kill
from tests.servers import RedisServer
from tests.sync import company_at_work as work
from tests.sync.company_at_work import YARD, WatchedSage
from tests.sync.test_work_queue import names
from workflow import audit, slots, tally, waiting_steps
from workflow.database import Database
from workflow.settings import SageTarget, Settings, read_settings
from workflow.tables import DataSync, OutboxNotice, Person, ScheduleSlot, SeenDelivery, WorkflowStep
from workflow.vocabulary import Event, NoticeKind, Place, StepKind

_DEADLINE_SECONDS = 60.0
SLOW = Work("data_sync", "sync", "tests.sync.slow_work.sync_slowly")


@pytest.fixture
def settings(database: Database, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The settings that entry points read; a Sage company knows the jobs."""
    monkeypatch.setenv("COSTBOT_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("COSTBOT_DATABASE_URL", database.engine.url.render_as_string(hide_password=False))
    monkeypatch.setenv("COSTBOT_REDIS_URL", redis_url)
    settings = read_settings()
    work.set_up(database, embedded_company(settings))
    return settings


def ask(database: Database, name: str = "data_sync", *, minutes: float = 30) -> None:
    """Somebody wants a periodic job now."""
    with database.writing() as session:
        by = factories.actor(work.approver(session), Place.SLACK)
        slots.ask_now(session, name, by=by, at=factories.later(minutes))


def undone(database: Database, name: str = "data_sync") -> bool:
    with database.reading() as session:
        return slots.undone(session, name) is not None


def test_a_data_sync_runs_for_the_slot_that_is_due_and_finishes_it(
    settings: Settings, database: Database, redis_client: redis.Redis
) -> None:
    work.accept_everything(database)
    with database.writing() as session:
        slots.take(session, "data_sync", factories.NINE)

    worker.data_sync()

    work.assert_all_is_well(database, embedded_company(settings), work.JOBS, "one run")
    assert not undone(database)
    assert names(redis_client, "notices") == ["deliver"]


def test_without_a_slot_nothing_runs(settings: Settings, database: Database) -> None:
    work.accept(database, YARD, "16-100 S")

    worker.data_sync()

    assert work.states(database, YARD) == ["accepted"]


def test_a_data_sync_that_somebody_asked_for_is_in_their_name(settings: Settings, database: Database) -> None:
    work.accept(database, YARD, "16-100 S")
    ask(database)

    worker.data_sync()

    with database.reading() as session:
        sync = session.scalars(select(DataSync)).one()
        assert sync.asked_by_id == work.approver(session).id


def test_a_data_sync_leaves_its_slot_to_the_one_that_is_running(
    settings: Settings, database: Database
) -> None:
    work.accept(database, YARD, "16-100 S")
    ask(database)
    with database.exclusive("data_sync") as held:
        assert held
        worker.data_sync()

    assert work.states(database, YARD) == ["accepted"]
    assert undone(database)


def test_a_slot_that_came_while_a_data_sync_ran_is_seen_when_it_is_through(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(database, minutes=30)
    work.accept(database, YARD, "16-100 S")

    def another_is_asked_for(what: str) -> None:
        if what == "sent" and len(work.batches(database)) == 1:
            work.accept(database, YARD, "16-100 L")
            ask(database, minutes=31)

    watched = WatchedSage(embedded_company(settings), another_is_asked_for)
    monkeypatch.setattr(worker, "open_company", lambda _settings: watched)
    worker.data_sync()

    assert [batch.name for batch, _lines in watched.sent] == ["DS000001", "DS000002"]
    assert work.states(database, YARD) == ["synced", "synced"]
    assert not undone(database)


def test_an_unreachable_sage_leaves_the_slot_for_later_and_is_logged(
    settings: Settings, database: Database
) -> None:
    work.accept(database, YARD, "16-100 S")
    ask(database)
    sage = settings.data_dir / "sage.db"
    away = sage.rename(settings.data_dir / "away.db")
    sage.mkdir()

    with capture_logs() as logs:
        worker.data_sync()

    [warning] = [log["event"] for log in logs if log["log_level"] == "warning"]
    assert "Sage cannot be reached" in warning
    assert undone(database)
    assert tally.read(settings.redis)[tally.SYNC_RUNS, "unreachable"] == 1
    sage.rmdir()
    away.rename(sage)
    worker.data_sync()
    assert work.states(database, YARD) == ["synced"]
    assert not undone(database)


def test_a_data_sync_that_breaks_is_counted_as_that_and_leaves_the_slot(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(what: str) -> None:
        raise RuntimeError(f"a fault of costbot: {what}")

    work.accept(database, YARD, "16-100 S")
    ask(database)
    watched = WatchedSage(embedded_company(settings), break_down)
    monkeypatch.setattr(worker, "open_company", lambda _settings: watched)
    with pytest.raises(RuntimeError):
        worker.data_sync()

    counts = tally.read(settings.redis)
    assert counts[tally.SYNC_RUNS, "broke"] == 1
    assert counts[(tally.SYNC_SECONDS,)] >= 0
    assert undone(database)


def test_who_asked_for_a_data_sync_hears_once_that_sage_cannot_be_reached(
    settings: Settings, database: Database
) -> None:
    (settings.data_dir / "sage.db").rename(settings.data_dir / "away.db")
    (settings.data_dir / "sage.db").mkdir()
    with database.writing() as session:
        slots.take(session, "data_sync", factories.later(29))
    worker.data_sync()
    assert told_to_wait(database) == []

    ask(database, minutes=30)
    worker.data_sync()
    worker.data_sync()
    assert told_to_wait(database) == ["ada.approver@example.com"]

    ask(database, minutes=31)
    worker.data_sync()
    assert told_to_wait(database) == 2 * ["ada.approver@example.com"]


def test_who_asked_for_a_data_sync_hears_nothing_of_an_export_that_is_being_saved(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_args: object, **_named: object) -> None:
        raise SageBusyError("Job Cost's export may be half saved")

    monkeypatch.setattr(worker, "run", busy)
    ask(database)
    worker.data_sync()
    assert undone(database)
    assert told_to_wait(database) == []


def told_to_wait(database: Database) -> list[str]:
    """Who is told that a data sync they asked for has to wait."""
    with database.reading() as session:
        events = {row.seq for row in audit.trail(session) if row.event == Event.SYNC_UNREACHABLE}
        told = session.scalars(select(OutboxNotice).where(OutboxNotice.kind == NoticeKind.DIRECT))
        people = [notice.person_id for notice in told if notice.event_seq in events]
        return [session.get_one(Person, person_id).email for person_id in people]


def test_what_waits_is_expired_escalated_reminded_of_or_given_up_by_one_look(
    settings: Settings,
    database: Database,
    redis_client: redis.Redis,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COSTBOT_ESCALATE_AFTER", "20")
    monkeypatch.setenv("COSTBOT_ESCALATE_TO", "boss@example.com, nobody@example.com")
    monkeypatch.setenv("COSTBOT_EXPIRE_AFTER_DAYS", "60")
    now = datetime.now(UTC)
    with database.writing() as session:
        boss = factories.person(session, "boss@example.com")
        old, new = factories.job(session, "25-001", "Old"), factories.job(session, "25-002", "New")
        for job, age in ((old, 61), (new, 14)):
            factories.requested(session, job=job, by=boss, lines=["03-300 L"], at=now - timedelta(days=age))
        slots.take(session, "remind", factories.NINE)
        hour_ago = now - timedelta(hours=1)
        waiting_steps.note(session, "Fx1", team_id="T1", kind=StepKind.WAIT, at=hour_ago)
    with capture_logs() as logged:
        worker.remind()

    with database.reading() as session:
        happened = [(row.event, row.job_id) for row in audit.trail(session)][-3:]
        assert session.get_one(WorkflowStep, "Fx1").finished_at is not None
    assert happened == [(Event.EXPIRED, old.id), (Event.ESCALATED, new.id), (Event.REMINDED, None)]
    assert [entry["emails"] for entry in logged if "emails" in entry] == [["nobody@example.com"]]
    assert names(redis_client, "notices") == ["deliver"]
    assert not undone(database, "remind")


def _reports(database: Database) -> list[OutboxNotice]:
    with database.reading() as session:
        return list(session.scalars(select(OutboxNotice).where(OutboxNotice.kind == NoticeKind.REPORT)))


def test_the_report_of_a_slot_is_put_out_once_also_when_a_kill_left_the_slot_undone(
    settings: Settings, database: Database, redis_client: redis.Redis
) -> None:
    due = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=3)
    with database.writing() as session:
        slots.take(session, "report", due)
    worker.report()
    assert [notice.created_at for notice in _reports(database)] == [due]
    assert not undone(database, "report")
    assert names(redis_client, "notices") == ["deliver"]

    with database.writing() as session:
        slot = session.scalars(select(ScheduleSlot).where(ScheduleSlot.name == "report")).one()
        slot.done_at = None
    worker.report()
    assert len(_reports(database)) == 1
    assert not undone(database, "report")


def test_a_report_of_long_ago_is_not_sent_any_more(settings: Settings, database: Database) -> None:
    with database.writing() as session:
        slots.take(session, "report", datetime.now(UTC) - timedelta(days=2))
    worker.report()
    assert _reports(database) == []
    assert not undone(database, "report")


def test_tidying_drops_what_is_finished_and_a_month_old(settings: Settings, database: Database) -> None:
    now = datetime.now(UTC)
    old, new = now - timedelta(days=31), now - timedelta(days=29)
    with database.writing() as session:
        for due_at, done_at in ((old, old), (old - timedelta(hours=1), None), (new, new)):
            session.add(ScheduleSlot(name="data_sync", due_at=due_at, done_at=done_at))
        session.add(ScheduleSlot(name="yearly", due_at=old, done_at=old))
        for created_at, done_at, given_up in (
            (old, old, False),
            (old, None, True),
            (old, None, False),
            (new, new, False),
        ):
            session.add(
                OutboxNotice(
                    kind=NoticeKind.CARD,
                    created_at=created_at,
                    due_at=created_at,
                    done_at=done_at,
                    given_up=given_up,
                )
            )
        session.add(SeenDelivery(key="old", seen_at=old))
        session.add(SeenDelivery(key="new", seen_at=new))
        slots.take(session, "tidy", now - timedelta(minutes=1))

    worker.tidy()

    with database.reading() as session:
        assert session.scalar(select(func.count()).where(ScheduleSlot.name == "data_sync")) == 2
        assert session.scalar(select(func.count()).where(ScheduleSlot.name == "yearly")) == 1
        assert session.scalar(select(func.count()).select_from(OutboxNotice)) == 2
        assert session.scalars(select(SeenDelivery.key)).all() == ["new"]
    assert not undone(database, "tidy")


def test_tidying_never_drops_the_newest_notice_whose_number_sqlite_would_give_away_again(
    settings: Settings, database: Database
) -> None:
    old = datetime.now(UTC) - timedelta(days=31)
    with database.writing() as session:
        for _ in range(3):
            session.add(OutboxNotice(kind=NoticeKind.CARD, created_at=old, due_at=old, done_at=old))
            session.flush()
        slots.take(session, "tidy", factories.NINE)

    worker.tidy()

    with database.writing() as session:
        session.add(OutboxNotice(kind=NoticeKind.CARD, created_at=old, due_at=old))
        session.flush()
        assert session.scalars(select(OutboxNotice.id).order_by(OutboxNotice.id)).all() == [3, 4]


def test_a_nudge_puts_the_work_of_a_job_into_its_queue(settings: Settings, redis_client: redis.Redis) -> None:
    nudge = worker.nudger(settings)
    nudge("deliver")
    nudge("data_sync")
    nudge("deliver")

    assert (names(redis_client, "notices"), names(redis_client, "sync")) == (["deliver"], ["data_sync"])


def test_a_nudge_without_redis_is_logged_and_nothing_more(tmp_path: Path) -> None:
    nudge = worker.nudger(Settings(data_dir=tmp_path, _env_file=None))

    with capture_logs() as logs:
        nudge("deliver")

    assert [(log["log_level"], log["job"]) for log in logs] == [("warning", "deliver")]


@pytest.mark.parametrize("level", ["info", "warning"])
def test_an_export_that_was_saved_just_now_is_nothing_to_warn_of_and_a_missing_one_is(
    database: Database, tmp_path: Path, level: str
) -> None:
    export = tmp_path / "export.csv"
    if level == "info":
        export.touch()
    by_file = Settings(
        _env_file=None, sage=SageTarget.IMPORT_FILE, sage_folder=tmp_path / "sage", sage_export=export
    )
    Folders.under(tmp_path / "sage").set_up()
    with database.writing() as session:
        job = factories.job(session).id

    with capture_logs() as logs:
        worker.read_back(open_company(by_file), database, job)

    assert [line["log_level"] for line in logs] == [level]


# a process costs a second of start-up: what is the same on both databases is tried on one
once = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@contextmanager
def process(entry: str, *queues: str) -> Iterator[psutil.Popen]:
    """A worker or scheduler process, with the settings of this process' environment."""
    program = (
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
        assert soon(lambda: work.batches(database) != [] and not undone(database))
        scheduler.send_signal(signal.SIGTERM)

        assert scheduler.wait(_DEADLINE_SECONDS) == 0
    work.assert_all_is_well(database, embedded_company(settings), work.JOBS, "the schedule")


@once
def test_a_worker_that_is_idle_ends_when_it_is_told_to(settings: Settings, redis_client: redis.Redis) -> None:
    with process("run_worker", "sync") as idle:
        assert soon(lambda: redis_client.scard("rq:workers") == 1)
        idle.send_signal(signal.SIGTERM)

        assert idle.wait(_DEADLINE_SECONDS) == 0


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
    ask(database)
    with process("run_worker", "sync") as killed:
        slow_work()
        [horse] = killed.children()
        killed.kill()
        killed.wait()

        worker.data_sync()
        assert horse.is_running()
        assert undone(database)
        (settings.data_dir / "go").touch()
        assert soon(lambda: work.states(database, YARD) == ["synced"])

    with database.exclusive("data_sync", wait_seconds=_DEADLINE_SECONDS):
        pass  # the work-horse is through
    worker.data_sync()
    assert not undone(database)
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
        assert soon(lambda: not undone(database))

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
    ask(database)
    monkeypatch.setenv("COSTBOT_HEARTBEAT", str(tmp_path / "nowhere" / "heartbeat"))
    WorkQueue(settings.redis).put(Work("data_sync", "sync", "sync.worker.data_sync"))

    with process("run_worker", "sync"):
        assert soon(lambda: not undone(database))


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
            ask(database)
            queue.put(Work("data_sync", "sync", "sync.worker.data_sync"))

            assert soon(lambda: not undone(database))
            assert survivor.is_running()
        queue.close()
    work.assert_all_is_well(database, embedded_company(settings), work.JOBS, "restart of Redis")
