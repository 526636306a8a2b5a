"""The Web API, called by the real slack_sdk client: what it answers, and what it refuses with which code."""

from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.sandbox import sample_company
from bot.sandbox.client import Person, Sandbox
from bot.sandbox.workspace import APP_TOKEN, BOT_ID, BOT_USER_ID, CHANNEL_ID, TEAM_ID

BLOCKS: list[dict[str, Any]] = [{"type": "section", "text": {"type": "mrkdwn", "text": "*24-017* Riverside"}}]
METADATA = {"event_type": "costbot_card", "event_payload": {"key": "card-1"}}


def refusal(call: Any, *arguments: Any, **named: Any) -> str:
    with pytest.raises(SlackApiError) as refused:
        call(*arguments, **named)
    return str(refused.value.response["error"])


def test_a_token_says_who_it_is_and_what_it_may_do(slack: WebClient) -> None:
    answer = slack.auth_test()
    assert (answer["team_id"], answer["user_id"], answer["bot_id"]) == (TEAM_ID, BOT_USER_ID, BOT_ID)
    assert "chat:write" in str(answer.headers["x-oauth-scopes"])
    assert slack.bots_info(bot=BOT_ID)["bot"]["user_id"] == BOT_USER_ID


def test_a_posted_message_is_seen_with_its_blocks(slack: WebClient, dana: Person) -> None:
    posted = slack.chat_postMessage(channel="#cost-codes", text="Ready to Update", blocks=BLOCKS)
    message = dana.sees().message("Riverside")
    assert message.ts == posted["ts"]
    assert posted["channel"] == CHANNEL_ID
    assert message.blocks[0]["block_id"]


def test_an_update_changes_what_it_gives_and_keeps_the_rest(slack: WebClient, dana: Person) -> None:
    ts = slack.chat_postMessage(channel=CHANNEL_ID, text="one", blocks=BLOCKS, metadata=METADATA)["ts"]
    slack.chat_update(channel=CHANNEL_ID, ts=ts, text="two")
    message = dana.sees().messages[0]
    assert message.text == "two"
    assert "Riverside" in message.words
    assert message.raw["metadata"] == METADATA


def test_answers_stay_in_their_thread_unless_broadcast(slack: WebClient, dana: Person) -> None:
    root = slack.chat_postMessage(channel=CHANNEL_ID, text="card")["ts"]
    slack.chat_postMessage(channel=CHANNEL_ID, text="quiet", thread_ts=root)
    slack.chat_postMessage(channel=CHANNEL_ID, text="loud", thread_ts=root, reply_broadcast=True)
    in_channel = [message["text"] for message in slack.conversations_history(channel=CHANNEL_ID)["messages"]]
    in_thread = [m["text"] for m in slack.conversations_replies(channel=CHANNEL_ID, ts=root)["messages"]]
    assert in_channel == ["loud", "card"]
    assert in_thread == ["card", "quiet", "loud"]
    assert [m.text for m in dana.sees().thread(dana.sees().messages[0])] == ["quiet", "loud"]


def test_history_comes_in_pages_and_with_metadata_on_request(slack: WebClient) -> None:
    stamps = [
        slack.chat_postMessage(channel=CHANNEL_ID, text=str(number), metadata=METADATA)["ts"]
        for number in range(5)
    ]
    pages = slack.conversations_history(channel=CHANNEL_ID, limit=2, include_all_metadata=True)
    assert pages["messages"][0]["metadata"] == METADATA
    texts = [[message["text"] for message in page["messages"]] for page in pages]
    assert texts == [["4", "3"], ["2", "1"], ["0"]]
    assert "metadata" not in slack.conversations_history(channel=CHANNEL_ID, limit=1)["messages"][0]
    between = slack.conversations_history(channel=CHANNEL_ID, oldest=stamps[0], latest=stamps[3])
    assert [message["text"] for message in between["messages"]] == ["2", "1"]


def test_an_ephemeral_message_is_seen_by_one_person_alone(
    slack: WebClient, dana: Person, tom: Person
) -> None:
    slack.chat_postEphemeral(channel=CHANNEL_ID, user="U0TOM", text="You may not update")
    assert tom.sees().messages[0].only_for_me
    assert dana.sees().messages == []
    assert slack.conversations_history(channel=CHANNEL_ID)["messages"] == []


def test_a_direct_message_reaches_its_person_alone(slack: WebClient, dana: Person, tom: Person) -> None:
    channel = slack.conversations_open(users=["U0DANA"])["channel"]["id"]
    slack.chat_postMessage(channel=channel, text="Waiting for you")
    slack.chat_postMessage(channel="U0DANA", text="And again")
    assert [message.text for message in dana.sees().direct_messages] == ["Waiting for you", "And again"]
    assert tom.sees().direct_messages == []


def test_a_deleted_message_is_gone(slack: WebClient, dana: Person) -> None:
    ts = slack.chat_postMessage(channel=CHANNEL_ID, text="oops")["ts"]
    assert ts.replace(".", "") in slack.chat_getPermalink(channel=CHANNEL_ID, message_ts=ts)["permalink"]
    slack.chat_delete(channel=CHANNEL_ID, ts=ts)
    assert dana.sees().messages == []
    assert refusal(slack.chat_update, channel=CHANNEL_ID, ts=ts, text="x") == "message_not_found"


def test_people_are_found_by_id_and_by_e_mail(slack: WebClient, sandbox: Sandbox) -> None:
    dana = slack.users_lookupByEmail(email=sample_company.APPROVER.upper())["user"]
    assert slack.users_info(user=dana["id"])["user"]["profile"]["email"] == sample_company.APPROVER
    guest = slack.users_lookupByEmail(email=sample_company.GUEST)["user"]
    assert guest["is_restricted"]
    names = {member["real_name"] for page in slack.users_list(limit=3) for member in page["members"]}
    assert {"Dana Whitfield", "Tom Beckett", "costbot"} <= names
    sandbox.put_user("U0STRANGER", team_id="T0ELSEWHERE", email="x@elsewhere.example")
    assert slack.users_info(user="U0STRANGER")["user"]["team_id"] == "T0ELSEWHERE"
    assert refusal(slack.users_lookupByEmail, email="x@elsewhere.example") == "users_not_found"


def test_channels_can_be_listed_and_joined(slack: WebClient, sandbox: Sandbox) -> None:
    assert [channel["name"] for channel in slack.conversations_list()["channels"]] == ["cost-codes"]
    assert "U0DANA" in slack.conversations_members(channel=CHANNEL_ID)["members"]
    sandbox.switch(bot_in_channel=False)
    assert not slack.conversations_info(channel=CHANNEL_ID)["channel"]["is_member"]
    assert refusal(slack.chat_postMessage, channel=CHANNEL_ID, text="x") == "not_in_channel"
    slack.conversations_join(channel=CHANNEL_ID)
    assert slack.chat_postMessage(channel=CHANNEL_ID, text="x")["ok"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"channel": "C0NOWHERE", "text": "x"}, "channel_not_found"),
        ({"channel": "#nowhere", "text": "x"}, "channel_not_found"),
        ({"channel": CHANNEL_ID, "text": "x" * 40_001}, "msg_too_long"),
        ({"channel": CHANNEL_ID, "text": "x", "blocks": BLOCKS * 51}, "invalid_blocks"),
        (
            {"channel": CHANNEL_ID, "text": "x", "blocks": [{"type": "markdown", "text": "x" * 12_001}]},
            "msg_blocks_too_long",
        ),
        (
            {"channel": CHANNEL_ID, "text": "x", "attachments": [{"blocks": [{"type": "no"}]}]},
            "invalid_attachments",
        ),
        ({"channel": CHANNEL_ID, "text": "x", "thread_ts": "1.000001"}, "thread_not_found"),
        ({"channel": CHANNEL_ID, "text": "x", "metadata": {"event_type": "x"}}, "invalid_metadata_format"),
    ],
)
def test_a_message_that_slack_refuses_is_refused_with_its_code(
    slack: WebClient, arguments: dict[str, Any], code: str
) -> None:
    assert refusal(slack.chat_postMessage, **arguments) == code


def test_refused_blocks_are_named_with_their_place(slack: WebClient) -> None:
    with pytest.raises(SlackApiError) as refused:
        slack.chat_postMessage(channel=CHANNEL_ID, text="x", blocks=[{"type": "section"}])
    assert "json-pointer:/blocks/0" in refused.value.response["response_metadata"]["messages"][0]
    assert (
        refusal(slack.api_call, "blocks.validate", json={"blocks": [{"type": "section"}]}) == "invalid_blocks"
    )
    assert slack.api_call("blocks.validate", json={"blocks": BLOCKS})["ok"]


def test_malformed_arguments_are_refused_and_break_nothing(slack: WebClient) -> None:
    def call(method: str, **arguments: Any) -> str:
        return refusal(slack.api_call, method, json={"channel": CHANNEL_ID, "text": "x"} | arguments)

    assert call("chat.postMessage", attachments="[1]") == "invalid_attachments"
    assert call("chat.postMessage", blocks="{not json") == "invalid_blocks_format"
    assert call("chat.postMessage", blocks=[["?"]]) == "invalid_blocks"
    assert call("conversations.history", oldest="yesterday") == "invalid_ts_oldest"
    assert call("conversations.history", cursor="x") == "invalid_cursor"
    assert call("conversations.history", limit=0) == "invalid_limit"
    assert call("views.publish", user_id="U0DANA", view="[]") == "invalid_arguments"
    assert call("views.open", trigger_id="1", view=None) == "invalid_arguments"
    assert call("blocks.validate", view={"type": "modal"}) == "invalid_blocks"
    assert call("chat.getPermalink") == "invalid_arguments"


def test_a_message_without_any_text_is_refused(slack: WebClient) -> None:
    assert refusal(slack.api_call, "chat.postMessage", json={"channel": CHANNEL_ID}) == "no_text"


def test_other_refusals_carry_slacks_own_codes(slack: WebClient, sandbox: Sandbox, dana: Person) -> None:
    assert refusal(slack.users_info, user="U0NOBODY") == "user_not_found"
    assert refusal(slack.users_lookupByEmail, email="nobody@example.com") == "users_not_found"
    assert (
        refusal(slack.chat_postEphemeral, channel=CHANNEL_ID, user="U0NOBODY", text="x") == "user_not_found"
    )
    assert refusal(slack.conversations_replies, channel=CHANNEL_ID, ts="1.1") == "thread_not_found"
    assert refusal(slack.api_call, "chat.sparkle") == "unknown_method"
    dana.say("mine")
    ts = dana.sees().messages[0].ts
    assert refusal(slack.chat_update, channel=CHANNEL_ID, ts=ts, text="yours") == "cant_update_message"
    sandbox.switch(archived=True)
    assert refusal(slack.chat_postMessage, channel=CHANNEL_ID, text="x") == "is_archived"


def test_wrong_tokens_are_refused(sandbox: Sandbox, slack: WebClient) -> None:
    assert refusal(WebClient(base_url=sandbox.api_url).auth_test) == "not_authed"
    assert refusal(WebClient("xoxb-other", base_url=sandbox.api_url).auth_test) == "invalid_auth"
    assert refusal(slack.apps_connections_open, app_token="xoxb-sandbox") == "not_allowed_token_type"
    assert refusal(WebClient(APP_TOKEN, base_url=sandbox.api_url).auth_test) == "not_allowed_token_type"
    sandbox.switch(missing_scopes=["users:read.email"])
    assert refusal(slack.users_lookupByEmail, email=sample_company.APPROVER) == "missing_scope"
    sandbox.switch(token_revoked=True)
    assert refusal(slack.auth_test) == "token_revoked"


def test_app_home_is_published_and_guarded_by_its_hash(slack: WebClient, dana: Person) -> None:
    home = {"type": "home", "blocks": BLOCKS}
    view = slack.views_publish(user_id="U0DANA", view=home)["view"]
    seen = dana.sees().home
    assert seen is not None
    assert seen.id == view["id"]
    slack.views_publish(user_id="U0DANA", view=home, hash=view["hash"])
    assert refusal(slack.views_publish, user_id="U0DANA", view=home, hash=view["hash"]) == "hash_conflict"
    assert refusal(slack.views_publish, user_id="U0DANA", view={"type": "modal"}) == "invalid_arguments"
    assert refusal(slack.views_open, trigger_id="1.2", view=modal()) == "invalid_trigger_id"
    assert refusal(slack.views_update, view_id="V0", view=modal()) == "not_found"


def modal() -> dict[str, Any]:
    return {"type": "modal", "title": {"type": "plain_text", "text": "Window"}, "blocks": BLOCKS}


def test_every_call_is_in_the_log(slack: WebClient, sandbox: Sandbox) -> None:
    slack.chat_postMessage(channel=CHANNEL_ID, text="hello")
    with pytest.raises(SlackApiError):
        slack.chat_postMessage(channel="C0NOWHERE", text="hello")
    posts = sandbox.calls("chat.postMessage")
    assert [(post["ok"], post["error"]) for post in posts] == [(True, None), (False, "channel_not_found")]
    assert posts[0]["arguments"]["text"] == "hello"


def test_a_step_of_a_workflow_ends_once_and_with_the_outputs_it_has_declared(
    slack: WebClient, sandbox: Sandbox
) -> None:
    tom = sandbox.as_person(sample_company.PROJECT_ENGINEER)
    tom.run_workflow("24-017", "03-300 L")
    [step] = tom.sees().raw["runs"][0]["steps"]
    outputs: dict[str, Any] = {
        "ok": True,
        "job": "24-017",
        "link": "",
        "revision": 1,
        "assignments": 2,
        "message": "Requested.",
    }

    def complete(step_id: str, **given: Any) -> Any:
        return slack.functions_completeSuccess(function_execution_id=step_id, outputs=given)

    assert refusal(complete, "Fx0", **outputs) == "function_execution_not_found"
    assert refusal(complete, step["id"]) == "parameter_validation_failed"
    assert refusal(complete, step["id"], **outputs | {"revision": "1"}) == "parameter_validation_failed"
    assert refusal(complete, step["id"], **outputs | {"more": 1}) == "parameter_validation_failed"
    complete(step["id"], **outputs)
    assert refusal(complete, step["id"], **outputs) == "execution_not_in_running_state"
    waiting = tom.wait_for_step("Wait for the Update", "running")
    slack.functions_completeError(function_execution_id=waiting["id"], error="There is no job.")
    assert tom.wait_for_step("Wait for the Update", "failed")["error"] == "There is no job."
