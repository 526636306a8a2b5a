"""The tokens that an install brought: nothing shows or keeps one, though Slack refuses all and repeats it."""

import base64
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote_plus

import httpx
import pytest

from bot import logs
from bot.delivery import deliver_waiting
from bot.http import http_app
from bot.installations import Installations, gateway_of
from bot.many import front
from bot.sandbox.client import NO_AUTHORITIES
from bot.sandbox.oauth import CLIENT_ID, CLIENT_SECRET
from bot.sandbox.server import running
from bot.slack_answers import SlackRefused, SlackUnavailable
from tests import line
from tests.bot.many.test_tokens import environment, near_its_end
from tests.bot.many.town import BOREAL, Town
from tests.bot.signing import signed
from tests.parrot import SLACK, parrot
from workflow.settings import read_settings

COMMANDS = [
    ["doctor"],
    ["doctor", "--json"],
    ["status", "--json"],
    ["history", "24-017", "--json"],
    ["audit", "export", "--format", "csv"],
    ["audit", "export", "--format", "jsonl"],
]
DANA = "U0DANA"


@pytest.fixture
def repeated(
    here: Town, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Iterator[tuple[str, set[str]]]:
    """After an install and a rotation all ask a Slack that refuses everything.

    The log of both, and the paths that this Slack was asked for.
    """
    environment(monkeypatch, here, "boreal")
    monkeypatch.setenv("COSTBOT_LOG_LEVEL", "debug")
    with parrot() as (address, asked), line.logs_as_before():
        logs.configure("debug", secrets=here.host.secrets)
        assert here.install(BOREAL).status_code == 200
        near_its_end(here)
        here.installations.token(BOREAL.id)
        near_its_end(here)
        log = capfd.readouterr().err
        assert "xoxe-***" in log
        there = {"slack_api_url": address + SLACK[1:]}
        here.host = here.host.model_copy(update=there)
        for member in here.members.values():
            of_it = member.company.settings.model_copy(update=there)
            member.company = replace(member.company, settings=of_it)
        monkeypatch.setenv("SLACK_API_URL", here.host.slack_api_url)
        yield log, asked


def secrets_of(here: Town) -> set[str]:
    """What came with the installs, and what they are asked with, as it is and as the SDK sends it."""
    bots = [here.installations.find(member.team.installed_in) for member in here.members.values()]
    tokens = {token for bot in bots if bot for token in (bot.bot_token, bot.bot_refresh_token)}
    assert len(tokens) == 2 * len(here.members)
    basic = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
    found = {*(token for token in tokens if token), CLIENT_SECRET, basic}
    # and what makes a token one: its random part
    return found | {quote_plus(one) for one in found} | {one.rpartition("-")[2] for one in tokens if one}


def told_by_the_bot(here: Town) -> Iterator[str]:
    """What it answers who installs, whoever acts, and what it looks like to who debugs it."""
    companies = [member.company for member in here.members.values()]
    with (
        front(here.host, companies) as open_,
        running(http_app(open_.apps, takes_events=True, ready={}, more=open_.routes)) as url,
    ):
        with httpx.Client(base_url=url, trust_env=False, timeout=60, verify=NO_AUTHORITIES) as browser:
            page = browser.get("/slack/install")
            cookie = page.headers["set-cookie"].partition(";")[0]
            state = page.text.partition("state=")[2].partition("&")[0]
            back = {"code": "one", "state": state}
            yield page.text
            yield browser.get("/slack/oauth_redirect", params=back, headers={"Cookie": cookie}).text
            asks = f"command=%2Fcostcodes&text=jobs&team_id={BOREAL.id}&user_id={DANA}&channel_id=C0COSTCODES"
            yield browser.post("/slack/events", **signed(asks)).text
        yield repr([open_, open_.by_team])
    with closing(Installations(here.host)) as installations:
        gateway = gateway_of(here.members["boreal"].company.settings, installations)
        with pytest.raises((SlackRefused, SlackUnavailable)) as refused:
            gateway.auth_test()
        yield repr([installations, gateway, refused.value, installations.find(BOREAL.id)])


def test_nothing_shows_or_keeps_a_token_of_an_install(
    here: Town, repeated: tuple[str, set[str]], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    log, asked = repeated
    told = [log]
    for words in COMMANDS:
        with pytest.raises(SystemExit):
            line.costbot()(words, prog_name="costbot")
        told.append(str(capfd.readouterr()))
    logs.configure("debug", process="worker", secrets=read_settings().secrets)
    assert deliver_waiting() == 0
    told += told_by_the_bot(here)
    told.append(str(capfd.readouterr()))
    told += [str(member.rows()) for member in here.members.values()]

    assert {f"{SLACK}oauth.v2.access", f"{SLACK}auth.test", f"{SLACK}chat.postMessage"} <= asked
    assert "xoxe.xoxb-***" in "".join(told[1:])
    files = [
        path
        for path in tmp_path.rglob("*")
        if path.is_file() and not path.name.startswith("installations.db")
    ]
    for secret in secrets_of(here):
        assert [text for text in told if secret in text] == []
        assert [path for path in files if secret.encode() in path.read_bytes()] == []
