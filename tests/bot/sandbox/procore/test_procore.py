"""The Procore look-alike behaves as Procore documents it, over a socket."""

from collections.abc import Iterator
from itertools import pairwise

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.sandbox.client import NO_AUTHORITIES
from bot.sandbox.procore.app import CLIENT_ID, CLIENT_SECRET, Procore, create_procore
from bot.sandbox.procore.company import Company
from bot.sandbox.procore.faults import Fault
from bot.sandbox.procore.limits import Limits
from bot.sandbox.server import running


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now

    def pause(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def procore(clock: Clock) -> Iterator[Procore]:
    made = create_procore(Company(clock=clock), pause=clock.pause)
    yield made
    made.webhooks.close()


@pytest.fixture
def client(procore: Procore) -> Iterator[httpx.Client]:
    with (
        running(procore.app) as address,
        httpx.Client(base_url=address, timeout=60, verify=NO_AUTHORITIES) as made,
    ):
        made.headers["Authorization"] = f"Bearer {_token(made)}"
        made.headers["Procore-Company-Id"] = str(procore.company.id)
        yield made


def _token(client: httpx.Client) -> str:
    form = {"grant_type": "client_credentials", "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
    return str(client.post("/oauth/token", data=form).json()["access_token"])


def test_a_token_is_given_for_the_right_secret_alone_and_expires(
    client: httpx.Client, procore: Procore, clock: Clock
) -> None:
    wrong = {"grant_type": "client_credentials", "client_id": CLIENT_ID, "client_secret": "guessed"}
    assert client.post("/oauth/token", data=wrong).status_code == 401
    assert client.get("/rest/v1.0/line_item_types").status_code == 200
    clock.pause(5400)
    assert client.get("/rest/v1.0/line_item_types").status_code == 401


def test_a_call_without_the_company_header_is_refused(client: httpx.Client) -> None:
    del client.headers["Procore-Company-Id"]
    assert client.get("/rest/v1.0/line_item_types").status_code == 403


def test_pages_are_linked_until_the_last(client: httpx.Client, procore: Procore) -> None:
    for number in range(7):
        procore.company.add_project(f"24-{number:03}", "Job")
    url = httpx.URL("/rest/v1.0/projects", params={"company_id": procore.company.id, "per_page": 3})
    seen: list[str] = []
    pages = 0
    while True:
        answer = client.get(url)
        seen += [each["origin_code"] for each in answer.json()]
        pages += 1
        assert (answer.headers["Per-Page"], answer.headers["Total"]) == ("3", "7")
        if "next" not in answer.links:
            break
        url = httpx.URL(answer.links["next"]["url"])
    assert seen == [f"24-{number:03}" for number in range(7)]
    assert pages == 3


def test_both_windows_limit_and_the_headers_tell_of_the_nearer(clock: Clock) -> None:
    made = create_procore(Company(clock=clock), limits=Limits(hourly=30, spike=25), pause=clock.pause)
    with (
        running(made.app) as address,
        httpx.Client(base_url=address, timeout=60, verify=NO_AUTHORITIES) as client,
    ):
        client.headers["Authorization"] = f"Bearer {_token(client)}"
        client.headers["Procore-Company-Id"] = str(made.company.id)
        answers = [client.get("/rest/v1.0/line_item_types") for _ in range(26)]
        assert [a.status_code for a in answers] == [200] * 25 + [429]
        assert answers[0].headers["X-Rate-Limit-Limit"] == "25"
        assert int(answers[-1].headers["X-Rate-Limit-Reset"]) == clock.now + 10
        clock.pause(10)
        answers = [client.get("/rest/v1.0/line_item_types") for _ in range(6)]
        assert [a.status_code for a in answers] == [200] * 5 + [429]
        assert answers[-1].headers["X-Rate-Limit-Limit"] == "30"
        clock.pause(3600)
        assert client.get("/rest/v1.0/line_item_types").status_code == 200
    made.webhooks.close()


def test_a_sync_action_answers_200_and_names_each_update_that_failed(
    client: httpx.Client, procore: Procore
) -> None:
    project = procore.company.add_project("24-017", "Riverside")
    one = procore.company.add_cost_code(project, "1", "Concrete")
    two = procore.company.add_cost_code(project, "2", "Steel")
    updates = [
        {"item_type": "cost_code", "item_id": one["id"], "origin_id": "a"},
        {"item_type": "cost_code", "item_id": two["id"], "origin_id": "a"},
        {"item_type": "cost_code", "item_id": 1, "origin_id": "b"},
    ]
    path = f"/rest/v1.0/companies/{procore.company.id}/external_data"
    answer = client.patch(path, json={"updates": updates})
    assert answer.status_code == 200
    assert [each["item_id"] for each in answer.json()["entities"]] == [one["id"]]
    assert [each["errors"]["base"] for each in answer.json()["errors"]] == [
        ["has already been taken"],
        ["could not be found"],
    ]
    assert client.patch(path, json={"updates": [{}] * 1001}).status_code == 400


def test_a_fault_strikes_once_before_or_after_the_act(client: httpx.Client, procore: Procore) -> None:
    path = f"/rest/v1.0/companies/{procore.company.id}/erp_request_details"
    request = procore.erp.send(procore.company.add_project("24-017", "Riverside"))
    one = f"{path}/{request['request_detail_id']}"
    procore.faults.expect(Fault(path, 503, {"Retry-After": "7"}), Fault(path, 502, after=True))
    body = {"request_detail": {"status": "success", "messages": ["In Sage."]}}
    first = client.patch(one, json=body)
    assert (first.status_code, first.headers["Retry-After"]) == (503, "7")
    assert procore.erp.details[request["request_detail_id"]]["status"] == "in progress"
    assert client.patch(one, json=body).status_code == 502
    assert procore.erp.details[request["request_detail_id"]]["status"] == "success"
    assert client.patch(one, json=body).status_code == 200


def test_what_is_sent_to_the_erp_waits_for_an_approver_and_is_then_a_request_with_a_detail(
    client: httpx.Client, procore: Procore
) -> None:
    company, erp = procore.company, procore.erp
    path = f"/rest/v1.0/companies/{company.id}"
    project = company.add_project("24-017", "Riverside")
    code = company.add_cost_code(project, "1", "Concrete", types=[company.add_type("L", "Labor")])
    erp.stage(project)
    erp.retrieve(project)
    erp.stage(project)
    erp.reject(project)
    assert client.get(f"{path}/erp_request_details").json() == []
    request = erp.send(project)
    company.remove(code)
    shown = client.get(f"{path}/erp_requests/{request['id']}").json()
    assert shown["request_name"] == "create_or_update_job"
    assert [each["full_code"] for each in shown["request_data"]["all_cost_codes"]] == ["1"]
    sub_job = company.add_sub_job(project, "E1", "East wing")
    inner = erp.send(sub_job)["request_data"]
    assert inner["sub_job"]["project"]["origin_code"] == "24-017"

    detail = f"{path}/erp_request_details/{shown['request_detail_id']}"
    assert client.patch(detail, json={"request_detail": {"status": "done"}}).status_code == 422
    assert client.patch(f"{detail}0", json={"request_detail": {"status": "failed"}}).status_code == 404
    client.patch(detail, json={"request_detail": {"status": "failed", "messages": ["No."]}})
    asked = {"filters[status]": "in progress"}
    open_ones = client.get(f"{path}/erp_request_details", params=asked).json()
    assert [each["id"] for each in open_ones] == [inner["request_detail_id"]]


class Receiver:
    """Answers webhooks as it is told, and keeps what came."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses)
        self.came: list[tuple[str | None, dict[str, object]]] = []
        self.app = Starlette(routes=[Route("/hooks", self._come, methods=["POST"])])

    async def _come(self, request: Request) -> Response:
        self.came.append((request.headers.get("Authorization"), await request.json()))
        return Response(status_code=self.statuses.pop(0) if self.statuses else 204)


def _connect(client: httpx.Client, procore: Procore, url: str, version: str) -> int:
    hook = {
        "api_version": version,
        "namespace": "costbot",
        "destination_url": url,
        "destination_headers": {"Authorization": "Bearer ours"},
    }
    answer = client.post("/rest/v1.0/webhooks/hooks", json={"company_id": procore.company.id, "hook": hook})
    assert answer.status_code == 201
    assert "ours" not in answer.text
    trigger = {"resource_name": "Cost Codes", "event_type": "create"}
    triggers = f"/rest/v1.0/webhooks/hooks/{answer.json()['id']}/triggers"
    body = {"company_id": procore.company.id, "api_version": version, "trigger": trigger}
    assert client.post(triggers, json=body).status_code == 201
    assert client.post(triggers, json=body).status_code == 422
    return int(answer.json()["id"])


@pytest.mark.parametrize("version", ["v2", "v3", "v4"])
def test_webhooks_carry_the_shape_of_their_version(
    client: httpx.Client, procore: Procore, version: str
) -> None:
    receiver = Receiver()
    somebody = procore.company.add_user("Ana Ortiz", "ana@kestrel.example")
    project = procore.company.add_project("24-017", "Riverside")
    with running(receiver.app) as address:
        _connect(client, procore, f"{address}/hooks", version)
        code = procore.company.add_cost_code(project, "1", "Concrete", by=somebody)
        procore.webhooks.wait()
    [(authorization, body)] = receiver.came
    assert authorization == "Bearer ours"
    if version == "v4":
        assert (body["resource_type"], body["reason"]) == ("Cost Codes", "create")
        assert body["resource_id"] == str(code["id"])
        assert len(str(body["id"])) == 26
    else:
        assert (body["resource_name"], body["event_type"]) == ("Cost Codes", "create")
        assert (body["resource_id"], body["user_id"]) == (code["id"], somebody["id"])
        assert len(str(body["ulid"])) == 26
        assert ("related_resources" in body) is (version == "v3")


def test_a_webhook_is_sent_again_with_growing_pauses_and_discarded_after_12_hours(
    client: httpx.Client, procore: Procore, clock: Clock
) -> None:
    receiver = Receiver(500, 503)
    project = procore.company.add_project("24-017", "Riverside")
    with running(receiver.app) as address:
        hook = _connect(client, procore, f"{address}/hooks", "v2")
        before = clock.now
        procore.company.add_cost_code(project, "1", "Concrete")
        procore.webhooks.wait()
        assert clock.now - before == 1 + 2
        assert len({str(body["ulid"]) for _, body in receiver.came}) == 1
        receiver.statuses = [500] * 100
        procore.company.add_cost_code(project, "2", "Steel")
        procore.webhooks.wait()
    assert 12 * 3600 <= clock.now - before < 14 * 3600
    client.headers["Authorization"] = f"Bearer {_token(client)}"  # a token does not live that long
    outcomes = {
        status: [
            each["outcome"]
            for each in client.get(
                f"/rest/v1.0/webhooks/hooks/{hook}/deliveries", params={"filters[status]": status}
            ).json()
        ]
        for status in ("successful", "discarded")
    }
    assert outcomes == {"successful": ["ok"], "discarded": ["discarded"]}


def test_ulids_sort_by_time(client: httpx.Client, procore: Procore, clock: Clock) -> None:
    receiver = Receiver()
    project = procore.company.add_project("24-017", "Riverside")
    with running(receiver.app) as address:
        _connect(client, procore, f"{address}/hooks", "v2")
        for number in range(3):
            clock.pause(1)
            procore.company.add_cost_code(project, str(number), "Concrete")
        procore.webhooks.wait()
    ulids = [str(body["ulid"]) for _, body in receiver.came]
    assert all(earlier < later for earlier, later in pairwise(ulids))
