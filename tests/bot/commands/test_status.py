"""How things stand, in figures."""

from datetime import UTC, datetime

import pytest

from tests.bot.commands.conftest import ADA, Shell


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


def test_status_of_a_new_database_is_told_in_words(shell: Shell) -> None:
    out = shell.done("status").out

    assert "Ready to Update\t0" in out
    assert "Next data sync:" in out
