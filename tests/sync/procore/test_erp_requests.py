"""ERP Requests, for a company whose ERP integrator costbot is: from the webhook to the closed detail."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from bot.sandbox.client import NO_AUTHORITIES
from bot.sandbox.procore.company import Change
from bot.sandbox.procore.faults import Fault
from bot.sandbox.procore.web_api import OWN_USER_ID
from sync.procore import closing, erp_requests
from sync.sage.embedded import EmbeddedSage, LoadedRow
from tests.factories import LIMITS
from tests.sync.procore.company import Kestrel
from tests.sync.procore.conftest import SECRET, Clock
from tests.sync.procore.integrator import Integrator
from tests.sync.procore.killing import killed_at
from workflow import procore_answers, procore_requests
from workflow.merge import Assignment
from workflow.settings import ProcoreIntake, Settings
from workflow.tables import Job
from workflow.three_places import three_places
from workflow.vocabulary import ErpAnswer, Event, State, Verdict


@pytest.fixture
def unconnected(kestrel: Kestrel, settings: Settings, tmp_path: Path, clock: Clock) -> Integrator:
    by_requests = settings.model_copy(update={"procore_intake": ProcoreIntake.ERP_REQUESTS})
    return Integrator(kestrel, by_requests, EmbeddedSage(tmp_path / "sage.db", None), clock)


@pytest.fixture
def integrator(unconnected: Integrator, address: str) -> Integrator:
    unconnected.connect(address)
    unconnected.look()
    unconnected.calls()
    return unconnected


@contextmanager
def _lost(integrator: Integrator) -> Iterator[None]:
    """What happens in Procore meanwhile is told to nobody."""
    listeners = integrator.procore.company.listeners
    kept = list(listeners)
    listeners.clear()
    yield
    listeners.extend(kept)


def _webhook(version: str, request_id: int, project_id: int) -> dict[str, object]:
    if version == "v4":
        return {
            "id": "0A1B2C3D4F5G6H7I8J9K0LMNPQ",
            "timestamp": "2026-11-24T09:00:02.246562Z",
            "reason": "create",
            "company_id": "4001",
            "project_id": str(project_id),
            "user_id": None,
            "resource_type": "ERP Requests",
            "resource_id": str(request_id),
        }
    body: dict[str, object] = {
        "id": 123456789,
        "ulid": "0A1B2C3D4F5G6H7I8J9K0LMNPQ",
        "timestamp": "2026-11-24T09:00:02.246562Z",
        "metadata": {"source_user_id": None, "source_company_id": 4001},
        "user_id": None,
        "company_id": 4001,
        "project_id": project_id,
        "api_version": f"{version}.0",
        "event_type": "create",
        "resource_name": "ERP Requests",
        "resource_id": request_id,
    }
    return body | ({"related_resources": []} if version == "v3" else {})


@pytest.mark.parametrize("version", ["v2", "v3", "v4"])
def test_what_is_sent_to_the_erp_is_asked_for_as_soon_as_its_webhook_came(
    integrator: Integrator, address: str, version: str
) -> None:
    integrator.kestrel.add("300", "L", "M")
    assert integrator.hear() is None
    assert integrator.kestrel.asked() == []
    with _lost(integrator):
        request = integrator.send()
    body = _webhook(version, request["id"], integrator.kestrel.project["id"])
    answer = httpx.post(
        address, json=body, headers={"Authorization": f"Bearer {SECRET}"}, timeout=60, verify=NO_AUTHORITIES
    )
    assert answer.status_code == 204
    report = integrator.hear()
    assert report is not None
    assert (report.read, report.requested) == (1, 2)
    assert integrator.calls() == [f"GET erp_requests/{request['id']}"]
    assert integrator.kestrel.asked() == ["03-300 L", "03-300 M"]
    assert integrator.detail(request)["status"] == "in progress"


def test_a_request_is_closed_only_after_sage_was_read_back_and_says_who_and_which_data_sync(
    integrator: Integrator,
) -> None:
    code = integrator.kestrel.add("300", "L")
    request = integrator.send()
    integrator.hear()
    integrator.kestrel.accept()
    integrator.look()
    assert integrator.detail(request)["status"] == "in progress"
    integrator.sync()
    integrator.look()
    detail = integrator.detail(request)
    assert detail["status"] == "success"
    [words] = detail["messages"]
    assert "Ada Approver" in words
    assert "DS000001" in words
    # the integrator's other duties
    assert code["origin_id"] == "24-017//03-300"
    assert integrator.procore.company.synced_assignments == {
        (code["id"], integrator.kestrel.types["L"]["id"])
    }


def test_a_request_of_a_project_that_was_archived_meanwhile_is_closed_all_the_same(
    integrator: Integrator, clock: Clock
) -> None:
    integrator.kestrel.add("300", "L")
    request = integrator.send()
    integrator.hear()
    integrator.kestrel.accept()
    clock.pause(60)
    company = integrator.procore.company
    integrator.kestrel.project.update(active=False, updated_at=company.now)
    integrator.look()
    integrator.sync()
    integrator.look()
    assert integrator.detail(request)["status"] == "success"


def test_a_rejected_request_of_a_project_that_is_archived_stays_rejected(
    integrator: Integrator, clock: Clock
) -> None:
    integrator.kestrel.add("300", "L")
    request = integrator.send()
    integrator.hear()
    integrator.reject("Not in this job.")
    integrator.look()
    assert integrator.detail(request)["status"] == "rejected"
    clock.pause(3600)
    integrator.kestrel.project.update(active=False, updated_at=integrator.procore.company.now)
    integrator.look()
    assert integrator.detail(request)["status"] == "rejected"


def test_killed_between_the_closing_and_its_note_it_closes_again_to_the_same_and_then_no_more(
    integrator: Integrator,
) -> None:
    integrator.kestrel.add("300", "L")
    request = integrator.send()
    integrator.hear()
    integrator.kestrel.accept()
    integrator.sync()
    path = f"/rest/v1.0/companies/4001/erp_request_details/{request['request_detail_id']}"
    integrator.procore.faults.expect(*[Fault(path, 500, after=True)] * 5)
    integrator.look()
    first = dict(integrator.detail(request))
    assert first["status"] == "success"
    assert integrator.row(request).answer is None
    integrator.look()
    assert integrator.detail(request) == first
    assert integrator.row(request).answer is ErpAnswer.SUCCESS
    integrator.calls()
    integrator.look()
    assert not [call for call in integrator.calls() if call.startswith("PATCH")]


def test_lines_that_sage_refused_close_it_as_failed_in_sages_words_and_sending_again_asks_again(
    integrator: Integrator,
) -> None:
    integrator.kestrel.add("300", "M")
    integrator.kestrel.add("400", "L")
    first = integrator.send()
    integrator.hear()
    integrator.kestrel.accept()
    integrator.sage.load_categories(["M"])
    integrator.sync()
    integrator.look()
    detail = integrator.detail(first)
    assert detail["status"] == "failed"
    held, refused = detail["messages"]
    assert "Sage holds 1 assignment" in held
    assert refused == "Sage refused 03-400 L: Category L is not a standard category"
    integrator.sage.load_categories(["L"])
    second = integrator.send()
    report = integrator.hear()
    assert report is not None
    assert report.requested == 1
    assert integrator.detail(second)["status"] == "in progress"
    assert integrator.detail(first)["status"] == "failed"


def test_what_an_approver_rejects_closes_it_with_the_comment_and_sending_again_asks_again(
    integrator: Integrator,
) -> None:
    integrator.kestrel.add("300", "L")
    first = integrator.send()
    integrator.hear()
    integrator.reject("Not in this job.")
    integrator.look()
    detail = integrator.detail(first)
    assert detail["status"] == "rejected"
    assert "Rita" in detail["messages"][0]
    assert "Not in this job." in detail["messages"][0]
    integrator.look()
    facts = integrator.kestrel.update()
    assert facts is not None
    assert facts.state is State.REJECTED
    second = integrator.send()
    integrator.hear()
    facts = integrator.kestrel.update()
    assert facts is not None
    assert facts.state is State.READY
    integrator.kestrel.accept()
    integrator.sync()
    integrator.look()
    assert (integrator.detail(first)["status"], integrator.detail(second)["status"]) == (
        "rejected",
        "success",
    )


def test_a_code_beyond_the_list_is_answered_as_failed_with_the_reason_once_the_others_are_in_sage(
    integrator: Integrator,
) -> None:
    integrator.kestrel.add("300", "L")
    integrator.kestrel.add("999", "L")
    request = integrator.send()
    integrator.hear()
    assert integrator.detail(request)["status"] == "in progress"
    integrator.kestrel.accept()
    integrator.sync()
    integrator.look()
    detail = integrator.detail(request)
    assert detail["status"] == "failed"
    held, failed = detail["messages"]
    assert "Sage holds 1 assignment" in held
    assert "03-999" in failed


def test_a_newer_request_takes_the_place_of_an_older_one_which_is_closed_as_that(
    integrator: Integrator,
) -> None:
    gone = integrator.kestrel.add("300", "L")
    older = integrator.send()
    integrator.hear()
    integrator.procore.company.remove(gone)
    integrator.kestrel.add("400", "L")
    newer = integrator.send()
    integrator.hear()
    assert integrator.kestrel.asked() == ["03-400 L"]
    assert integrator.kestrel.events()[-1] == Event.REMOVED
    assert integrator.detail(older)["status"] == "stale"
    assert "newer request" in integrator.detail(older)["messages"][0]
    assert integrator.detail(newer)["status"] == "in progress"


def test_an_older_request_that_comes_later_undoes_nothing(integrator: Integrator) -> None:
    gone = integrator.kestrel.add("300", "L")
    with _lost(integrator):
        older = integrator.send()
    integrator.procore.company.remove(gone)
    integrator.kestrel.add("400", "L")
    newer = integrator.send()
    integrator.hear()
    integrator.procore.company.tell(
        Change("ERP Requests", "create", older["id"], integrator.kestrel.project["id"], None)
    )
    integrator.hear()
    assert integrator.kestrel.asked() == ["03-400 L"]
    assert integrator.detail(older)["status"] == "stale"
    assert integrator.row(newer).taken_at is not None
    assert integrator.row(older).taken_at is None


def test_what_comes_twice_and_costbots_own_is_taken_in_once_or_not_at_all(integrator: Integrator) -> None:
    integrator.kestrel.add("300", "L")
    request = integrator.send()
    integrator.procore.company.tell(Change("ERP Requests", "create", request["id"], None, None))
    integrator.procore.company.tell(Change("ERP Requests", "create", 1, None, OWN_USER_ID))
    integrator.procore.webhooks.send_again()
    integrator.hear()
    assert integrator.calls() == [f"GET erp_requests/{request['id']}"]
    assert integrator.kestrel.asked() == ["03-300 L"]
    assert integrator.hear() is None


def test_a_request_whose_webhook_was_discarded_is_found_within_the_hour_for_three_calls(
    unconnected: Integrator,
) -> None:
    unconnected.connect("http://127.0.0.1:9/procore/webhooks")
    unconnected.look()
    unconnected.kestrel.add("300", "L")
    request = unconnected.send()
    unconnected.procore.webhooks.wait()
    unconnected.clock.pause(3600)
    unconnected.calls()
    assert unconnected.look().requested == 1
    deliveries = [call for call in unconnected.calls() if call != "GET projects"]
    assert deliveries[0] == "GET erp_request_details"
    assert [call.split("/")[-1] for call in deliveries[1:3]] == ["deliveries", "deliveries"]
    assert deliveries[3:] == [f"GET erp_requests/{request['id']}"]
    unconnected.clock.pause(600)
    unconnected.look()
    assert unconnected.calls() == ["GET projects"]
    unconnected.clock.pause(3600)
    unconnected.look()
    assert unconnected.calls() == ["GET projects", "GET erp_request_details"]


def test_where_procore_names_the_request_in_its_detail_it_is_found_without_any_webhook(
    unconnected: Integrator,
) -> None:
    unconnected.kestrel.add("300", "L")
    request = unconnected.send()
    unconnected.detail(request)["request_id"] = request["id"]
    assert unconnected.look().requested == 1


def test_other_requests_are_shown_once_and_left_alone(integrator: Integrator) -> None:
    other = integrator.procore.erp.other("sync_jobs", {"company_id": 4001})
    listed = integrator.procore.erp.other("create_standard_cost_codes", {})
    listed["request_data"] = [{"id": 1, "request_detail_id": 2}]
    integrator.hear()
    integrator.clock.pause(7200)
    integrator.look()
    shown = [call for call in integrator.calls() if "erp_requests/" in call]
    assert shown == [f"GET erp_requests/{request['id']}" for request in (other, listed)]
    assert integrator.detail(other)["status"] == "in progress"
    with integrator.database.reading() as session:
        assert procore_requests.unanswered(session) == []


def test_a_request_that_cannot_be_shown_or_used_is_kept_with_the_words_and_tried_again(
    integrator: Integrator,
) -> None:
    integrator.kestrel.add("300", "L")
    request = integrator.send()
    integrator.procore.faults.expect(Fault("/rest/v1.0/companies/4001/erp_requests/", 404))
    integrator.hear()
    with integrator.database.reading() as session:
        [row] = procore_requests.unanswered(session)
        assert "404" in (row.error or "")
    integrator.calls()
    integrator.look()
    assert "erp_requests" not in " ".join(integrator.calls())
    integrator.clock.pause(3600)
    name = request["request_data"]["all_cost_codes"][-1].pop("full_code")
    integrator.look()
    assert "full_code" in (integrator.row(request).error or "")
    request["request_data"]["all_cost_codes"][-1]["full_code"] = name
    integrator.clock.pause(3600)
    assert integrator.look().requested == 1


def test_a_closing_that_procore_refuses_is_kept_with_its_words_and_tried_again_later(
    integrator: Integrator,
) -> None:
    request = integrator.send()
    path = f"/rest/v1.0/companies/4001/erp_request_details/{request['request_detail_id']}"
    integrator.procore.faults.expect(Fault(path, 422, body={"errors": {"status": ["is final"]}}))
    integrator.hear()
    assert "is final" in (integrator.row(request).error or "")
    integrator.look()
    assert integrator.detail(request)["status"] == "in progress"
    integrator.clock.pause(3600)
    integrator.look()
    assert integrator.detail(request)["messages"] == ["There was nothing to add in Sage."]
    assert integrator.row(request).error is None


def test_a_new_project_becomes_a_job_and_is_marked_synced_once_sage_has_it(integrator: Integrator) -> None:
    project = integrator.procore.company.add_project(
        "25-001", "Harbor Point", erp=False, origin_code="25-001"
    )
    request = integrator.send(project)
    integrator.hear()
    assert integrator.detail(request)["status"] == "in progress"
    integrator.sage.load([LoadedRow("25-001", "Harbor Point")])
    integrator.look()
    assert integrator.detail(request)["status"] == "success"
    assert project["origin_id"] == "25-001"


def test_a_project_without_a_job_number_is_answered_at_once(integrator: Integrator) -> None:
    project = integrator.procore.company.add_project("25-001", "Harbor Point", erp=False)
    request = integrator.send(project)
    integrator.hear()
    assert integrator.detail(request)["status"] == "failed"
    assert "job number" in integrator.detail(request)["messages"][0]


def test_a_sub_job_is_an_extra_where_they_are_switched_on_and_left_alone_where_not(
    integrator: Integrator,
) -> None:
    sub_job = integrator.procore.company.add_sub_job(integrator.kestrel.project, "E1", "East wing")
    integrator.kestrel.add("300", "L", sub_job=sub_job)
    integrator.send(sub_job)
    integrator.hear()
    assert integrator.kestrel.asked() == []
    integrator.settings = integrator.settings.model_copy(update={"procore_sub_jobs": True})
    request = integrator.send(sub_job)
    integrator.hear()
    assert integrator.kestrel.asked() == ["E103-300 L"]
    integrator.send()
    integrator.hear()
    assert integrator.kestrel.asked() == ["E103-300 L"]
    assert integrator.detail(request)["status"] == "in progress"


def test_a_category_of_a_synced_code_is_told_from_what_sage_has_and_asked_for_in_the_same_run(
    integrator: Integrator,
) -> None:
    integrator.kestrel.add("300", "L", "M", origin_id="cc-1")
    integrator.sage.load([LoadedRow("24-017", "Riverside", "", "03-300", "Concrete", "L")])
    request = integrator.send()
    integrator.hear()
    assert integrator.kestrel.asked() == ["03-300 M"]
    assert integrator.row(request).taken_at is not None


def test_what_sage_lost_before_the_answer_is_answered_as_failed_and_asked_for_when_it_is_sent_again(
    integrator: Integrator,
) -> None:
    integrator.kestrel.add("300", "L", "M", origin_id="cc-1")
    integrator.sage.load([LoadedRow("24-017", "Riverside", "", "03-300", "Concrete", "L")])
    first = integrator.send()
    integrator.hear()
    assert integrator.kestrel.asked() == ["03-300 M"]
    integrator.kestrel.in_sage({"03-300": ("M",)})
    integrator.look()
    detail = integrator.detail(first)
    assert detail["status"] == "failed"
    assert detail["messages"] == [
        "Sage had 1 assignment already.",
        "03-300 L is not in Sage, and nobody is asking for it. "
        "Send the project to the ERP once more to ask for it.",
    ]
    second = integrator.send()
    integrator.hear()
    assert integrator.kestrel.asked() == ["03-300 M", "03-300 L"]
    assert integrator.detail(second)["status"] == "in progress"
    integrator.send()
    integrator.hear()
    assert integrator.kestrel.asked() == ["03-300 M", "03-300 L"]


def test_what_is_removed_after_the_update_stays_and_is_a_difference(integrator: Integrator) -> None:
    code = integrator.kestrel.add("300", "L")
    integrator.send()
    integrator.hear()
    integrator.kestrel.accept()
    integrator.procore.company.remove(code)
    integrator.send()
    integrator.hear()
    facts = integrator.kestrel.update()
    assert facts is not None
    assert facts.state is State.ACCEPTED
    with integrator.database.reading() as session:
        known = three_places(
            session,
            session.get_one(Job, facts.job_id),
            with_procore=True,
            tells_procore=True,
            limits=LIMITS,
        )
    [row] = known.rows
    assert row.assignment == Assignment("03-300", "L")
    assert Verdict.REMOVED_IN_PROCORE in [one.verdict for one in row.judged]


def test_when_another_project_takes_the_jobs_place_the_request_of_the_former_is_closed(
    integrator: Integrator,
) -> None:
    integrator.kestrel.add("300", "L")
    former = integrator.send()
    integrator.hear()
    integrator.kestrel.project.update(active=False)
    project = integrator.procore.company.add_project("24-017", "Riverside Medical Center")
    labor = [integrator.kestrel.types["L"]]
    integrator.procore.company.add_cost_code(project, "03-400", "Concrete", types=labor)
    newer = integrator.send(project)
    integrator.hear()
    assert "03-400 L" in integrator.kestrel.asked()
    assert integrator.detail(former)["status"] == "stale"
    assert integrator.detail(newer)["status"] == "in progress"


def test_what_a_request_lacks_and_procore_has_is_not_taken_for_removed_whether_few_or_many(
    integrator: Integrator,
) -> None:
    integrator.switch(ProcoreIntake.COST_CODES)
    for number in range(6):
        integrator.kestrel.add(f"90{number}", "L")
    integrator.look()
    integrator.switch(ProcoreIntake.ERP_REQUESTS)
    for lacks, calls in ((6, ["GET cost_codes"]), (2, ["GET cost_codes/{0}", "GET cost_codes/{1}"])):
        with _lost(integrator):
            request = integrator.send()
        codes = [code["id"] for code in request["request_data"]["all_cost_codes"]][-lacks:]
        del request["request_data"]["all_cost_codes"][-lacks:]
        integrator.procore.company.tell(Change("ERP Requests", "create", request["id"], None, None))
        integrator.calls()
        report = integrator.hear()
        assert report is not None
        assert report.removed == 0
        made = integrator.calls()
        assert made[0] == f"GET erp_requests/{request['id']}"
        assert made[1 : 1 + len(calls)] == [call.format(*codes) for call in calls]


def _kill(act: Callable[[], object], files: set[str]) -> int:
    """End an act before ever later lines of it, until it comes to its end; how often."""
    kills = 0
    while killed_at(1 + 23 * kills, act, files):
        kills += 1
    return kills


def test_killed_at_any_line_and_run_again_it_comes_to_the_same(integrator: Integrator) -> None:
    integrator.kestrel.add("300", "L")
    older = integrator.send()
    integrator.kestrel.add("400", "L")
    newer = integrator.send()
    integrator.procore.webhooks.wait()
    modules = (erp_requests, closing, procore_requests, procore_answers)
    files = {str(each.__file__) for each in modules}
    kills = _kill(integrator.hear, files) + _kill(integrator.look, files)
    integrator.kestrel.accept()
    integrator.sync()
    kills += _kill(integrator.look, files)
    assert kills > 8
    assert integrator.kestrel.asked() == ["03-300 L", "03-400 L"]
    assert integrator.kestrel.events().count(Event.REQUESTED) == 1
    integrator.look()
    assert [integrator.detail(each)["status"] for each in (older, newer)] == ["stale", "success"]
    integrator.calls()
    integrator.look()
    assert not [call for call in integrator.calls() if call.startswith("PATCH")]


def test_a_request_from_before_a_switch_does_not_bring_back_what_left_procore_since(
    integrator: Integrator,
) -> None:
    integrator.switch(ProcoreIntake.COST_CODES)
    code = integrator.kestrel.add("300", "L")
    request = integrator.send()
    integrator.hear()
    integrator.procore.company.remove(code)
    integrator.hear()
    integrator.switch(ProcoreIntake.ERP_REQUESTS)
    integrator.clock.pause(3600)
    assert integrator.look().requested == 0
    facts = integrator.kestrel.update()
    assert facts is not None
    assert facts.state is State.REJECTED
    assert integrator.kestrel.asked() == ["03-300 L"]
    assert integrator.detail(request)["messages"] == ["There was nothing to add in Sage."]
