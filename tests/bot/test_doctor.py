"""What the doctor says of Slack, and how to mend it."""

from typing import Any

import pytest
from starlette.applications import Starlette

from bot.doctor import Finding, look_at_slack
from bot.http import job_routes
from bot.sandbox.client import Sandbox
from bot.sandbox.server import running
from bot.sandbox.workspace import APP_TOKEN, BOT_TOKEN, CHANNEL_ID, SIGNING_SECRET
from workflow.settings import Settings


@pytest.fixture
def values(sandbox: Sandbox) -> dict[str, Any]:
    return {
        "slack_api_url": sandbox.api_url,
        "slack_bot_token": BOT_TOKEN,
        "slack_app_token": APP_TOKEN,
        "channel": CHANNEL_ID,
    }


def look(values: dict[str, Any], **changed: Any) -> list[Finding]:
    return look_at_slack(Settings(_env_file=None, **values | changed))


def wrong(found: list[Finding]) -> Finding:
    """The only finding that is not well."""
    (only,) = (finding for finding in found if not finding.ok)
    return only


def test_all_is_well_in_a_workspace_that_is_set_up(values: dict[str, Any]) -> None:
    found = look(values, slack_signing_secret=SIGNING_SECRET)
    assert [finding.name for finding in found] == [
        "Slack bot token",
        "Slack scopes",
        "Slack channel",
        "Slack Socket Mode",
        "Slack HTTP mode",
    ]
    assert all(finding.ok and not finding.mend for finding in found)


def test_a_channel_is_found_by_its_name(values: dict[str, Any]) -> None:
    assert all(finding.ok for finding in look(values, channel="#cost-codes"))


def test_a_missing_token_says_where_it_comes_from(values: dict[str, Any]) -> None:
    found = wrong(look(values, slack_bot_token=None))
    assert "SLACK_BOT_TOKEN is not set" in found.words
    assert "bot/manifest.yaml" in found.mend


def test_a_token_that_slack_does_not_take_is_told_with_slacks_word(values: dict[str, Any]) -> None:
    assert "invalid_auth" in wrong(look(values, slack_bot_token="xoxb-wrong")).words


def test_missing_scopes_are_named(sandbox: Sandbox, values: dict[str, Any]) -> None:
    sandbox.switch(missing_scopes=["users:read.email", "im:write"])
    found = wrong(look(values))
    assert found.words == "missing: im:write, users:read.email"
    assert "Bot Token Scopes" in found.mend


def test_a_bot_outside_the_channel_hears_the_line_to_type(sandbox: Sandbox, values: dict[str, Any]) -> None:
    sandbox.switch(bot_in_channel=False)
    assert wrong(look(values)).mend == "Type /invite @costbot in #cost-codes."


def test_an_archived_channel_is_told(sandbox: Sandbox, values: dict[str, Any]) -> None:
    sandbox.switch(archived=True)
    assert "is archived" in wrong(look(values)).words


def test_an_unknown_channel_is_told(values: dict[str, Any]) -> None:
    assert "there is no #no-such that costbot can see" in wrong(look(values, channel="#no-such")).words


def test_no_channel_is_told(values: dict[str, Any]) -> None:
    assert wrong(look(values, channel=None)).words == "COSTBOT_CHANNEL is not set"


def test_a_wrong_app_token_is_told(values: dict[str, Any]) -> None:
    found = wrong(look(values, slack_app_token="xapp-wrong"))
    assert "does not take SLACK_APP_TOKEN: invalid_auth" in found.words
    assert "connections:write" in found.mend


def test_without_a_way_in_no_click_can_arrive(values: dict[str, Any]) -> None:
    assert wrong(look(values, slack_app_token=None)).name == "Slack events"


def test_a_server_that_does_not_answer_is_no_fault_of_the_token() -> None:
    found = look_at_slack(
        Settings(
            _env_file=None,
            slack_api_url="http://127.0.0.1:9/api/",
            slack_bot_token=BOT_TOKEN,
            slack_app_token=APP_TOKEN,
            channel=CHANNEL_ID,
        )
    )
    assert [finding.words.partition(":")[0] for finding in found] == ["Slack does not answer"] * 2
    assert all("SLACK_API_URL" in finding.mend for finding in found)


def test_a_slack_compatible_server_that_does_not_know_a_method_is_no_fault_of_the_token(
    sandbox: Sandbox, values: dict[str, Any]
) -> None:
    sandbox.fail_next("conversations.info", "error", error="unknown_method")
    found = look(values)
    assert all(finding.ok for finding in found)
    assert "this server does not tell more" in next(one.words for one in found if one.name == "Slack channel")


def test_a_public_address_at_which_costbot_answers_is_told_with_the_host_for_the_app(
    values: dict[str, Any],
) -> None:
    with running(Starlette(routes=job_routes(lambda _number: None))) as url:
        found = look(values, public_url=url)
    assert all(finding.ok for finding in found)
    assert "127.0.0.1 is under App Unfurl Domains" in found[-1].words


def test_a_public_address_at_which_something_else_answers_is_told(values: dict[str, Any]) -> None:
    with running(Starlette()) as url:
        found = wrong(look(values, public_url=url))
    assert "is not costbot" in found.words
    assert "COSTBOT_PUBLIC_URL" in found.mend


def test_a_public_address_at_which_nobody_answers_is_told(values: dict[str, Any]) -> None:
    with running(Starlette()) as url:
        pass
    assert "does not answer" in wrong(look(values, public_url=url)).words
