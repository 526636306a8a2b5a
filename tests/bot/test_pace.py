"""Slack's pace, against the limits that the look-alike enforces, with calls that take long or not."""

from hypothesis import given
from hypothesis import strategies as st

from bot.pace import CALLS_A_MINUTE, SECONDS_A_MESSAGE, Pace
from bot.sandbox.faults import RateLimits

TICK = 1 / 1024
"""Of binary fractions sums are exact, so that who has waited is not a rounding error too early."""
LONGEST_CALL = 2560


class Clock:
    """Moves when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@given(
    st.sampled_from(sorted(CALLS_A_MINUTE)),
    st.lists(st.tuples(st.integers(0, 1024), st.integers(0, LONGEST_CALL)), min_size=120, max_size=300),
)
def test_a_call_that_may_be_made_is_never_too_many(method: str, calls: list[tuple[float, float]]) -> None:
    ours, slacks = Clock(), Clock()
    pace, limits = Pace(monotonic=ours), RateLimits(monotonic=slacks)
    limits.enforced = True
    arrivals = []
    for pause, takes in calls:
        ours.now += pause * TICK
        wait = pace.take_call(method)
        if wait > 0:
            ours.now += wait
            assert pace.take_call(method) == 0
        arrivals.append(ours.now + takes * TICK)
    for slacks.now in sorted(arrivals):
        assert limits.seconds_to_wait(method, CALLS_A_MINUTE[method], "") == 0


def test_as_many_calls_as_slack_takes_are_made_at_once() -> None:
    pace = Pace(monotonic=Clock())
    waits = [pace.take_call("conversations.open") for _ in range(51)]
    assert waits[:50] == [0.0] * 50
    assert 60 < waits[50] < 70


def test_what_slack_has_barred_is_barred_for_as_long_as_it_said() -> None:
    clock = Clock()
    pace = Pace(monotonic=clock)
    pace.bar("views.open", 7)
    assert pace.take_call("views.open") == 7
    clock.now = 7
    assert pace.take_call("views.open") == 0


def test_each_channel_has_its_own_turns() -> None:
    pace = Pace(monotonic=Clock())
    assert [pace.take_turn("C1") for _ in range(3)] == [0, SECONDS_A_MESSAGE, 2 * SECONDS_A_MESSAGE]
    assert pace.take_turn("C2") == 0
