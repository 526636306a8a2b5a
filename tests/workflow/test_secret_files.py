"""Secrets from files: which settings may, what a file may hold, and that no error shows any of it."""

from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from redis import ConnectionPool
from sqlalchemy.engine import make_url

from workflow.masking import mask
from workflow.settings import Settings, SettingsError, read_file, read_settings
from workflow.settings.secret_files import secrets_in

SECRET = "hunter2"
GOOD = {
    "COSTBOT_DATABASE_URL": f"postgresql+psycopg://costbot:{SECRET}@host/costbot",
    "COSTBOT_REDIS_URL": f"redis://:{SECRET}@host",
    "COSTBOT_INSTALLATIONS_URL": f"postgresql+psycopg://costbot:{SECRET}@host/tokens",
    "SLACK_BOT_TOKEN": f"xoxb-{SECRET}",
    "SLACK_APP_TOKEN": f"xapp-{SECRET}",
    "SLACK_SIGNING_SECRET": SECRET,
    "SLACK_CLIENT_SECRET": SECRET,
    "COSTBOT_SAGE_ODBC": f"DSN=Timberline Data;PWD={SECRET}",
    "COSTBOT_PROCORE_CLIENT_SECRET": SECRET,
    "COSTBOT_PROCORE_WEBHOOK_SECRET": f"{SECRET}-long-enough",
    "COSTBOT_METRICS_TOKEN": f"{SECRET}-long-enough",
    # beside addresses that hold no password: see below
    "COSTBOT_DATABASE_PASSWORD": SECRET,
    "COSTBOT_REDIS_PASSWORD": SECRET,
}
DATABASE, REDIS = "postgresql+psycopg://costbot@host/costbot", "redis://host:6380/1"
passwords = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1)


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An empty environment and a folder without `.env`."""
    for field in Settings.model_fields.values():
        for name in (str(field.validation_alias), f"{field.validation_alias}_FILE"):
            monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def written(text: str, name: str = "secret") -> str:
    """The path of a new file with this text."""
    path = Path(name).absolute()
    path.write_bytes(text.encode())
    return str(path)


def shown(settings: Settings) -> dict[str, str]:
    """What is set of the secrets, by their variables."""
    found = {}
    for name, field in Settings.model_fields.items():
        value = getattr(settings, name)
        if value is not None and not field.repr:
            text = value.get_secret_value() if isinstance(value, SecretStr) else value
            found[str(field.validation_alias)] = text
    return found


def redis_of(settings: Settings) -> dict[str, Any]:
    """What redis-py understands of the address."""
    found: dict[str, Any] = ConnectionPool.from_url(settings.redis).connection_kwargs
    return found


def test_every_secret_setting_may_come_from_a_file() -> None:
    secret = {str(field.validation_alias) for field in Settings.model_fields.values() if not field.repr}
    masked = {
        str(f.validation_alias) for f in Settings.model_fields.values() if "Secret" in str(f.annotation)
    }

    assert masked <= secret == set(GOOD)


@pytest.mark.parametrize("ends_with", ["", "\n", "\r\n"])
def test_a_file_holds_what_the_variable_would(monkeypatch: pytest.MonkeyPatch, ends_with: str) -> None:
    monkeypatch.setenv("COSTBOT_SAGE", "import-file")
    monkeypatch.setenv("COSTBOT_SAGE_FOLDER", "sage")
    given = {name: value for name, value in GOOD.items() if not name.endswith("_PASSWORD")}
    for name, value in given.items():
        monkeypatch.setenv(f"{name}_FILE", written(value + ends_with, name))

    assert shown(read_settings()) == given


@given(password=passwords)
def test_a_password_of_any_characters_gets_into_its_address(password: str) -> None:
    settings = Settings(
        _env_file=None,
        database_url=DATABASE,
        database_password=SecretStr(password),
        redis_url=REDIS,
        redis_password=SecretStr(password),
    )

    database = make_url(settings.database)
    assert (database.username, database.password, database.host) == ("costbot", password, "host")
    redis = redis_of(settings)
    assert (redis["password"], redis["host"], redis["port"], redis["db"]) == (password, "host", 6380, 1)
    assert mask(settings.database) == "postgresql+psycopg://costbot:***@host/costbot"
    assert mask(settings.redis) == "redis://:***@host:6380/1"


@pytest.mark.parametrize(
    ("address", "known"),
    [
        ("redis://reader@host", {"username": "reader", "host": "host"}),
        ("unix:///run/redis.sock?db=2", {"db": 2}),
    ],
)
def test_redis_keeps_its_user_and_its_socket(address: str, known: dict[str, object]) -> None:
    found = redis_of(Settings(_env_file=None, redis_url=address, redis_password=SecretStr(SECRET)))

    assert known.items() <= found.items()
    assert found["password"] == SECRET


def test_passwords_come_from_files_and_are_in_no_print(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COSTBOT_DATABASE_URL", DATABASE)
    monkeypatch.setenv("COSTBOT_REDIS_URL", REDIS)
    for name in ("COSTBOT_DATABASE_PASSWORD", "COSTBOT_REDIS_PASSWORD"):
        monkeypatch.setenv(f"{name}_FILE", written(f"{SECRET}\n"))
    settings = read_settings()

    assert settings.database == f"postgresql+psycopg://costbot:{SECRET}@host/costbot"
    assert settings.redis == f"redis://:{SECRET}@host:6380/1"
    assert SECRET not in repr(settings)


@pytest.mark.parametrize(
    "password", ["pa[ss-word-long", "pa#ss-word-long", "pa?ss-word-long", "pa%5Bss-word-long"]
)
def test_a_password_in_an_address_is_a_secret_by_itself_whatever_is_in_it(password: str) -> None:
    read = Settings(_env_file=None, database_url=f"postgresql+psycopg://costbot:{password}@db:5432/costbot")
    assert {password, unquote(password)} <= set(read.secrets)


@pytest.mark.parametrize(
    ("string", "password"),
    [
        ("DRIVER=T;UID=sage;PWD=pass-word-long", "pass-word-long"),
        ("DSN=x;Password = pass-word-long ;UID=sage", "pass-word-long"),
        ("DSN=x;pwd={pass}}word;long}", "pass}word;long"),
        ("DSN=x;pwd={pass}}word;long}", "pass}}word;long"),
    ],
)
def test_the_password_in_an_odbc_string_is_a_secret_by_itself(string: str, password: str) -> None:
    assert password in secrets_in(SecretStr(string))


def test_an_empty_file_is_a_secret_that_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_APP_TOKEN_FILE", written("\n"))
    monkeypatch.setenv("SLACK_SIGNING_SECRET_FILE", written(""))
    monkeypatch.setenv("SLACK_SIGNING_SECRET", SECRET)

    assert shown(read_settings()) == {"SLACK_SIGNING_SECRET": SECRET}


def test_a_file_goes_before_what_stands_in_the_env_file(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("SLACK_SIGNING_SECRET=old\n")
    monkeypatch.setenv("SLACK_SIGNING_SECRET_FILE", written("new"))

    assert shown(read_settings()) == {"SLACK_SIGNING_SECRET": "new"}


def test_an_env_file_names_files_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    company = tmp_path / "companies" / "kestrel"
    company.mkdir(parents=True)
    (company / "procore").write_text(SECRET)
    (company / ".env").write_text("COSTBOT_PROCORE_CLIENT_SECRET_FILE=procore\n")
    # the host's own are none of the company's affair
    monkeypatch.setenv("SLACK_SIGNING_SECRET_FILE", str(tmp_path / "missing"))

    assert shown(read_file(company / ".env")) == {"COSTBOT_PROCORE_CLIENT_SECRET": SECRET}


@pytest.mark.parametrize("name", GOOD)
def test_a_secret_that_is_set_twice_is_a_mistake(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, GOOD[name])
    monkeypatch.setenv(f"{name}_FILE", written(GOOD[name]))
    with pytest.raises(SettingsError) as caught:
        read_settings()

    assert str(caught.value) == f"{name} and {name}_FILE are both set: remove one."


def test_every_file_that_is_not_usable_has_its_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "latin").write_bytes(f"{SECRET} caf\xe9".encode("latin-1"))
    for name, path in {
        "COSTBOT_DATABASE_PASSWORD": "nowhere",
        "SLACK_BOT_TOKEN": str(tmp_path),
        "SLACK_APP_TOKEN": "latin",
        "SLACK_SIGNING_SECRET": written(f"{SECRET}\nxoxb-{SECRET}\n", "two-lines"),
    }.items():
        monkeypatch.setenv(f"{name}_FILE", path)
    with pytest.raises(SettingsError) as caught:
        read_settings()

    assert str(caught.value).splitlines() == [
        "COSTBOT_DATABASE_PASSWORD_FILE is not usable: nowhere: No such file or directory.",
        f"SLACK_BOT_TOKEN_FILE is not usable: {tmp_path}: Is a directory.",
        "SLACK_APP_TOKEN_FILE is not usable: latin must be one line of UTF-8 text.",
        f"SLACK_SIGNING_SECRET_FILE is not usable: {tmp_path}/two-lines must be one line of UTF-8 text.",
    ]


@pytest.mark.parametrize(
    ("address", "value", "password", "said"),
    [
        ("COSTBOT_DATABASE_URL", None, "COSTBOT_DATABASE_PASSWORD", "needs a user in COSTBOT_DATABASE_URL"),
        (
            "COSTBOT_DATABASE_URL",
            "postgresql://host/costbot",
            "COSTBOT_DATABASE_PASSWORD",
            "needs a user in COSTBOT_DATABASE_URL",
        ),
        ("COSTBOT_DATABASE_URL", GOOD["COSTBOT_DATABASE_URL"], "COSTBOT_DATABASE_PASSWORD", "remove one"),
        ("COSTBOT_REDIS_URL", None, "COSTBOT_REDIS_PASSWORD", "set COSTBOT_REDIS_URL too"),
        ("COSTBOT_REDIS_URL", GOOD["COSTBOT_REDIS_URL"], "COSTBOT_REDIS_PASSWORD", "remove one"),
    ],
)
def test_a_password_needs_an_address_that_has_room_for_it(
    monkeypatch: pytest.MonkeyPatch, address: str, value: str | None, password: str, said: str
) -> None:
    if value:
        monkeypatch.setenv(address, value)
    monkeypatch.setenv(f"{password}_FILE", written(SECRET))
    with pytest.raises(SettingsError) as caught:
        read_settings()

    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert SECRET not in str(caught.value)


def test_what_is_wrong_with_a_secret_does_not_show_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN_FILE", written(f"xapp-{SECRET}"))
    monkeypatch.setenv("COSTBOT_DATABASE_URL_FILE", written(f"mysql://root:{SECRET}@host/costbot"))
    with pytest.raises(SettingsError) as caught:
        read_settings()

    assert [line.split()[0] for line in str(caught.value).splitlines()] == [
        "COSTBOT_DATABASE_URL",
        "SLACK_BOT_TOKEN",
    ]
    assert SECRET not in str(caught.value)
