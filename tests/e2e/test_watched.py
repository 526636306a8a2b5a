"""What whoever watches a company sees of it: metrics, logs and traces of all its processes."""

import json
from collections import defaultdict
from typing import Any

import pytest
from sqlalchemy import func, select

from tests.collector import Collector, request_ids_of
from tests.e2e.conftest import in_small_office
from tests.e2e.office import READY, SYNCED, UPDATED, Office
from tests.e2e.test_slack_trouble import assert_told_once
from tests.e2e.tree import PATIENCE, wait_until
from workflow import tally
from workflow.tables import AuditEvent, DataSync, RequestedUpdate
from workflow.vocabulary import Event, Refusal, State, SyncState

pytestmark = [in_small_office, pytest.mark.timeout(600)]


def truth(office: Office) -> dict[str, float]:
    """What is on record of refusals, Updates and data syncs, and what the runs have counted in Redis."""
    refused = select(func.count()).where(AuditEvent.event == Event.REFUSED)
    with office.line.database.reading() as session:
        synced = session.scalar(
            select(func.count()).select_from(RequestedUpdate).where(RequestedUpdate.state == State.SYNCED)
        )
        refusals = session.scalar(
            refused.where(AuditEvent.facts["reason"].as_string() == Refusal.PRIVILEGE_MISSING)
        )
        complete, lines = session.execute(
            select(func.count().filter(DataSync.failed == 0), func.sum(DataSync.created)).where(
                DataSync.state == SyncState.FINISHED
            )
        ).one()
    counts = tally.read(office.settings.redis)
    return {
        "synced": synced or 0,
        "refused": refusals or 0,
        "complete": complete,
        "lines": lines or 0,
        "finished": counts.get((tally.SYNC_RUNS, "finished"), 0),
        "seconds": counts[(tally.SYNC_SECONDS,)],
    }


def on_page(office: Office) -> dict[str, float]:
    """The same as Prometheus reads it; a counter is not on the page before it counts anything."""
    found: defaultdict[str, float] = defaultdict(float)
    for (name, labels), figure in office.metrics().items():
        found[" ".join([name, *(value for _, value in labels if value)])] = figure
    return {
        "synced": found["costbot_requested_updates synced"],
        "refused": found["costbot_refusals_total privilege_missing"],
        "complete": found["costbot_data_syncs_total complete"],
        "lines": found["costbot_data_sync_lines_total created"],
        "finished": found["costbot_data_sync_runs_total finished"],
        "seconds": found["costbot_data_sync_duration_seconds_sum"],
    }


def spans_of(collector: Collector, request_id: str) -> set[tuple[str, str]]:
    """Process and name of every span that was for a request, alone or among others."""
    return {(process, span.name) for process, span in collector.spans() if request_id in request_ids_of(span)}


def log_of(office: Office, request_id: str) -> list[Any]:
    """What the processes have logged for a request."""
    return [json.loads(line) for line in office.tree.logged(request_id)]


def request_of(office: Office, event: Event) -> str:
    """The id of the request that the newest such event is of."""
    newest = select(AuditEvent.request_id).where(AuditEvent.event == event).order_by(AuditEvent.seq.desc())
    with office.line.database.reading() as session:
        return session.scalars(newest.limit(1)).one() or ""


def test_a_rate_limit_delays_a_card_doubles_nothing_and_is_counted(office: Office) -> None:
    office.wait_until_told()
    with office.frozen("worker", "notices"):
        job = office.new_job()
        office.ask(job, "03-3110,S")
        office.sandbox.fail_next("chat.postMessage", "ratelimited", times=2, retry_after=1)
    office.nudge()

    office.card(job, READY)

    office.wait_until_told()
    assert_told_once(office, job)
    faults = [call["fault"] for call in office.sandbox.calls("chat.postMessage")]
    assert faults.count("ratelimited") == 2
    calls = "costbot_slack_calls_total"
    limited = calls, (("company", ""), ("method", "chat.postMessage"), ("outcome", "rate_limited"))
    wait_until(lambda: office.metrics().get(limited) == 2, "the worker's rate limits are on the bot's page")


def test_what_each_process_did_is_on_the_page_and_has_the_id_of_its_click(
    office: Office, collector: Collector
) -> None:
    office.wait_until_told()
    before = truth(office)
    job, card = office.requested("03-3110,S")
    office.priya.click("Update", card)
    office.priya.wait_for_ephemeral("Can Push to Accounting", PATIENCE)
    office.dana.click("Update", card)
    office.card(job, UPDATED)
    office.dana.slash("/costcodes sync")
    office.card(job, SYNCED)
    office.wait_until_told()

    wait_until(
        lambda: all(truth(office)[name] > figure for name, figure in before.items()), "all that is on record"
    )
    wait_until(lambda: on_page(office) == pytest.approx(truth(office)), "the page tells the truth")

    click = request_of(office, Event.UPDATED)
    wait_until(
        lambda: (
            {(line["process"], line["event"]) for line in log_of(office, click)}
            >= {
                ("bot", "a request of Slack's"),
                ("bot", "requested_update:updated"),
                ("worker", "requested_update:exported"),
                ("worker", "requested_update:synced"),
                ("worker", "a notice was delivered"),
            }
        ),
        "the log has the click's whole way",
    )
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
    # of whoever asked for the data sync, or of the due time that came first
    asked = request_of(office, Event.SYNC_FINISHED)
    wait_until(
        lambda: (
            spans_of(collector, asked)
            >= {("worker", "data sync"), ("worker", "send to Sage"), ("worker", "read-back")}
        ),
        "the collector has the data sync",
    )
    traces = {line["trace_id"] for line in log_of(office, click)}
    wait_until(
        lambda: traces <= {span.trace_id.hex() for _, span in collector.spans()},
        "the collector has the traces of all that was logged",
    )
