"""Spans of OpenTelemetry: none unless they are asked for; then they arrive at whoever collects them."""

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from bot.sandbox.procore.app import CLIENT_ID, CLIENT_SECRET, create_procore
from bot.sandbox.procore.company import Company
from bot.sandbox.server import running
from tests.collector import Collector, collecting, facts, request_ids_of

ROOT = Path(__file__).parents[2]

PROGRAM = """
import io, json, sys
import structlog
from bot import logs, traces
from workflow import tracing
from workflow.database import Database, migrate
from workflow.request_ids import working_for

stream = io.StringIO()
logs.configure("info", stream=stream)
traces.start("bot")
database = Database(sys.argv[1])
with working_for("0123456789ab"), tracing.span("request", act="update"):
    structlog.get_logger("bot").info("seen")
    with database.writing():
        pass
try:
    with tracing.span("slack chat.postMessage"):
        raise ValueError("xoxb-1-secret")
except ValueError:
    pass
tracing.flush()
print(json.loads(stream.getvalue()).get("trace_id"))
print("opentelemetry" in sys.modules)
"""


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as server:
        yield server


def run(url: str, program: str = PROGRAM, **environment: str) -> list[str]:
    """What the program prints: the trace's id in its log, and whether it has loaded OpenTelemetry."""
    known = {"PATH": os.environ["PATH"], **environment}
    ran = subprocess.run(
        [sys.executable, "-c", program, url], env=known, capture_output=True, text=True, check=True
    )
    assert ran.stderr == ""
    return ran.stdout.split()


def test_spans_arrive_with_the_request_and_without_secrets(sqlite_url: str, collector: Collector) -> None:
    trace_id, _ = run(sqlite_url, OTEL_EXPORTER_OTLP_ENDPOINT=collector.address)

    request = collector.received.get(timeout=60)
    [resource] = request.resource_spans
    about = facts(resource.resource.attributes)
    assert (about["service.name"], about["costbot.process"]) == ("costbot", "bot")
    spans: dict[str, Span] = {span.name: span for scope in resource.scope_spans for span in scope.spans}
    assert set(spans) == {"request", "transaction", "slack chat.postMessage"}
    assert facts(spans["request"].attributes) == {
        "costbot.act": "update",
        "costbot.request_id": "0123456789ab",
    }
    assert spans["request"].trace_id.hex() == trace_id
    assert spans["transaction"].parent_span_id == spans["request"].span_id
    failed = spans["slack chat.postMessage"].status
    assert (failed.code, failed.message) == (Status.STATUS_CODE_ERROR, "ValueError")
    assert b"secret" not in request.SerializeToString()


def test_a_collector_that_is_away_holds_nobody_up_for_long_and_is_said_once(sqlite_url: str) -> None:
    stays_and_ends = """
import time
from opentelemetry import trace
for _ in range(2):
    with tracing.span("of a process that stays"):
        pass
    trace.get_tracer_provider().force_flush()
began = time.monotonic()
with tracing.span("of a piece of work"):
    pass
tracing.flush()
told = stream.getvalue()
print(time.monotonic() - began < 5.0, told.count("Failed to export"), "retrying" in told)
"""
    beginning, _, _ = PROGRAM.partition("database = ")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        said = run(sqlite_url, beginning + stays_and_ends, OTEL_EXPORTER_OTLP_ENDPOINT=address)
    assert said == ["True", "1", "False"]


def test_a_command_and_its_calls_of_procore_are_traced(sqlite_url: str, collector: Collector) -> None:
    procore = create_procore(Company())
    with running(procore.app) as address:
        ran = subprocess.run(
            [sys.executable, "-m", "bot", "procore", "look"],
            env={
                "PATH": os.environ["PATH"],
                "OTEL_EXPORTER_OTLP_ENDPOINT": collector.address,
                "COSTBOT_DATABASE_URL": sqlite_url,
                "COSTBOT_SOURCE": "procore",
                "COSTBOT_PROCORE_CLIENT_ID": CLIENT_ID,
                "COSTBOT_PROCORE_CLIENT_SECRET": CLIENT_SECRET,
                "COSTBOT_PROCORE_COMPANY_ID": str(procore.company.id),
                "COSTBOT_PROCORE_API_URL": address,
                "COSTBOT_PROCORE_LOGIN_URL": address,
            },
            cwd=sqlite_url.removeprefix("sqlite:///").rpartition("/")[0],
            capture_output=True,
            text=True,
            check=False,
        )
    procore.webhooks.close()

    assert ran.returncode == 0, ran.stderr
    spans = [span for process, span in collector.spans() if process == "command line"]
    [command] = [span for span in spans if span.name == "command"]
    asked = [span for span in spans if span.name == "procore"]
    assert facts(command.attributes)["costbot.name"] == "look"
    assert len(asked) == len(procore.web_api.calls) > 0
    assert {span.parent_span_id for span in asked} == {command.span_id}
    assert {tuple(request_ids_of(span)) for span in spans} == {tuple(request_ids_of(command))}


def test_the_page_names_every_span_that_there_is() -> None:
    sources = "".join(
        path.read_text(encoding="utf-8")
        for folder in ("bot", "sync", "workflow")
        for path in (ROOT / folder).rglob("*.py")
    )
    made = {name.strip() for name in re.findall(r'\bspan\(f?"([^"{]+)', sources)}
    page = (ROOT / "docs" / "monitoring.md").read_text(encoding="utf-8")
    _, _, rows = page.partition("| span | what it is |\n")
    named = re.findall(r"^\| `(.+?)(?: ?…)?` \|", rows.partition("\n\n")[0], re.MULTILINE)
    assert sorted(named) == sorted(made | {"requested_update:"})


def test_nothing_is_loaded_unless_it_is_asked_for(sqlite_url: str) -> None:
    asked_and_switched_off = """
import os
traces.start("nobody asked")
os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] = "http://127.0.0.1:9"
os.environ["OTEL_SDK_DISABLED"] = "true"
traces.start("bot")
"""
    assert run(sqlite_url, PROGRAM.replace('traces.start("bot")', asked_and_switched_off)) == [
        "None",
        "False",
    ]


def test_without_the_extra_it_says_what_to_install(sqlite_url: str, tmp_path: Path) -> None:
    """An `opentelemetry` that cannot be imported stands before the installed one."""
    (tmp_path / "opentelemetry.py").write_text("raise ImportError\n")
    code = PROGRAM.replace("print(json.loads", "print(stream.getvalue())  #")
    ran = subprocess.run(
        [sys.executable, "-c", code, sqlite_url],
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(tmp_path),
            "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9",
        },
        capture_output=True,
        text=True,
        check=True,
    )
    assert "pip install 'costbot[otel]'" in ran.stdout
