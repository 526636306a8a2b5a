"""What people look at when many jobs are Ready to Update: App Home, and `/costcodes ready`.

From the signed request until Slack has what is shown.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from benchmarks.company import Company
from benchmarks.measure import Row, Sizes, by_turns
from benchmarks.slack import Costbot, command, home_opened

_GOAL = 2.0
_APPROVER = 1


def measure(few: Company, many: Company, sizes: Sizes) -> Iterator[Row]:
    """Look by turns at a company where few jobs are ready and at one where all are."""
    looks: dict[str, Callable[[], Mapping[str, Any]]] = {
        "App Home": lambda: home_opened(_APPROVER),
        "/costcodes ready": lambda: command(_APPROVER, "ready"),
    }
    with Costbot(few.url) as small, Costbot(many.url) as large:
        for name, look in looks.items():
            for costbot in (small, large):
                costbot.seconds_until_shown(look())
            baseline, ours = by_turns(
                lambda look=look: small.seconds_until_shown(look()),  # type: ignore[misc]
                lambda look=look: large.seconds_until_shown(look()),  # type: ignore[misc]
                runs=sizes.runs * sizes.looks // 2,
            )
            yield Row(
                f"{name}, {many.engine}",
                f"{sizes.jobs:,} jobs ready",
                f"{sizes.few_ready} jobs ready",
                _GOAL,
                baseline,
                ours,
            )
