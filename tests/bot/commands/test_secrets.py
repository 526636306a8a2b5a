"""Secrets are for whom they are meant: no command prints one, logs one or stores one, whatever goes wrong."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import select

from tests.bot.commands.conftest import ADA, ENGINEER, PEOPLE, Shell, put_lists
from tests.parrot import LOGIN, SLACK, parrot
from workflow.database import Database
from workflow.settings import SettingsError, read_settings
from workflow.tables import Table

PLANTED = {
    "SLACK_BOT_TOKEN": "xoxb-planted-bot-token",
    "SLACK_APP_TOKEN": "xapp-planted-app-token",
    "SLACK_SIGNING_SECRET": "planted-signing-secret",
    "SLACK_CLIENT_SECRET": "planted-client-secret",
    "COSTBOT_METRICS_TOKEN": "planted-metrics-token",
    "COSTBOT_REDIS_URL": "redis://:planted-redis-password@127.0.0.1:9/0",
    "COSTBOT_PROCORE_CLIENT_SECRET": "planted-procore-secret",
    "COSTBOT_PROCORE_WEBHOOK_SECRET": "planted-webhook-secret",
    "COSTBOT_SAGE_ODBC": "DRIVER=Timberline;UID=sage;PWD=planted-odbc-password",
    "COSTBOT_INSTALLATIONS_URL": "postgresql://costbot:planted-installs-password@127.0.0.1:9/installs",
}
APART = PLANTED | {
    "COSTBOT_REDIS_URL": "redis://127.0.0.1:9/0",
    "COSTBOT_REDIS_PASSWORD": "planted-redis-password",
    "COSTBOT_DATABASE_PASSWORD": "planted-database-password",
}
"""The passwords are not in the addresses: this needs a database that has users."""
NEEDED = {
    "COSTBOT_SOURCE": "procore",
    "COSTBOT_PROCORE_CLIENT_ID": "client",
    "COSTBOT_PROCORE_COMPANY_ID": "4001",
    "COSTBOT_SAGE": "import-file",
    "COSTBOT_LOG_LEVEL": "debug",
}
COPY_TO = "postgresql://costbot:planted-copy-password@127.0.0.1:9/copy"
COMMANDS = [
    ["doctor"],
    ["doctor", "--json"],
    ["request", "24-017", "request.csv", "--by", ENGINEER],
    ["update", "24-017", "--by", ADA],
    ["diff", "--job", "24-017"],
    ["sync"],
    ["syncs"],
    ["sage", "check"],
    ["procore", "look"],
    ["procore", "people"],
    ["procore", "connect", "https://costbot.example.com"],
    ["procore", "status", "--json"],
    ["people", "link", ADA, "U1", "T1"],
    ["import", "people", "people.csv"],
    ["db", "backup", "backup.db"],
    ["db", "copy", COPY_TO],
    ["history", "24-017", "--json"],
    ["report", "--json"],
    ["audit", "export", "--format", "csv"],
    ["status", "--json"],
    ["bot"],
]


@pytest.fixture
def ready(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every service that secrets are for is set."""
    (elsewhere / "sage").mkdir()
    (elsewhere / "people.csv").write_text(PEOPLE)
    (elsewhere / "request.csv").write_text("code,category\n03-300,M\n")
    for name, value in {**NEEDED, "COSTBOT_SAGE_FOLDER": str(elsewhere / "sage")}.items():
        monkeypatch.setenv(name, value)
    serve_at("http://127.0.0.1:9/", monkeypatch)


def serve_at(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Slack and Procore are."""
    monkeypatch.setenv("SLACK_API_URL", f"{address}api/")
    monkeypatch.setenv("COSTBOT_PROCORE_API_URL", address)
    monkeypatch.setenv("COSTBOT_PROCORE_LOGIN_URL", address)


@pytest.fixture
def planted(ready: None, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """`costbot` with every secret set."""
    for name, value in PLANTED.items():
        monkeypatch.setenv(name, value)
    return shell


@pytest.fixture
def planted_apart(
    ready: None, bare_shell: Shell, postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Shell:
    """The same on PostgreSQL, with every secret in a file, and the passwords apart from the addresses."""
    monkeypatch.setenv("COSTBOT_DATABASE_URL", postgres_url)
    for name, value in APART.items():
        if "planted" not in value:
            monkeypatch.setenv(name, value)
        else:
            (tmp_path / name).write_text(f"{value}\n")
            monkeypatch.setenv(f"{name}_FILE", str(tmp_path / name))
    return bare_shell


def files_of(folder: Path) -> Iterator[str]:
    for path in folder.rglob("*"):
        if path.is_file():
            yield path.read_bytes().decode("latin-1")


def assert_no_command_tells(shell: Shell, database: Database) -> None:
    put_lists(shell, database)
    for words in COMMANDS:
        ran = shell.run(*words)
        assert "planted" not in ran.out + ran.err, words

    with database.reading() as session:
        for table in Table.metadata.sorted_tables:
            assert "planted" not in repr(session.execute(select(table)).all())
    assert not [content for content in files_of(shell.folder) if "planted" in content]


@pytest.fixture
def nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Procore is tried again after pauses."""
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)


@pytest.mark.usefixtures("nobody_waits")
def test_no_command_tells_a_secret_however_much_is_logged_and_whatever_is_away(
    planted: Shell, database: Database
) -> None:
    assert_no_command_tells(planted, database)


@pytest.mark.usefixtures("nobody_waits")
def test_no_command_tells_what_a_file_holds_though_slack_and_procore_repeat_all_that_they_are_sent(
    planted_apart: Shell,
    postgres_url: str,
    database_of: Callable[[str], Database],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    used = read_settings()
    assert "planted-database-password" in used.database
    assert "planted-redis-password" in used.redis

    with closing(database_of(postgres_url)) as database, parrot() as (address, asked):
        serve_at(address, monkeypatch)
        assert_no_command_tells(planted_apart, database)
    assert {LOGIN, f"{SLACK}auth.test", "/rest/v1.0/me"} <= asked


def test_the_settings_hide_their_secrets_when_shown(planted: Shell) -> None:
    read = read_settings()
    assert "planted" not in f"{read!r} {read}"


def test_the_settings_hide_what_stands_alone_or_in_files_too(planted_apart: Shell) -> None:
    read = read_settings()
    assert "planted" not in f"{read!r} {read}"


@pytest.mark.parametrize(
    "name",
    [
        "SLACK_BOT_TOKEN",
        "SLACK_APP_TOKEN",
        "COSTBOT_DATABASE_URL",
        "COSTBOT_REDIS_URL",
        "COSTBOT_INSTALLATIONS_URL",
        "COSTBOT_PROCORE_WEBHOOK_SECRET",
    ],
)
def test_a_secret_that_is_not_usable_is_named_by_its_variable_alone(
    planted: Shell, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "planted")
    with pytest.raises(SettingsError, match=name) as said:
        read_settings()
    assert "planted" not in str(said.value)


def test_a_database_that_is_away_is_told_without_its_password(
    planted: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COSTBOT_DATABASE_URL", "postgresql://costbot:planted-db@127.0.0.1:9/costbot")
    ran = planted.run("status")
    assert ran.exit_code != 0
    assert "planted" not in ran.out + ran.err
