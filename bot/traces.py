"""Traces to OpenTelemetry: switched on by its own standard variables, with the extra `otel`.

Owns where spans go. The exporter reads OTEL_EXPORTER_OTLP_ENDPOINT, _HEADERS and the others by itself.
"""

import logging
import os
from importlib.metadata import version

import structlog

from bot.logs import seldom
from workflow import tracing

_ASKED_BY = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_TIMEOUTS = ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT")
_SECONDS = 2.0
"""How long a collector that is away may hold up the end of a piece of work, unless a variable says it."""
_SAY_AGAIN_SECONDS = 600.0
_log = structlog.get_logger()


def start(process: str) -> None:
    """Send this process' spans where the environment says; nothing where it says nothing."""
    if not any(map(os.environ.get, _ASKED_BY)) or _is_off():
        return
    try:
        from opentelemetry import trace
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        _log.warning("no traces: OTEL_* is set, and `pip install 'costbot[otel]'` is missing")
        return
    about = {"service.name": "costbot", "service.version": version("costbot"), "costbot.process": process}
    about["service.name"] = os.environ.get("OTEL_SERVICE_NAME", about["service.name"])
    provider = TracerProvider(resource=Resource.create(about))
    patience = None if any(map(os.environ.get, _TIMEOUTS)) else _SECONDS
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(timeout=patience)))
    exporter = logging.getLogger(tracing.EXPORTER)
    exporter.setLevel(logging.ERROR)  # it warns of each try
    exporter.addFilter(seldom(_SAY_AGAIN_SECONDS))
    trace.set_tracer_provider(provider)
    tracing.switch_on()


def _is_off() -> bool:
    off = os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true"
    return off or os.environ.get("OTEL_TRACES_EXPORTER", "otlp") == "none"
