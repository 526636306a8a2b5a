"""The order of the tests: nothing is lost, and no process has a short test before its long ones."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from tests.order import dealt

TESTS = [*(f"short {number}" for number in range(40)), "soak", "office 1", "office 2", "short 40", "demo"]


def shared(test: str) -> str | None:
    return None if test.startswith("short") else test.split()[0]


def test_each_process_begins_with_its_long_tests_and_what_shares_something_stays_together() -> None:
    order = dealt(TESTS, 2, shared)

    first, second = order[:22], order[22:]
    assert first[:3] == ["office 1", "office 2", "short 0"]
    assert second[:3] == ["soak", "demo", "short 20"]


@given(tests=st.lists(st.sampled_from(TESTS)), processes=st.integers(1, 8))
def test_every_test_is_run_once(tests: list[str], processes: int) -> None:
    assert Counter(dealt(tests, processes, shared)) == Counter(tests)
