"""Which of two ways a test is run: on one of the databases, on one of the screens, the other half apart.

Of each test that takes turns one way is left out by its name, so that each way has half of them; `make
engines` runs what is left out. What may differ between the databases lives in `workflow`, whose tests run on
both.
"""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any
from zlib import crc32

BOTH = ["sqlite", "postgresql"]
SCREENS = ["desk", "phone"]
_TESTS = Path(__file__).parent
TURNS = {
    "database_url": (BOTH, [_TESTS / "bot", _TESTS / "sync"]),
    "screen": (SCREENS, [_TESTS / "e2e" / "walks"]),
}
"""The parameters that take turns: what they may be, and in which folders."""


def left_out(
    cases: Collection[Any], turns: Mapping[str, tuple[Sequence[str], Sequence[Path]]] = TURNS
) -> set[Any]:
    """Of each test that takes turns and is there both ways, the case that is left out."""
    out: set[Any] = set()
    for parameter, (ways, folders) in turns.items():
        by_name: dict[str, dict[str, Any]] = {}
        for case in cases:
            params = getattr(getattr(case, "callspec", None), "params", {})
            if parameter in params and any(folder in case.path.parents for folder in folders):
                way: str = params[parameter]
                by_name.setdefault(case.nodeid.replace(way, ""), {})[way] = case
        for name, of_way in by_name.items():
            if len(of_way) == len(ways):
                del of_way[ways[crc32(name.encode()) % len(ways)]]
                out.update(of_way.values())
    return out
