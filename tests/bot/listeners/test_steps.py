"""Steps of workflows over real sockets: run by the sandbox, answered by delivery, each once."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import ColumnElement, select, text, true
from structlog.typing import EventDict

from bot.delivery import drain
from bot.gateway import Gateway
from bot.listeners import steps as listeners
from bot.sandbox import sample_company
from bot.sandbox.client import Person
from bot.sandbox.workspace import CHANNEL_ID
from tests.bot.listeners.conftest import Office, loses_the_answer_to_the_commit
from workflow import steps, waiting_steps
from workflow.tables import OutboxNotice, RequestedUpdate, WorkflowStep
from workflow.vocabulary import Event, NoticeKind, PeriodicWork, State

ASK, WAIT = "Ask for a cost code update", "Wait for the Update"
COMPLETE = "functions.completeSuccess"


class Killed(BaseException):
    """The process is gone: nothing of ours may catch this."""


class KilledBefore(Gateway):
    """A gateway whose process dies as it begins to tell Slack that a step is done."""

    def complete_step(self, function_execution_id: str, outputs: dict[str, Any]) -> None:
        raise Killed


class KilledAfter(Gateway):
    """A gateway whose process dies when Slack has taken the answer and costbot has not noted so."""

    def complete_step(self, function_execution_id: str, outputs: dict[str, Any]) -> None:
        super().complete_step(function_execution_id, outputs)
        raise Killed


def deliver(office: Office, gateway: Gateway | None = None, *, in_seconds: float = 0) -> None:
    """Deliver what is due so many seconds from now; whoever waits lets the time pass."""
    ahead = timedelta(seconds=in_seconds)

    def clock() -> datetime:
        return datetime.now(UTC) + ahead

    def sleep(seconds: float) -> None:
        nonlocal ahead
        ahead += timedelta(seconds=seconds)

    drain(
        office.database,
        gateway or Gateway.connect(office.settings),
        channel=CHANNEL_ID,
        next_sync=clock,
        clock=clock,
        sleep=sleep,
    )


def known_steps(office: Office, count: int) -> list[WorkflowStep]:
    """Every step on record, once so many have ended or wait; each is noted before that."""
    gone_on = WorkflowStep.finished_at.is_not(None) | WorkflowStep.requested_update_id.is_not(None)
    office.person(sample_company.APPROVER).wait_for(lambda _: _count(office, gone_on) >= count)
    with office.database.reading() as session:
        return list(session.scalars(select(WorkflowStep).order_by(WorkflowStep.begun_at)))


def _count(office: Office, which: ColumnElement[bool] | None = None) -> int:
    with office.database.reading() as session:
        return len(session.scalars(select(WorkflowStep).where(true() if which is None else which)).all())


def begin(office: Office, person: Person, lines: str = "09-250 L", **how: str) -> None:
    """A person runs the workflow, and both of its steps have begun."""
    person.run_workflow("24-017", lines, **how)
    known_steps(office, 1)
    deliver(office)
    person.wait_for_step(WAIT, "running")
    known_steps(office, 2)


def newest(office: Office) -> RequestedUpdate:
    with office.database.reading() as session:
        return session.scalars(select(RequestedUpdate).order_by(RequestedUpdate.id.desc()).limit(1)).one()


def waiting_notices(office: Office) -> list[OutboxNotice]:
    with office.database.reading() as session:
        notices = session.scalars(select(OutboxNotice).where(OutboxNotice.kind == NoticeKind.STEP))
        return [one for one in notices if one.done_at is None]


def test_a_workflow_asks_waits_and_goes_on_with_what_the_approver_did(office: Office, tom: Person) -> None:
    begin(office, tom, "09-250 L,M", note="The pour is on Friday.")
    asked = tom.wait_for_step(ASK, "completed")["outputs"]
    assert asked["message"] == (
        "Requested 2 assignments for 24-017 Riverside Medical Center. It is Ready to Update, revision 2."
    )
    assert (asked["ok"], asked["job"], asked["revision"], asked["assignments"]) == (True, "24-017", 2, 2)
    assert asked["link"].startswith("http")
    card = tom.sees().message("24-017")
    assert card.ts.replace(".", "") in asked["link"]
    assert [e["note"] for e in office.events(Event.JOINED)] == ["The pour is on Friday."]
    assert any("Note: “The pour is on Friday.”" in one.words for one in tom.sees().thread(card))
    assert PeriodicWork.DELIVER in office.nudged

    office.site.accept(newest(office), at=datetime.now(UTC))
    deliver(office)
    ended = tom.wait_for_step(WAIT, "completed")["outputs"]
    assert (ended["outcome"], ended["waited"], ended["link"]) == ("updated", True, asked["link"])
    assert ended["message"] == (
        f"{office.site.approver.name} updated 24-017 Riverside Medical Center. "
        "It goes out with the next data sync."
    )


def test_a_step_whose_commit_was_not_answered_is_not_said_to_have_changed_nothing(
    office: Office, tom: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    loses_the_answer_to_the_commit(office, monkeypatch, steps, "ask")
    tom.run_workflow("24-017", "09-250 L")
    error = tom.wait_for_step(ASK, "failed")["error"]
    assert error.startswith("Something went wrong. It may have been saved, so look first.")
    assert _count(office) == 1


def test_a_step_whose_bot_is_killed_after_its_ack_ends_with_words(
    office: Office, tom: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise Killed

    monkeypatch.setattr(listeners, "_run", killed)
    tom.run_workflow("24-017", "09-250 L")
    tom.wait_for(lambda _: _count(office) == 1)
    with office.database.writing() as session:
        waiting_steps.give_up(session, at=datetime.now(UTC) + timedelta(minutes=10))
    deliver(office)
    assert "Run the workflow again." in tom.wait_for_step(ASK, "failed")["error"]


def test_a_step_that_cannot_be_noted_in_time_is_acknowledged_and_done_all_the_same(
    office: Office, tom: Person, monkeypatch: pytest.MonkeyPatch, logged: list[EventDict]
) -> None:
    monkeypatch.setattr(listeners, "_NOTE_SECONDS", 0.05)
    dana = office.person(sample_company.APPROVER)
    with office.database.writing() as session:
        on_sqlite = office.database.engine.dialect.name == "sqlite"  # where one writes at a time
        session.execute(text("SELECT 1" if on_sqlite else "LOCK TABLE workflow_steps IN EXCLUSIVE MODE"))
        tom.run_workflow("24-017", "09-250 L")
        dana.wait_for(lambda _: "a step of a workflow could not be noted" in [one["event"] for one in logged])
    dana.wait_for(lambda _: newest(office).revision == 2)


def test_a_step_that_fails_on_the_way_has_changed_nothing(
    office: Office, tom: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps, "ask", None)
    tom.run_workflow("24-017", "09-250 L")
    assert tom.wait_for_step(ASK, "failed")["error"].startswith(
        "Something went wrong, and nothing was changed"
    )
    assert newest(office).revision == 1


def test_bad_lines_end_the_workflow_with_words_that_name_each(office: Office, tom: Person) -> None:
    tom.run_workflow("24-017", "99-999 L\nplease")
    known_steps(office, 1)
    deliver(office)
    failed = tom.wait_for_step(ASK, "failed")
    assert "line 1: cost code 99-999 is not on the standard cost code list" in failed["error"]
    assert "line 2: “please” does not begin with a cost code" in failed["error"]
    assert newest(office).revision == 1


def test_a_step_that_slack_delivers_twice_asks_once(office: Office, tom: Person) -> None:
    office.sandbox.switch(deliver_twice=1)
    tom.run_workflow("24-017", "09-250 L")
    office.sandbox.deliver_again()
    known_steps(office, 1)
    deliver(office)
    tom.wait_for_step(ASK, "completed")
    known_steps(office, 2)
    assert newest(office).revision == 2
    assert len(office.events(Event.JOINED)) == 1
    assert [call["ok"] for call in office.sandbox.calls(COMPLETE)] == [True]


def test_whoever_is_not_in_the_directory_or_a_guest_is_refused_with_words(
    office: Office, grace: Person
) -> None:
    grace.run_workflow("24-017", "09-250 L")
    known_steps(office, 1)
    deliver(office)
    assert grace.wait_for_step(ASK, "failed")["error"]
    assert newest(office).revision == 1
    assert [refused["act"] for refused in office.events(Event.REFUSED)] == ["request"]


@pytest.mark.parametrize("dies", [KilledBefore, KilledAfter])
def test_a_kill_on_the_way_to_slack_loses_no_answer_and_slack_takes_it_once(
    office: Office, tom: Person, dies: type[Gateway]
) -> None:
    begin(office, tom)
    office.site.accept(newest(office), at=datetime.now(UTC))
    with pytest.raises(Killed):
        deliver(office, dies.connect(office.settings))
    deliver(office, in_seconds=1)
    assert tom.wait_for_step(WAIT, "completed")["outputs"]["outcome"] == "updated"
    # one of them ended asking, one waiting
    assert [call["ok"] for call in office.sandbox.calls(COMPLETE)].count(True) == 2
    assert waiting_notices(office) == []


@pytest.mark.parametrize(
    ("kind", "after"),
    [("ratelimited", False), ("server_error", False), ("server_error", True), ("reset", True)],
)
def test_slack_in_trouble_gets_the_answer_later(office: Office, tom: Person, kind: str, after: bool) -> None:
    begin(office, tom)
    office.site.reject(newest(office), comment="Use 16-100.", at=datetime.now(UTC))
    office.sandbox.fail_next(COMPLETE, kind, after=after, retry_after=30)
    deliver(office)
    assert len(waiting_notices(office)) == 1
    deliver(office, in_seconds=60)
    ended = tom.wait_for_step(WAIT, "completed")["outputs"]
    assert (ended["outcome"], ended["comment"]) == ("rejected", "Use 16-100.")
    assert waiting_notices(office) == []


def test_a_workflow_that_was_stopped_in_slack_needs_no_answer(
    office: Office, tom: Person, logged: list[EventDict]
) -> None:
    begin(office, tom)
    tom.stop_workflow(tom.sees().raw["runs"][-1]["id"])
    office.site.accept(newest(office), at=datetime.now(UTC))
    deliver(office)
    assert waiting_notices(office) == []
    [dropped] = [line for line in logged if line["event"] == "a step of a workflow was over already"]
    assert dropped["code"] == "execution_not_in_running_state"
    assert office.state() is State.ACCEPTED


def test_ten_workflows_that_wait_for_one_job_all_go_on(office: Office, tom: Person) -> None:
    for _ in range(10):
        tom.run_workflow("24-017", "09-250 L")
    known_steps(office, 10)
    deliver(office)
    known_steps(office, 20)
    office.site.accept(newest(office), at=datetime.now(UTC))
    deliver(office)
    steps = [run["steps"][1] for run in tom.sees().raw["runs"]]
    assert [(step["state"], step["outputs"]["outcome"]) for step in steps] == [("completed", "updated")] * 10
    assert len(office.sandbox.calls(COMPLETE)) == 20
