"""People act, a real Bolt app answers through Socket Mode, and people see what they would see in Slack."""

from collections.abc import Iterator

import pytest

from bot.sandbox import sample_company
from bot.sandbox.app import create_app
from bot.sandbox.client import Person, RefusedError, Sandbox
from bot.sandbox.server import running
from bot.sandbox.workspace import CHANNEL_ID, TEAM_ID
from tests.bot.sandbox.trial_app import CARD, TrialApp, errors


@pytest.fixture
def app(sandbox: Sandbox) -> Iterator[TrialApp]:
    with TrialApp(sandbox).connected(sandbox) as app:
        yield app


def post_card(app: TrialApp) -> None:
    app.client.chat_postMessage(channel=CHANNEL_ID, text="24-017", blocks=CARD)


def test_a_command_is_answered_to_its_person_alone(app: TrialApp, dana: Person, tom: Person) -> None:
    assert dana.slash("/costcodes help").error is None
    assert dana.wait_for_ephemeral("/costcodes jobs").only_for_me
    assert tom.sees().messages == []
    kind, body = app.told[0]
    assert (kind, body["user_id"], body["team_id"], body["text"]) == ("command", "U0DANA", TEAM_ID, "help")


def test_a_command_may_be_answered_to_the_whole_channel(app: TrialApp, dana: Person, tom: Person) -> None:
    dana.slash("/costcodes aloud")
    assert not tom.wait_for_message("Hear, hear").only_for_me


def test_a_command_may_be_answered_later_through_its_response_url(app: TrialApp, dana: Person) -> None:
    dana.slash("/costcodes later")
    dana.wait_for_ephemeral("Here it is")


def test_an_unknown_command_is_answered_by_slackbot(app: TrialApp, dana: Person) -> None:
    assert dana.slash("/nonsense").error == "not_a_command"
    dana.wait_for_ephemeral("not a valid command")
    assert app.told == []


def test_a_click_on_a_card_opens_a_window_and_a_second_on_top(
    app: TrialApp, dana: Person, tom: Person
) -> None:
    post_card(app)
    card = dana.wait_for_message("Riverside")
    assert card.buttons == ["View", "Update", "Slow"]
    dana.click("View", card)
    dana.wait_for_modal("Codes")
    dana.click("Next")
    second = dana.wait_for_modal("Second")
    assert second.raw["previous_view_id"] == second.raw["root_view_id"]
    dana.close()
    dana.wait_for_modal("Codes")
    assert tom.sees().modal is None
    _, body = app.told[0]
    assert body["container"] == {
        "type": "message",
        "message_ts": card.ts,
        "channel_id": CHANNEL_ID,
        "is_ephemeral": False,
    }
    assert body["message"]["blocks"] == card.blocks


def test_a_confirm_dialog_may_be_denied(app: TrialApp, dana: Person) -> None:
    post_card(app)
    card = dana.wait_for_message("Riverside")
    dana.click("Update", card, confirm=False)
    assert app.told == []
    dana.click("Update", card)
    assert app.told[0][1]["actions"][0]["value"] == "update"


def test_a_menu_tells_the_picked_option(app: TrialApp, dana: Person) -> None:
    post_card(app)
    card = dana.wait_for_message("Riverside")
    dana.click("more", card, value="history")
    assert app.told[0][1]["actions"][0]["selected_option"]["value"] == "history"
    with pytest.raises(RefusedError, match="option_not_found"):
        dana.click("more", card, value="other")
    with pytest.raises(RefusedError, match="no 'Export'"):
        dana.click("Export", card)


def test_a_window_tells_what_was_typed_and_shows_what_is_wrong(app: TrialApp, dana: Person) -> None:
    dana.slash("/costcodes reject")
    window = dana.wait_for_modal("Reject")
    assert window.submit == "Send"
    assert dana.submit({"comment": {"text": ""}}).error == "missing_input"
    assert "required" in dana.wait_for(errors)["comment"]
    assert "submitted" not in app.kinds()
    dana.submit({"comment": {"text": "short"}})
    assert dana.wait_for(errors) == {"comment": "Say a little more"}
    [picked] = dana.options("pick", "cost")
    assert picked["text"]["text"] == "Labor cost"
    dana.submit({"comment": {"text": "Wrong category"}, "category": {"pick": picked}})
    dana.wait_for(lambda seen: seen.modal is None)
    values = app.told[-1][1]["view"]["state"]["values"]
    assert values["comment"]["text"] == {"type": "plain_text_input", "value": "Wrong category"}
    assert values["category"]["pick"]["selected_option"] == picked


@pytest.mark.parametrize(("comment", "title"), [("update", "Thank you"), ("push", "On top"), ("clear", None)])
def test_a_submission_may_change_the_windows(
    app: TrialApp, dana: Person, comment: str, title: str | None
) -> None:
    dana.slash("/costcodes reject")
    dana.wait_for_modal("Reject")
    dana.submit({"comment": {"text": comment}})
    modal = dana.sees().modal
    assert (modal.title if modal else None) == title


def test_closing_a_window_is_told_when_asked_for(app: TrialApp, dana: Person) -> None:
    dana.slash("/costcodes reject")
    dana.wait_for_modal("Reject")
    dana.close()
    assert dana.sees().modal is None
    assert app.kinds()[-1] == "closed"
    assert app.told[-1][1]["is_cleared"] is False


def test_home_messages_and_shortcuts_are_told(app: TrialApp, dana: Person) -> None:
    dana.open_home()
    dana.say("hello")
    dana.shortcut("new_request")
    (_, home), (_, message), (shortcut, _) = app.told
    assert (home["type"], home["user"], home["tab"]) == ("app_home_opened", "U0DANA", "home")
    assert (message["text"], message["channel"], message["channel_type"]) == ("hello", CHANNEL_ID, "channel")
    assert shortcut == "shortcut"


def test_a_shortcut_of_a_message_tells_the_message(app: TrialApp, dana: Person) -> None:
    post_card(app)
    card = dana.wait_for_message("Riverside")
    dana.shortcut("about_this", card)
    assert app.told[0][1]["type"] == "message_action"
    assert app.told[0][1]["message"]["ts"] == card.ts


def test_an_app_that_does_not_acknowledge_is_reported_as_slack_does() -> None:
    with running(create_app(sample_company.workspace(), ack_seconds=0.5)) as url:
        sandbox = Sandbox(url)
        dana = sandbox.as_person(sample_company.APPROVER)
        with TrialApp(sandbox).connected(sandbox) as app:
            post_card(app)
            outcome = dana.click("Slow", dana.wait_for_message("Riverside"))
            assert outcome.error == "operation_timeout"
            assert outcome.message == "We had some trouble connecting. Try again?"
            assert dana.slash("/costcodes silent").error == "operation_timeout"
            dana.wait_for_ephemeral("failed with the error “operation_timeout”")
        sandbox.close()


def test_an_app_that_is_away_is_reported_as_slack_does(dana: Person) -> None:
    assert dana.slash("/costcodes help").error == "dispatch_failed"
    dana.wait_for_ephemeral("failed with the error “dispatch_failed”")


def test_an_ephemeral_message_can_be_clicked_by_its_person_alone(
    app: TrialApp, dana: Person, tom: Person
) -> None:
    app.client.chat_postEphemeral(channel=CHANNEL_ID, user="U0DANA", text="x", blocks=CARD)
    card = dana.wait_for_ephemeral("Riverside")
    with pytest.raises(RefusedError, match="message_not_found"):
        tom.click("View", card)
    dana.click("View", card)
    assert app.told[0][1]["container"]["is_ephemeral"] is True
    assert "message" not in app.told[0][1]
