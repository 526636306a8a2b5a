"""The heartbeat of a process that nobody can ask: a file that is touched only as long as the work goes on.

How old it may be is for whoever looks: worker and scheduler touch it at least every fifteen seconds.
"""

from collections.abc import Callable
from pathlib import Path

import structlog

from workflow.settings import Settings

_log = structlog.get_logger()


def heart(settings: Settings) -> Callable[[], None]:
    """What touches the file of COSTBOT_HEARTBEAT, where that is set."""
    file = settings.heartbeat
    return (lambda: _touch(file)) if file else (lambda: None)


def _touch(file: Path) -> None:
    try:
        file.touch()
    except OSError as error:  # the work is worth more than its watch
        _log.warning("nobody can see that the work goes on", file=str(file), error=error.strerror)
