"""A receiver of OpenTelemetry's traces: OTLP over HTTP on loopback, as collectors have it."""

import threading
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import SimpleQueue

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span


class Collector(ThreadingHTTPServer):
    """It keeps whatever comes, request by request."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Receiver)
        self.received: SimpleQueue[ExportTraceServiceRequest] = SimpleQueue()
        self._spans: list[tuple[str, Span]] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def spans(self) -> list[tuple[str, Span]]:
        """Every span so far, with the process that it comes from."""
        while not self.received.empty():
            for resource in self.received.get().resource_spans:
                process = facts(resource.resource.attributes)["costbot.process"]
                self._spans += [(process, span) for scope in resource.scope_spans for span in scope.spans]
        return self._spans


def facts(attributes: Sequence[KeyValue]) -> dict[str, str]:
    """What a span, or a process, tells of itself in words."""
    return {one.key: one.value.string_value for one in attributes}


def request_ids_of(span: Span) -> list[str]:
    """The requests that a span was for: one, several or none."""
    found = defaultdict(AnyValue, {one.key: one.value for one in span.attributes})
    several = [value.string_value for value in found["costbot.request_ids"].array_value.values]
    return [found["costbot.request_id"].string_value, *several]


@contextmanager
def collecting() -> Iterator[Collector]:
    """A collector for the length of the block."""
    with Collector() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


class _Receiver(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        assert isinstance(self.server, Collector)
        self.server.received.put(ExportTraceServiceRequest.FromString(body))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass
