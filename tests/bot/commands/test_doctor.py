"""What the doctor finds, and what it says to do."""

import pytest

from tests.bot.commands.conftest import ADA, Shell


def findings(shell: Shell) -> dict[str, dict[str, object]]:
    ran = shell.run("doctor", "--json")
    found = {finding["name"]: finding for finding in ran.json["findings"]}
    assert ran.json["ok"] is all(finding["ok"] for finding in found.values())
    assert ran.exit_code == (0 if ran.json["ok"] else 1)
    return found


def test_a_newcomer_hears_that_only_slack_is_missing(shell: Shell) -> None:
    found = findings(shell)

    wrong = {name for name, finding in found.items() if not finding["ok"]}
    assert wrong == {"Slack bot token", "Slack events"}
    assert {"Database", "Redis", "Sage"} <= found.keys()
    assert "bot/manifest.yaml" in str(found["Slack bot token"]["mend"])


def test_the_mends_are_told_in_words(shell: Shell) -> None:
    ran = shell.run("doctor")

    assert "Mend: Create the app from bot/manifest.yaml" in ran.out
    assert "2 of 5 checks found something wrong" in ran.err


def test_a_setting_that_is_mistyped_is_found(shell: Shell) -> None:
    (shell.folder / ".env").write_text("COSTBOT_CHANEL=#a\nSLACK_BOT_TOKEN_FILE=\nOTHER=1\n")

    wrong = findings(shell)["Settings"]

    assert (wrong["ok"], wrong["words"]) == (
        False,
        "`.env` has what is no setting: COSTBOT_CHANEL (COSTBOT_CHANNEL?)",
    )


def test_everything_that_does_not_answer_is_found_at_once(
    bare_shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COSTBOT_DATABASE_URL", "postgresql://costbot:hunter2@127.0.0.1:1/costbot")
    monkeypatch.setenv("COSTBOT_REDIS_URL", "redis://:hunter2@127.0.0.1:1/0")
    (bare_shell.folder / "costbot-data").write_text("not a folder")

    found = findings(bare_shell)

    assert "COSTBOT_DATABASE_URL" in str(found["Database"]["mend"])
    assert "COSTBOT_REDIS_URL" in str(found["Redis"]["mend"])
    assert found["Sage"]["ok"] is False
    assert "hunter2" not in str(found)


def test_whom_the_escalation_names_is_looked_up_in_the_directory(
    company: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "Escalation" not in findings(company)
    monkeypatch.setenv("COSTBOT_ESCALATE_AFTER", "16")
    monkeypatch.setenv("COSTBOT_ESCALATE_TO", f"{ADA.upper()}, pat.admin@example.com")

    well = findings(company)["Escalation"]
    assert well["ok"] is True
    assert well["words"] == "Ada Approver, Pat Admin; of them Pat Admin may not Update"

    monkeypatch.setenv("COSTBOT_ESCALATE_TO", f"{ADA},gone.approver@example.com,typo@example.com")
    wrong = findings(company)["Escalation"]
    assert wrong["ok"] is False
    assert wrong["words"] == "nobody active in the directory has gone.approver@example.com, typo@example.com"
    assert "COSTBOT_ESCALATE_TO" in str(wrong["mend"])


def test_a_redis_that_is_set_is_asked(shell: Shell, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COSTBOT_REDIS_URL", redis_url)

    redis = findings(shell)["Redis"]

    assert redis["ok"] is True
    assert redis_url in str(redis["words"])
