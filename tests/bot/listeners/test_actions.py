"""Clicks on cards: a signed payload in; the database, and what people see, out."""

from typing import Any

import pytest
from sqlalchemy.exc import OperationalError
from structlog.typing import EventDict

from bot.blocks.pieces import Message as Drawn
from bot.payloads import Action, JobButton
from bot.sandbox import sample_company
from bot.sandbox.client import Message, Person
from bot.sandbox.workspace import CHANNEL_ID
from tests.bot.listeners.conftest import TITLE, Office, loses_the_answer_to_the_commit
from workflow import approvals, directory
from workflow.merge import Assignment
from workflow.tables import RequestedUpdate
from workflow.vocabulary import Event, Refusal, State

PRESSED_UPDATE = "It is updated, and goes out with the next data sync."


def test_an_approver_updates_from_the_card(office: Office, card: Message, dana: Person) -> None:
    dana.click("Update", card)
    dana.wait_for_ephemeral(f"{TITLE}: {PRESSED_UPDATE}")
    assert office.state() is State.ACCEPTED
    assert office.nudged == ["deliver"]
    assert [event["actor"] for event in office.events(Event.UPDATED)] == ["Dana Whitfield"]


def test_everyone_may_look_and_an_approver_finds_update_in_the_window(
    office: Office, card: Message, dana: Person, tom: Person
) -> None:
    dana.click("View Requested Updates", card)
    assert dana.wait_for_modal(TITLE).submit == "Update"
    tom.click("View Requested Updates", card)
    window = tom.wait_for_modal(TITLE)
    assert window.submit is None
    assert "needs permission Standard or Admin" in window.words


def test_of_two_approvers_the_second_hears_who_was_first(
    office: Office, card: Message, dana: Person, marcus: Person
) -> None:
    dana.click("Update", card)
    dana.wait_for_ephemeral(PRESSED_UPDATE)
    marcus.click("Update", card)
    marcus.wait_for_ephemeral("Dana Whitfield updated it on")
    assert len(office.events(Event.UPDATED)) == 1


def test_a_card_that_is_out_of_date_changes_nothing_and_shows_what_is_new(
    office: Office, card: Message, dana: Person
) -> None:
    office.request("09-250 L")
    dana.click("Update", card)
    window = dana.wait_for_modal("1 assignment came since you looked")
    assert window.submit == "Update"
    assert [line for line in window.words.splitlines() if line.endswith("(new) 🆕 since you looked")]
    assert office.state() is State.READY
    assert len(office.events(Event.STALE)) == 1
    dana.submit()
    dana.wait_for_modal(PRESSED_UPDATE)
    assert office.state() is State.ACCEPTED


def test_an_approver_takes_an_update_back(office: Office, card: Message, dana: Person) -> None:
    dana.click("Update", card)
    dana.wait_for_ephemeral(PRESSED_UPDATE)
    dana.click("Take back", office.post_card())
    dana.wait_for_ephemeral("It is taken back, and Ready to Update again.")
    assert office.state() is State.READY


def test_what_the_data_sync_has_taken_cannot_be_taken_back(
    office: Office, card: Message, dana: Person
) -> None:
    dana.click("Update", card)
    dana.wait_for_ephemeral(PRESSED_UPDATE)
    card = office.post_card()
    office.site.claim()
    dana.click("Take back", card)
    answer = dana.wait_for_ephemeral(f"{TITLE}: It is too late to take this back")
    assert answer.buttons == []
    assert office.state() is State.ACCEPTED


def test_what_sage_refused_is_sent_again(office: Office, card: Message, dana: Person) -> None:
    office.site.sage.refuses[Assignment("16-100", "S")] = "Category S is not a standard category"
    dana.click("Update", card)
    dana.wait_for_ephemeral(PRESSED_UPDATE)
    office.site.data_sync()
    dana.click("Send again", office.post_card())
    dana.wait_for_ephemeral("It is Ready to Update again, for an approver to update anew.")
    assert office.state() is State.READY


def test_a_reject_asks_for_a_comment_and_keeps_it(office: Office, card: Message, dana: Person) -> None:
    dana.click("Reject", card)
    dana.wait_for_modal("Why?")
    dana.submit({"comment": {"comment": "  Use 03-310 & ask again "}})
    dana.wait_for_modal("It is rejected, and whoever requested it gets your comment.")
    assert office.state() is State.REJECTED
    assert [event["comment"] for event in office.events(Event.REJECTED)] == ["Use 03-310 & ask again"]


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ({"kind": "ratelimited", "retry_after": 1}, "in time. Nothing was changed; please click again"),
        ({"kind": "server_error"}, "in time. Nothing was changed; please click again"),
        ({"kind": "error", "error": "fatal"}, "Something went wrong. Nothing was changed. Try again"),
    ],
    ids=["429", "500", "an error"],
)
def test_a_reject_whose_comment_cannot_be_asked_for_is_no_word_of_a_save(
    office: Office, card: Message, dana: Person, broken: dict[str, Any], said: str
) -> None:
    office.sandbox.fail_next("views.update", times=50, **broken)
    dana.click("Reject", card)
    dana.wait_for_ephemeral(said)
    assert office.state() is State.READY


def test_an_older_revision_whose_answer_fails_is_no_word_of_a_save(
    office: Office, card: Message, dana: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.request("09-250 M")
    monkeypatch.setattr("bot.listeners.deciding._title", None)
    dana.click("Update", card)
    dana.wait_for_ephemeral("Something went wrong. Nothing was changed. Try again")
    assert office.state() is State.READY


def test_a_reject_without_a_comment_says_so_beside_the_input(
    office: Office, card: Message, dana: Person
) -> None:
    dana.click("Reject", card)
    dana.wait_for_modal("Why?")
    dana.submit({"comment": {"comment": " \n "}})
    seen = dana.wait_for(lambda seen: seen.modal if seen.modal and seen.modal.errors else None)
    assert seen.errors == {"comment": "Say why, for the person who requested the cost codes."}
    assert office.state() is State.READY


def test_who_may_not_reject_hears_so_before_writing_a_comment(
    office: Office, card: Message, priya: Person
) -> None:
    priya.click("Reject", card)
    window = priya.wait_for_modal("does not have the Can Push to Accounting privilege")
    assert window.submit is None
    assert [(e["act"], e["reason"]) for e in office.events(Event.REFUSED)] == [
        ("reject", Refusal.PRIVILEGE_MISSING)
    ]


def test_whoever_may_not_update_alone_hears_why_and_can_ask_for_the_privilege(
    office: Office, card: Message, tom: Person, dana: Person
) -> None:
    tom.click("Update", card)
    denial = tom.wait_for_ephemeral("needs permission Standard or Admin on ERP Integrations")
    assert denial.buttons == ["Ask for the privilege"]
    assert dana.sees().ephemerals == []
    assert office.state() is State.READY
    tom.click("Ask for the privilege", denial)
    tom.wait_for_modal("Why do you need it?")


def test_a_refused_update_goes_on_record(office: Office, card: Message, tom: Person) -> None:
    tom.click("Update", card)
    tom.wait_for_ephemeral("needs permission")
    (refused,) = office.events(Event.REFUSED)
    assert refused["actor"] == "Tom Beckett"
    assert (refused["act"], refused["reason"]) == ("update", Refusal.PERMISSION_TOO_LOW)


class TestFourEyes:
    @pytest.fixture
    def settings(self) -> dict[str, Any]:
        return {"forbid_own_request": True}

    def test_nobody_updates_what_they_asked_for(self, office: Office, card: Message, tom: Person) -> None:
        office.change_person(
            sample_company.PROJECT_ENGINEER, erp_permission="standard", can_push_to_accounting=True
        )
        tom.click("View Requested Updates", card)
        window = tom.wait_for_modal("asked for these cost codes")
        assert window.submit is None
        tom.click("Update", card)
        denial = tom.wait_for_ephemeral("your company wants another approver to accept them")
        assert denial.buttons == []
        assert office.state() is State.READY


@pytest.mark.parametrize("button", ["View Requested Updates", "Update", "Reject"])
def test_a_guest_may_neither_act_nor_look(office: Office, card: Message, grace: Person, button: str) -> None:
    grace.click(button, card)
    grace.wait_for(
        lambda seen: (
            "Only members of this workspace" in str(seen.modal.words if seen.modal else seen.ephemerals)
            or None
        )
    )
    assert office.state() is State.READY
    (refused,) = office.events(Event.REFUSED)
    assert refused["reason"] == Refusal.FROM_OUTSIDE


@pytest.mark.parametrize(
    "who",
    [
        {"team_id": "T0ELSEWHERE"},
        {"is_ultra_restricted": True},
        {"is_bot": True},
    ],
    ids=["stranger", "single-channel guest", "bot"],
)
def test_outside_people_with_an_approvers_e_mail_are_refused(
    office: Office, card: Message, who: dict[str, Any]
) -> None:
    office.sandbox.put_user("U0DANA", deleted=True, email="")
    office.sandbox.put_user("U0TWIN", email=sample_company.APPROVER, **who)
    twin = office.person("U0TWIN")
    twin.click("Update", card)
    twin.wait_for_ephemeral("Only members of this workspace can use costbot")
    assert office.state() is State.READY


def test_an_e_mail_that_slack_has_not_confirmed_ties_nobody(
    office: Office, card: Message, dana: Person
) -> None:
    office.sandbox.put_user("U0DANA", is_email_confirmed=False)
    dana.click("Update", card)
    dana.wait_for_ephemeral("which Slack has not confirmed")
    assert office.events(Event.PERSON_LINKED) == []
    assert office.state() is State.READY


def test_when_slack_does_not_say_who_it_is_nothing_is_done_and_the_words_are_others(
    office: Office, card: Message, dana: Person
) -> None:
    office.sandbox.fail_next("users.info", "server_error")
    dana.click("Update", card)
    denial = dana.wait_for_ephemeral("costbot could not find out who you are")
    assert denial.buttons == []
    assert office.state() is State.READY
    dana.click("Update", card)
    dana.wait_for_ephemeral(PRESSED_UPDATE)


def test_a_click_that_slack_delivers_twice_acts_once(office: Office, card: Message, dana: Person) -> None:
    office.sandbox.switch(deliver_twice=1)
    dana.click("Update", card)
    dana.wait_for_ephemeral(PRESSED_UPDATE)
    office.sandbox.deliver_again()
    marker = dana.slash("/costcodes whoami")
    assert marker.error is None
    dana.wait_for_ephemeral("You are an accounting approver")
    assert len(office.events(Event.UPDATED)) == 1
    assert len([m for m in dana.sees().ephemerals if TITLE in m.words]) == 1


def test_a_window_that_slack_asks_for_twice_opens_once(office: Office, card: Message, dana: Person) -> None:
    office.sandbox.switch(deliver_twice=1)
    dana.click("View Requested Updates", card)
    assert dana.wait_for_modal(TITLE).submit == "Update"
    assert [call["ok"] for call in office.sandbox.calls("views.update")] == [True]
    assert dana.sees().ephemerals == []


def test_a_click_is_acknowledged_while_the_database_is_busy(
    office: Office, card: Message, dana: Person
) -> None:
    with office.database.writing() as session:
        directory.lock_jobs(session, [office.job_id])
        assert dana.click("Update", card).error is None
        assert office.state() is State.READY
    dana.wait_for_ephemeral(PRESSED_UPDATE)


def test_a_button_of_an_older_costbot_gets_an_answer(office: Office, dana: Person) -> None:
    old = _posted(office, "job:approve_all", JobButton(job_id=1, requested_update_id=1, revision=1).text())
    dana.click("Old button", old)
    dana.wait_for_ephemeral("does not know that button any more")


def test_a_button_with_an_unreadable_value_gets_an_answer(office: Office, dana: Person) -> None:
    old = _posted(office, Action.UPDATE, '{"job": 1}')
    dana.click("Old button", old)
    dana.wait_for_ephemeral("This button is from an older costbot, and nothing was changed.")
    assert office.state() is State.READY


def test_a_failure_before_the_commit_says_that_nothing_was_changed(
    office: Office,
    card: Message,
    dana: Person,
    monkeypatch: pytest.MonkeyPatch,
    logged: list[EventDict],
) -> None:
    def breaks(*_: Any, **__: Any) -> None:
        raise RuntimeError("a fault of costbot")

    monkeypatch.setattr(approvals, "accept", breaks)
    dana.click("Update", card)
    told = dana.wait_for_ephemeral("Something went wrong. Nothing was changed. Try again")
    assert office.state() is State.READY
    (error,) = (line for line in logged if line["log_level"] == "error")
    assert error["request_id"] in told.words
    monkeypatch.undo()
    dana.click("Update", card)
    dana.wait_for_ephemeral(PRESSED_UPDATE)


def test_while_the_database_is_away_every_click_is_answered(
    office: Office, card: Message, dana: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any) -> None:
        raise OperationalError("SELECT 1", {}, ConnectionRefusedError("the server is away"))

    monkeypatch.setattr(office.database.engine.dialect, "do_begin", away)
    dana.click("Update", card)
    dana.wait_for_ephemeral("Something went wrong. Nothing was changed. Try again")
    monkeypatch.undo()
    assert office.state() is State.READY


def test_when_the_answer_to_the_commit_is_lost_nobody_is_told_that_nothing_was_changed(
    office: Office, card: Message, dana: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    loses_the_answer_to_the_commit(office, monkeypatch, approvals, "accept")
    dana.click("Update", card)
    dana.wait_for_ephemeral("Something went wrong. It may have been saved, so look first.")
    monkeypatch.undo()
    assert office.state() is State.ACCEPTED


def test_a_failure_after_the_commit_says_that_it_was_saved(
    office: Office, card: Message, dana: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.listeners.deciding._title", None)
    dana.click("Update", card)
    dana.wait_for_ephemeral("Something went wrong. It was saved")
    assert office.state() is State.ACCEPTED
    assert office.nudged == ["deliver"]


def _posted(office: Office, action_id: str, value: str) -> Message:
    """A message in the channel with one button of long ago."""
    button = {
        "type": "button",
        "action_id": action_id,
        "value": value,
        "text": {"type": "plain_text", "text": "Old button"},
    }
    drawn = Drawn("An old card", ({"type": "actions", "elements": [button]},))
    office.gateway.post(CHANNEL_ID, drawn, key="old")
    return office.person(sample_company.APPROVER).sees().message("An old card")


def test_the_card_of_what_was_sent_again_counts_what_waits_and_not_what_sage_has(office: Office) -> None:
    office.site.sage.refuses[Assignment("03-300", "M")] = "Category is not valid"
    update = office.request("16-100 S")
    office.site.accept(update)
    office.site.data_sync()
    office.site.send_again(office.site.row(RequestedUpdate, update.id))

    card = office.post_card()

    assert "1 cost code, 1 assignment, no code new to Sage. Sage has 2 more assignments already" in card.words
    assert "3 assignments" not in card.words
