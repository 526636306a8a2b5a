"""`/metrics`, as Prometheus reads it, and the dashboard, alerts and page that are made of it."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import promql_parser as promql
import pytest
import yaml
from starlette.applications import Starlette
from structlog.testing import capture_logs

from bot.metrics import METRICS, Kind, Metrics, Watched, metrics_route
from bot.sandbox.client import NO_AUTHORITIES
from bot.sandbox.server import running
from tests.bot.signing import compared_in_constant_time
from tests.factories import NINE, later
from tests.scraping import Samples, samples_of, value
from tests.workflow.site import Site
from workflow import outbox, procore_calls, tally
from workflow.database import Database
from workflow.privileges import Refused
from workflow.settings import Settings, Source

ROOT = Path(__file__).parents[2]
GRAFANA = ROOT / "docs" / "grafana"
TOKEN = "a token of some length"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
NOWHERE = "redis://127.0.0.1:1/0"


@contextmanager
def scraping(*companies: Watched) -> Iterator[httpx.Client]:
    metrics = Metrics(companies, slack_connected=lambda: True, clock=lambda: later(60))
    app = Starlette(routes=[metrics_route(metrics, TOKEN)])
    with running(app) as url, httpx.Client(base_url=url, timeout=60, verify=NO_AUTHORITIES) as client:
        yield client


def scraped(*companies: Watched) -> Samples:
    """Every sample, by name and labels, once its text was read by Prometheus' own parser."""
    with scraping(*companies) as client:
        return samples_of(client.get("/metrics", headers=BEARER).text)


def watched(database: Database, redis_url: str, **settings: Any) -> Watched:
    return Watched(Settings(_env_file=None, redis_url=redis_url, **settings), database)


def test_it_tells_how_the_work_stands(database: Database, redis_url: str) -> None:
    site = Site(database)
    site.accept(site.ask("03-300 L"))
    site.data_sync()
    waits = site.ask("03-300 M")
    refused = site.accept(waits, by=site.engineer)
    assert isinstance(refused, Refused)
    call = (tally.SLACK_CALLS, "chat.postMessage", "rate_limited")
    tally.add(redis_url, {call: 3, (tally.SYNC_RUNS, "finished"): 2, (tally.SYNC_SECONDS,): 1.5})

    found = scraped(watched(database, redis_url))

    assert value(found, "costbot_requested_updates", state="ready") == 1
    assert value(found, "costbot_requested_updates", state="synced") == 1
    assert value(found, "costbot_oldest_ready_age_seconds") == 3600
    assert value(found, "costbot_refusals_total", reason=refused.reason) == 1
    with database.reading() as session:
        assert value(found, "costbot_outbox_waiting") == outbox.backlog(session, now=later(60)).waiting > 0
    assert value(found, "costbot_outbox_lag_seconds") == 3600
    assert value(found, "costbot_data_syncs_total", outcome="complete") == 1
    assert value(found, "costbot_data_sync_lines_total", outcome="created") == 1
    assert value(found, "costbot_slack_calls_total", method="chat.postMessage", outcome="rate_limited") == 3
    assert value(found, "costbot_data_sync_duration_seconds_sum") == 1.5
    assert value(found, "costbot_data_sync_duration_seconds_count") == 2
    assert value(found, "costbot_slack_connected") == 1
    assert value(found, "costbot_database_up") == value(found, "costbot_redis_up") == 1
    assert not any(name.startswith("costbot_procore") for name, _ in found)
    there_are = samples_there_are()
    assert all({label for label, _ in labels} == there_are[name] for name, labels in found)


def test_what_does_not_answer_is_told_and_the_rest_is_there(
    sqlite_url: str, redis_url: str, tmp_path: Path
) -> None:
    gone = Database(f"sqlite:///{tmp_path / 'no' / 'folder.sqlite'}")
    here = Database(sqlite_url)
    found = scraped(watched(gone, redis_url, company="alpha"), watched(here, NOWHERE, company="beta"))
    up = {
        (company, part): value(found, f"costbot_{part}_up", company)
        for company in ("alpha", "beta")
        for part in ("database", "redis")
    }
    assert up == {
        ("alpha", "database"): 0,
        ("alpha", "redis"): 1,
        ("beta", "database"): 1,
        ("beta", "redis"): 0,
    }
    assert value(found, "costbot_outbox_waiting", "beta") == 0
    gone.close()
    here.close()


def test_procore_is_in_it_where_it_is_used(sqlite_url: str, redis_url: str) -> None:
    database = Database(sqlite_url)
    with database.writing() as session:
        for _ in range(2):
            procore_calls.take(session, 7, share=1, usual_limit=3600, at=later(59))
    tally.add(redis_url, {(tally.PROCORE_CALLS, "GET", "ok"): 2})
    company = watched(
        database,
        redis_url,
        source=Source.PROCORE,
        procore_client_id="id",
        procore_client_secret="secret",
        procore_company_id=7,
    )
    found = scraped(company)
    assert value(found, "costbot_procore_calls_last_hour") == 2
    assert value(found, "costbot_procore_hourly_limit") == 3600
    assert value(found, "costbot_procore_calls_total", method="GET", outcome="ok") == 2
    assert value(found, "costbot_procore_events_waiting") == 0
    database.close()


@pytest.mark.parametrize("header", [{}, {"Authorization": TOKEN}, {"Authorization": f"Bearer {TOKEN}s"}])
def test_nobody_reads_it_without_the_token(sqlite_url: str, redis_url: str, header: dict[str, str]) -> None:
    database = Database(sqlite_url)
    with scraping(watched(database, redis_url)) as client:
        answer = client.get("/metrics", headers=header)
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert "costbot_" not in answer.text


def test_the_token_is_compared_in_constant_time_and_a_refusal_is_logged(
    sqlite_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared = compared_in_constant_time(monkeypatch)
    database = Database(sqlite_url)
    with scraping(watched(database, redis_url)) as client, capture_logs() as logs:
        client.get("/metrics", headers={"Authorization": "Bearer guessed"})
    assert compared == [b"guessed"]
    assert "its token is not ours" in logs[-1]["event"]
    database.close()


def test_the_scheme_of_the_token_is_written_in_any_letter_case(sqlite_url: str, redis_url: str) -> None:
    database = Database(sqlite_url)
    with scraping(watched(database, redis_url)) as client:
        assert client.get("/metrics", headers={"Authorization": f"bearer {TOKEN}"}).status_code == 200
    database.close()


def test_it_names_no_job_no_person_and_no_secret(database: Database, redis_url: str) -> None:
    site = Site(database)
    site.accept(site.ask("03-300 L"))
    with scraping(watched(database, redis_url, slack_bot_token="xoxb-1-secret")) as client:
        text = client.get("/metrics", headers=BEARER).text
    for word in (site.job.number, site.job.name, site.approver.email, site.approver.name, "secret", "sqlite"):
        assert word not in text


def test_whoever_asks_at_once_gets_the_same_figures(sqlite_url: str, redis_url: str) -> None:
    moments = iter([0.0, 4.9, 5.0, 5.0])
    database = Database(sqlite_url)
    metrics = Metrics(
        [watched(database, redis_url)],
        slack_connected=None,
        clock=lambda: NINE,
        monotonic=lambda: next(moments),
    )
    site = Site(database)
    first = metrics.text()
    site.ask("03-300 L")
    assert metrics.text() == first
    assert metrics.text() != first
    database.close()


@dataclass(frozen=True)
class Asked:
    """The metrics of an expression, each with the labels by which it is chosen, and the labels to sum by."""

    chosen_by: dict[str, set[str]]
    grouped_by: set[str]


def asked_by(expression: str) -> Asked:
    """Read by a parser of Prometheus' language, which refuses what Prometheus would."""
    found = Asked({}, set())

    def visit(part: promql.Expr) -> None:
        if isinstance(part, promql.VectorSelector) and part.name:
            labels = {matcher.name for matcher in part.matchers.matchers}
            found.chosen_by.setdefault(part.name, set()).update(labels)
        elif isinstance(part, promql.AggregateExpr) and part.modifier:
            found.grouped_by.update(part.modifier.labels)

    # Grafana puts its own in place of what begins with $__
    promql.walk(promql.parse(expression.replace("$__rate_interval", "5m")), visit)
    return found


def dashboard() -> list[tuple[str, str]]:
    """Every expression of the dashboard, with the legend of what it draws."""
    file = json.loads((GRAFANA / "costbot.json").read_text(encoding="utf-8"))
    return [
        (target["expr"], target.get("legendFormat", ""))
        for panel in file["panels"]
        for target in panel.get("targets", ())
    ]


def alerts() -> list[tuple[str, str]]:
    """Every expression of an alert, with what it tells."""
    file = yaml.safe_load((GRAFANA / "alerts.yaml").read_text(encoding="utf-8"))
    rules = [rule for group in file["groups"] for rule in group["rules"]]
    return [(rule["expr"], rule["annotations"]["summary"]) for rule in rules]


def samples_there_are() -> dict[str, set[str]]:
    """Each name that stands on the page, and the labels that it has there."""
    endings = {Kind.GAUGE: [""], Kind.COUNTER: ["_total"], Kind.SUMMARY: ["_sum", "_count"]}
    return {
        metric.name + ending: {"company", *metric.labels}
        for metric in METRICS
        for ending in endings[metric.kind]
    }


@pytest.mark.parametrize(("expression", "words"), [*dashboard(), *alerts()])
def test_dashboard_and_alerts_ask_for_what_is_on_the_page(expression: str, words: str) -> None:
    asked, there_are = asked_by(expression), samples_there_are()
    assert asked.chosen_by
    for name, labels in asked.chosen_by.items():
        assert labels | asked.grouped_by <= there_are[name], name
    told = set(re.findall(r"{{ ?(?:\$labels\.)?(\w+) ?}}", words))
    assert told <= asked.grouped_by


def test_the_dashboard_leaves_no_metric_out() -> None:
    asked = {name for expression, _ in dashboard() for name in asked_by(expression).chosen_by}
    assert asked == samples_there_are().keys()


def test_the_page_has_every_metric_as_it_is() -> None:
    page = (ROOT / "docs" / "monitoring.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| `costbot_")]
    expected = []
    for metric in METRICS:
        name = metric.name + ("_total" if metric.kind is Kind.COUNTER else "")
        labels = ", ".join(f"`{label}`" for label in metric.labels)
        expected.append(f"| `{name}` | {metric.kind} | {labels} | {metric.help} |")
    assert rows == expected
