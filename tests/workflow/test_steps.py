"""Steps of Slack's workflows: what they ask for, what ends them, once, and with which outcome."""

from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import select

from tests.factories import LIMITS, NINE, RULES, actor, later
from tests.workflow.site import Site
from tests.workflow.test_expiry import expire
from workflow import steps, waiting_steps
from workflow.merge import Assignment
from workflow.privileges import Actor
from workflow.request_ids import working_for
from workflow.tables import OutboxNotice, Person, RequestedUpdate, WorkflowStep
from workflow.vocabulary import Event, NoticeKind, Place, Refusal, State, StepKind
from workflow.waiting import Patience

STRANGER = Actor(Place.SLACK, "Sam Stranger (sam@elsewhere.example)")


def ask(
    site: Site,
    lines: str = "03-300 L,M",
    *,
    step: str = "Fx1",
    job: str = "24-017",
    note: str = "",
    by: Person | Actor | None = None,
) -> WorkflowStep | None:
    with site.database.writing() as session:
        return steps.ask(
            session,
            step,
            team_id="T1",
            job=job,
            lines=lines,
            note=note,
            by=by if isinstance(by, Actor) else actor(by or site.engineer, Place.SLACK),
            at=NINE,
            rules=RULES,
            limits=LIMITS,
        )


def wait(
    site: Site,
    until: str = "Update",
    *,
    step: str = "Fx2",
    job: str = "24-017",
    by: Person | Actor | None = None,
) -> WorkflowStep | None:
    with site.database.writing() as session:
        return steps.wait(
            session,
            step,
            team_id="T1",
            job=job,
            until=until,
            by=by if isinstance(by, Actor) else actor(by or site.engineer, Place.SLACK),
            at=NINE,
            rules=RULES,
        )


def outcome(site: Site, step: str = "Fx2") -> dict[str, Any] | None:
    """What a step ended with; None while it waits."""
    with site.database.reading() as session:
        found = session.get_one(WorkflowStep, step)
    assert found.error is None
    return found.outputs


def told(site: Site) -> list[str | None]:
    """The steps that Slack is told of, once for each notice."""
    with site.database.reading() as session:
        query = select(OutboxNotice).where(OutboxNotice.kind == NoticeKind.STEP).order_by(OutboxNotice.id)
        return [notice.function_execution_id for notice in session.scalars(query)]


def requests_made(site: Site) -> list[RequestedUpdate]:
    with site.database.reading() as session:
        return list(session.scalars(select(RequestedUpdate).order_by(RequestedUpdate.id)))


def test_a_step_asks_as_the_person_would_by_hand(site: Site) -> None:
    ask(site, "03-300 L,M\n16-100 S", note="The pour is on Friday.")

    assert outcome(site, "Fx1") == {"added": 3, "revision": 1}
    [update] = requests_made(site)
    assert (update.state, update.requested_by_id) == (State.READY, site.engineer.id)
    [event] = [row for row in site.events() if row.event == Event.REQUESTED]
    assert (event.facts["note"], event.actor) == ("The pour is on Friday.", site.engineer.email)
    assert told(site) == ["Fx1"]


def test_a_step_that_slack_tells_of_twice_asks_once(site: Site) -> None:
    assert ask(site) is not None
    assert ask(site, "16-100 S") is None
    assert [update.revision for update in requests_made(site)] == [1]
    assert told(site) == ["Fx1"]


def note(site: Site, step: str = "Fx1") -> None:
    with site.database.writing() as session:
        waiting_steps.note(session, step, team_id="T1", kind=StepKind.ASK, at=NINE)


def give_up(site: Site, *, minutes: int) -> int:
    with site.database.writing() as session:
        return waiting_steps.give_up(session, at=later(minutes=minutes))


def test_a_step_that_was_noted_is_done_once(site: Site) -> None:
    note(site)
    assert ask(site) is not None
    note(site)
    assert ask(site) is None
    assert give_up(site, minutes=60) == 0
    assert told(site) == ["Fx1"]


def test_a_step_that_nobody_went_on_with_is_given_up_and_changes_nothing_later(site: Site) -> None:
    note(site)
    assert give_up(site, minutes=4) == 0
    assert [give_up(site, minutes=6), give_up(site, minutes=60)] == [1, 0]
    assert ask(site) is None
    with site.database.reading() as session:
        error = session.get_one(WorkflowStep, "Fx1").error
    assert error == "costbot was stopped before it did this, and nothing was changed. Run the workflow again."
    assert told(site) == ["Fx1"]
    assert requests_made(site) == []


def test_a_step_that_waits_for_an_approver_is_not_given_up(site: Site) -> None:
    ask(site)
    note(site, "Fx2")
    wait(site)
    assert give_up(site, minutes=60) == 0
    assert wait(site) is None
    assert outcome(site) is None


def test_asking_for_what_waits_already_ends_well_and_adds_nothing(site: Site) -> None:
    ask(site)
    ask(site, step="Fx9")
    assert outcome(site, "Fx9") == {"added": 0, "revision": 1}


def test_every_bad_line_is_named_and_nothing_is_requested(site: Site) -> None:
    step = ask(site, "03-300 L\nconcrete please\n99-999 L\n16-100\n01-100 X")
    assert step is not None
    assert step.error is not None
    assert step.error.startswith("Nothing was requested for 24-017 Riverside Medical Center.")
    for line in (2, 3, 4, 5):
        assert f"• line {line}: " in step.error
    assert "line 1:" not in step.error
    assert requests_made(site) == []
    assert told(site) == ["Fx1"]


def test_more_bad_lines_than_a_person_reads_are_still_all_named(site: Site) -> None:
    step = ask(site, "\n".join(f"99-{number:03} L" for number in range(100)))
    assert step is not None
    assert step.error is not None
    assert all(f"line {number}" in step.error for number in range(1, 101))
    assert len(step.error) < 5_000


@pytest.mark.parametrize("lines", ["", " \n\n", "Code Category"])
def test_no_line_at_all_is_said(site: Site, lines: str) -> None:
    step = ask(site, lines)
    assert step is not None
    assert "there is no cost code" in str(step.error)


def test_an_unknown_job_is_said(site: Site) -> None:
    step = ask(site, job="99-999")
    assert step is not None
    assert step.error == ("There is no job “99-999”. Write the job's number as Sage has it.")
    other = wait(site, job="99-999")
    assert other is not None
    assert other.error == step.error


def test_somebody_who_is_not_in_the_directory_is_refused_on_record_and_learns_nothing(site: Site) -> None:
    for step in (ask(site, "nonsense", job="99-999", by=STRANGER), wait(site, by=STRANGER)):
        assert step is not None
        assert step.error is not None
        assert "99-999" not in step.error
        assert "24-017" not in step.error
    assert [(e.facts["act"], e.facts["reason"]) for e in site.events()] == [
        ("request", Refusal.NO_MATCHING_PERSON.value),
        ("wait for the Update", Refusal.NO_MATCHING_PERSON.value),
    ]


def test_the_update_ends_the_waiting_once(site: Site) -> None:
    ask(site)
    wait(site)
    assert outcome(site) is None

    [update] = requests_made(site)
    site.accept(update, at=later(5))
    site.accept(update, at=later(6))

    at = int(later(5).timestamp())
    expected = {"outcome": "updated", "waited": True, "who": site.approver.name, "at": at, "comment": ""}
    assert outcome(site) == expected
    site.data_sync()
    assert outcome(site) == expected
    assert told(site) == ["Fx1", "Fx2"]


def test_waiting_for_sage_goes_on_after_the_update_and_over_what_is_taken_back(site: Site) -> None:
    update = site.ask("03-300 L")
    wait(site, "synced")
    site.accept(update)
    site.take_back(update)
    assert outcome(site) is None
    site.accept(site.row(RequestedUpdate, update.id))
    assert outcome(site) is None
    site.data_sync(at=later(30))
    ended = outcome(site)
    assert ended is not None
    assert (ended["outcome"], ended["at"]) == ("synced", int(later(30).timestamp()))


def test_a_rejection_and_what_sage_refuses_are_outcomes_with_their_words(site: Site) -> None:
    update = site.ask("03-300 L")
    wait(site, "synced")
    site.reject(update, comment="Use 16-100.")
    ended = outcome(site)
    assert ended is not None
    assert (ended["outcome"], ended["comment"]) == ("rejected", "Use 16-100.")

    site.sage.refuses[Assignment("09-250", "L")] = "Category is not valid"
    site.accept(site.ask("09-250 L", at=later(5)))
    wait(site, " SYNCED ", step="Fx3")
    site.data_sync()
    failed = outcome(site, "Fx3")
    assert failed is not None
    assert failed["outcome"] == "failed"


def test_what_expires_ends_the_waiting(site: Site) -> None:
    site.ask("03-300 L")
    wait(site)
    expire(site, NINE + (PATIENCE.expire_after or NINE - NINE))
    ended = outcome(site)
    assert ended is not None
    assert (ended["outcome"], ended["who"]) == ("expired", "")


def test_where_nothing_waits_a_step_ends_at_once_and_says_what_there_was(site: Site) -> None:
    wait(site)
    assert outcome(site) == {"outcome": "nothing", "waited": False, "who": "", "at": None, "comment": ""}
    site.accept(site.ask("03-300 L"))
    wait(site, step="Fx3")
    already = outcome(site, "Fx3")
    assert already is not None
    assert (already["outcome"], already["waited"]) == ("updated", False)


def test_what_waits_follows_a_requested_update_that_joins_another(site: Site) -> None:
    first = site.ask("03-300 L")
    site.accept(first)
    second = site.ask("16-100 S", at=later(1))
    wait(site)
    site.take_back(first, at=later(2))
    assert outcome(site) is None
    [open_one] = [update for update in requests_made(site) if update.state is State.READY]
    assert open_one.id != second.id
    site.accept(open_one, at=later(3))
    ended = outcome(site)
    assert ended is not None
    assert ended["outcome"] == "updated"


def test_ten_steps_that_wait_for_one_update_all_end_once(site: Site) -> None:
    update = site.ask("03-300 L")
    names = [f"Fx1{number}" for number in range(10)]
    for name in names:
        wait(site, step=name)
    site.accept(update)
    assert told(site) == names
    assert all((outcome(site, name) or {})["outcome"] == "updated" for name in names)


def test_what_is_not_a_thing_to_wait_for_is_said(site: Site) -> None:
    step = wait(site, "tomorrow")
    assert step is not None
    assert step.error == ("“tomorrow” is nothing that can be waited for. Write Update or synced.")


def test_steps_that_ended_long_ago_are_forgotten_and_those_that_wait_are_kept(site: Site) -> None:
    ask(site)
    wait(site)
    with site.database.writing() as session:
        waiting_steps.forget(session, before=later(1))
    with site.database.reading() as session:
        assert [step.function_execution_id for step in session.scalars(select(WorkflowStep))] == ["Fx2"]


PATIENCE = Patience(remind_after=NINE - NINE, expire_after=(later(60 * 24 * 30) - NINE))


@hypothesis_settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    lines=st.lists(
        st.one_of(
            st.sampled_from(["03-300 L", "• 03-300 L, M", "99-999 L", "01-100", "16-100 Subcontract"]),
            st.text(max_size=40),
        ),
        max_size=8,
    ).map("\n".join),
    job=st.one_of(st.just("24-017"), st.text(max_size=60)),
    note=st.text(max_size=600),
    until=st.one_of(st.sampled_from(["Update", "synced"]), st.text(max_size=20)),
)
def test_whatever_is_put_in_each_step_ends_or_waits_and_slack_is_told_once(
    site: Site, lines: str, job: str, note: str, until: str
) -> None:
    name = uuid4().hex
    asked = ask(site, lines, job=job, note=note, step=name)
    assert asked is not None
    assert (asked.outputs is None) != (asked.error is None)
    awaited = wait(site, until, job=job, step=f"{name}-2")
    assert awaited is not None
    notices = told(site)
    assert notices.count(name) == 1
    assert notices.count(f"{name}-2") == (awaited.finished_at is not None)


def test_what_comes_of_an_update_is_told_to_its_step_with_the_id_of_the_update(site: Site) -> None:
    with working_for("asks"):
        requested = site.ask("03-300 L")
        wait(site, "Synced")
    with working_for("decides"):
        site.accept(requested)
    with working_for("syncs"):
        site.data_sync()
    with site.database.reading() as session:
        of_steps = select(OutboxNotice.request_id).where(OutboxNotice.kind == NoticeKind.STEP)
        assert session.scalars(of_steps).all() == ["decides"]
