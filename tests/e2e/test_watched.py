"""What whoever watches a company sees of it: metrics, logs and traces of all its processes."""

import json
from functools import partial

import pytest
from sqlalchemy import select

from tests.collector import Collector, request_ids_of
from tests.e2e.conftest import in_small_office
from tests.e2e.office import READY, SYNCED, UPDATED, Office
from tests.e2e.test_slack_trouble import assert_told_once
from tests.e2e.tree import PATIENCE, wait_until
from tests.scraping import Samples
from workflow.tables import AuditEvent
from workflow.vocabulary import Event

pytestmark = [in_small_office, pytest.mark.timeout(300)]


def grown(before: Samples, now: Samples, name: str, **labels: str) -> float:
    """How much a counter has grown; it is not on the page before it counts anything."""
    sample = name, tuple(sorted({"company": "", **labels}.items()))
    return now.get(sample, 0.0) - before.get(sample, 0.0)


def counted(before: Samples, now: Samples) -> dict[str, float]:
    """What one refused click, and one Update of one line that a data sync took to Sage, add to the page."""
    return {
        "refused": grown(before, now, "costbot_refusals_total", reason="privilege_missing"),
        "finished": grown(before, now, "costbot_data_sync_runs_total", outcome="finished"),
        "complete": grown(before, now, "costbot_data_syncs_total", outcome="complete"),
        "lines": grown(before, now, "costbot_data_sync_lines_total", outcome="created"),
        "synced": grown(before, now, "costbot_requested_updates", state="synced"),
    }


def spans_of(collector: Collector, request_id: str) -> set[tuple[str, str]]:
    """Process and name of every span that was for a request, alone or among others."""
    return {(process, span.name) for process, span in collector.spans() if request_id in request_ids_of(span)}


def request_of(office: Office, event: Event) -> str:
    """The id of the request that the newest such event is of."""
    newest = select(AuditEvent.request_id).where(AuditEvent.event == event).order_by(AuditEvent.seq.desc())
    with office.line.database.reading() as session:
        return session.scalars(newest.limit(1)).one() or ""


def test_a_rate_limit_delays_a_card_doubles_nothing_and_is_counted(office: Office) -> None:
    office.wait_until_told()
    before = office.metrics()
    with office.tree.frozen("worker", "notices"):
        job = office.new_job()
        office.ask(job, "03-3110,S")
        office.sandbox.fail_next("chat.postMessage", "ratelimited", times=2, retry_after=1)
    office.nudge()

    office.card(job, READY)

    office.wait_until_told()
    assert_told_once(office, job)
    faults = [call["fault"] for call in office.sandbox.calls("chat.postMessage")]
    assert faults.count("ratelimited") == 2
    calls = partial(grown, before, name="costbot_slack_calls_total", method="chat.postMessage")
    wait_until(
        lambda: calls(office.metrics(), outcome="rate_limited") == 2,
        "the worker's rate limits are on the bot's page",
    )


def test_what_each_process_did_is_on_the_page_and_has_the_id_of_its_click(
    office: Office, collector: Collector
) -> None:
    office.wait_until_told()
    before = office.metrics()
    job, card = office.requested("03-3110,S")
    office.priya.click("Update", card)
    office.priya.wait_for_ephemeral("Can Push to Accounting", PATIENCE)
    office.dana.click("Update", card)
    office.card(job, UPDATED)
    office.dana.slash("/costcodes sync")
    office.card(job, SYNCED)
    office.wait_until_told()

    wait_until(
        lambda: (
            counted(before, office.metrics())
            == {"refused": 1, "finished": 1, "complete": 1, "lines": 1, "synced": 1}
        ),
        "the page tells of the refusal and of the data sync",
    )
    now = office.metrics()
    assert 0 < grown(before, now, "costbot_data_sync_duration_seconds_sum") < PATIENCE
    assert grown(before, now, "costbot_data_sync_duration_seconds_count") >= 1

    click = request_of(office, Event.UPDATED)
    logged = [json.loads(line) for line in office.tree.logged(click)]
    assert {(line["process"], line["event"]) for line in logged} >= {
        ("bot", "a request of Slack's"),
        ("bot", "requested_update:updated"),
        ("worker", "requested_update:exported"),
        ("worker", "requested_update:synced"),
        ("worker", "a notice was delivered"),
    }
    wait_until(
        lambda: (
            spans_of(collector, click)
            >= {
                ("bot", "request"),
                ("bot", "transaction"),
                ("worker", "requested_update:exported"),
                ("worker", "requested_update:synced"),
                ("worker", "slack chat.update"),
                ("worker", "slack chat.postMessage"),
            }
        ),
        "the collector has the click's whole way",
    )
    assert spans_of(collector, request_of(office, Event.SYNC_FINISHED)) >= {
        ("bot", "request"),
        ("worker", "data sync"),
        ("worker", "send to Sage"),
        ("worker", "read-back"),
    }
    traces = {line["trace_id"] for line in logged}
    assert traces == {span.trace_id.hex() for _, span in collector.spans()} & traces
