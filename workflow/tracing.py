"""Spans of OpenTelemetry, where the extra `otel` is installed and switched on; else nothing, at no cost.

Owns what a span says: its name, a few facts, the request's id, and of an error its kind alone, for its words
may hold what is nobody's business.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from workflow import request_ids

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

EXPORTER = "opentelemetry.exporter.otlp.proto.http.trace_exporter"
"""The logger of what sends spans."""
_switched_on = False


@contextmanager
def span(name: str, /, **facts: str | int | float | None) -> Iterator[None]:
    """Tell how long the block takes, and whether it raises."""
    tracer = _tracer() if _switched_on else None
    if tracer is None:
        yield
        return
    from opentelemetry.trace import StatusCode

    told: dict[str, Any] = {f"costbot.{key}": value for key, value in facts.items() if value is not None}
    if request_id := request_ids.current():
        told["costbot.request_id"] = request_id
    if several := request_ids.several():
        told["costbot.request_ids"] = several
    with tracer.start_as_current_span(
        name, attributes=told, record_exception=False, set_status_on_exception=False
    ) as current:
        try:
            yield
        except BaseException as error:
            current.set_status(StatusCode.ERROR, type(error).__name__)
            raise


def switch_on() -> bool:
    """Make spans from here on; False without the extra."""
    global _switched_on
    _switched_on = find_spec("opentelemetry") is not None
    return _switched_on


def flush() -> None:
    """Send what is not sent yet, for a process that is about to end at once.

    That nobody takes it is for processes to say that stay: each of these would say it anew.
    """
    if _switched_on:
        from opentelemetry import trace

        logging.getLogger(EXPORTER).disabled = True
        send: Any = getattr(trace.get_tracer_provider(), "force_flush", None)
        if send is not None:
            send()


def ids() -> dict[str, str]:
    """The trace and the span that this thread is in, for the log."""
    if not _switched_on:
        return {}
    from opentelemetry import trace

    found = trace.get_current_span().get_span_context()
    return (
        {"trace_id": f"{found.trace_id:032x}", "span_id": f"{found.span_id:016x}"} if found.is_valid else {}
    )


@cache
def _tracer() -> "Tracer":
    from opentelemetry import trace

    return trace.get_tracer("costbot")
