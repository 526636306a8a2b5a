"""Ending an act before any line of it, as a killed process does."""

import sys
from collections.abc import Callable, Collection
from types import FrameType
from typing import Any


class Killed(BaseException):
    pass


def killed_at(step: int, act: Callable[[], object], files: Collection[str]) -> bool:
    """Whether `act` was ended before the line of these files that it reached as the `step`th."""
    count = 0

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal count
        if frame.f_code.co_filename not in files:
            return None
        if event == "line":
            count += 1
            if count == step:
                raise Killed
        return trace

    sys.settrace(trace)
    try:
        act()
    except Killed:
        return True
    finally:
        sys.settrace(None)
    return False
