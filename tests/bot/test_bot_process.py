"""The bot as a process of its own, in Socket Mode: it starts, reconnects and ends cleanly."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import httpx
import pytest

from bot.bot_process import run_bot
from bot.sandbox import sample_company
from bot.sandbox.client import NO_AUTHORITIES, Person, Sandbox
from bot.sandbox.workspace import APP_TOKEN, BOT_TOKEN
from tests import factories
from tests.factories import LIMITS
from workflow import directory
from workflow.database import Database
from workflow.settings import Settings, SettingsError
from workflow.tables import RequestedUpdate
from workflow.vocabulary import State

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
PATIENCE = 20.0


@dataclass
class Running:
    """The bot's process, and where it answers."""

    process: subprocess.Popen[str]
    address: str

    def ready(self) -> dict[str, str]:
        answer: dict[str, str] = httpx.get(f"{self.address}/readyz", verify=NO_AUTHORITIES).json()
        return answer

    def end(self) -> int:
        """Ask it to end; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)


@pytest.fixture
def sandbox(patient_sandbox: Sandbox) -> Sandbox:
    return patient_sandbox


@pytest.fixture
def start(sqlite_url: str, redis_url: str, sandbox: Sandbox) -> Iterator[Callable[[], Running]]:
    """Start the bot; it is up when this returns, and killed after the test."""
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

    def start() -> Running:
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM], env=environment, stderr=subprocess.PIPE, text=True
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


def test_it_serves_clicks_and_ends_cleanly(
    start: Callable[[], Running], company: Database, sandbox: Sandbox, dana: Person
) -> None:
    bot = start()
    sandbox.wait_for_bot()
    wait_until(lambda: bot.ready()["slack"] == "ok")
    assert bot.ready() == {
        "database": "ok",
        "slack": "ok",
        "redis": "ok",
        "sage": "ok",
        "data sync": "late: it was never done",
    }
    dana.slash("/costcodes update 24-017")
    dana.wait_for_modal("24-017")
    dana.submit()
    dana.wait_for_modal("It is updated")
    assert state(company) is State.ACCEPTED
    assert bot.end() == 0


def test_a_lost_connection_comes_back_and_so_do_clicks(
    start: Callable[[], Running], company: Database, sandbox: Sandbox, dana: Person
) -> None:
    start()
    sandbox.wait_for_bot()
    for warn in (True, False):
        assert sandbox.drop_sockets(warn=warn) == 1
        sandbox.wait_for_bot()
        dana.slash("/costcodes whoami")
        dana.wait_for_ephemeral("You are an accounting approver")


def test_slack_may_be_away_when_it_starts(
    start: Callable[[], Running], company: Database, sandbox: Sandbox
) -> None:
    sandbox.fail_next("apps.connections.open", "server_error")
    bot = start()
    answer = httpx.get(f"{bot.address}/readyz", verify=NO_AUTHORITIES)
    assert (answer.status_code, answer.json()["slack"]) == (503, "no connection to Slack")
    assert httpx.get(f"{bot.address}/healthz", verify=NO_AUTHORITIES).status_code == 200
    sandbox.wait_for_bot()
    wait_until(lambda: httpx.get(f"{bot.address}/readyz", verify=NO_AUTHORITIES).status_code == 200)


def test_what_was_acknowledged_is_finished_before_it_ends(
    start: Callable[[], Running], company: Database, sandbox: Sandbox, dana: Person
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
