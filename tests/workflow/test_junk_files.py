"""Junk in `.env`, in files of secrets and in what somebody shares in Slack: used, or refused in words."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.junk import WORDS, damaged, junk_of, lines_amiss, much
from workflow.asked_lines import parse_file
from workflow.settings import Settings, SettingsError, read_host, unknown_names

ENV = """# costbot
SLACK_BOT_TOKEN="xoxb-planted-1"
SLACK_APP_TOKEN='xapp-planted-1'
COSTBOT_CHANNEL=#accounting
COSTBOT_DATABASE_URL=postgresql://costbot:planted-password@db/costbot
COSTBOT_REDIS_URL=redis://:planted-password@redis/0
COSTBOT_DATA_DIR=data
COSTBOT_SYNC_CRON=0 * * * *
COSTBOT_HTTP_PORT=3000
COSTBOT_TIME_ZONE=America/Chicago
COSTBOT_WORKING_HOURS=08:00-17:00
COSTBOT_HOLIDAYS=US-CA,2026-12-24
COSTBOT_REMIND_AFTER=4.5
COSTBOT_PROCORE_WEBHOOK_SECRET=planted-webhook-secret
COSTBOT_METRICS_TOKEN_FILE=token
export COSTBOT_LOG_LEVEL=info
"""
CATEGORIES = {"L": "Labor", "M": "Material"}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to run in, and none of the settings of whoever runs the tests."""
    for field in Settings.model_fields.values():
        for name in (str(field.validation_alias), f"{field.validation_alias}_FILE"):
            monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_file_of_settings_is_used_or_each_mistake_is_a_line_without_its_value(here: Path) -> None:
    env, token = here / ".env", here / "token"

    @given(
        damaged(ENV.encode()) | lines_amiss(ENV) | st.binary(max_size=100),
        st.just(b"planted-metrics-token\n") | st.binary(max_size=40) | WORDS.map(str.encode),
    )
    @much(40)
    def check(settings: bytes, secret: bytes) -> None:
        env.write_bytes(settings)
        token.write_bytes(secret)
        told = ""
        try:
            read = read_host()
            unknown_names(env)
        except SettingsError as error:
            told = str(error)
        else:
            assert read.database
            assert read.redis
            assert all(read.secrets)
        assert "planted" not in told
        assert not re.search(r"Traceback|Error\b|Errno", told)
        assert all(line.endswith(".") for line in told.splitlines())

    check()


@pytest.mark.parametrize("name", ["asked.csv", "asked.txt"])
def test_a_file_that_somebody_shares_is_read_or_its_problems_are_named(name: str) -> None:
    good = "code,category\n03-300,M\n09-250,L\n" if name.endswith("csv") else "03-300 L, M\n- 09-250: Labor\n"

    @given(junk_of(good))
    @much(60)
    def check(content: bytes) -> None:
        asked = parse_file(name, content, CATEGORIES)

        assert len(asked.assignments) == len(asked.lines) == len(set(asked.assignments))
        assert len(asked.codes) == len(asked.code_lines)
        for problem in asked.problems:
            assert problem.reason

    check()


def test_a_file_of_settings_that_an_editor_of_windows_saved_loses_no_line(here: Path) -> None:
    (here / ".env").write_bytes(
        b"\xef\xbb\xbf" + b"COSTBOT_CHANNEL=#accounting\r\nCOSTBOT_LOG_LEVEL=debug\r\n"
    )

    read = read_host()

    assert (read.channel, read.log_level) == ("#accounting", "debug")
    assert unknown_names(here / ".env") == {}


def test_a_secret_from_a_file_that_an_editor_of_windows_saved_is_the_secret(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "token").write_bytes(b"\xef\xbb\xbfplanted-metrics-token\r\n")
    monkeypatch.setenv("COSTBOT_METRICS_TOKEN_FILE", str(here / "token"))

    token = read_host().metrics_token

    assert token is not None
    assert token.get_secret_value() == "planted-metrics-token"
