"""`/metrics`: how every company's work stands, for Prometheus; the one list of metrics that there are.

What lives in the database is read from it, and counts of all processes from Redis, so that it is the same
whichever bot is asked. No job, no person and no secret is in it, and none gets it without the token.
"""

import hmac
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import partial
from importlib.metadata import version

import structlog
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, SummaryMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector
from redis import RedisError
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot.slow_parts import Question, answers
from workflow import tally, vitals
from workflow.database import Database
from workflow.settings import Settings
from workflow.tally import Counts
from workflow.vitals import Vitals

PATH = "/metrics"
KEPT_SECONDS = 5.0
"""Whoever asks again within this time gets the same figures."""
ANSWER_SECONDS = 3.0
"""Of a database, and of a Redis; both together less than Prometheus waits."""
_log = structlog.get_logger()


class Kind(StrEnum):
    """What Prometheus makes of a metric."""

    GAUGE = "gauge"
    COUNTER = "counter"
    SUMMARY = "summary"


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric: a counter's name ends with `_total` where it is shown. Each has the label `company` too."""

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()


METRICS = (
    Metric("costbot_build_info", Kind.GAUGE, "Always 1; the version of costbot that runs.", ("version",)),
    Metric("costbot_database_up", Kind.GAUGE, "1 while the database answers."),
    Metric("costbot_redis_up", Kind.GAUGE, "1 while Redis answers."),
    Metric(
        "costbot_slack_connected", Kind.GAUGE, "1 while the socket to Slack is open; only in Socket Mode."
    ),
    Metric("costbot_requested_updates", Kind.GAUGE, "Requested updates by state.", ("state",)),
    Metric(
        "costbot_oldest_ready_age_seconds",
        Kind.GAUGE,
        "How long the longest has waited that is Ready to Update.",
    ),
    Metric(
        "costbot_holds_waiting",
        Kind.GAUGE,
        "Contracts and change orders that wait for their job's cost codes.",
    ),
    Metric(
        "costbot_refusals",
        Kind.COUNTER,
        "Acts that were refused, by the reason.",
        ("reason",),
    ),
    Metric("costbot_outbox_waiting", Kind.GAUGE, "Notices that are due and not delivered in Slack."),
    Metric("costbot_outbox_lag_seconds", Kind.GAUGE, "How long the notice waits that is longest due."),
    Metric("costbot_outbox_given_up", Kind.GAUGE, "Notices that were given up, of the last 30 days."),
    Metric(
        "costbot_data_syncs",
        Kind.COUNTER,
        "Data syncs that Sage answered: complete, or with_failures where it refused lines.",
        ("outcome",),
    ),
    Metric("costbot_data_sync_lines", Kind.COUNTER, "Lines of data syncs by their outcome.", ("outcome",)),
    Metric("costbot_data_syncs_unfinished", Kind.GAUGE, "Data syncs that are on their way to Sage and back."),
    Metric("costbot_data_syncs_overdue", Kind.GAUGE, "Data syncs whose file nobody imported in time."),
    Metric(
        "costbot_data_sync_last_done_timestamp_seconds",
        Kind.GAUGE,
        "When a data sync was last done, also with nothing to send.",
    ),
    Metric("costbot_data_sync_due_seconds", Kind.GAUGE, "How long the data sync has been due and not done."),
    Metric(
        "costbot_data_sync_missed_runs",
        Kind.GAUGE,
        "Due times since the data sync that was last done; counted up to 10.",
    ),
    Metric(
        "costbot_data_sync_runs",
        Kind.COUNTER,
        "Runs of the data sync by how they ended; another_is_running: it lost its lock to another; "
        "unreachable: Sage did not answer; broke: the log says why.",
        ("outcome",),
    ),
    Metric("costbot_data_sync_duration_seconds", Kind.SUMMARY, "How long runs of the data sync took."),
    Metric(
        "costbot_slack_calls",
        Kind.COUNTER,
        "Calls of Slack by outcome: ok, rate_limited (429), unavailable, or Slack's error.",
        ("method", "outcome"),
    ),
    Metric(
        "costbot_procore_calls",
        Kind.COUNTER,
        "Calls of Procore by outcome: ok, rate_limited (429), unavailable, or the status.",
        ("method", "outcome"),
    ),
    Metric("costbot_procore_calls_last_hour", Kind.GAUGE, "Calls of Procore in the last hour."),
    Metric("costbot_procore_hourly_limit", Kind.GAUGE, "Procore's hourly limit of calls."),
    Metric("costbot_procore_events_waiting", Kind.GAUGE, "Webhooks of Procore that are not worked on yet."),
)

Figure = tuple[str, tuple[str, ...], float]
"""A metric's name, the values of its labels but the company, and the value."""


@dataclass(frozen=True, slots=True)
class Watched:
    """A company whose work is watched; its name is '' where it is the only one."""

    settings: Settings
    database: Database

    @property
    def name(self) -> str:
        return self.settings.company or ""

    def vitals(self, at: datetime) -> Vitals | None:
        """How its work stands; None while the database does not answer."""
        try:
            with self.database.reading() as session:
                return vitals.of_company(session, self.settings, at=at)
        except SQLAlchemyError as error:
            _log.warning("metrics without the database", company=self.name, error=type(error).__name__)
            return None

    def counts(self) -> Counts | None:
        """What its processes count; None while Redis does not answer."""
        try:
            return tally.read(self.settings.redis)
        except RedisError as error:
            _log.warning("metrics without Redis", company=self.name, error=type(error).__name__)
            return None


class Metrics(Collector):
    """Reads the figures of every company when it is asked."""

    def __init__(
        self,
        companies: Sequence[Watched],
        *,
        slack_connected: Callable[[], bool] | None,
        clock: Callable[[], datetime],
        monotonic: Callable[[], float] = time.monotonic,
        patience: float = ANSWER_SECONDS,
    ) -> None:
        """`slack_connected` only in Socket Mode; what has said nothing after `patience` seconds is down."""
        self._vitals = {one.name: Question(partial(_now, one, clock)) for one in companies}
        self._counts = {one.name: Question(one.counts) for one in companies}
        self._slack_connected, self._patience = slack_connected, patience
        self._monotonic = monotonic
        self._registry = CollectorRegistry()
        self._registry.register(self)
        self._lock = threading.Lock()
        self._text, self._read_at = b"", -KEPT_SECONDS

    def text(self) -> bytes:
        """All metrics in Prometheus' text format; the same for a few seconds."""
        with self._lock:
            if not self._text or self._monotonic() - self._read_at >= KEPT_SECONDS:
                self._text = generate_latest(self._registry)
                self._read_at = self._monotonic()
            return self._text

    def describe(self) -> list[GaugeMetricFamily]:
        """Nothing, so that registering asks no database."""
        return []

    def collect(self) -> Iterator[GaugeMetricFamily | CounterMetricFamily | SummaryMetricFamily]:
        """Every metric with all its figures."""
        found: dict[str, list[tuple[tuple[str, ...], float]]] = {}
        for company, (name, labels, value) in self._figures():
            found.setdefault(name, []).append(((company, *labels), value))
        for metric in METRICS:
            labels = ("company", *metric.labels)
            match metric.kind:
                case Kind.GAUGE:
                    gauge = GaugeMetricFamily(metric.name, metric.help, labels=labels)
                    for values, value in found.get(metric.name, ()):
                        gauge.add_metric(values, value)
                    yield gauge
                case Kind.COUNTER:
                    counter = CounterMetricFamily(metric.name, metric.help, labels=labels)
                    for values, value in found.get(metric.name, ()):
                        counter.add_metric(values, value)
                    yield counter
                case Kind.SUMMARY:
                    summary = SummaryMetricFamily(metric.name, metric.help, labels=labels)
                    sums = dict(found.get(f"{metric.name}_sum", ()))
                    for values, count in found.get(f"{metric.name}_count", ()):
                        summary.add_metric(values, int(count), sums.get(values, 0.0))
                    yield summary

    def _figures(self) -> Iterator[tuple[str, Figure]]:
        yield "", ("costbot_build_info", (version("costbot"),), 1)
        if self._slack_connected is not None:
            yield "", ("costbot_slack_connected", (), self._slack_connected())
        # of all companies at once, so that a slow one holds up nobody's figures
        vitals_of = answers(self._vitals, seconds=self._patience)
        counts_of = answers(self._counts, seconds=self._patience)
        for name in self._vitals:
            now, counts = vitals_of.get(name), counts_of.get(name)
            yield name, ("costbot_database_up", (), now is not None)
            yield name, ("costbot_redis_up", (), counts is not None)
            for figure in (*figures_of(now), *counted(counts)):
                yield name, figure


def _now(company: Watched, clock: Callable[[], datetime]) -> Vitals | None:
    return company.vitals(clock())


def figures_of(now: Vitals | None) -> Iterator[Figure]:
    """What the database tells; nothing while it does not answer."""
    if now is None:
        return
    for state, count in now.updates.items():
        yield "costbot_requested_updates", (state.value,), count
    yield "costbot_oldest_ready_age_seconds", (), now.oldest_ready.total_seconds()
    yield "costbot_holds_waiting", (), now.holds_waiting
    for reason, count in now.refusals.items():
        yield "costbot_refusals", (reason,), count
    yield "costbot_outbox_waiting", (), now.backlog.waiting
    yield "costbot_outbox_lag_seconds", (), now.outbox_lag.total_seconds()
    yield "costbot_outbox_given_up", (), now.backlog.given_up
    yield "costbot_data_syncs", ("complete",), now.sync.complete
    yield "costbot_data_syncs", ("with_failures",), now.sync.with_failures
    for outcome, count in now.sync.lines.items():
        yield "costbot_data_sync_lines", (outcome.value,), count
    yield "costbot_data_syncs_unfinished", (), now.sync.unfinished
    yield "costbot_data_syncs_overdue", (), now.sync.overdue
    if now.sync.last_done_at is not None:
        yield "costbot_data_sync_last_done_timestamp_seconds", (), now.sync.last_done_at.timestamp()
    yield "costbot_data_sync_due_seconds", (), now.sync_due.total_seconds()
    yield "costbot_data_sync_missed_runs", (), now.sync.missed
    if now.procore is not None:
        yield "costbot_procore_calls_last_hour", (), now.procore.calls_last_hour
        yield "costbot_procore_hourly_limit", (), now.procore.hourly_limit
        yield "costbot_procore_events_waiting", (), now.procore.events_waiting


_COUNTED: Mapping[str, str] = {
    tally.SLACK_CALLS: "costbot_slack_calls",
    tally.PROCORE_CALLS: "costbot_procore_calls",
    tally.SYNC_RUNS: "costbot_data_sync_runs",
}


def counted(counts: Counts | None) -> Iterator[Figure]:
    """What Redis tells; nothing while it does not answer."""
    runs = 0.0
    for (name, *labels), number in sorted((counts or {}).items()):
        if name == tally.SYNC_SECONDS:
            yield "costbot_data_sync_duration_seconds_sum", (), number
        elif name in _COUNTED:
            runs += number if name == tally.SYNC_RUNS else 0
            yield _COUNTED[name], tuple(labels), number
    if runs:
        yield "costbot_data_sync_duration_seconds_count", (), runs


def metrics_route(metrics: Metrics, token: str) -> Route:
    """The route, for whoever sends the token as `Authorization: Bearer …`."""
    expected = token.encode()

    async def tell(request: Request) -> Response:
        # the scheme is written in any letter case (RFC 9110, 11.1)
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(given.encode(), expected):
            _log.warning("a request for the metrics was refused: its token is not ours")
            return PlainTextResponse(
                "the Authorization header does not hold COSTBOT_METRICS_TOKEN",
                401,
                {"WWW-Authenticate": "Bearer"},
            )
        text = await run_in_threadpool(metrics.text)
        return Response(text, media_type=CONTENT_TYPE_LATEST)

    return Route(PATH, tell)
