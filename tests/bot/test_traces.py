"""Spans of OpenTelemetry: none unless they are asked for; then they arrive at whoever collects them."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from queue import SimpleQueue

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

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


class Collector(HTTPServer):
    """A receiver of OTLP over HTTP, on a free port of loopback."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Receiver)
        self.received: SimpleQueue[ExportTraceServiceRequest] = SimpleQueue()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        assert isinstance(self.server, Collector)
        self.server.received.put(ExportTraceServiceRequest.FromString(body))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def run(url: str, **environment: str) -> list[str]:
    """What the program prints: the trace's id in its log, and whether it has loaded OpenTelemetry."""
    known = {"PATH": os.environ["PATH"], **environment}
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM, url], env=known, capture_output=True, text=True, check=True
    )
    assert ran.stderr == ""
    return ran.stdout.split()


def test_spans_arrive_with_the_request_and_without_secrets(sqlite_url: str, collector: Collector) -> None:
    trace_id, _ = run(sqlite_url, OTEL_EXPORTER_OTLP_ENDPOINT=collector.address)

    request = collector.received.get(timeout=10)
    [resource] = request.resource_spans
    about = {one.key: one.value.string_value for one in resource.resource.attributes}
    assert (about["service.name"], about["costbot.process"]) == ("costbot", "bot")
    spans: dict[str, Span] = {span.name: span for scope in resource.scope_spans for span in scope.spans}
    assert set(spans) == {"request", "transaction", "slack chat.postMessage"}
    facts = {one.key: one.value.string_value for one in spans["request"].attributes}
    assert facts == {"costbot.act": "update", "costbot.request_id": "0123456789ab"}
    assert spans["request"].trace_id.hex() == trace_id
    assert spans["transaction"].parent_span_id == spans["request"].span_id
    failed = spans["slack chat.postMessage"].status
    assert (failed.code, failed.message) == (Status.STATUS_CODE_ERROR, "ValueError")
    assert b"secret" not in request.SerializeToString()


@pytest.mark.parametrize(
    "environment",
    [{}, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_SDK_DISABLED": "true"}],
    ids=["nobody asked", "switched off"],
)
def test_nothing_is_loaded_unless_it_is_asked_for(sqlite_url: str, environment: dict[str, str]) -> None:
    assert run(sqlite_url, **environment) == ["None", "False"]


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
