"""Slack's payloads read into one shape; bodies by slackapi/java-slack-sdk, json-logs/samples/app-backend."""

from typing import Any

import pytest

from bot.interaction import SharedFile, UnreadableError, interaction_of
from bot.payloads import JobButton, WindowMetadata

BUTTON = JobButton(job_id=7, requested_update_id=3, revision=2)
USER = {"id": "U1", "username": "dana", "name": "dana", "team_id": "T1"}
TEAM = {"id": "T1", "domain": "kestrel"}


def click(**more: Any) -> dict[str, Any]:
    action = {"action_id": "job:view", "block_id": "b", "type": "button", "value": BUTTON.text()}
    return {
        "type": "block_actions",
        "user": USER,
        "team": TEAM,
        "trigger_id": "1.2.a",
        "actions": [action],
    } | more


def window(**more: Any) -> dict[str, Any]:
    metadata = WindowMetadata(**BUTTON.model_dump(), channel_id="C9").text()
    return {
        "id": "V1",
        "type": "modal",
        "hash": "156.abc",
        "callback_id": "window:updates",
        "private_metadata": metadata,
        "state": {"values": {"comment": {"comment": {"type": "plain_text_input", "value": "Why"}}}},
    } | more


def test_a_click_on_a_message() -> None:
    act = interaction_of(
        click(
            channel={"id": "C1", "name": "cost-codes"},
            response_url="https://hooks.slack.com/actions/1",
            container={"type": "message", "channel_id": "C1"},
        )
    )
    assert (act.name, act.user_id, act.team_id, act.channel_id) == ("job:view", "U1", "T1", "C1")
    assert (act.trigger_id, act.delivery) == ("1.2.a", "trigger:1.2.a")
    assert act.response_url == "https://hooks.slack.com/actions/1"
    assert (act.view_id, act.is_submission) == (None, False)
    assert act.read(JobButton) == BUTTON


def test_a_click_in_a_window_knows_the_window_and_its_channel() -> None:
    act = interaction_of(click(view=window(), container={"type": "view", "view_id": "V1"}))
    assert (act.view_id, act.channel_id, act.is_submission) == ("V1", "C9", False)
    assert act.read(JobButton) == BUTTON


def test_a_click_on_app_home_is_in_no_window() -> None:
    act = interaction_of(click(view=window(type="home", private_metadata="")))
    assert (act.view_id, act.channel_id) == (None, None)


def test_a_submitted_window() -> None:
    act = interaction_of(
        {"type": "view_submission", "user": USER, "team": TEAM, "trigger_id": "9.9", "view": window()}
    )
    assert (act.name, act.view_id, act.channel_id, act.is_submission) == ("window:updates", "V1", "C9", True)
    assert act.inputs == {"comment": "Why"}
    assert act.read(WindowMetadata).revision == 2


def test_a_submitted_window_without_a_trigger_is_known_by_its_hash() -> None:
    act = interaction_of({"type": "view_submission", "user": USER, "team": TEAM, "view": window()})
    assert act.delivery == "view:V1:156.abc"


def test_an_input_that_was_left_empty_reads_as_nothing() -> None:
    empty = {"values": {"comment": {"comment": {"type": "plain_text_input", "value": None}}}}
    act = interaction_of({"type": "view_submission", "user": USER, "team": TEAM, "view": window(state=empty)})
    assert act.inputs == {"comment": ""}


def test_a_command() -> None:
    act = interaction_of(
        {
            "command": "/costcodes",
            "text": "jobs all",
            "user_id": "U1",
            "team_id": "T1",
            "channel_id": "C1",
            "trigger_id": "3.4",
            "response_url": "https://hooks.slack.com/commands/1",
        }
    )
    assert (act.name, act.text, act.user_id, act.team_id) == ("/costcodes", "jobs all", "U1", "T1")
    assert act.delivery == "trigger:3.4"


def test_an_opened_app_home() -> None:
    event = {"type": "app_home_opened", "user": "U1", "channel": "D1", "tab": "home"}
    act = interaction_of({"type": "event_callback", "team_id": "T1", "event_id": "Ev1", "event": event})
    assert (act.name, act.user_id, act.team_id, act.delivery) == ("app_home_opened", "U1", "T1", "event:Ev1")
    assert act.channel_id is None


def test_an_org_wide_payload_without_a_team_still_names_the_persons() -> None:
    assert interaction_of(click(team=None)).team_id == "T1"


@pytest.mark.parametrize("value", ["", "view", "[]", '{"job_id": "seven"}', '{"job": 7}'])
def test_a_value_of_another_costbot_is_unreadable(value: str) -> None:
    act = interaction_of(click(actions=[{"action_id": "job:view", "value": value}]))
    with pytest.raises(UnreadableError):
        act.read(JobButton)


def test_what_was_picked_and_shared_in_a_window_is_read() -> None:
    option = {"text": {"type": "plain_text", "text": "L Labor"}, "value": "L"}
    file = {"id": "F1", "name": "a.csv", "size": 3, "url_private_download": "https://files.slack.com/a.csv"}
    values = {
        "one": {"a": {"type": "external_select", "selected_option": option}},
        "many": {"b": {"type": "checkboxes", "selected_options": [option, option | {"value": "M"}]}},
        "none": {"c": {"type": "external_select", "selected_option": None}},
        "file": {"d": {"type": "file_input", "files": [file]}},
    }
    body = {"type": "view_submission", "user": USER, "team": TEAM, "view": window(state={"values": values})}

    act = interaction_of(body)

    assert act.picked == {"one": ("L",), "many": ("L", "M"), "none": (), "file": ()}
    assert act.files == (SharedFile("a.csv", 3, "https://files.slack.com/a.csv"),)


def test_a_message_is_read_without_slacks_marks_and_with_its_tables() -> None:
    cells = [{"type": "raw_text", "text": "03-3000"}, {"type": "raw_number", "value": 7}]
    rich = {"type": "rich_text", "elements": [{"elements": [{"type": "text", "text": "L"}]}]}
    message = {
        "text": "*Please* add `03-3000` &amp; _09-2110_ <https://x.example|here> <!channel>",
        "blocks": [{"type": "table", "rows": [[*cells, rich]]}],
    }

    act = interaction_of({"type": "message_action", "callback_id": "x", "user": USER, "message": message})

    assert act.name == "x"
    assert act.message == "Please add `03-3000` & 09-2110 here !channel\n03-3000\t7\tL"


def test_a_message_of_another_app_is_read_by_what_it_shows() -> None:
    def rich(*elements: dict[str, Any]) -> dict[str, Any]:
        return {"type": "rich_text_section", "elements": list(elements)}

    def words(text: str) -> dict[str, Any]:
        return {"type": "text", "text": text}

    message = {
        "bot_id": "B9",
        "text": "",
        "blocks": [
            {"type": "header", "text": {"type": "plain_text", "text": "RFI 12 for 24-017"}},
            {
                "type": "section",
                "text": {"type": "mrkdwn", "text": "*03-3000* L &amp; M\n09-2110"},
                "fields": [{"type": "mrkdwn", "text": "16-1000 S"}],
            },
            {
                "type": "rich_text",
                "elements": [
                    {
                        "type": "rich_text_list",
                        "elements": [rich(words("01-1000 "), words("L")), rich(words("01-2000"))],
                    },
                    rich(words("02-1000 M\n02-2000 M")),
                ],
            },
            {"type": "context", "elements": [{"type": "mrkdwn", "text": "from Procore"}]},
        ],
        "attachments": [{"text": "05-1000 L", "fields": [{"title": "Also", "value": "05-2000 M"}]}],
    }
    act = interaction_of({"type": "message_action", "callback_id": "x", "user": USER, "message": message})
    assert act.message.split("\n") == [
        "RFI 12 for 24-017",
        "03-3000 L & M",
        "09-2110",
        "16-1000 S",
        "01-1000 L",
        "01-2000",
        "02-1000 M",
        "02-2000 M",
        "from Procore",
        "05-1000 L",
        "Also",
        "05-2000 M",
    ]


def test_an_event_that_tells_of_a_person_is_of_that_person() -> None:
    act = interaction_of({"type": "event_callback", "event": {"type": "user_change", "user": USER}})
    assert act.user_id == "U1"


@pytest.mark.parametrize("junk", ["\x00", "\ud800", "ü", "x" * 100, 5])
@pytest.mark.parametrize("name", ["user_id", "team_id", "channel_id", "trigger_id", "event_id"])
def test_what_is_no_id_is_not_read(name: str, junk: object) -> None:
    with pytest.raises(UnreadableError):
        interaction_of({"command": "/costcodes", name: junk})
