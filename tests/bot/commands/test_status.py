"""How things stand, in figures."""

import sys
from datetime import UTC, datetime

import pytest

from bot.app import bare_app
from bot.blocks.words import STATE_WORDS
from bot.http import http_app
from bot.sandbox.server import running
from tests.bot.commands.conftest import ADA, ENGINEER, Shell
from tests.terminal import COLUMNS, plain, typed
from workflow import tally
from workflow.settings import Settings
from workflow.vocabulary import State


def test_a_terminal_shows_what_the_json_says(
    company: Shell, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COSTBOT_SYNC_CRON", "30 4 1 1 *")
    monkeypatch.setenv("COSTBOT_REDIS_URL", redis_url)
    company.done("hold", "add", "24-017", "commitment", "C-1", "Steel")
    company.request("24-017")
    company.run("update", "24-017", "--by", ENGINEER)
    company.request("24-031")
    company.done("update", "24-031", "--by", ADA)
    for _ in range(2):
        company.done("sync")
    tally.add(redis_url, {(tally.SLACK_CALLS, "chat.update", "rate_limited"): 1})

    status = company.json("status")
    code, shown = typed([sys.executable, "-m", "bot", "status"])

    assert code == 0
    assert "\x1b[1m" in shown
    lines = plain(shown).splitlines()
    assert max(map(len, lines)) <= COLUMNS
    rows = {" ".join(line.split()) for line in lines}
    assert {f"{STATE_WORDS[State(state)]} {count}" for state, count in status["jobs"].items()} <= rows
    assert {"Database ok", "Redis ok", "Data sync late: it was never done"} <= rows
    last, text = status["last_sync"], " ".join(" ".join(lines).split())
    for words in (
        "Ready to Update for longest less than a minute",
        f"Contracts and change orders that wait {status['holds_waiting']}",
        f"Slack notices waiting {status['notices_waiting']}, due for less than a minute",
        f"Calls of Slack {status['slack_calls']}, rate limited {status['slack_rate_limited']}",
        "Acts refused 1: permission too low 1",
        f"Last data sync {last['batch']}, ",
        f"finished, in {last['seconds']:.1f} s: {last['created']} created",
        f"Runs of the data sync finished 1, nothing to send 1; {status['sync_seconds'] / 2:.1f} s each",
        "Next data sync 2",
    ):
        assert words in text
    assert {state: count for state, count in status["jobs"].items() if count} == {"ready": 1, "synced": 1}
    assert (status["holds_waiting"], last["batch"]) == (1, "DS000001")
    assert status["notices_waiting"] > 0
    next_sync = datetime.fromisoformat(status["next_sync_at"])
    assert (next_sync.month, next_sync.day, next_sync.hour, next_sync.minute) == (1, 1, 4, 30)
    assert next_sync > datetime.now(UTC)
    assert [row["reason"] for row in status["refusals"]] == ["permission_too_low"]
    assert status["sync_runs"] == {"finished": 1, "nothing_to_send": 1}
    assert last["seconds"] < status["sync_seconds"] < 60


def test_status_says_which_parts_have_trouble_and_how_long_things_have_waited(
    company: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COSTBOT_HTTP_PORT", "9")  # of the machine, where nobody is
    company.request("24-017")
    company.run("update", "24-017", "--by", ENGINEER)

    status = company.json("status")

    assert status["parts"]["database"] == "ok"
    assert status["parts"]["redis"] == "ConnectionError"
    assert status["parts"]["data sync"] == "late: it was never done"
    assert status["parts"]["bot"] == "no bot answers at http://127.0.0.1:9"
    assert status["oldest_ready_at"] <= datetime.now(UTC).isoformat()
    assert [row["count"] for row in status["refusals"]] == [1]
    assert (status["slack_calls"], status["slack_rate_limited"]) == (None, None)
    assert (status["sync_runs"], status["sync_seconds"]) == (None, None)
    out = company.done("status").out
    assert "Redis\tConnectionError" in out
    assert "Ready to Update for longest\tless than a minute" in out


def test_status_tells_what_the_bot_says_and_what_all_processes_count(
    shell: Shell, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tally.add(
        redis_url, {(tally.SLACK_CALLS, "chat.update", outcome): 2 for outcome in ("ok", "rate_limited")}
    )
    app = http_app(bare_app(Settings(_env_file=None)), takes_events=False, ready={"slack": lambda: "closed"})
    with running(app) as url:
        monkeypatch.setenv("COSTBOT_HTTP_PORT", url.rpartition(":")[2])
        monkeypatch.setenv("COSTBOT_REDIS_URL", redis_url)
        status = shell.json("status")

    assert (status["parts"]["bot"], status["parts"]["slack"], status["parts"]["redis"]) == (
        "ok",
        "closed",
        "ok",
    )
    assert (status["slack_calls"], status["slack_rate_limited"]) == (4, 2)


def test_status_tells_of_every_other_part_while_the_database_is_gone(
    shell: Shell, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = http_app(bare_app(Settings(_env_file=None)), takes_events=False, ready={"slack": lambda: "closed"})
    monkeypatch.setenv("COSTBOT_DATABASE_URL", "postgresql+psycopg://costbot@127.0.0.1:9/costbot")
    monkeypatch.setenv("COSTBOT_REDIS_URL", redis_url)
    with running(app) as url:
        monkeypatch.setenv("COSTBOT_HTTP_PORT", url.rpartition(":")[2])
        in_json, in_words = shell.run("status", "--json"), shell.run("status")

    unknown = "not known while the database does not answer"
    assert in_json.exit_code == in_words.exit_code == 1
    assert (in_json.json["result"], in_json.json["reason"]) == ("failed", "database")
    assert in_json.json["parts"] == {
        "database": "OperationalError",
        "redis": "ok",
        "sage": unknown,
        "data sync": unknown,
        "bot": "ok",
        "slack": "closed",
    }
    assert "Redis\tok" in in_words.out
    assert "Connection to Slack\tclosed" in in_words.out
    for ran in (in_json, in_words):
        assert ran.err.startswith("The database does not answer: connection failed")
        assert len(ran.err.splitlines()) == 1
