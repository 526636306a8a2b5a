"""How things stand, in figures."""

from datetime import UTC, datetime

import pytest

from bot.app import bare_app
from bot.http import http_app
from bot.sandbox.server import running
from tests.bot.commands.conftest import ADA, ENGINEER, Shell
from workflow import tally
from workflow.settings import Settings


def test_status_counts_jobs_by_state_and_what_waits(company: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COSTBOT_SYNC_CRON", "30 4 1 1 *")
    company.done("hold", "add", "24-017", "commitment", "C-1", "Steel")
    company.request("24-017")
    company.request("24-031")
    company.done("update", "24-031", "--by", ADA)
    company.done("sync")

    status = company.json("status")

    assert {state: count for state, count in status["jobs"].items() if count} == {"ready": 1, "synced": 1}
    assert status["holds_waiting"] == 1
    assert status["notices_waiting"] > 0
    assert status["last_sync"]["batch"] == "DS000001"
    next_sync = datetime.fromisoformat(status["next_sync_at"])
    assert (next_sync.month, next_sync.day, next_sync.hour, next_sync.minute) == (1, 1, 4, 30)
    assert next_sync > datetime.now(UTC)


def test_status_says_which_parts_have_trouble_and_how_long_things_have_waited(company: Shell) -> None:
    company.request("24-017")
    company.run("update", "24-017", "--by", ENGINEER)

    status = company.json("status")

    assert status["parts"]["database"] == "ok"
    assert status["parts"]["redis"] == "ConnectionError"
    assert status["parts"]["data sync"] == "late: it was never done"
    assert status["parts"]["bot"].startswith("no bot answers at http://127.0.0.1:")
    assert status["oldest_ready_at"] <= datetime.now(UTC).isoformat()
    assert [row["count"] for row in status["refusals"]] == [1]
    assert (status["slack_calls"], status["slack_rate_limited"]) == (None, None)
    out = company.done("status").out
    assert "Redis\tConnectionError" in out
    assert "Ready to Update for longest: less than a minute" in out


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


def test_status_of_a_new_database_is_told_in_words(shell: Shell) -> None:
    out = shell.done("status").out

    assert "Ready to Update\t0" in out
    assert "Next data sync:" in out
