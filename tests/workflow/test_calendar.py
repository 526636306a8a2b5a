"""Working time in a company's calendar: week-ends, holidays, time zones, and the days when clocks change."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow.calendar import (
    Calendar,
    add_working_time,
    next_moment,
    next_opening,
    start_of,
    working_time,
)

CHICAGO = ZoneInfo("America/Chicago")
OFFICE = Calendar(zone=CHICAGO)
HOUR = timedelta(hours=1)

calendars = st.builds(
    lambda zone, weekdays, hours, holidays: Calendar(
        zone=ZoneInfo(zone),
        weekdays=weekdays,
        opens=timedelta(minutes=min(hours)),
        closes=timedelta(minutes=max(hours)),
        holidays=holidays,
    ),
    st.sampled_from(["UTC", "America/Chicago", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu"]),
    st.frozensets(st.integers(0, 6), min_size=1),
    st.lists(st.integers(0, 1440), min_size=2, max_size=2, unique=True),
    st.frozensets(st.dates(date(2026, 1, 1), date(2026, 12, 31)), max_size=5),
)
moments = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31)).map(  # noqa: DTZ001 - made aware here
    lambda at: at.replace(tzinfo=UTC)
)
lengths = st.integers(0, 20_000).map(lambda minutes: timedelta(minutes=minutes))


def chicago(day: int, hour: int, minute: int = 0, *, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=CHICAGO)


@pytest.mark.parametrize(
    ("at", "works_from"),
    [
        (chicago(20, 12), chicago(20, 12)),  # a Friday noon
        (chicago(20, 6), chicago(20, 8)),
        (chicago(20, 17), chicago(23, 8)),  # closing time is over
        (chicago(21, 10), chicago(23, 8)),
    ],
)
def test_a_moment_outside_working_hours_waits_for_the_next_working_day(
    at: datetime, works_from: datetime
) -> None:
    assert next_moment(OFFICE, at) == works_from


def test_a_friday_afternoon_and_a_monday_morning_are_close_together() -> None:
    assert working_time(OFFICE, chicago(20, 16), chicago(23, 10)) == 3 * HOUR
    assert add_working_time(OFFICE, chicago(20, 16), 3 * HOUR) == chicago(23, 10)


def test_holidays_of_the_company_and_of_its_country_are_free() -> None:
    calendar = Calendar(zone=CHICAGO, holidays=frozenset({date(2026, 11, 27)}), countries=("US",))

    assert not calendar.is_working_day(date(2026, 11, 26))  # Thanksgiving
    assert next_moment(calendar, chicago(25, 18)) == chicago(30, 8)


def test_a_state_of_a_country_may_have_holidays_of_its_own() -> None:
    cesar_chavez_day = date(2026, 3, 31)

    assert Calendar(countries=("US",)).is_working_day(cesar_chavez_day)
    assert not Calendar(countries=("US-CA",)).is_working_day(cesar_chavez_day)


def test_a_night_on_which_clocks_change_is_an_hour_longer_or_shorter() -> None:
    every_day = Calendar(zone=CHICAGO, weekdays=frozenset(range(7)), opens=timedelta(), closes=24 * HOUR)

    assert working_time(every_day, start_of(date(2026, 11, 1), CHICAGO), chicago(2, 0)) == 25 * HOUR
    assert working_time(every_day, chicago(8, 0, month=3), chicago(9, 0, month=3)) == 23 * HOUR


def test_hours_are_wall_clock_time_on_both_sides_of_the_change_of_clocks() -> None:
    assert next_opening(OFFICE, chicago(30, 12, month=10)) == chicago(2, 8)
    assert chicago(2, 8).astimezone(UTC).hour == chicago(30, 8, month=10).astimezone(UTC).hour + 1


def test_a_reader_elsewhere_lives_the_same_hours_in_their_own_zone() -> None:
    berlin = OFFICE.read_in(ZoneInfo("Europe/Berlin"))

    assert next_moment(berlin, chicago(20, 12)) == datetime(2026, 11, 23, 7, tzinfo=UTC)
    assert OFFICE.read_in(None) == OFFICE


@given(calendars, moments)
def test_the_next_working_moment_works_and_nothing_is_worked_before_it(
    calendar: Calendar, at: datetime
) -> None:
    moment = next_moment(calendar, at)

    assert moment >= at
    assert next_moment(calendar, moment) == moment
    assert calendar.is_working_day(moment.astimezone(calendar.zone).date())
    assert working_time(calendar, at, moment) == timedelta()


@given(calendars, moments, lengths)
def test_adding_working_time_and_counting_it_agree(
    calendar: Calendar, at: datetime, length: timedelta
) -> None:
    end = add_working_time(calendar, at, length)

    assert end >= at
    assert working_time(calendar, at, end) == length


@given(calendars, st.lists(moments, min_size=3, max_size=3))
def test_working_time_adds_up_and_is_never_longer_than_the_clock_says(
    calendar: Calendar, three: list[datetime]
) -> None:
    first, middle, last = sorted(three)
    whole = working_time(calendar, first, last)

    assert whole == working_time(calendar, first, middle) + working_time(calendar, middle, last)
    assert timedelta() <= whole <= last - first
    assert working_time(calendar, last, first) == timedelta()
