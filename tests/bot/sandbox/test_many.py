"""Several workspaces on one sandbox: installs, tokens that expire, and what one token may see."""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.sandbox.client import NO_AUTHORITIES, Sandbox
from bot.sandbox.many import create_many
from bot.sandbox.oauth import CLIENT_ID, CLIENT_SECRET, OAuth
from bot.sandbox.server import running
from bot.sandbox.workspace import BOT_USER_ID, CHANNEL_ID, Team, Workspace

TEAMS = (Team(), Team("T0BOREAL", "Boreal Builders", "boreal"))
BACK = "https://costbot.example.com/slack/oauth_redirect"


@dataclass
class Slack:
    url: str
    oauth: OAuth

    def code(self, team: Team, **asked: str) -> str:
        """Somebody allows the app in a workspace."""
        query = {"client_id": CLIENT_ID, "redirect_uri": BACK, "state": "s", "allow": team.id, **asked}
        answer = httpx.get(
            f"{self.url}/oauth/v2/authorize", params=query, trust_env=False, verify=NO_AUTHORITIES
        )
        back = urlsplit(answer.headers["location"])
        assert parse_qs(back.query)["state"] == ["s"]
        return parse_qs(back.query)["code"][0]

    def client(self, token: str | None = None) -> WebClient:
        return WebClient(token, base_url=f"{self.url}/api/", timeout=60)

    def access(self, **given: str) -> dict[str, str]:
        """`oauth.v2.access` as the SDK calls it."""
        answer = self.client().oauth_v2_access(client_id=CLIENT_ID, client_secret=CLIENT_SECRET, **given)
        assert isinstance(answer.data, dict)
        return answer.data


@pytest.fixture
def slack() -> Iterator[Slack]:
    app, oauth = create_many(Workspace(team=team) for team in TEAMS)
    with running(app) as url:
        yield Slack(url, oauth)


def refusal(slack: Slack, **given: str) -> str:
    with pytest.raises(SlackApiError) as refused:
        slack.access(**given)
    return str(refused.value.response["error"])


def test_a_token_is_for_its_own_workspace(slack: Slack) -> None:
    tokens = [slack.access(code=slack.code(team))["access_token"] for team in TEAMS]
    clients = [slack.client(token) for token in tokens]

    assert [client.auth_test()["team_id"] for client in clients] == [team.id for team in TEAMS]
    clients[1].chat_postMessage(channel=CHANNEL_ID, text="for Boreal")
    seen = []
    for team in TEAMS:
        sandbox = Sandbox(f"{slack.url}/team/{team.id}")
        seen.append([message.text for message in sandbox.as_person(BOT_USER_ID).sees().messages])
        sandbox.close()
    assert seen == [[], ["for Boreal"]]


def test_a_code_and_a_refresh_token_are_good_once(slack: Slack) -> None:
    code = slack.code(TEAMS[0])
    first = slack.access(code=code)
    assert refusal(slack, code=code) == "invalid_code"
    renew = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    second = slack.access(**renew)

    assert refusal(slack, **renew) == "invalid_refresh_token"
    assert second["access_token"] != first["access_token"]
    for token in (first["access_token"], second["access_token"]):
        assert slack.client(token).auth_test()["ok"]


def test_a_token_expires_and_is_revoked_with_slacks_words(slack: Slack) -> None:
    token, other = (slack.access(code=slack.code(TEAMS[0]))["access_token"] for _ in range(2))
    assert slack.client(other).auth_revoke()["revoked"]
    slack.oauth.expire(TEAMS[0].id)

    for one, error in ((token, "token_expired"), (other, "token_revoked"), ("xoxb-sandbox", "invalid_auth")):
        with pytest.raises(SlackApiError) as refused:
            slack.client(one).auth_test()
        assert refused.value.response["error"] == error


def test_who_is_not_the_app_gets_nothing(slack: Slack) -> None:
    code = slack.code(TEAMS[0])
    for given, error in (
        ({"client_id": "another"}, "invalid_client_id"),
        ({"client_secret": "another"}, "bad_client_secret"),
    ):
        asked = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "code": code, **given}
        with pytest.raises(SlackApiError) as refused:
            slack.client().oauth_v2_access(**asked)
        assert refused.value.response["error"] == error
    page = httpx.get(
        f"{slack.url}/oauth/v2/authorize?client_id=another", trust_env=False, verify=NO_AUTHORITIES
    )
    assert page.status_code == 400


def test_the_page_asks_and_offers_each_workspace(slack: Slack) -> None:
    query = {"client_id": CLIENT_ID, "redirect_uri": BACK, "scope": "chat:write,commands"}
    page = httpx.get(
        f"{slack.url}/oauth/v2/authorize", params=query, trust_env=False, verify=NO_AUTHORITIES
    ).text
    denied = httpx.get(
        f"{slack.url}/oauth/v2/authorize",
        params=query | {"deny": "1"},
        trust_env=False,
        verify=NO_AUTHORITIES,
    )

    assert "chat:write,commands" in page
    assert all(f"Allow in {team.name}" in page for team in TEAMS)
    assert "error=access_denied" in denied.headers["location"]
