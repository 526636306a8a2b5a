"""Working time: a calendar of working days, hours and holidays in a time zone, and how to count in it.

Pure. A day's hours are wall-clock time in the zone, a length of time is real elapsed time: where clocks go
back an hour inside the working hours, that day is an hour longer.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from holidays import country_holidays

WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Calendar:
    """When people work: weekdays (0 is Monday), from `opens` to `closes` after midnight, in `zone`.

    `countries` are codes as the `holidays` library has them (`US`, `US-CA`), whose public holidays are free
    beside `holidays`.
    """

    zone: ZoneInfo = ZoneInfo("UTC")
    weekdays: frozenset[int] = frozenset(range(5))
    opens: timedelta = timedelta(hours=8)
    closes: timedelta = timedelta(hours=17)
    holidays: frozenset[date] = frozenset()
    countries: tuple[str, ...] = ()

    @property
    def day(self) -> timedelta:
        """The length of a usual working day."""
        return self.closes - self.opens

    def is_working_day(self, day: date) -> bool:
        """Whether people work on this day."""
        return (
            day.weekday() in self.weekdays
            and day not in self.holidays
            and not any(day in _public_holidays(country, day.year) for country in self.countries)
        )

    def read_in(self, zone: ZoneInfo | None) -> "Calendar":
        """The same days and hours as somebody in another time zone lives them; None is the company's."""
        return replace(self, zone=zone) if zone else self


def start_of(day: date, zone: ZoneInfo, after_midnight: timedelta = timedelta()) -> datetime:
    """The moment, in UTC, when the clocks of a zone show so much after midnight of a day."""
    wall = datetime(day.year, day.month, day.day, tzinfo=UTC) + after_midnight
    return wall.replace(tzinfo=zone).astimezone(UTC)


def next_moment(calendar: Calendar, at: datetime) -> datetime:
    """`at` itself when people work then, else the next moment when they begin."""
    for opens, closes in _days(calendar, at):
        if at < closes:
            return max(at, opens)
    raise AssertionError("there is always another working day")


def next_opening(calendar: Calendar, after: datetime) -> datetime:
    """The next beginning of a working day that is later than `after`."""
    return next(opens for opens, _ in _days(calendar, after) if opens > after)


def working_time(calendar: Calendar, start: datetime, end: datetime) -> timedelta:
    """How much working time lies between two moments; none when `end` is not after `start`."""
    worked = timedelta()
    for opens, closes in _days(calendar, start):
        if opens >= end:
            break
        worked += max(min(closes, end) - max(opens, start), timedelta())
    return worked


def add_working_time(calendar: Calendar, start: datetime, length: timedelta) -> datetime:
    """The first moment by which so much working time has passed since `start`."""
    left = length
    for opens, closes in _days(calendar, start):
        begins = max(opens, start)
        if left <= closes - begins:
            return begins + left
        left -= max(closes - begins, timedelta())
    raise AssertionError("there is always another working day")


def _days(calendar: Calendar, since: datetime) -> Iterator[tuple[datetime, datetime]]:
    """From when to when, in UTC, people work on each working day, from the one that `since` may be in."""
    day = since.astimezone(calendar.zone).date() - _DAY
    while True:
        if calendar.is_working_day(day):
            yield (
                start_of(day, calendar.zone, calendar.opens),
                start_of(day, calendar.zone, calendar.closes),
            )
        day += _DAY


@lru_cache(maxsize=64)
def _public_holidays(country: str, year: int) -> frozenset[date]:
    """The public holidays of a year. Raises NotImplementedError for a country that is not known."""
    name, _, part = country.partition("-")
    return frozenset(country_holidays(name, subdiv=part or None, years=year))
