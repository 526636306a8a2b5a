"""Which tests run on which database: what people see is tested on one of the two, the other half apart.

Of each test of `tests/bot` one engine's is left out by its name, so that each engine has half of them;
`make engines` runs what is left out. What may differ between the engines lives in `workflow`, whose tests run
on both, as do those of `sync`.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any
from zlib import crc32

BOTH = ["sqlite", "postgresql"]
FIXTURE = "database_url"


def left_out(cases: Iterable[Any], folder: Path) -> set[Any]:
    """Of each test below the folder that is there on both engines, the case that is left out."""
    by_name: dict[str, dict[str, Any]] = {}
    for case in cases:
        params = getattr(getattr(case, "callspec", None), "params", {})
        if folder in case.path.parents and FIXTURE in params:
            engine: str = params[FIXTURE]
            by_name.setdefault(case.nodeid.replace(engine, ""), {})[engine] = case
    return {
        of_engine[engine]
        for name, of_engine in by_name.items()
        for engine in of_engine.keys() - {BOTH[crc32(name.encode()) % len(BOTH)]}
        if len(of_engine) == len(BOTH)
    }
