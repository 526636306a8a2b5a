"""Logs: structlog and the standard library's loggers in one stream, on standard error.

Owns the form (words on a terminal, JSON lines elsewhere) and the level; secrets are masked in every line.
"""

import logging
import sys
import time
from collections.abc import Callable, Iterable
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from workflow import masking, tracing
from workflow.masking import mask

_OWN = ("bot", "sync", "workflow", "__main__")
_TOLD_BY_THE_CALLER = ("slack_sdk.web.base_client",)
"""It logs each call without an answer, and raises it too."""


def configure(
    level: str, *, process: str = "", secrets: Iterable[str] = (), stream: TextIO | None = None
) -> None:
    """Send all logs of this process to `stream` (standard error) from `level` on.

    `process` is put into every line. Libraries speak from a warning on, unless `level` is debug. `secrets`
    are masked in every line, and wherever else this process shows a text; those of before no more.
    """
    masking.hide_nothing()
    masking.hide(secrets)
    stream = stream or sys.stderr
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.stdlib.ExtraAdder(),
        _traced,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _named(process),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_form(stream)],
        )
    )
    if level != "debug":
        handler.addFilter(_own_or_warning)
    # no line tells these, and each would be looked up for it
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())


def _own_or_warning(record: logging.LogRecord) -> bool:
    # at the handler, because libraries set the levels of their own loggers as they like
    if record.name in _TOLD_BY_THE_CALLER:
        return False
    return record.levelno >= logging.WARNING or record.name.partition(".")[0] in _OWN


def seldom(
    seconds: float, *, clock: Callable[[], float] = time.monotonic
) -> Callable[[logging.LogRecord], bool]:
    """A filter for a logger that repeats itself: an error passes at most once in so many seconds."""
    last = -seconds

    def passes(record: logging.LogRecord) -> bool:
        nonlocal last
        if record.levelno < logging.ERROR:
            return True
        now = clock()
        if now - last < seconds:
            return False
        last = now
        return True

    return passes


def _form(stream: TextIO) -> list[Processor]:
    if stream.isatty():
        last: Processor = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    else:
        last = structlog.processors.JSONRenderer(ensure_ascii=False)
    return [structlog.processors.format_exc_info, _mask_secrets, last, _mask_hidden]


def _named(process: str) -> Processor:
    def add(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        if process:
            event["process"] = process
        return event

    return add


def _traced(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    return {**event, **tracing.ids()}


def _mask_secrets(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    return {key: _masked(value) for key, value in event.items()}


def _mask_hidden(_logger: WrappedLogger, _method: str, line: Any) -> str:
    # the whole line at once, for there may be many of them
    return masking.mask_hidden(line)


def _masked(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, dict):
        return {key: _masked(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_masked(inner) for inner in value]
    return mask(str(value))
