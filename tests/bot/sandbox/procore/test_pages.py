"""The look-alike's page: what its forms do to the company, what it says, and that webhooks follow."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette

from bot.sandbox import sample_company, sample_procore
from bot.sandbox.client import NO_AUTHORITIES
from bot.sandbox.procore import acts, kept, shown
from bot.sandbox.procore.acts import CannotError
from bot.sandbox.procore.app import Procore, create_procore
from bot.sandbox.procore.company import Change, Company, Record
from bot.sandbox.procore.pages import Pages
from bot.sandbox.procore.shown import ErpState
from bot.sandbox.server import running

MAPLE = "25-009"


@pytest.fixture
def procore() -> Iterator[Procore]:
    made = create_procore(sample_procore.company())
    yield made
    made.webhooks.close()


@pytest.fixture
def changes(procore: Procore) -> list[Change]:
    told: list[Change] = []
    procore.company.listeners.append(told.append)
    return told


@pytest.fixture
def browser(procore: Procore) -> Iterator[httpx.Client]:
    pages = Pages(procore.company, procore.webhooks, you=sample_company.PROJECT_ENGINEER)
    with (
        running(Starlette(routes=pages.routes())) as address,
        httpx.Client(base_url=address, timeout=60, verify=NO_AUTHORITIES) as client,
    ):
        yield client


def _project(company: Company, number: str = MAPLE) -> Record:
    return next(each for each in company.projects.values() if each["project_number"] == number)


def _user(company: Company, email: str) -> Record:
    return next(each for each in company.users.values() if each["email_address"] == email)


def _code(company: Company, code: str) -> shown.ShownCode:
    return next(each for each in shown.project(company, _project(company)).codes if each.code == code)


def test_a_code_is_added_by_whoever_sits_there_and_the_project_is_ready(
    browser: httpx.Client, procore: Procore, changes: list[Change]
) -> None:
    assert shown.project(procore.company, _project(procore.company)).state is ErpState.SYNCED
    page = f"/procore/projects/{MAPLE}"
    answer = browser.post(page, data={"act": "add", "code": "04-2200", "type": ["M", "S"]})

    assert answer.status_code == 200
    assert "04-2200 Concrete Block was added." in answer.text
    assert "2 cost types wait for an accounting approver" in answer.text
    assert shown.project(procore.company, _project(procore.company)).state is ErpState.READY
    [change] = changes
    tom = _user(procore.company, sample_company.PROJECT_ENGINEER)
    assert (change.resource_name, change.event_type, change.user_id) == ("Cost Codes", "create", tom["id"])

    dana = _user(procore.company, sample_company.APPROVER)
    browser.post(page, data={"you": str(dana["id"])})
    browser.post(page, data={"act": "add", "code": "04-2200", "type": ["L"]})
    assert (changes[-1].event_type, changes[-1].user_id) == ("update", dana["id"])


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"act": "add", "code": "04-2200"}, "Tick at least one cost type for 04-2200."),
        ({"act": "add", "code": "no such", "type": "L"}, "Choose a cost code from the list."),
        ({"act": "remove", "cost_code": "²"}, "That cost code is gone: somebody else removed it."),
        ({"act": "remove", "cost_code": "1"}, "That cost code is gone: somebody else removed it."),
        ({"act": "conquer"}, "Nobody can do that here."),
    ],
)
def test_what_cannot_be_is_said_and_changes_nothing(
    browser: httpx.Client, changes: list[Change], form: dict[str, str], words: str
) -> None:
    answer = browser.post(f"/procore/projects/{MAPLE}", data=form)
    assert answer.status_code == 422
    assert words in answer.text
    assert changes == []


def test_what_is_in_the_erp_is_neither_removed_nor_unticked(procore: Procore, changes: list[Change]) -> None:
    company = procore.company
    project, tom = _project(company), _user(company, sample_company.PROJECT_ENGINEER)
    held = _code(company, "01-1000")
    assert not held.removable
    with pytest.raises(CannotError, match="is in the ERP, and stays"):
        acts.on_project(company, project, {"act": ["remove"], "cost_code": [str(held.id)]}, tom)
    acts.on_project(company, project, {"act": ["types"], "cost_code": [str(held.id)]}, tom)
    assert _code(company, "01-1000") == held
    assert changes == []


@given(wanted=st.lists(st.sets(st.sampled_from(["L", "LB", "M", "E", "S", "O", "CW"])), max_size=6))
@settings(max_examples=30, deadline=None)
def test_ticks_are_what_was_last_said_and_each_change_is_told_once(wanted: list[set[str]]) -> None:
    company = sample_procore.company()
    told: list[Change] = []
    project, tom = _project(company), _user(company, sample_company.PROJECT_ENGINEER)
    acts.on_project(company, project, {"act": ["add"], "code": ["04-2200"], "type": ["M"]}, tom)
    company.listeners.append(told.append)
    before, code_id = {"M"}, str(_code(company, "04-2200").id)
    for ticks in wanted:
        form = {"act": ["types"], "cost_code": [code_id], "type": sorted(ticks)}
        acts.on_project(company, project, form, tom)
        code = _code(company, "04-2200")
        assert {kind.code for kind in code.types if kind.ticked} == ticks
        assert code.waiting == len(ticks)
        assert len(told) == len(before ^ ticks)
        told.clear()
        before = ticks


def test_the_directory_changes_what_somebody_may_do(
    browser: httpx.Client, procore: Procore, changes: list[Change]
) -> None:
    dana = _user(procore.company, sample_company.APPROVER)
    answer = browser.post("/procore/directory", data={"act": "person", "user": dana["id"], "level": "4"})

    assert "Dana Whitfield: ERP Integrations Admin, and cannot push to accounting." in answer.text
    [person] = [each for each in shown.users(procore.company) if each.id == dana["id"]]
    assert (person.level, person.accountant) == (4, False)
    assert (changes[0].resource_name, changes[0].resource_id) == ("Company Users", dana["id"])
    assert (
        browser.post("/procore/directory", data={"act": "person", "user": "1", "level": "4"}).status_code
        == 422
    )


def test_a_project_that_is_not_there_is_said_so(browser: httpx.Client) -> None:
    answer = browser.get("/procore/projects/99-999")
    assert answer.status_code == 404
    assert "There is no such project" in answer.text


def test_names_are_never_taken_for_html(browser: httpx.Client, procore: Procore) -> None:
    procore.company.add_project("26-001", "<script>alert(1)</script>")
    for page in ("/procore/projects", "/procore/projects/26-001"):
        text = browser.get(page).text
        assert "<script>alert" not in text
        assert "&lt;script&gt;alert" in text


def test_the_sample_company_waits_for_nothing_and_has_what_the_files_have() -> None:
    company = sample_procore.company()
    projects = shown.projects(company)
    assert len(projects) == 10
    assert {each.state for each in projects} == {ErpState.SYNCED}
    assert len(list(shown.erp_codes(company))) == 286
    may = {each.email: (each.level, each.accountant, each.active) for each in shown.users(company)}
    assert may[sample_company.APPROVER] == (3, True, True)
    assert may[sample_company.ADMIN_WITHOUT_PRIVILEGE] == (4, False, True)


def test_a_company_that_was_kept_goes_on_where_it_was(tmp_path: Path) -> None:
    company = sample_procore.company()
    project, tom = _project(company), _user(company, sample_company.PROJECT_ENGINEER)
    acts.on_project(company, project, {"act": ["add"], "code": ["04-2200"], "type": ["M"]}, tom)
    kept.save(company, tmp_path / "procore.json")

    again = kept.load(tmp_path / "procore.json", clock=company.clock)
    assert shown.projects(again) == shown.projects(company)
    assert shown.users(again) == shown.users(company)
    assert again.synced_assignments == company.synced_assignments
    known = {*company.cost_codes, *company.users, *company.projects, *company.templates}
    assert again.new_id() not in known
