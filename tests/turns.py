"""Which of two ways a test is run: on one database, one screen, in one office; the other half runs apart.

Of each test that takes turns one way is left out by its name, so that each way has half of them; `make
engines` runs what is left out, and CI runs both.
"""

from collections.abc import Iterable
from operator import itemgetter
from typing import Any
from zlib import crc32

BOTH = ["sqlite", "postgresql"]
SCREENS = ["desk", "phone"]
OFFICES = ["small office", "head office"]
_TURNS = {"database_url": BOTH, "screen": SCREENS, "office": OFFICES}
"""The parameters of tests that take turns, and what they may be."""


def left_out(cases: Iterable[Any]) -> set[Any]:
    """Of each test that is there in several ways, all but one."""
    by_name: dict[str, list[tuple[list[int], Any]]] = {}
    for case in cases:
        params = getattr(getattr(case, "callspec", None), "params", {})
        name, way = case.nodeid, []
        for parameter, ways in _TURNS.items():
            if parameter in params:
                name = name.replace(params[parameter], "")
                way.append(ways.index(params[parameter]))
        if way:
            by_name.setdefault(name, []).append((way, case))
    out: set[Any] = set()
    for name, of_test in by_name.items():
        of_test.sort(key=itemgetter(0))
        del of_test[crc32(name.encode()) % len(of_test)]
        out.update(case for _, case in of_test)
    return out
