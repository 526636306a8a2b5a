"""A try counts when its effect was seen."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.faults.clocks import _live_by
from tests.faults.tries import until_seen


@pytest.mark.parametrize(("effects", "seen"), [([True, True], 2), ([False, True, False, True], 2)])
def test_what_had_no_effect_is_tried_again(effects: list[bool], seen: int) -> None:
    left = [*effects]
    assert until_seen(2, lambda _seen: left.pop(0), most_seconds=60.0) == seen
    assert left == []


def test_what_never_has_an_effect_ends() -> None:
    assert until_seen(2, lambda _seen: False, most_seconds=0.0) == 0


def test_a_clock_jumped_for_who_logs_its_time() -> None:
    def line(hours: int) -> str:
        return f'{{"timestamp": "{(datetime.now(UTC) + timedelta(hours=hours)).isoformat()}"}}'

    said = {"0-bot": [line(5)], "1-worker-sync": [line(0), line(5)]}
    assert _live_by(said, 5)
    assert not _live_by(said, -5)
    assert not _live_by({**said, "0-bot": [line(0)]}, 5)
