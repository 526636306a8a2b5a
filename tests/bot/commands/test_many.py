"""The command line on a host for many companies: each command works on one, named by `--company`."""

from pathlib import Path

import pytest

from bot.sandbox.many import create_many
from bot.sandbox.oauth import CLIENT_ID, CLIENT_SECRET
from bot.sandbox.procore.app import CLIENT_ID as PROCORE_ID
from bot.sandbox.procore.app import CLIENT_SECRET as PROCORE_SECRET
from bot.sandbox.procore.app import create_procore
from bot.sandbox.procore.company import Company
from bot.sandbox.procore.limits import Limits
from bot.sandbox.server import running
from bot.sandbox.workspace import Workspace
from tests.bot.commands.conftest import JOBS, Shell
from tests.servers import RedisServer


@pytest.fixture
def host(bare_shell: Shell, monkeypatch: pytest.MonkeyPatch, redis_server: RedisServer) -> Shell:
    """A host with the companies alpha and beta."""
    monkeypatch.setenv("COSTBOT_COMPANIES", "companies")
    monkeypatch.setenv("COSTBOT_PUBLIC_URL", "https://costbot.example.com")
    monkeypatch.setenv("SLACK_CLIENT_ID", CLIENT_ID)
    monkeypatch.setenv("SLACK_CLIENT_SECRET", CLIENT_SECRET)
    for number, name in enumerate(("alpha", "beta")):
        folder = bare_shell.folder / "companies" / name
        folder.mkdir(parents=True)
        (folder / ".env").write_text(
            f"COSTBOT_SLACK_TEAM=T{number}\nCOSTBOT_CHANNEL=#cards\nCOSTBOT_REDIS_URL={redis_server.url}?db={number}\n"
        )
    return bare_shell


def test_a_command_works_on_the_company_that_is_named(host: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    host.done("import", "jobs", host.file("jobs.csv", JOBS), "--company", "alpha")

    assert (host.folder / "companies" / "alpha" / "costbot-data" / "costbot.db").exists()
    assert not (host.folder / "companies" / "beta" / "costbot-data").exists()
    monkeypatch.setenv("COSTBOT_COMPANY", "beta")
    assert host.run("show", "24-017").exit_code == 1
    assert host.run("show", "24-017", "--company", "alpha").exit_code == 0


@pytest.mark.parametrize("command", [["status"], ["jobs"], ["worker"], ["scheduler"], ["migrate"]])
def test_without_a_name_the_companies_are_listed(host: Shell, command: list[str]) -> None:
    ran = host.run(*command)

    assert ran.exit_code == 1
    assert "Say for which company: --company alpha or --company beta" in ran.err


@pytest.mark.parametrize("command", ["run", "bot"])
def test_slack_reaches_all_companies_by_one_bot(host: Shell, command: str) -> None:
    named = host.run(command, "--company", "alpha")
    assert f"`costbot {command}` without a company" in named.err

    for_all = host.run(command)
    assert for_all.exit_code == 1
    assert "Not set: SLACK_SIGNING_SECRET or SLACK_APP_TOKEN" in for_all.err


def test_what_two_companies_share_stops_the_start(host: Shell) -> None:
    (host.folder / "companies" / "beta" / ".env").write_text(
        "COSTBOT_SLACK_TEAM=T0\nSLACK_BOT_TOKEN=xoxb-1\n"
    )
    ran = host.run("run")

    assert ran.exit_code == 1
    assert "take SLACK_BOT_TOKEN out" in ran.err


def test_status_and_the_doctor_say_where_it_is_not_installed(
    host: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(create_many([Workspace()])[0]) as url:
        monkeypatch.setenv("SLACK_API_URL", f"{url}/api/")
        monkeypatch.setenv("SLACK_SIGNING_SECRET", "secret")
        status = host.json("status", "--company", "beta")
        doctor = host.run("doctor")
        one = host.run("doctor", "--company", "alpha")

    page = "https://costbot.example.com/slack/install"
    assert status["notices_wait_for"] == (
        f"costbot is not installed in the Slack workspace T1, so notices wait: open {page}."
    )
    assert "ok    Companies: alpha, beta" in doctor.out
    assert "ok    Slack app: tokens are kept" in doctor.out
    assert "wrong alpha: Slack install: costbot is not installed in T0" in doctor.out
    assert "wrong beta: Slack install: costbot is not installed in T1" in doctor.out
    assert f"Mend: Open {page}" in doctor.out
    assert "ok    beta: Database" in doctor.out
    assert "wrong Slack install: costbot is not installed in T0" in one.out
    assert "beta" not in one.out


def test_the_doctor_names_every_mistake_of_the_companies(host: Shell) -> None:
    Path("companies/beta/.env").write_text("COSTBOT_SLACK_TEAM=T0\nCOSTBOT_BURST=0\n")
    doctor = host.run("doctor")

    assert doctor.exit_code == 1
    assert "wrong Companies" in doctor.out
    assert "COSTBOT_BURST is not usable" in doctor.out


def test_a_single_company_has_no_name(bare_shell: Shell) -> None:
    ran = bare_shell.run("status", "--company", "alpha")

    assert ran.exit_code == 1
    assert "There is no company alpha, for costbot works for one company here" in ran.err


def test_procore_is_told_the_companys_own_address_whatever_of_it_is_typed(host: Shell) -> None:
    made = create_procore(Company(), limits=Limits(spike=10_000))
    with running(made.app) as address:
        file = host.folder / "companies" / "beta" / ".env"
        file.write_text(
            f"{file.read_text()}COSTBOT_SOURCE=procore\nCOSTBOT_PROCORE_CLIENT_ID={PROCORE_ID}\n"
            f"COSTBOT_PROCORE_CLIENT_SECRET={PROCORE_SECRET}\nCOSTBOT_PROCORE_COMPANY_ID={made.company.id}\n"
            f"COSTBOT_PROCORE_API_URL={address}\nCOSTBOT_PROCORE_LOGIN_URL={address}\n"
            "COSTBOT_PROCORE_WEBHOOK_SECRET=long-and-random-0123456789\n"
        )
        base, path = "https://costbot.example.com", "/companies/beta/procore/webhooks"
        for typed in (base, f"{base}/companies/beta/", f"{base}{path}"):
            facts = host.json("procore", "connect", typed, "--company", "beta")
            assert facts["url"] == base + path
    made.webhooks.close()
    assert host.run("procore", "status", "--company", "alpha").exit_code == 1
