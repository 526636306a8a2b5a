"""A host for many: each company has its own folder and settings, and what two would share is refused."""

from pathlib import Path

import pytest

from workflow.companies import company_names, read_companies
from workflow.settings import Settings, SettingsError, read_host, read_settings

ALPHA, BETA = "T0ALPHA", "T0BETA"
SECRET = "hunter2"


@pytest.fixture(autouse=True)
def host(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A host for many companies, none of which is there yet; its folder of companies."""
    for field in Settings.model_fields.values():
        monkeypatch.delenv(str(field.validation_alias), raising=False)
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "companies"
    folder.mkdir()
    monkeypatch.setenv("COSTBOT_COMPANIES", "companies")
    monkeypatch.setenv("SLACK_CLIENT_ID", "1.2")
    return folder


def company(host: Path, name: str, *lines: str, team: str | None = None) -> Path:
    """A company's folder with its settings."""
    (host / name).mkdir(exist_ok=True)
    said = [f"COSTBOT_SLACK_TEAM={team}"] if team else []
    (host / name / ".env").write_text("\n".join([*said, *lines, ""]))
    return host / name


def refused() -> str:
    with pytest.raises(SettingsError) as caught:
        read_companies(read_host())
    assert SECRET not in str(caught.value)
    return str(caught.value)


def test_each_company_lives_in_its_own_folder(host: Path) -> None:
    alpha = company(host, "alpha", "COSTBOT_CHANNEL=#a", "COSTBOT_SAGE_PROFILE=profile.toml", team=ALPHA)
    beta = company(host, "beta", "COSTBOT_DATABASE_URL=sqlite:///kept/b.db", team=BETA)
    found = read_companies(read_host())

    assert list(found) == ["alpha", "beta"]
    assert found["alpha"].database == f"sqlite:///{alpha}/costbot-data/costbot.db"
    assert found["alpha"].data_dir == alpha / "costbot-data"
    assert found["alpha"].redis != found["beta"].redis
    assert found["alpha"].sage_profile == alpha / "profile.toml"
    assert found["beta"].database == f"sqlite:///{beta}/kept/b.db"
    assert (found["alpha"].channel, found["beta"].channel) == ("#a", None)


def test_the_slack_app_and_the_log_are_the_hosts(host: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    company(host, "alpha", team=ALPHA)
    monkeypatch.setenv("SLACK_SIGNING_SECRET", SECRET)
    monkeypatch.setenv("COSTBOT_LOG_LEVEL", "debug")
    alpha = read_settings("alpha")

    assert alpha.slack_client_id == "1.2"
    assert alpha.slack_signing_secret is not None
    assert alpha.log_level == "debug"
    assert alpha.installations == read_host().installations
    assert alpha.company == "alpha"


@pytest.mark.parametrize(
    "leak", ["COSTBOT_FORBID_OWN_REQUEST=true", "COSTBOT_DATABASE_URL=sqlite:////x.db", "COSTBOT_CHANNEL=#x"]
)
def test_a_companys_setting_on_the_host_is_refused_and_not_passed_on(
    host: Path, monkeypatch: pytest.MonkeyPatch, leak: str
) -> None:
    company(host, "alpha", team=ALPHA)
    variable, _, value = leak.partition("=")
    monkeypatch.setenv(variable, value)

    assert f"{variable} must not be set for a host of many" in refused()


@pytest.mark.parametrize(
    "variable",
    ["SLACK_BOT_TOKEN=xoxb-", "SLACK_APP_TOKEN=xapp-", "SLACK_CLIENT_SECRET=", "COSTBOT_HTTP_PORT=1"],
)
def test_a_token_in_a_companys_file_is_refused_with_the_mend(host: Path, variable: str) -> None:
    value = "" if "PORT" in variable else SECRET
    company(host, "alpha", f"{variable}{value}", team=ALPHA)
    said = refused()

    assert f"{variable.partition('=')[0]} out" in said
    assert str(host / "alpha" / ".env") in said
    assert "come from the install" in said


@pytest.mark.parametrize(
    ("one", "other", "said"),
    [
        (
            "COSTBOT_DATABASE_URL=sqlite:////x/c.db",
            "COSTBOT_DATABASE_URL=sqlite:////x/../x/c.db",
            "a database",
        ),
        (
            f"COSTBOT_DATABASE_URL=postgresql://a:{SECRET}@localhost/costbot",
            "COSTBOT_DATABASE_URL=postgresql+psycopg://b@127.0.0.1:5432/costbot",
            "a database",
        ),
        (
            f"COSTBOT_REDIS_URL=redis://:{SECRET}@localhost",
            "COSTBOT_REDIS_URL=redis://127.0.0.1:6379/0",
            "a Redis",
        ),
        ("COSTBOT_REDIS_URL=unix:///r.sock", "COSTBOT_REDIS_URL=unix:///r.sock?db=0", "a Redis"),
        ("COSTBOT_DATA_DIR=/tmp/x", "COSTBOT_DATA_DIR=/tmp/./x", "a data folder"),
    ],
)
def test_what_two_companies_would_share_is_refused(host: Path, one: str, other: str, said: str) -> None:
    company(host, "alpha", one, team=ALPHA)
    company(host, "beta", other, team=BETA)

    assert f"alpha and beta share {said}: set" in refused().replace("give one", "set one")
    with pytest.raises(SettingsError, match="beta and alpha share"):
        read_settings("beta")


def test_two_databases_of_a_server_and_two_numbers_of_a_redis_are_apart(host: Path) -> None:
    for number, name in enumerate(("alpha", "beta")):
        database = f"COSTBOT_DATABASE_URL=postgresql://localhost/{name}"
        company(host, name, database, f"COSTBOT_REDIS_URL=redis://localhost/{number}", team=f"T{number}")

    assert list(read_companies(read_host())) == ["alpha", "beta"]


def test_a_slack_team_belongs_to_one_company(host: Path) -> None:
    company(host, "alpha", team=ALPHA)
    company(host, "beta", team=ALPHA)

    assert refused() == (
        "The companies alpha and beta share a Slack workspace: correct COSTBOT_SLACK_TEAM of one of them."
    )


def test_the_same_sage_for_two_companies_is_refused(host: Path) -> None:
    sage = ("COSTBOT_SAGE=import-file", "COSTBOT_SAGE_FOLDER=/srv/sage", "COSTBOT_SAGE_ODBC=DSN=x")
    company(host, "alpha", *sage, team=ALPHA)
    company(host, "beta", *sage, team=BETA)
    said = refused()

    assert "share a folder for Sage's import files" in said
    assert "share a data source of Sage" in said


def test_the_database_of_the_tokens_is_no_companys(host: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COSTBOT_INSTALLATIONS_URL", "postgresql://localhost/costbot")
    company(host, "alpha", "COSTBOT_DATABASE_URL=postgresql://localhost/costbot", team=ALPHA)

    assert "holds the workspaces' tokens" in refused()


def test_every_mistake_of_every_company_is_said_at_once(host: Path) -> None:
    company(host, "alpha", "COSTBOT_BURST=many", team=ALPHA)
    company(host, "beta")
    (host / "gamma").mkdir()
    company(host, "delta", "COSTBOT_CHANNEL=#cards", team="E0ORG")
    company(host, "epsilon", team="C123")
    said = refused().splitlines()

    assert [line.partition("/.env")[0].rpartition("/")[2] for line in said] == [
        *("alpha", "beta", "delta", "epsilon", "gamma")
    ]
    assert "COSTBOT_BURST is not usable" in said[0]
    assert "COSTBOT_SLACK_TEAM is missing" in said[1]
    assert "channel's id (C…)" in said[2]
    assert "(T…)" in said[3]
    assert "is missing" in said[4]


def test_one_companys_mistake_is_not_anothers(host: Path) -> None:
    company(host, "alpha", team=ALPHA)
    company(host, "beta", "COSTBOT_BURST=many", team=BETA)

    assert read_settings("alpha").slack_team == ALPHA


@pytest.mark.parametrize("named", [None, "../alpha", "gamma", ""])
def test_without_a_company_of_the_host_the_names_are_said(host: Path, named: str | None) -> None:
    company(host, "alpha", team=ALPHA)
    company(host, "beta", team=BETA)
    with pytest.raises(SettingsError, match="--company alpha or --company beta"):
        read_settings(named)


def test_the_environment_may_name_the_company(host: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    company(host, "alpha", team=ALPHA)
    monkeypatch.setenv("COSTBOT_COMPANY", "alpha")

    assert read_settings().slack_team == ALPHA


def test_an_empty_folder_and_a_missing_one_say_what_to_do(host: Path) -> None:
    (host / ".git").mkdir()
    assert "make a folder for one" in refused()
    (host / ".git").rmdir()
    host.rmdir()
    with pytest.raises(SettingsError, match="COSTBOT_COMPANIES is not usable"):
        company_names(read_host())


def test_a_name_that_would_not_do_on_a_command_line_is_refused(host: Path) -> None:
    company(host, "Two Words", team=ALPHA)

    assert "use letters, digits" in refused()


def test_a_single_company_needs_no_name_and_takes_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COSTBOT_COMPANIES")
    assert read_settings().companies is None
    with pytest.raises(SettingsError, match="leave --company"):
        read_settings("alpha")


def test_two_companies_of_procore_are_never_one(host: Path) -> None:
    own = (
        "COSTBOT_SOURCE=procore",
        "COSTBOT_PROCORE_CLIENT_ID=app",
        f"COSTBOT_PROCORE_CLIENT_SECRET={SECRET}",
        f"COSTBOT_PROCORE_WEBHOOK_SECRET={SECRET * 3}",
    )
    company(host, "alpha", *own, "COSTBOT_PROCORE_COMPANY_ID=1", team=ALPHA)
    company(host, "beta", *own, "COSTBOT_PROCORE_COMPANY_ID=1", team=BETA)
    said = refused()
    assert "share a company of Procore: correct COSTBOT_PROCORE_COMPANY_ID" in said
    assert "share a secret of Procore's webhooks: set another COSTBOT_PROCORE_WEBHOOK_SECRET" in said
    company(host, "beta", *own[:3], "COSTBOT_PROCORE_COMPANY_ID=2", team=BETA)
    assert list(read_companies(read_host())) == ["alpha", "beta"]
    company(host, "beta", own[3], "COSTBOT_PROCORE_COMPANY_ID=1", team=BETA)
    assert list(read_companies(read_host())) == ["alpha", "beta"]  # one that works with files has none
