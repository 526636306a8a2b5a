"""Projects that cannot be a job or cannot be read: named with the mend, and in nobody's way."""

import pytest

from bot.sandbox.procore.faults import Fault
from sync.procore import intake as intake_module
from tests.sync.procore.company import Kestrel
from tests.sync.procore.conftest import Clock
from workflow import (
    procore_projects,
)
from workflow.tables import (
    Job,
    ProcoreProject,
)


@pytest.mark.parametrize(
    "fault",
    [Fault("/rest/v1.0/cost_codes", 403), Fault("/rest/v1.0/cost_codes", 200, body=[{"id": 4711}])],
    ids=["may not be read", "cannot be used"],
)
def test_a_project_that_cannot_be_read_holds_up_no_other(kestrel: Kestrel, fault: Fault) -> None:
    other = kestrel.procore.company.add_project("24-031", "Harbor Point")
    kestrel.add("300", "L")
    kestrel.procore.company.add_cost_code(other, "03", "Concrete", types=[kestrel.types["L"]])
    kestrel.procore.faults.expect(fault)
    report = kestrel.run()
    assert (report.projects, report.read, report.requested) == (2, 1, 1)
    [(project_id, words)] = _troubles(kestrel)
    assert project_id == kestrel.project["id"]
    assert words.startswith("Procore")
    assert kestrel.run().requested == 1
    assert _troubles(kestrel) == []


def test_one_unusable_record_of_the_list_of_projects_is_named_and_the_others_are_taken(
    kestrel: Kestrel,
) -> None:
    whole = {**kestrel.project, "active": True}
    listed = [{"id": 77, "name": None}, whole, {**whole, "id": 78, "origin_code": "9" * 100}]
    kestrel.procore.faults.expect(Fault("/rest/v1.0/projects", 200, body=listed))
    assert kestrel.run().projects == 1
    (first, of_first), (second, of_second) = _troubles(kestrel)
    assert (first, second) == (77, 78)
    assert "name missing or not as documented" in of_first
    assert of_second.startswith("its ERP job code has 100 characters")


def test_a_job_code_that_was_changed_is_said_so_with_the_mend(kestrel: Kestrel, clock: Clock) -> None:
    kestrel.procore.company.add_project("24-031", "Harbor Point")
    kestrel.run()
    clock.pause(60)
    kestrel.project.update(origin_code="24-031", updated_at=kestrel.procore.company.now)
    kestrel.run()
    kestrel.procore.faults.expect(Fault("/rest/v1.0/cost_codes", 403))
    kestrel.run()  # neither a reading of its cost codes nor a refusal of one hides it
    [(project_id, words)] = _troubles(kestrel)
    assert project_id == kestrel.project["id"]
    assert words == (
        "its ERP job code is 24-031 in Procore now, and costbot has it as job 24-017, whose number stays. "
        "Make its ERP job code 24-017 again in Procore"
    )
    clock.pause(60)
    kestrel.project.update(origin_code="24-017", updated_at=kestrel.procore.company.now)
    kestrel.run()
    assert _troubles(kestrel) == []


def test_of_two_listed_projects_with_one_job_code_the_later_has_the_job(kestrel: Kestrel) -> None:
    later = kestrel.procore.company.add_project("24-017", "Riverside Medical Center, again")
    kestrel.procore.company.add_project("24-031", "Harbor Point")
    assert kestrel.intake.read_projects() == 3
    assert [job.name for job in kestrel.rows(Job)] == [later["name"], "Harbor Point"]
    assert kestrel.project["id"] not in [project.project_id for project in kestrel.rows(ProcoreProject)]


def test_a_trouble_is_over_when_the_project_becomes_a_job_also_where_no_project_is_read(
    kestrel: Kestrel,
) -> None:
    nameless = {**kestrel.project, "active": True, "name": None}
    kestrel.procore.faults.expect(Fault("/rest/v1.0/projects", 200, body=[nameless]))
    # all that an ERP integrator reads of projects
    assert kestrel.intake.read_projects() == 0
    assert dict(_troubles(kestrel)).keys() == {kestrel.project["id"]}
    assert kestrel.intake.read_projects() == 1
    assert _troubles(kestrel) == []


def test_the_trouble_of_a_project_ends_with_it_when_it_is_made_anew(kestrel: Kestrel, clock: Clock) -> None:
    kestrel.procore.faults.expect(Fault("/rest/v1.0/cost_codes", 403))
    kestrel.run()
    assert dict(_troubles(kestrel)).keys() == {kestrel.project["id"]}
    clock.pause(60)
    kestrel.project.update(active=False, updated_at=kestrel.procore.company.now)
    kestrel.procore.company.add_project("24-017", "Riverside Medical Center")
    kestrel.run()
    assert _troubles(kestrel) == []


def test_an_archived_project_has_no_trouble_and_is_read_again_once_it_is_active(
    kestrel: Kestrel, clock: Clock
) -> None:
    kestrel.add("300", "L")
    kestrel.procore.faults.expect(Fault("/rest/v1.0/cost_codes", 403))
    no_job = kestrel.procore.company.add_project("9" * 100, "Harbor Point")
    kestrel.run()
    assert dict(_troubles(kestrel)).keys() == {kestrel.project["id"], no_job["id"]}
    clock.pause(60)
    for project in (kestrel.project, no_job):
        project.update(active=False, updated_at=kestrel.procore.company.now)
    assert kestrel.run().read == 0
    assert _troubles(kestrel) == []
    with kestrel.database.writing() as session:
        assert procore_projects.stale(session, kestrel.project["id"], at=clock.at)
    assert kestrel.run().read == 0
    clock.pause(60)
    kestrel.project.update(active=True, updated_at=kestrel.procore.company.now)
    assert kestrel.run().requested == 1


def test_projects_that_cannot_be_read_do_not_keep_the_others_from_coming_round(
    kestrel: Kestrel, clock: Clock
) -> None:
    for number in range(intake_module.OLDEST_A_RUN):
        kestrel.procore.company.add_project(f"25-{number:03}", "Job")
    kestrel.run()
    clock.pause(600)
    kestrel.procore.faults.expect(*[Fault("/rest/v1.0/cost_codes", 403)] * intake_module.OLDEST_A_RUN)
    assert kestrel.run().read == 0
    [left] = {each.project_id for each in kestrel.rows(ProcoreProject)} - dict(_troubles(kestrel)).keys()
    clock.pause(600)
    kestrel.run()
    read_at = {each.project_id: each.read_at for each in kestrel.rows(ProcoreProject)}
    assert read_at[left] == clock.at


def _troubles(kestrel: Kestrel) -> list[tuple[int, str]]:
    with kestrel.database.reading() as session:
        return procore_projects.troubles(session)
