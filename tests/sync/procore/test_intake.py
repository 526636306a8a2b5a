"""What a project team adds in Procore becomes a requested update, once."""

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bot.sandbox.procore.faults import Fault
from sync.procore import intake as intake_module
from sync.procore import work
from sync.procore.errors import ProcoreError
from sync.sage import open_company
from sync.sage.folders import Folders
from tests import factories
from tests.sync.procore.company import RULES, Kestrel
from tests.sync.procore.conftest import Clock
from tests.sync.procore.killing import killed_at
from workflow import (
    approvals,
    directory,
    procore_asked,
    procore_intake,
    procore_projects,
    procore_seen,
    requests,
    steps,
)
from workflow.checks import SageLimits
from workflow.directory import StandardCode
from workflow.merge import Assignment
from workflow.privileges import SCHEDULE
from workflow.settings import SageTarget, Settings
from workflow.tables import (
    Category,
    Job,
    OutboxNotice,
    ProcoreAssignment,
    ProcoreProject,
    RequestedLine,
    StandardCostCode,
    StandardCostCodeCategory,
    WorkflowStep,
)
from workflow.vocabulary import Event, NoticeKind, State


def test_an_erp_integrated_project_becomes_a_job_by_the_erps_code(kestrel: Kestrel) -> None:
    kestrel.procore.company.add_project("99-999", "Not in the ERP", erp=False)
    report = kestrel.run()
    assert report.projects == 1
    [job] = kestrel.rows(Job)
    assert (job.number, job.name) == ("24-017", "Riverside Medical Center")
    assert job.procore_project_id == kestrel.project["id"]


def test_the_erp_list_and_the_synced_types_are_the_standard_list_and_categories(kestrel: Kestrel) -> None:
    other = kestrel.procore.company.add_standard_list("Old codes", erp=False)
    kestrel.procore.company.add_standard_code(other, "77", "Elsewhere")
    kestrel.procore.company.add_type("X", "Not in Sage", erp=False)
    kestrel.run()
    assert [each.code for each in kestrel.rows(StandardCostCode)] == ["03", "03-300", "03-400"]
    assert [(each.code, each.name) for each in kestrel.rows(Category)] == [("L", "Labor"), ("M", "Material")]


def test_what_sage_ties_to_a_standard_code_stays_for_procore_knows_of_none(kestrel: Kestrel) -> None:
    codes = [StandardCode("03-300", "Concrete", ("L", "M"))]
    with kestrel.database.writing() as session:
        directory.put_standard_codes(session, codes, source="Sage", by=SCHEDULE, at=kestrel.clock())
    kestrel.run()
    ties = [(each.code, each.category) for each in kestrel.rows(StandardCostCodeCategory)]
    assert ties == [("03-300", "L"), ("03-300", "M")]


def test_what_is_new_is_asked_for_by_its_full_code_with_the_time_it_was_added(
    kestrel: Kestrel, clock: Clock
) -> None:
    added_at = clock.at
    kestrel.add("300", "L", "M")
    clock.pause(600)
    assert kestrel.run().requested == 2
    facts = kestrel.update()
    assert facts is not None
    assert (facts.state, facts.revision) == (State.READY, 1)
    assert kestrel.asked() == ["03-300 L", "03-300 M"]
    assert {line.requested_at for line in kestrel.rows(RequestedLine)} == {added_at}


def test_reading_again_changes_nothing_and_what_is_added_joins(kestrel: Kestrel, clock: Clock) -> None:
    kestrel.add("300", "L")
    kestrel.run()
    kestrel.run()
    assert kestrel.events() == [Event.REQUESTED]
    clock.pause(60)
    kestrel.add("400", "M")
    kestrel.run()
    assert kestrel.events() == [Event.REQUESTED, Event.JOINED]
    assert kestrel.asked() == ["03-300 L", "03-400 M"]


def test_what_was_rejected_is_not_asked_for_again_by_reading_again(kestrel: Kestrel, clock: Clock) -> None:
    kestrel.add("300", "L")
    kestrel.run()
    clock.pause(60)
    _reject(kestrel)
    clock.pause(60)
    assert kestrel.run().requested == 0
    facts = kestrel.update()
    assert facts is not None
    assert facts.state is State.REJECTED


def _reject(kestrel: Kestrel) -> None:
    facts = kestrel.update()
    assert facts is not None
    with kestrel.database.writing() as session:
        approvals.reject(
            session,
            requested_update_id=facts.requested_update_id,
            revision=facts.revision,
            comment="Not in this job.",
            by=factories.actor(factories.approver(session)),
            at=kestrel.clock(),
            rules=RULES,
        )


def test_a_new_category_of_a_synced_code_is_told_from_what_sage_has(kestrel: Kestrel, clock: Clock) -> None:
    kestrel.add("300", "L", "M", origin_id="cc-1")
    report = kestrel.run()
    assert report.requested == 0
    [job] = kestrel.rows(Job)
    assert report.to_read_back == (job.id,)
    kestrel.in_sage({"03-300": ("L",)})
    clock.pause(60)
    report = kestrel.run()
    assert (report.requested, report.to_read_back) == (1, ())
    assert kestrel.asked() == ["03-300 M"]


def test_an_export_that_is_being_saved_when_sage_has_to_tell_is_nothing_to_warn_of(
    kestrel: Kestrel, settings: Settings, clock: Clock, tmp_path: Path
) -> None:
    kestrel.add("300", "L", origin_id="cc-1")
    export = tmp_path / "export.csv"
    export.touch()
    by_file = {"sage": SageTarget.IMPORT_FILE, "sage_folder": tmp_path / "sage", "sage_export": export}
    settings = settings.model_copy(update=by_file)
    Folders.under(tmp_path / "sage").set_up()

    with capture_logs() as logs:
        report = work.look(settings, kestrel.database, open_company(settings), clock=clock)

    assert report is not None
    assert len(report.to_read_back) == 1
    assert [line["log_level"] for line in logs if "Sage cannot be asked" in line["event"]] == ["info"]


def test_what_sage_has_already_is_not_asked_for(kestrel: Kestrel) -> None:
    kestrel.run()
    kestrel.in_sage({"03-300": ("L", "M")})
    kestrel.add("300", "L", "M")
    assert kestrel.run().requested == 0


def test_a_code_beyond_the_standard_list_waits_with_its_reason_and_holds_up_nothing(
    kestrel: Kestrel, clock: Clock
) -> None:
    kestrel.add("999", "L")
    kestrel.add("300", "L")
    report = kestrel.run()
    assert (report.requested, report.problems) == (1, 1)
    with kestrel.database.reading() as session:
        [problem] = procore_seen.with_problems(session)
        assert "03-999" in (problem.problem or "")
    erp = next(iter(kestrel.procore.company.standard_lists.values()))
    concrete = next(each for each in kestrel.procore.company.standard_codes.values() if each["code"] == "03")
    kestrel.procore.company.add_standard_code(erp, "999", "Now in Sage", parent=concrete)
    clock.pause(25 * 3600)
    assert kestrel.run().requested == 1
    assert kestrel.asked() == ["03-300 L", "03-999 L"]


def test_what_is_removed_before_the_update_leaves_it_and_people_are_told(
    kestrel: Kestrel, clock: Clock
) -> None:
    with kestrel.database.writing() as session:
        factories.approver(session)
    code = kestrel.add("300", "L", "M")
    kestrel.add("400", "L")
    kestrel.run()
    before = kestrel.told()
    clock.pause(60)
    kestrel.procore.company.remove(code)
    assert kestrel.run().removed == 2
    facts = kestrel.update()
    assert facts is not None
    assert (facts.state, facts.revision) == (State.READY, 2)
    assert kestrel.asked() == ["03-400 L"]
    assert kestrel.events() == [Event.REQUESTED, Event.REMOVED]
    assert kestrel.told() > before
    assert kestrel.run().removed == 0


def test_when_nothing_is_left_the_requested_update_ends_and_adding_again_asks_again(
    kestrel: Kestrel, clock: Clock
) -> None:
    code = kestrel.add("300", "L")
    kestrel.run()
    clock.pause(60)
    kestrel.procore.company.unassign(code, kestrel.types["L"])
    kestrel.run()
    facts = kestrel.update()
    assert facts is not None
    assert facts.state is State.REJECTED
    assert "removed in Procore" in (facts.comment or "")
    clock.pause(60)
    kestrel.add("300", "L")
    assert kestrel.run().requested == 1
    facts = kestrel.update()
    assert facts is not None
    assert facts.state is State.READY


def test_a_step_that_waits_for_what_is_all_removed_goes_on(kestrel: Kestrel, clock: Clock) -> None:
    code = kestrel.add("300", "L")
    kestrel.run()
    with kestrel.database.writing() as session:
        by = factories.actor(factories.approver(session))
        steps.wait(session, "Fx1", team_id="T1", job="24-017", until="", by=by, at=clock(), rules=RULES)
    clock.pause(60)
    kestrel.procore.company.remove(code)
    kestrel.run()
    [step] = kestrel.rows(WorkflowStep)
    assert step.outputs is not None
    assert step.outputs["outcome"] == "rejected"
    assert NoticeKind.STEP in {notice.kind for notice in kestrel.rows(OutboxNotice)}


def test_what_is_removed_after_the_update_stays_and_is_told_once(kestrel: Kestrel, clock: Clock) -> None:
    code = kestrel.add("300", "L")
    kestrel.run()
    kestrel.accept()
    clock.pause(60)
    kestrel.procore.company.remove(code)
    kestrel.run()
    kestrel.run()
    facts = kestrel.update()
    assert facts is not None
    assert facts.state is State.ACCEPTED
    assert kestrel.events() == [Event.REQUESTED, Event.UPDATED, Event.GONE_AFTER_UPDATE]


def test_a_code_that_slipped_between_two_pages_is_not_taken_for_removed(
    kestrel: Kestrel, clock: Clock
) -> None:
    kestrel.add("300", "L")
    kestrel.run()
    clock.pause(60)
    # what a page that misses it looks like
    codes = list(kestrel.procore.company.cost_codes.items())
    page = [code for _, code in codes if code["code"] != "300"]
    kestrel.procore.faults.expect(Fault("/rest/v1.0/cost_codes", 200, {}, page))
    assert kestrel.run().removed == 0
    assert kestrel.asked() == ["03-300 L"]


def test_sub_jobs_are_extras_where_they_are_switched_on(kestrel: Kestrel, clock: Clock) -> None:
    sub_job = kestrel.procore.company.add_sub_job(kestrel.project, "E1", "East wing")
    code = kestrel.add("300", "L", sub_job=sub_job)
    kestrel.run()
    assert kestrel.asked() == []
    kestrel.sub_jobs = True
    kestrel.run()
    assert kestrel.asked() == ["E103-300 L"]
    kestrel.sub_jobs = False
    clock.pause(60)
    assert kestrel.run().removed == 0
    kestrel.sub_jobs = True
    kestrel.procore.company.remove(code)
    assert kestrel.run().removed == 1


@pytest.mark.parametrize("first", ["files", "procore"])
def test_switching_the_source_doubles_and_loses_nothing(kestrel: Kestrel, clock: Clock, first: str) -> None:
    kestrel.run()
    with kestrel.database.writing() as session:
        asker = factories.person(session, "eve@kestrel.example")

    def by_file() -> None:
        with kestrel.database.writing() as session:
            [job] = kestrel.rows(Job)
            requests.request(
                session,
                job=session.merge(job),
                assignments=[Assignment("03-300", "L"), Assignment("03-400", "M")],
                by=factories.actor(asker),
                at=clock.at,
                rules=RULES,
                limits=SageLimits(),
            )

    def by_procore() -> None:
        kestrel.run()

    kestrel.add("300", "L")
    for way in (by_file, by_procore) if first == "files" else (by_procore, by_file):
        way()
    assert sorted(kestrel.asked()) == ["03-300 L", "03-400 M"]
    kestrel.accept()
    clock.pause(60)
    kestrel.run()
    assert sorted(kestrel.asked()) == ["03-300 L", "03-400 M"]


def test_in_the_steady_state_a_run_takes_one_call_and_one_for_each_project_that_is_read(
    kestrel: Kestrel, clock: Clock
) -> None:
    for number in range(30):
        kestrel.procore.company.add_project(f"25-{number:03}", "Job")
    clock.pause(3600)
    kestrel.run()
    clock.pause(600)
    before = len(kestrel.procore.web_api.calls)
    kestrel.run()
    assert len(kestrel.procore.web_api.calls) - before == 1 + intake_module.OLDEST_A_RUN


def test_killed_at_any_line_and_run_again_it_comes_to_the_same(kestrel: Kestrel, clock: Clock) -> None:
    company = kestrel.procore.company
    gone = kestrel.add("400", "L")
    kestrel.run()
    company.remove(gone)
    kestrel.add("300", "L", "M")
    company.add_project("24-031", "Harbor Point")
    clock.pause(60)
    step, kills = 1, 0
    modules = (intake_module, procore_intake, procore_projects, procore_seen, procore_asked)
    while killed_at(step, kestrel.run, {str(module.__file__) for module in modules}):
        kills += 1
        step += 11
    assert kills > 10
    assert kestrel.asked() == ["03-300 L", "03-300 M"]
    assert kestrel.events().count(Event.REMOVED) == 1
    assert len(kestrel.rows(ProcoreAssignment)) == 3
    assert len(kestrel.rows(ProcoreProject)) == 2


def test_when_procore_fails_in_the_middle_what_was_read_stays_and_the_next_run_goes_on(
    kestrel: Kestrel,
) -> None:
    other = kestrel.procore.company.add_project("24-031", "Harbor Point")
    kestrel.add("300", "L")
    kestrel.procore.company.add_cost_code(other, "03", "Concrete", types=[kestrel.types["L"]])
    kestrel.procore.faults.expect(*[Fault("/rest/v1.0/cost_codes", 500)] * 5)
    with pytest.raises(ProcoreError):
        kestrel.run()
    assert len(kestrel.rows(Job)) == 2
    assert kestrel.run().requested == 2


def test_a_project_that_is_made_anew_with_the_same_job_code_takes_the_jobs_place(
    kestrel: Kestrel, clock: Clock
) -> None:
    kestrel.add("300", "L")
    kestrel.run()
    clock.pause(60)
    kestrel.project.update(active=False, updated_at=kestrel.procore.company.now)
    kestrel.project = kestrel.procore.company.add_project("24-017", "Riverside Medical Center")
    kestrel.parent = kestrel.procore.company.add_cost_code(kestrel.project, "03", "Concrete")
    kestrel.add("400", "L")
    kestrel.run()
    [job] = kestrel.rows(Job)
    assert job.procore_project_id == kestrel.project["id"]
    assert "03-400 L" in kestrel.asked()
