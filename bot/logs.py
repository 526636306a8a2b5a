"""Logs: structlog and the standard library's loggers in one stream, on standard error.

Owns the form (words on a terminal, JSON lines elsewhere), the level, and the masking of secrets.
"""

import logging
import re
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from workflow import tracing

_SECRETS = re.compile(
    r"(?P<token>\bx(?:ox[a-z]|app)(?:-[\w.%-]+)+)"  # a token of Slack
    r"|(?P<scheme>\b[a-z][a-z0-9+.-]*://[^\s:/@]*):(?P<password>[^\s/]+)@"  # a password inside an address
)
_speaker = structlog.stdlib.LoggerFactory(ignore_frame_names=[__name__])
"""Finds who speaks, where the logger was not named."""
_TOLD_BY_THE_CALLER = ("slack_sdk.web.base_client",)
"""It logs each call without an answer, and raises it too."""


def configure(level: str, *, process: str = "", stream: TextIO | None = None) -> None:
    """Send all logs of this process to `stream` (standard error) from `level` on.

    `process` is put into every line. Libraries speak from a warning on, unless `level` is debug.
    """
    stream = stream or sys.stderr
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        _traced,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _named(process),
    ]
    form = _form(stream)
    handler = logging.StreamHandler(stream)
    structlog.configure(
        processors=[*shared, *form],
        logger_factory=lambda *name: _Own(handler, _speaker(*name).name),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=False,
    )
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder()],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *form],
        )
    )
    if level != "debug":
        handler.addFilter(_from_a_warning_on)
    # no line tells these, and each would be looked up for it
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())


def mask(text: str) -> str:
    """The text without tokens and passwords."""
    if "://" not in text and "xox" not in text and "xapp" not in text:
        return text  # as almost any, and quicker told so
    return _SECRETS.sub(lambda m: f"{m['scheme']}:***@" if m["scheme"] else f"{m['token'][:5]}***", text)


class _Own:
    """Where costbot's own lines go: to the stream of the libraries' handler, by turns with them.

    They pass `logging` by, which makes a record of each line, looks up who speaks, and takes it apart again.
    """

    def __init__(self, handler: "logging.StreamHandler[TextIO]", name: str) -> None:
        self._handler = handler
        self.name = name

    def write(self, line: str) -> None:
        """Write one line. A stream that is gone is no reason for what is told to come to nothing."""
        self._handler.acquire()
        try:
            with suppress(OSError, ValueError):
                self._handler.stream.write(line + self._handler.terminator)
                self._handler.flush()
        finally:
            self._handler.release()

    debug = info = warning = error = critical = write


def _from_a_warning_on(record: logging.LogRecord) -> bool:
    # at the handler, because libraries set the levels of their own loggers as they like
    return record.levelno >= logging.WARNING and record.name not in _TOLD_BY_THE_CALLER


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
    return [structlog.processors.format_exc_info, _mask_secrets, last]


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


def _masked(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, dict):
        return {key: _masked(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_masked(inner) for inner in value]
    return mask(str(value))
