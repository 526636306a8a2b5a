"""What headers say of limits, whatever is in them."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from sync.procore.limits import LONGEST_WAIT, retry_after, told_by

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


def _headers(limit: object, remaining: object, seconds: float) -> dict[str, str]:
    return {
        "X-Rate-Limit-Limit": str(limit),
        "X-Rate-Limit-Remaining": str(remaining),
        "X-Rate-Limit-Reset": str(int(NOW.timestamp() + seconds)),
    }


def test_a_window_that_ends_in_half_an_hour_is_the_hour() -> None:
    assert told_by(_headers(600, 589, 1800), now=NOW).hourly_limit == 600


def test_a_window_of_ten_seconds_says_nothing_of_the_hour() -> None:
    assert told_by(_headers(25, 24, 10), now=NOW).hourly_limit is None


def test_when_no_call_is_left_one_waits_for_the_reset() -> None:
    assert told_by(_headers(25, 0, 7), now=NOW).wait_until == NOW + timedelta(seconds=7)
    assert told_by(_headers(25, 1, 7), now=NOW).wait_until is None
    assert told_by(_headers(25, 0, -7), now=NOW).wait_until is None


@given(st.integers(1, 5000), st.integers(0, 5000), st.integers(-(10**6), 10**6))
def test_the_figures_are_obeyed_whatever_they_are_and_every_wait_ends(
    limit: int, remaining: int, seconds: int
) -> None:
    told = told_by(_headers(limit, remaining, seconds), now=NOW)
    assert (told.wait_until is not None) == (remaining == 0 and seconds > 0)
    if told.wait_until is not None:
        assert told.wait_until == NOW + min(timedelta(seconds=seconds), LONGEST_WAIT)


_JUNK = (
    st.text() | st.integers().map(str) | st.floats().map(str) | st.sampled_from(["", "∞", "²", "1e3", "-1"])
)


@given(
    st.dictionaries(st.sampled_from([f"X-Rate-Limit-{n}" for n in ("Limit", "Remaining", "Reset")]), _JUNK)
)
def test_junk_in_the_headers_is_nothing_told(headers: dict[str, str]) -> None:
    told = told_by(headers, now=NOW)
    assert told.wait_until is None or NOW < told.wait_until <= NOW + LONGEST_WAIT
    assert told.hourly_limit is None or told.hourly_limit > 0


@given(_JUNK | st.datetimes().map(lambda at: at.strftime("%a, %d %b %Y %H:%M:%S GMT")))
def test_retry_after_is_a_wait_that_ends_or_nothing(text: str) -> None:
    until = retry_after({"Retry-After": text}, now=NOW)
    assert until is None or NOW <= until <= NOW + LONGEST_WAIT


def test_retry_after_is_seconds_or_a_date() -> None:
    assert retry_after({"Retry-After": "120"}, now=NOW) == NOW + timedelta(minutes=2)
    date = "Tue, 24 Nov 2026 09:00:30 GMT"
    assert retry_after({"Retry-After": date}, now=NOW) == NOW + timedelta(seconds=30)
