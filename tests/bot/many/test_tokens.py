"""Tokens that expire: rotated in time, refused after; by the bot, by delivery, by one process at a time."""

import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.queues import SimpleQueue
from multiprocessing.synchronize import Barrier
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from slack_sdk.oauth.token_rotation import TokenRotator

from bot.delivery import deliver_waiting
from bot.installations import Installations, connected
from bot.slack_answers import SlackRefused, SlackUnavailable
from tests.between import after
from tests.bot.many.town import BOREAL, KESTREL, Member, Town, town
from tests.processes import forked, forking
from workflow import database
from workflow.settings import Settings

DEADLINE_SECONDS = 120.0


def token(here: Town, team: str = BOREAL.id) -> str:
    bot = here.installations.find(team)
    assert bot is not None
    return bot.bot_token


def near_its_end(here: Town, seconds: int = 600) -> None:
    """So much of its life is left to the workspace's token."""
    bot = here.installations.find(BOREAL.id)
    assert bot is not None
    bot.bot_token_expires_at = int(time.time()) + seconds
    here.installations.store.save_bot(bot)


def environment(monkeypatch: pytest.MonkeyPatch, here: Town, company: str) -> None:
    """The host's settings as a worker of the company reads them."""
    for field in Settings.model_fields.values():
        monkeypatch.delenv(str(field.validation_alias), raising=False)
    host = here.host
    assert host.slack_client_secret is not None
    for name, value in {
        "COSTBOT_COMPANIES": host.companies,
        "COSTBOT_COMPANY": company,
        "COSTBOT_DATA_DIR": host.data_dir,
        "SLACK_API_URL": host.slack_api_url,
        "SLACK_CLIENT_ID": host.slack_client_id,
        "SLACK_CLIENT_SECRET": host.slack_client_secret.get_secret_value(),
    }.items():
        monkeypatch.setenv(name, str(value))


def test_a_token_is_rotated_before_it_expires_and_used_by_the_bot_and_by_delivery(
    here: Town, boreal: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = token(here)
    near_its_end(here)
    boreal.sandbox.as_person("U0DANA").slash("/costcodes help")
    boreal.sandbox.as_person("U0DANA").wait_for_ephemeral("/costcodes")
    boreal.sandbox.as_person("U0DANA").slash("/costcodes whoami")
    boreal.sandbox.as_person("U0DANA").wait_for_ephemeral("Dana")
    second = token(here)
    here.oauth.expire(BOREAL.id)
    environment(monkeypatch, here, "boreal")
    assert deliver_waiting() > 0

    assert len({first, second, token(here)}) == 3
    assert boreal.sandbox.as_person("U0DANA").sees().find("24-017 Riverside Medical Center") is not None


def test_slack_refuses_an_expired_token_and_the_call_is_made_once_more(here: Town, boreal: Member) -> None:
    here.oauth.expire(BOREAL.id)
    with connected(boreal.company.settings) as gateway:
        assert gateway.auth_test().team_id == BOREAL.id
    refused = [call["error"] for call in boreal.sandbox.calls("auth.test") if not call["ok"]]

    assert refused == ["token_expired"]
    assert here.installations.find(KESTREL.id) is not None


def _race(host: Settings, all_are_there: Barrier, got: "SimpleQueue[str | None]") -> None:
    installations = Installations(host)
    all_are_there.wait(DEADLINE_SECONDS)
    got.put(installations.token(BOREAL.id))


def test_several_processes_rotate_a_token_once(here: Town) -> None:
    near_its_end(here)
    before = token(here)
    all_are_there, got = forking.Barrier(4), forking.SimpleQueue()
    racing = [forked(_race, here.host, all_are_there, got) for _ in range(4)]
    for one in racing:
        one.start()
    for one in racing:
        one.join(DEADLINE_SECONDS)

    assert [one.exitcode for one in racing] == [0, 0, 0, 0]
    assert {got.get() for _ in racing} == {token(here)} != {before}


def test_an_app_that_is_taken_out_while_its_token_is_rotated_stays_out(
    here: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    near_its_end(here)
    waits = threading.Event()

    def take_it_out() -> None:
        forgotten = threads.submit(here.installations.forget, BOREAL.id)
        forgotten.add_done_callback(lambda _: waits.set())
        assert waits.wait(DEADLINE_SECONDS)

    monkeypatch.setattr(
        database, "time", SimpleNamespace(sleep=lambda _: waits.set(), monotonic=time.monotonic)
    )
    with ThreadPoolExecutor(1) as threads:
        after(monkeypatch, TokenRotator, "perform_bot_token_rotation", take_it_out)
        here.installations.token(BOREAL.id)
    assert here.installations.find(BOREAL.id) is None


def test_a_rotation_that_fails_keeps_the_token_while_it_is_good(here: Town) -> None:
    near_its_end(here)
    before = token(here)
    here.oauth.forget_refresh_tokens(BOREAL.id)
    assert here.installations.token(BOREAL.id) == before

    near_its_end(here, seconds=-1)
    with pytest.raises(SlackRefused, match="invalid_refresh_token") as refused:
        here.installations.token(BOREAL.id)
    assert refused.value.is_token_problem


def test_slack_out_of_reach_is_no_refusal(here: Town) -> None:
    near_its_end(here, seconds=-1)
    host = here.host.model_copy(update={"slack_api_url": "http://127.0.0.1:9/api/"})
    away = Installations(host)
    with pytest.raises(SlackUnavailable):
        away.token(BOREAL.id)
    away.close()
    assert here.installations.token(BOREAL.id) != ""


def test_without_an_install_delivery_waits_and_says_why(
    tmp_path: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with town(tmp_path, sqlite_template, installed=["kestrel"]) as here:
        environment(monkeypatch, here, "boreal")
        assert deliver_waiting() == 0
        assert "costbot is not installed in T0BOREAL" in capsys.readouterr().out
        boreal = here.members["boreal"]
        assert all("not_installed" in row or "0, None" in row for row in boreal.rows()["outbox"])
        assert here.install(BOREAL).status_code == 200
        assert boreal.nudged == ["deliver"]
        assert deliver_waiting() > 0
        assert boreal.sandbox.as_person("U0DANA").sees().find("24-017 Riverside Medical Center") is not None


def test_an_install_while_delivery_finds_none_holds_up_nothing(
    tmp_path: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with town(tmp_path, sqlite_template, installed=["kestrel"]) as here:
        environment(monkeypatch, here, "boreal")
        after(monkeypatch, Installations, "find", lambda: here.install(BOREAL))
        assert deliver_waiting() == 0
        assert deliver_waiting() > 0
        dana = here.members["boreal"].sandbox.as_person("U0DANA").sees()
        assert dana.find("24-017 Riverside Medical Center") is not None


def test_the_file_of_tokens_is_for_ones_own_eyes(here: Town) -> None:
    file = here.host.data_dir / "installations.db"
    assert file.stat().st_mode & 0o077 == 0
    with sqlite3.connect(file) as connection:
        rows: list[Any] = connection.execute("SELECT team_id FROM slack_bots").fetchall()
    connection.close()
    assert sorted(rows) == [(BOREAL.id,), (KESTREL.id,)]
