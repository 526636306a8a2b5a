"""The client against a Procore look-alike on a socket."""

from contextlib import suppress
from datetime import timedelta
from itertools import islice

import pytest
import structlog
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from bot.sandbox.procore.app import CLIENT_SECRET, Procore
from bot.sandbox.procore.faults import Fault
from bot.sandbox.procore.limits import Limits
from sync.procore.client import Account, ProcoreClient
from sync.procore.errors import (
    BadAnswerError,
    ProcoreBusyError,
    ProcoreError,
    ProcoreRefusedError,
    ProcoreUnreachableError,
)
from sync.procore.models import CostCode, LineItemType, Project
from tests.sync.procore.conftest import Clock, MakeProcore, client_of, shared
from workflow import procore_calls
from workflow.database import Database

PROJECTS = "rest/v1.0/projects"
TYPES = "rest/v1.0/line_item_types"


def _projects(client: ProcoreClient, **params: int) -> list[str | None]:
    found = client.every(Project, PROJECTS, {"company_id": client.company_id, **params})
    return [project.job_number for project in found]


def test_pages_are_followed_to_the_last_and_read_as_they_are_needed(
    client: ProcoreClient, procore: Procore
) -> None:
    for number in range(10):
        procore.company.add_project(f"24-{number:03}", "Job")
    assert _projects(client, per_page=3) == [f"24-{number:03}" for number in range(10)]
    assert len(procore.web_api.calls) == 4
    found = client.every(Project, PROJECTS, {"company_id": client.company_id, "per_page": 3})
    assert len(list(islice(found, 2))) == 2
    assert len(procore.web_api.calls) == 5


def test_a_list_that_knows_no_pages_is_one(client: ProcoreClient, procore: Procore) -> None:
    procore.company.add_type("L", "Labor")
    assert [each.code for each in client.every(LineItemType, TYPES)] == ["L"]


def test_a_token_is_kept_renewed_before_it_expires_and_on_401_once(
    client: ProcoreClient, procore: Procore, clock: Clock
) -> None:
    list(client.every(LineItemType, TYPES))
    clock.pause(5400 - 400)
    list(client.every(LineItemType, TYPES))
    assert procore.web_api.tokens_given == 1
    clock.pause(101)
    list(client.every(LineItemType, TYPES))
    assert procore.web_api.tokens_given == 2
    procore.web_api.revoke_tokens()
    list(client.every(LineItemType, TYPES))
    assert procore.web_api.tokens_given == 3
    procore.faults.expect(Fault(f"/{TYPES}", 401), Fault(f"/{TYPES}", 401))
    with pytest.raises(ProcoreRefusedError, match="client id and secret"):
        list(client.every(LineItemType, TYPES))
    assert procore.web_api.tokens_given == 4


def test_a_wrong_secret_is_said_with_the_settings_to_check(account: Account, clock: Clock) -> None:
    wrong = Account(1, account.client_id, SecretStr("guess"), account.api_url, account.login_url)
    with (
        client_of(wrong, clock) as client,
        pytest.raises(ProcoreError, match="COSTBOT_PROCORE_CLIENT_SECRET"),
    ):
        list(client.every(LineItemType, TYPES))


def test_another_company_is_refused_with_the_setting_to_check(account: Account, clock: Clock) -> None:
    other = Account(9, account.client_id, account.client_secret, account.api_url, account.login_url)
    with client_of(other, clock) as client, pytest.raises(ProcoreError, match="COSTBOT_PROCORE_COMPANY_ID"):
        list(client.every(LineItemType, TYPES))


def test_both_windows_are_obeyed(make_procore: MakeProcore, clock: Clock) -> None:
    procore, account = make_procore(Limits(hourly=60, spike=7))
    with client_of(account, clock, patience=timedelta(hours=2)) as client:
        for _ in range(70):
            list(client.every(LineItemType, TYPES))
    assert len(procore.web_api.calls) == 70
    assert sum(clock.waits) >= 3600


def test_limits_that_all_processes_share_are_never_exceeded(
    make_procore: MakeProcore, clock: Clock, database: Database
) -> None:
    procore, account = make_procore(Limits(hourly=600, spike=5))
    one = client_of(account, clock, shared(database, clock))
    two = client_of(account, clock, shared(database, clock))
    with one, two, structlog.testing.capture_logs() as logs:
        for _ in range(20):
            list(one.every(LineItemType, TYPES))
            list(two.every(LineItemType, TYPES))
    assert len(procore.web_api.calls) == 40
    assert logs == []


def test_a_share_of_the_hour_is_never_exceeded_in_any_hour(
    make_procore: MakeProcore, clock: Clock, database: Database
) -> None:
    procore, account = make_procore(Limits(hourly=3600, spike=10_000))
    made: list[float] = []
    waits: list[timedelta] = []
    with client_of(account, clock, shared(database, clock, share=0.01, usual_limit=3600)) as client:
        while len(made) < 120:
            try:
                list(client.every(LineItemType, TYPES))
                made.append(clock.unix())
                clock.pause(17)
            except ProcoreBusyError as busy:
                waits.append(busy.until - clock.at)
                clock.pause(waits[-1].total_seconds())
    for at in made:
        assert len([each for each in made if at <= each < at + 3600]) <= 36
    assert min(waits) > timedelta(0)
    assert made[-1] - made[0] < 4 * 3600
    assert len(procore.web_api.calls) == 120


def test_the_hourly_limit_that_procore_tells_is_what_the_share_is_of(
    make_procore: MakeProcore, clock: Clock, database: Database
) -> None:
    _, account = make_procore(Limits(hourly=40, spike=10_000))
    with client_of(account, clock, shared(database, clock, share=0.5)) as client:
        for _ in range(20):
            list(client.every(LineItemType, TYPES))
        with pytest.raises(ProcoreBusyError):
            list(client.every(LineItemType, TYPES))
    with database.reading() as session:
        assert procore_calls.hourly_limit(session, 4001) == 40
        assert procore_calls.made(session, 4001, at=clock.at) == 20


def test_what_passes_is_tried_again_and_what_does_not_is_said(
    client: ProcoreClient, procore: Procore, clock: Clock
) -> None:
    path = f"/{TYPES}"
    procore.faults.expect(Fault(path, 503, {"Retry-After": "9"}), Fault(path, 502), Fault(path, 500))
    list(client.every(LineItemType, TYPES))
    assert clock.waits[0] >= 9
    procore.faults.expect(*[Fault(path, 500)] * 5)
    with pytest.raises(ProcoreUnreachableError, match="after 5 tries"):
        list(client.every(LineItemType, TYPES))
    procore.faults.expect(Fault(path, 403, body={"errors": "No access"}))
    with pytest.raises(ProcoreRefusedError, match=r"permissions.*No access"):
        list(client.every(LineItemType, TYPES))


def test_a_long_wait_is_left_to_whoever_called(client: ProcoreClient, procore: Procore, clock: Clock) -> None:
    procore.faults.expect(Fault(f"/{TYPES}", 503, {"Retry-After": "600"}))
    with pytest.raises(ProcoreBusyError) as busy:
        list(client.every(LineItemType, TYPES))
    assert busy.value.until >= clock.at + timedelta(minutes=10)
    assert clock.waits == []


def test_a_create_is_not_repeated_when_it_may_have_been_done(client: ProcoreClient, procore: Procore) -> None:
    hook = {"api_version": "v2", "namespace": "costbot", "destination_url": "http://127.0.0.1:9/"}
    body = {"company_id": client.company_id, "hook": hook}
    procore.faults.expect(Fault("/rest/v1.0/webhooks/hooks", 502, after=True))
    with pytest.raises(ProcoreUnreachableError, match="may have been done or not"):
        client.create("rest/v1.0/webhooks/hooks", body)
    assert procore.web_api.calls == ["POST /rest/v1.0/webhooks/hooks"]


def test_each_update_that_a_sync_did_not_take_is_named(client: ProcoreClient, procore: Procore) -> None:
    project = procore.company.add_project("24-017", "Riverside")
    codes = [procore.company.add_cost_code(project, str(n), "Concrete") for n in range(1203)]
    updates = [
        {"item_type": "cost_code", "item_id": code["id"], "origin_id": f"cc-{code['id']}"} for code in codes
    ]
    updates[1100] = {"item_type": "cost_code", "item_id": 5, "origin_id": "nowhere"}
    updates[7] = {**updates[7], "origin_id": updates[6]["origin_id"]}
    path = f"rest/v1.0/companies/{client.company_id}/external_data"
    errors = list(client.sync(path, updates))
    assert [(error.index, error.words) for error in errors] == [
        (7, "has already been taken"),
        (1100, "could not be found"),
    ]
    assert len(procore.web_api.calls) == 2


def test_a_field_that_is_missing_is_named_with_the_resource_and_its_id(
    client: ProcoreClient, procore: Procore
) -> None:
    project = procore.company.add_project("24-017", "Riverside")
    code = procore.company.add_cost_code(project, "1", "Concrete")
    del code["full_code"], code["line_item_types"]
    with pytest.raises(BadAnswerError) as bad:
        list(client.every(CostCode, "rest/v1.0/cost_codes", {"project_id": project["id"]}))
    for word in (f"cost code {code['id']}", "full_code", "line_item_types"):
        assert word in str(bad.value)


def test_no_secret_and_no_token_is_in_what_is_shown_or_logged(
    account: Account, clock: Clock, procore: Procore, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    shown = []
    with structlog.testing.capture_logs() as logs, client_of(account, clock) as client:
        list(client.every(LineItemType, TYPES))
        token = client._token
        procore.faults.expect(Fault(f"/{TYPES}", 429), Fault(f"/{TYPES}", 403, body="no"))
        with pytest.raises(ProcoreError) as refused:
            list(client.every(LineItemType, TYPES))
        shown += [repr(client), repr(account), repr(refused.value), str(vars(client)), str(logs), caplog.text]
    assert token
    for text in shown:
        assert CLIENT_SECRET not in text
        assert token.get_secret_value() not in text


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(
    status=st.sampled_from([429, 503]),
    names=st.sets(st.sampled_from(["Retry-After", "X-Rate-Limit-Reset", "X-Rate-Limit-Remaining"])),
    value=st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=12)
    | st.integers(0, 10**12).map(str),
    body=st.sampled_from([None, [], {}, "no", {"errors": 1}]),
)
def test_junk_in_an_answer_ends_in_the_answer_or_a_clear_error(
    client: ProcoreClient, procore: Procore, status: int, names: set[str], value: str, body: object
) -> None:
    procore.faults.expect(Fault(f"/{TYPES}", status, dict.fromkeys(names, value), body))
    with suppress(ProcoreBusyError):
        assert list(client.every(LineItemType, TYPES)) == []


def test_a_next_page_elsewhere_is_not_followed(client: ProcoreClient, procore: Procore) -> None:
    link = {"Link": '<http://127.0.0.1:9/elsewhere?page=2>; rel="next"'}
    procore.faults.expect(Fault(f"/{TYPES}", 200, link, []))
    with pytest.raises(BadAnswerError, match="next page"):
        list(client.every(LineItemType, TYPES))
