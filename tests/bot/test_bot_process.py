"""The bot as a process of its own, in Socket Mode: it starts, reconnects and ends cleanly."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx
import pytest

from bot.bot_process import run_bot
from bot.sandbox import sample_company
from bot.sandbox.client import NO_AUTHORITIES, Person, Sandbox
from bot.sandbox.workspace import APP_TOKEN, BOT_TOKEN
from tests import factories
from tests.factories import LIMITS
from tests.servers import PostgresServer, RedisServer
from workflow import directory, slots
from workflow.database import Database, migrate
from workflow.settings import Settings, SettingsError
from workflow.tables import RequestedUpdate
from workflow.vocabulary import PeriodicWork, State

PROGRAM = """
from bot import logs
from bot.bot_process import run_bot
from workflow.checks import SageLimits
from workflow.settings import read_settings

logs.configure("info")
run_bot(
    read_settings(), nudge=lambda name: None, limits=SageLimits(), read_back=lambda *_: None,
    know_person=lambda *_: None
)
"""
PATIENCE = 60.0


@dataclass
class Running:
    """The bot's process, and where it answers."""

    process: subprocess.Popen[str]
    address: str

    def ready(self) -> tuple[int, dict[str, str]]:
        """What `/readyz` answers."""
        answer = httpx.get(f"{self.address}/readyz", timeout=PATIENCE, verify=NO_AUTHORITIES)
        return answer.status_code, answer.json()

    def wait_until_ready(self, status: int = 200, /, **parts: str) -> None:
        """Return once `/readyz` says this, whatever else it says."""

        def says() -> bool:
            found, said = self.ready()
            return (
                found == status and said.items() >= {k.replace("_", " "): v for k, v in parts.items()}.items()
            )

        wait_until(says)


Start = Callable[..., Running]


@pytest.fixture
def sandbox(patient_sandbox: Sandbox) -> Sandbox:
    return patient_sandbox


@pytest.fixture
def start(sqlite_url: str, redis_url: str, sandbox: Sandbox) -> Iterator[Start]:
    """Start the bot, with other settings if so; it is up when this returns, and killed after the test."""
    started: list[subprocess.Popen[str]] = []
    environment = {
        "PATH": os.environ["PATH"],
        "COSTBOT_DATABASE_URL": sqlite_url,
        "COSTBOT_REDIS_URL": redis_url,
        "COSTBOT_HTTP_PORT": "0",
        "SLACK_API_URL": sandbox.api_url,
        "SLACK_BOT_TOKEN": BOT_TOKEN,
        "SLACK_APP_TOKEN": APP_TOKEN,
    }

    def start(**others: str) -> Running:
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM], env=environment | others, stderr=subprocess.PIPE, text=True
        )
        started.append(process)
        assert process.stderr is not None
        for line in process.stderr:
            said = json.loads(line)
            if said["event"] == "the bot is up":
                return Running(process, said["address"])
        raise AssertionError("the bot did not start")

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def company(sqlite_url: str) -> Iterator[Database]:
    """An approver and a job that is Ready to Update."""
    database = Database(sqlite_url)
    with database.writing() as session:
        dana = factories.approver(session, sample_company.APPROVER)
        factories.standard_list(session)
        factories.requested(session, job=factories.job(session), by=dana)
    yield database
    database.close()


@pytest.fixture
def dana(sandbox: Sandbox) -> Person:
    return sandbox.as_person(sample_company.APPROVER)


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def state(database: Database) -> State:
    with database.reading() as session:
        return session.get_one(RequestedUpdate, 1).state


def test_a_lost_connection_comes_back_and_so_do_clicks(
    start: Start, company: Database, sandbox: Sandbox, dana: Person
) -> None:
    bot = start()
    sandbox.wait_for_bot()
    for warn in (True, False):
        assert sandbox.drop_sockets(warn=warn) > 0
        # the SDK may come back twice, for the word and for the close, and hang the first of the two up
        wait_until(lambda: dana.slash("/costcodes whoami").error is None)
        dana.wait_for_ephemeral("You are an accounting approver")
    bot.wait_until_ready(slack="ok")

    sandbox.fail_next("apps.connections.open", "server_error", times=1_000)
    assert sandbox.drop_sockets() > 0
    bot.wait_until_ready(503, slack="no connection to Slack", database="ok")
    sandbox.clear_faults()
    bot.wait_until_ready(slack="ok")


def test_readyz_says_which_part_fails_and_that_it_is_back(start: Start, sandbox: Sandbox) -> None:
    with PostgresServer() as postgres, RedisServer() as redis:
        migrate(postgres.url)
        sandbox.fail_next("apps.connections.open", "server_error", times=1_000)
        bot = start(COSTBOT_DATABASE_URL=postgres.url, COSTBOT_REDIS_URL=redis.url)
        status, said = bot.ready()
        assert (status, said["slack"]) == (503, "no connection to Slack")
        sandbox.clear_faults()
        assert httpx.get(f"{bot.address}/healthz", timeout=60, verify=NO_AUTHORITIES).status_code == 200
        all_is_well = {"database": "ok", "slack": "ok", "redis": "ok", "sage": "ok"}
        bot.wait_until_ready(**all_is_well, data_sync="late: it was never done")
        with closing(Database(postgres.url)) as database, database.writing() as session:
            now = datetime.now(UTC)
            slots.take(session, PeriodicWork.DATA_SYNC, now)
            slots.done(session, PeriodicWork.DATA_SYNC, now, at=now)
        bot.wait_until_ready(**all_is_well, data_sync="ok")

        redis.kill()
        bot.wait_until_ready(**all_is_well | {"redis": "ConnectionError"})
        redis.start()
        bot.wait_until_ready(**all_is_well)

        postgres.kill()
        unknown = "not known while the database does not answer"
        bot.wait_until_ready(503, database="OperationalError", sage=unknown, data_sync=unknown, redis="ok")
        postgres.start()
        bot.wait_until_ready(**all_is_well, data_sync="ok")


def test_what_was_acknowledged_is_finished_before_it_ends(
    start: Start, company: Database, sandbox: Sandbox, dana: Person
) -> None:
    bot = start()
    sandbox.wait_for_bot()
    dana.slash("/costcodes update 24-017")
    dana.wait_for_modal("24-017")
    with company.writing() as session:
        directory.lock_jobs(session, [1])
        assert dana.submit().error is None
        bot.process.send_signal(signal.SIGTERM)
        assert state(company) is State.READY
    assert bot.process.wait(PATIENCE) == 0
    dana.wait_for_modal("It is updated")
    assert state(company) is State.ACCEPTED


def test_without_a_way_in_it_says_what_to_set() -> None:
    with pytest.raises(SettingsError, match="SLACK_APP_TOKEN and SLACK_SIGNING_SECRET are both missing"):
        run_bot(
            Settings(_env_file=None, slack_bot_token=BOT_TOKEN),
            nudge=lambda _: None,
            limits=LIMITS,
            read_back=lambda *_: None,
            know_person=lambda *_: None,
        )


def test_a_port_that_is_taken_is_told_with_the_setting() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = Settings(
            _env_file=None,
            slack_bot_token=BOT_TOKEN,
            slack_app_token=APP_TOKEN,
            http_port=taken.getsockname()[1],
        )
        with pytest.raises(SettingsError, match="COSTBOT_HTTP_PORT"):
            run_bot(
                settings,
                nudge=lambda _: None,
                limits=LIMITS,
                read_back=lambda *_: None,
                know_person=lambda *_: None,
            )
