"""Update several: tick, confirm, one transaction and one result a job; nothing done is undone."""

from typing import Any

import pytest
from sqlalchemy import select

from bot.blocks.several_windows import JOBS_A_PAGE, TITLE
from bot.payloads import Action
from bot.sandbox import sample_company
from bot.sandbox.client import Message, Person, View
from tests.bot.listeners.conftest import Office, loses_the_answer_to_the_commit
from workflow import approvals
from workflow.tables import Job, LineFinding, RequestedLine, RequestedUpdate
from workflow.vocabulary import Event, Rule, Severity, State


def more_jobs(office: Office, count: int) -> list[RequestedUpdate]:
    """So many more jobs that Tom has asked cost codes for."""
    jobs = [office.site.another_job(f"30-{n:03}", f"Tower {n}") for n in range(count)]
    return [office.site.ask("03-300 L", by=office.tom, job=job) for job in jobs]


def ticks(view: View, *numbers: str) -> dict[str, Any]:
    """The boxes of these jobs ticked, as the page sends them."""
    values: dict[str, Any] = {}
    for block in view.blocks:
        for element in block.get("elements", ()):
            if element.get("action_id") == Action.TICK:
                (option,) = element["options"]
                wanted = option["text"]["text"].removeprefix("Update ") in numbers
                values[block["block_id"]] = {Action.TICK.value: [option["value"]] if wanted else []}
    return values


def states(office: Office) -> list[State]:
    with office.database.reading() as session:
        return list(session.scalars(select(RequestedUpdate.state).order_by(RequestedUpdate.id)))


def open_list(dana: Person) -> View:
    dana.slash("/costcodes update")
    return dana.wait_for_modal("Ready to Update")


def confirm(dana: Person, values: dict[str, Any], asked: str) -> None:
    dana.submit(values)
    dana.wait_for_modal(asked)
    dana.submit()


def test_ticked_jobs_are_updated_after_a_question_and_the_others_are_left(
    office: Office, dana: Person
) -> None:
    more_jobs(office, 2)
    values = ticks(open_list(dana), "24-017", "30-001")
    dana.submit(values)
    question = dana.wait_for_modal("Update 2 jobs?")
    assert question.submit == "Update 2 jobs"
    assert states(office) == [State.READY] * 3
    dana.submit()
    result = dana.wait_for_modal("Update several: 2 updated")
    assert "30-001 Tower 1*: Updated. It goes out with the next data sync." in result.words
    assert states(office) == [State.ACCEPTED, State.READY, State.ACCEPTED]
    assert len(office.events(Event.UPDATED)) == 2


def test_each_job_has_its_own_result_and_one_that_is_refused_undoes_no_other(
    office: Office, dana: Person
) -> None:
    updates = more_jobs(office, 4)
    view = open_list(dana)
    numbers = ["24-017", *(f"30-{n:03}" for n in range(4))]
    dana.submit(ticks(view, *numbers))
    dana.wait_for_modal("Update 5 jobs?")
    office.site.ask("09-250 L", by=office.tom, job=office.site.job)
    office.site.accept(updates[0])
    with office.database.writing() as session:
        line = session.scalars(
            select(RequestedLine).where(RequestedLine.requested_update_id == updates[1].id)
        ).one()
        session.add(
            LineFinding(
                line_id=line.id, rule=Rule.CODE_FORMAT, severity=Severity.REFUSE, message="03-300 is no code"
            )
        )
    dana.submit()
    result = dana.wait_for_modal("2 updated; 3 not updated")
    lines = {
        line.split("*")[1].split(" ")[0]: line
        for line in result.words.splitlines()
        if ": " in line and "*" in line
    }
    assert "Changed since you looked: 1 assignment came" in lines["24-017"]
    assert "Ada Approver updated it on" in lines["30-000"]
    assert "Refused by a check. Sage would refuse this: 03-300 is no code" in lines["30-001"]
    assert states(office) == [State.READY, State.ACCEPTED, State.READY, State.ACCEPTED, State.ACCEPTED]


def test_forty_jobs_take_two_pages_and_a_few_presses(office: Office, dana: Person) -> None:
    more_jobs(office, 39)
    open_list(dana)
    dana.click(f"Tick all {JOBS_A_PAGE} of this page")
    dana.wait_for_modal("Untick all of this page")
    dana.click("Next page")
    second = dana.wait_for_modal("20 jobs ticked on other pages")
    dana.submit(ticks(second, "30-025", "30-038"))
    assert dana.wait_for_modal("Update 22 jobs?").submit == "Update 22 jobs"
    dana.click("Back to the list")
    dana.wait_for_modal("20 jobs ticked on other pages")
    dana.click(f"Tick all {JOBS_A_PAGE} of this page")
    dana.wait_for_modal("Untick all of this page")
    dana.submit()
    dana.wait_for_modal("Update 40 jobs?")
    dana.submit()
    dana.wait_for_modal("Update several: 40 updated")
    assert states(office) == [State.ACCEPTED] * 40


def test_a_job_is_looked_at_on_top_of_the_list_which_is_still_there(office: Office, dana: Person) -> None:
    more_jobs(office, 1)
    view = open_list(dana)
    dana.click("View Requested Updates", view)
    assert dana.wait_for_modal("Read-only").title == "Cost Codes for Update"
    dana.close()
    assert dana.wait_for_modal("Tick those to update").id == view.id


def test_nothing_ticked_is_said_in_the_list(office: Office, dana: Person) -> None:
    view = open_list(dana)
    dana.submit(ticks(view))
    dana.wait_for_modal("Tick at least one job")
    assert states(office) == [State.READY]


def test_what_changed_before_the_question_is_not_updated(office: Office, dana: Person) -> None:
    more_jobs(office, 1)
    values = ticks(open_list(dana), "24-017", "30-000")
    office.request("09-250 L")
    confirm(dana, values, "1 ticked job changed since you looked")
    dana.wait_for_modal("Update several: 1 updated")
    assert states(office) == [State.READY, State.ACCEPTED]


def test_what_joined_another_requested_update_is_said_before_the_question(
    office: Office, dana: Person
) -> None:
    accepted = office.site.ask("03-300 L", by=office.tom, job=office.site.another_job("30-000"))
    office.site.accept(accepted)
    office.site.ask("16-100 S", by=office.tom, job=office.site.row(Job, accepted.job_id))
    values = ticks(open_list(dana), "24-017", "30-000")
    office.site.take_back(accepted)
    dana.submit(values)
    asked = dana.wait_for_modal("Update 1 job?")
    assert "1 ticked job changed since you looked" in asked.words


def test_who_may_not_update_hears_so_at_once_and_on_record(office: Office, tom: Person) -> None:
    tom.slash("/costcodes update")
    tom.wait_for_modal("needs permission Standard or Admin")
    assert [event["act"] for event in office.events(Event.REFUSED)] == ["update several"]


def test_the_privilege_is_judged_for_each_job_when_update_is_pressed(office: Office, dana: Person) -> None:
    values = ticks(open_list(dana), "24-017")
    dana.submit(values)
    dana.wait_for_modal("Update 1 job?")
    office.change_person(sample_company.APPROVER, can_push_to_accounting=False)
    dana.submit()
    dana.wait_for_modal("1 not updated")
    assert states(office) == [State.READY]


def test_the_results_reach_who_has_closed_the_window(office: Office, dana: Person) -> None:
    values = ticks(open_list(dana), "24-017")
    dana.submit(values)
    dana.wait_for_modal("Update 1 job?")
    office.sandbox.fail_next("views.update", "error", times=50, error="not_found")
    dana.submit()
    told = dana.wait_for_ephemeral("Update several: 1 updated")
    assert "24-017 Riverside Medical Center" in told.words
    assert states(office) == [State.ACCEPTED]


def test_a_job_whose_commit_was_not_answered_is_not_said_to_be_unchanged_and_the_others_are_updated(
    office: Office, dana: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    more_jobs(office, 1)
    values = ticks(open_list(dana), "24-017", "30-000")
    dana.submit(values)
    dana.wait_for_modal("Update 2 jobs?")
    loses_the_answer_to_the_commit(office, monkeypatch, approvals, "accept")
    dana.submit()
    told = dana.wait_for_modal("1 updated; 1 may be updated").words
    assert "Something went wrong. It may have been saved, so look first." in told
    assert states(office) == [State.ACCEPTED] * 2


def test_a_press_that_slack_delivers_twice_acts_once(office: Office, dana: Person) -> None:
    more_jobs(office, 2)
    values = ticks(open_list(dana), "24-017", "30-000", "30-001")
    dana.submit(values)
    dana.wait_for_modal("Update 3 jobs?")
    office.sandbox.switch(deliver_twice=1)
    dana.submit()
    dana.wait_for_modal("Update several: 3 updated")
    assert len(office.events(Event.UPDATED)) == 3
    assert office.events(Event.REFUSED) == []


def test_the_list_of_ready_jobs_ends_with_the_button(office: Office, dana: Person) -> None:
    more_jobs(office, 1)
    dana.slash("/costcodes ready")
    listed = dana.wait_for_ephemeral("Ready to Update: 2 jobs")
    assert listed.buttons[-1] == "Update several"
    dana.click("Update several", listed)
    assert dana.wait_for_modal("Tick those to update").title == TITLE


class TestTwoApprovers:
    @pytest.fixture
    def settings(self) -> dict[str, Any]:
        return {"two_approvers_jobs": "24-*"}

    def test_a_job_that_takes_two_says_so_and_is_first_updated_by_one(
        self, office: Office, dana: Person, marcus: Person
    ) -> None:
        confirm(dana, ticks(open_list(dana), "24-017"), "Two approvers must Update this")
        dana.wait_for_modal("1 of 2 for 1, where a second approver must Update")
        dana.slash("/costcodes update")
        dana.wait_for_modal("as the first of two; a second approver must Update")
        confirm(marcus, ticks(open_list(marcus), "24-017"), "1 of 2: Dana Whitfield updated")
        marcus.wait_for_modal("Update several: 1 updated")
        assert states(office) == [State.ACCEPTED]

    def test_the_card_asks_for_the_second_and_the_first_can_take_it_back(
        self, office: Office, card: Message, dana: Person, marcus: Person
    ) -> None:
        dana.click("Update", card)
        dana.wait_for_ephemeral("1 of 2: your Update is on record")
        marcus.slash("/costcodes show 24-017")
        window = marcus.wait_for_modal("1 of 2: Dana Whitfield updated")
        assert window.submit == "Update"
        dana.slash("/costcodes show 24-017")
        assert dana.wait_for_modal("a second approver must Update").submit is None
        dana.click("Update", card)
        dana.wait_for_ephemeral("a second approver must Update.")
        marcus.close()
        marcus.click("Update", card)
        marcus.wait_for_ephemeral("It is updated")
