"""The settings: their defaults, and for each mistake one line that names it and keeps the secret."""

import re
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from workflow.calendar import Calendar
from workflow.settings import Settings, SettingsError, read_settings
from workflow.waiting import Patience

SECRET = "hunter2"
WRONG = [
    ("COSTBOT_DATABASE_URL", f"mysql://root:{SECRET}@host/costbot", "postgresql+psycopg://"),
    ("COSTBOT_DATABASE_URL", f"postgresql+asyncpg://root:{SECRET}@host/costbot", "postgresql+psycopg://"),
    ("COSTBOT_DATABASE_URL", f"postgresql://root:p@:{SECRET}/x@host/costbot", "%2F"),
    ("COSTBOT_DATABASE_URL", "postgresql://host:none/costbot", "postgresql+psycopg://"),
    ("COSTBOT_DATABASE_URL", "costbot.db", "sqlite:////path/costbot.db"),
    ("COSTBOT_DATABASE_URL", "sqlite://", "sqlite:////path/costbot.db"),
    ("COSTBOT_DATABASE_URL", "sqlite:///:memory:", "sqlite:////path/costbot.db"),
    ("COSTBOT_REDIS_URL", f"http://:{SECRET}@host", "redis://host:6379/0"),
    ("COSTBOT_REDIS_URL", f"redis://:{SECRET}@host:none", "redis://host:6379/0"),
    ("COSTBOT_REDIS_URL", "unix://", "redis://host:6379/0"),
    ("SLACK_BOT_TOKEN", f"xapp-{SECRET}", "begins with xoxb-"),
    ("SLACK_APP_TOKEN", f"xoxb-{SECRET}", "begins with xapp-"),
    ("SLACK_API_URL", "slack.com/api", "https://"),
    ("SLACK_API_URL", "https://", "https://"),
    ("COSTBOT_SYNC_CRON", "hourly", "five cron fields"),
    ("COSTBOT_SYNC_CRON", "0 * * * * *", "five cron fields"),
    ("COSTBOT_SYNC_CRON", "61 * * * *", "five cron fields"),
    ("COSTBOT_SYNC_CRON", "0 0 30 2 *", "come due"),
    ("COSTBOT_SYNC_CRON", "R * * * *", "five cron fields"),
    ("COSTBOT_REPORT_CRON", "weekly", "five cron fields"),
    ("COSTBOT_HTTP_PORT", "http", "valid integer"),
    ("COSTBOT_HTTP_PORT", "70000", "65535"),
    ("COSTBOT_FORBID_OWN_REQUEST", "perhaps", "boolean"),
    ("COSTBOT_LOG_LEVEL", "loud", "'debug'"),
    ("COSTBOT_TIME_ZONE", "Chicago", "America/Chicago"),
    ("COSTBOT_TIME_ZONE", "../UTC", "America/Chicago"),
    ("COSTBOT_WORKING_DAYS", "mo-fr", "mon-fri"),
    ("COSTBOT_WORKING_HOURS", "17:00-08:00", "08:00-17:00"),
    ("COSTBOT_WORKING_HOURS", "8-17", "08:00-17:00"),
    ("COSTBOT_HOLIDAYS", "2026-13-01", "US,2026-12-24"),
    ("COSTBOT_HOLIDAYS", "Atlantis", "US,2026-12-24"),
    ("COSTBOT_REMIND_AFTER", "0", "greater than 0"),
    ("COSTBOT_EXPIRE_AFTER_DAYS", "soon", "valid integer"),
    ("COSTBOT_PROCORE_INTAKE", "both", "'erp-requests'"),
    ("COSTBOT_PROCORE_ERP_REQUEST_PATH", "rest/v1.0/erp_requests", "/{id}"),
    ("COSTBOT_PROCORE_ERP_REQUEST_PATH", "https://elsewhere/{id}", "rest/"),
    ("COSTBOT_PUBLIC_URL", "costbot.example.com", "https://costbot.example.com"),
    ("COSTBOT_PUBLIC_URL", "ftp://costbot.example.com", "https://costbot.example.com"),
    ("COSTBOT_PUBLIC_URL", "https://costbot.example.com/?a=b", "https://costbot.example.com"),
]


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An empty environment and a folder without `.env`."""
    for field in Settings.model_fields.values():
        monkeypatch.delenv(str(field.validation_alias), raising=False)
    monkeypatch.chdir(tmp_path)


def test_nothing_set_is_a_whole_trial_in_the_data_folder(tmp_path: Path) -> None:
    settings = read_settings()

    assert settings.database == f"sqlite:///{tmp_path / 'costbot-data' / 'costbot.db'}"
    assert settings.redis == f"unix://{tmp_path / 'costbot-data' / 'redis.sock'}"
    assert settings.sync_cron == "0 * * * *"
    assert settings.slack_api_url == "https://slack.com/api/"


def test_the_data_folder_moves_what_lies_in_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("COSTBOT_DATA_DIR", str(tmp_path / "my data"))
    settings = read_settings()

    assert settings.redis_socket == tmp_path / "my data" / "redis.sock"
    assert settings.redis.endswith("/my%20data/redis.sock")
    assert settings.database.endswith("/my data/costbot.db")


def test_the_companys_calendar_and_patience_are_read_from_the_settings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in {
        "TIME_ZONE": "America/Chicago",
        "WORKING_DAYS": "Mon-Thu, sat",
        "WORKING_HOURS": "07:30-16:00",
        "HOLIDAYS": "us-tx, 2026-12-24",
        "ESCALATE_AFTER": "12",
        "ESCALATE_TO": "boss@example.com, chief@example.com",
        "EXPIRE_AFTER_DAYS": "30",
    }.items():
        monkeypatch.setenv(f"COSTBOT_{name}", value)
    settings = read_settings()

    assert settings.calendar == Calendar(
        zone=ZoneInfo("America/Chicago"),
        weekdays=frozenset({0, 1, 2, 3, 5}),
        opens=timedelta(hours=7.5),
        closes=timedelta(hours=16),
        holidays=frozenset({date(2026, 12, 24)}),
        countries=("US-TX",),
    )
    assert settings.rules.calendar == settings.calendar
    assert settings.patience == Patience(
        remind_after=timedelta(hours=8.5),
        escalate_after=timedelta(hours=12),
        escalate_to=("boss@example.com", "chief@example.com"),
        expire_after=timedelta(days=30),
    )


def test_escalation_needs_a_time_and_people(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COSTBOT_ESCALATE_AFTER", "12")
    with pytest.raises(SettingsError, match="COSTBOT_ESCALATE_TO need each other"):
        read_settings()


@pytest.mark.parametrize(("variable", "value", "mend"), WRONG)
def test_a_wrong_setting_is_one_line_that_names_it_and_the_mend(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, mend: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError) as caught:
        read_settings()

    said = str(caught.value)
    assert said.startswith(f"{variable} is not usable: ")
    assert mend in said
    assert "\n" not in said
    assert SECRET not in said


def test_every_wrong_setting_has_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COSTBOT_HTTP_PORT", "http")
    monkeypatch.setenv("SLACK_BOT_TOKEN", "token")
    with pytest.raises(SettingsError) as caught:
        read_settings()

    named = [line.split()[0] for line in str(caught.value).splitlines()]
    assert named == ["SLACK_BOT_TOKEN", "COSTBOT_HTTP_PORT"]


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("postgresql://host/costbot", "postgresql+psycopg://host/costbot"),
        ("postgresql+psycopg://host/costbot", "postgresql+psycopg://host/costbot"),
        ("sqlite:////var/costbot.db", "sqlite:////var/costbot.db"),
    ],
)
def test_a_database_url_names_the_driver(monkeypatch: pytest.MonkeyPatch, given: str, used: str) -> None:
    monkeypatch.setenv("COSTBOT_DATABASE_URL", given)

    assert read_settings().database == used


@pytest.mark.parametrize("url", ["redis://localhost:6379/0", "rediss://:pw@host", "unix:///tmp/redis.sock"])
def test_every_kind_of_redis_url_is_taken(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("COSTBOT_REDIS_URL", url)

    assert read_settings().redis == url


def test_what_is_set_to_nothing_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COSTBOT_HTTP_PORT", "")

    assert read_settings().http_port == 3000


def test_settings_come_from_the_env_file_and_the_environment_goes_first(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("COSTBOT_CHANNEL=#cost-codes\nCOSTBOT_HTTP_PORT=4000\nSOMETHING_ELSE=1\n")
    monkeypatch.setenv("COSTBOT_HTTP_PORT", "5000")
    settings = read_settings()

    assert (settings.channel, settings.http_port) == ("#cost-codes", 5000)


@pytest.mark.parametrize(
    ("others", "value"),
    [
        ("SAGE", "import-file"),
        ("DATABASE_URL", "postgresql://host/of-another-program"),
        ("CHANNEL", "#elsewhere"),
        ("LOG_LEVEL", "loud"),
    ],
)
def test_a_variable_of_another_program_is_not_ours(
    monkeypatch: pytest.MonkeyPatch, others: str, value: str
) -> None:
    before = read_settings()
    Path(".env").write_text(f"{others}={value}\n")
    monkeypatch.setenv(others, value)

    assert read_settings() == before


def test_a_line_of_the_file_that_cannot_be_read_is_named_and_not_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text(f'# mine\nCOSTBOT_CHANNEL=#a\nSLACK_BOT_TOKEN="{SECRET}\nfoo bar\n')
    with pytest.raises(SettingsError) as caught:
        read_settings()
    assert "`.env` is not usable in lines 3 and 4" in str(caught.value)
    assert SECRET not in str(caught.value)


def test_an_env_file_that_is_not_text_is_one_line(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"COSTBOT_CHANNEL=caf\xe9\n")
    with pytest.raises(SettingsError, match=re.escape("`.env`")):
        read_settings()


def test_the_rules_know_the_administrator_as_the_directory_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COSTBOT_ADMIN_EMAIL", "Dana@Example.com, sam@example.com,")
    monkeypatch.setenv("COSTBOT_FORBID_OWN_REQUEST", "true")
    rules = read_settings().rules

    assert (rules.admin_emails, rules.forbid_own_request, rules.hold_every_export) == (
        ("dana@example.com", "sam@example.com"),
        True,
        False,
    )


def test_printing_the_settings_shows_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", f"xoxb-{SECRET}")
    monkeypatch.setenv("SLACK_SIGNING_SECRET", SECRET)
    monkeypatch.setenv("COSTBOT_DATABASE_URL", f"postgresql://costbot:{SECRET}@host/costbot")
    monkeypatch.setenv("COSTBOT_REDIS_URL", f"redis://:{SECRET}@host")

    assert SECRET not in repr(read_settings())


def test_an_erp_integrator_writes_back_and_may_not_be_told_not_to(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not read_settings().writes_back
    for name, value in {
        "COSTBOT_SOURCE": "procore",
        "COSTBOT_PROCORE_CLIENT_ID": "id",
        "COSTBOT_PROCORE_CLIENT_SECRET": SECRET,
        "COSTBOT_PROCORE_COMPANY_ID": "4001",
        "COSTBOT_PROCORE_INTAKE": "erp-requests",
    }.items():
        monkeypatch.setenv(name, value)
    assert read_settings().writes_back

    monkeypatch.setenv("COSTBOT_PROCORE_WRITE_BACK", "false")
    with pytest.raises(SettingsError, match="remove COSTBOT_PROCORE_WRITE_BACK=false"):
        read_settings()
    monkeypatch.setenv("COSTBOT_PROCORE_INTAKE", "cost-codes")
    assert not read_settings().writes_back
