"""RQ's entry points: what each does for its slot, and what it leaves."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import redis
from sqlalchemy import func, select
from structlog.testing import capture_logs

from sync import worker
from sync.sage import embedded_company, open_company
from sync.sage.company import SageBusyError
from sync.sage.folders import Folders
from tests import factories
from tests.sync import company_at_work as work
from tests.sync.company_at_work import YARD, WatchedSage
from tests.sync.test_work_queue import names
from workflow import audit, slots, tally, waiting_steps
from workflow.database import Database
from workflow.settings import SageTarget, Settings
from workflow.tables import DataSync, OutboxNotice, Person, ScheduleSlot, SeenDelivery, WorkflowStep
from workflow.vocabulary import Event, NoticeKind, PeriodicWork, StepKind


def test_a_data_sync_runs_for_the_slot_that_is_due_and_finishes_it(
    settings: Settings, database: Database, redis_client: redis.Redis
) -> None:
    work.accept_everything(database)
    with database.writing() as session:
        slots.take(session, "data_sync", factories.NINE)

    worker.data_sync()

    work.assert_all_is_well(database, embedded_company(settings), work.JOBS, "one run")
    assert not work.undone(database)
    assert names(redis_client, "notices") == ["deliver"]


def test_without_a_slot_nothing_runs(settings: Settings, database: Database) -> None:
    work.accept(database, YARD, "16-100 S")

    worker.data_sync()

    assert work.states(database, YARD) == ["accepted"]


def test_a_data_sync_that_somebody_asked_for_is_in_their_name(settings: Settings, database: Database) -> None:
    work.accept(database, YARD, "16-100 S")
    work.ask(database)

    worker.data_sync()

    with database.reading() as session:
        sync = session.scalars(select(DataSync)).one()
        assert sync.asked_by_id == work.approver(session).id


def test_a_data_sync_leaves_its_slot_to_the_one_that_is_running(
    settings: Settings, database: Database
) -> None:
    work.accept(database, YARD, "16-100 S")
    work.ask(database)
    with database.exclusive("data_sync") as held:
        assert held
        worker.data_sync()

    assert work.states(database, YARD) == ["accepted"]
    assert work.undone(database)


def test_a_look_at_procore_leaves_its_slot_where_another_process_reads(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"SOURCE": "procore", "PROCORE_COMPANY_ID": "1"}.items():
        monkeypatch.setenv(f"COSTBOT_{name}", value)
    for name in ("CLIENT_ID", "CLIENT_SECRET"):
        monkeypatch.setenv(f"COSTBOT_PROCORE_{name}", "long-and-random-0123456789")
    with database.writing() as session:
        slots.take(session, PeriodicWork.PROCORE, factories.NINE)
    with database.exclusive("procore_intake") as held:
        assert held
        worker.procore()

    with database.reading() as session:
        assert slots.undone(session, PeriodicWork.PROCORE) is not None


@pytest.mark.parametrize("minutes", [31, 29], ids=["", "by a clock that is behind"])
def test_a_slot_that_came_while_a_data_sync_ran_is_seen_when_it_is_through(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch, minutes: float
) -> None:
    work.ask(database, minutes=30)
    work.accept(database, YARD, "16-100 S")

    def another_is_asked_for(what: str) -> None:
        if what == "sent" and len(work.batches(database)) == 1:
            work.accept(database, YARD, "16-100 L")
            work.ask(database, minutes=minutes)

    watched = WatchedSage(embedded_company(settings), another_is_asked_for)
    monkeypatch.setattr(worker, "open_company", lambda _settings: watched)
    worker.data_sync()

    assert [batch.name for batch, _lines in watched.sent] == ["DS000001", "DS000002"]
    assert work.states(database, YARD) == ["synced", "synced"]
    assert not work.undone(database)


def test_an_unreachable_sage_leaves_the_slot_for_later_and_is_logged(
    settings: Settings, database: Database
) -> None:
    work.accept(database, YARD, "16-100 S")
    work.ask(database)
    sage = settings.data_dir / "sage.db"
    away = sage.rename(settings.data_dir / "away.db")
    sage.mkdir()

    with capture_logs() as logs:
        worker.data_sync()

    [warning] = [log["event"] for log in logs if log["log_level"] == "warning"]
    assert "Sage cannot be reached" in warning
    assert work.undone(database)
    assert tally.read(settings.redis)[tally.SYNC_RUNS, "unreachable"] == 1
    sage.rmdir()
    away.rename(sage)
    worker.data_sync()
    assert work.states(database, YARD) == ["synced"]
    assert not work.undone(database)


def test_a_data_sync_that_breaks_is_counted_as_that_and_leaves_the_slot(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(what: str) -> None:
        raise RuntimeError(f"a fault of costbot: {what}")

    work.accept(database, YARD, "16-100 S")
    work.ask(database)
    watched = WatchedSage(embedded_company(settings), break_down)
    monkeypatch.setattr(worker, "open_company", lambda _settings: watched)
    with pytest.raises(RuntimeError):
        worker.data_sync()

    counts = tally.read(settings.redis)
    assert counts[tally.SYNC_RUNS, "broke"] == 1
    assert counts[(tally.SYNC_SECONDS,)] >= 0
    assert work.undone(database)


def test_who_asked_for_a_data_sync_hears_once_that_sage_cannot_be_reached(
    settings: Settings, database: Database
) -> None:
    (settings.data_dir / "sage.db").rename(settings.data_dir / "away.db")
    (settings.data_dir / "sage.db").mkdir()
    with database.writing() as session:
        slots.take(session, "data_sync", factories.later(29))
    worker.data_sync()
    assert told_to_wait(database) == []

    work.ask(database, minutes=30)
    worker.data_sync()
    worker.data_sync()
    assert told_to_wait(database) == ["ada.approver@example.com"]

    work.ask(database, minutes=31)
    worker.data_sync()
    assert told_to_wait(database) == 2 * ["ada.approver@example.com"]


def test_who_asked_for_a_data_sync_hears_nothing_of_an_export_that_is_being_saved(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_args: object, **_named: object) -> None:
        raise SageBusyError("Job Cost's export may be half saved")

    monkeypatch.setattr(worker, "run", busy)
    work.ask(database)
    worker.data_sync()
    assert work.undone(database)
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
    assert not work.undone(database, "remind")


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
    assert not work.undone(database, "report")
    assert names(redis_client, "notices") == ["deliver"]

    with database.writing() as session:
        slot = session.scalars(select(ScheduleSlot).where(ScheduleSlot.name == "report")).one()
        slot.done_at = None
    worker.report()
    assert len(_reports(database)) == 1
    assert not work.undone(database, "report")


def test_a_report_of_long_ago_is_not_sent_any_more(settings: Settings, database: Database) -> None:
    with database.writing() as session:
        slots.take(session, "report", datetime.now(UTC) - timedelta(days=2))
    worker.report()
    assert _reports(database) == []
    assert not work.undone(database, "report")


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
    assert not work.undone(database, "tidy")


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
