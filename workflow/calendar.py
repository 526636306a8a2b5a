"""Working time: a calendar of working days, hours and holidays in a time zone, and how to count in it.

Pure. A day's hours are wall-clock time in the zone, a length of time is real elapsed time: where clocks go
back an hour inside the working hours, that day is an hour longer.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY = timedelta(days=1)
_UTC = ZoneInfo("UTC")
_SOME_YEAR = 2026


@dataclass(frozen=True, slots=True)
class Calendar:
    """When people work: weekdays (0 is Monday), from `opens` to `closes` after midnight, in `zone`.

    `countries` are codes as the `holidays` library has them (`US`, `US-CA`), whose public holidays are free
    beside `holidays`.
    """

    zone: ZoneInfo = _UTC
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


def zone_named(name: str) -> ZoneInfo:
    """The time zone of an IANA name. Raises ValueError with the mend."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("use an IANA time zone, such as America/Chicago") from None


def weekdays_named(text: str) -> frozenset[int]:
    """Weekdays written as `mon-fri` or `mon,tue,sat`; 0 is Monday. Raises ValueError with the mend."""
    days: set[int] = set()
    try:
        for part in text.lower().replace(" ", "").split(","):
            first, _, last = part.partition("-")
            start, end = WEEK.index(first), WEEK.index(last or first)
            days.update(day % 7 for day in range(start, end + 1 if end >= start else end + 8))
    except ValueError:
        raise ValueError("use days such as mon-fri or mon,tue,sat") from None
    return frozenset(days)


def hours_written(text: str) -> tuple[time, time]:
    """Hours of the clock written as `19:00-07:00`; the two differ. Raises ValueError with the mend."""
    first, _, last = text.replace(" ", "").partition("-")
    try:
        begins, ends = (datetime.strptime(part, "%H:%M").time() for part in (first, last))  # noqa: DTZ007
    except ValueError:
        raise ValueError("use hours such as 08:00-17:00") from None
    if begins == ends:
        raise ValueError("use two different hours, such as 08:00-17:00")
    return begins, ends


def working_hours_written(text: str) -> tuple[timedelta, timedelta]:
    """Working hours, after midnight, written as `08:00-17:00`. Raises ValueError with the mend."""
    opens, closes = (_after_midnight(clock) for clock in hours_written(text))
    if closes < opens:
        raise ValueError("use working hours of one day, such as 08:00-17:00")
    return opens, closes


def free_days_written(text: str) -> tuple[frozenset[date], tuple[str, ...]]:
    """Holidays and countries, written as `US-CA,2026-12-24`. Raises ValueError with the mend."""
    days, countries = set(), []
    for part in filter(None, text.replace(" ", "").split(",")):
        try:
            if part[0].isdigit():
                days.add(date.fromisoformat(part))
            else:
                _public_holidays(part.upper(), _SOME_YEAR)
                countries.append(part.upper())
        except (ValueError, NotImplementedError):
            raise ValueError("use dates and countries, such as US,2026-12-24 or US-CA") from None
    return frozenset(days), tuple(countries)


def _after_midnight(clock: time) -> timedelta:
    return timedelta(hours=clock.hour, minutes=clock.minute)


def _days(calendar: Calendar, since: datetime) -> Iterator[tuple[datetime, datetime]]:
    """From when to when, in UTC, people work on each working day, from the one that `since` may be in."""
    day = since.astimezone(calendar.zone).date() - _DAY
    while True:
        hours = _hours(calendar, day)
        if hours:
            yield hours
        day += _DAY


@lru_cache(maxsize=4_096)
def _hours(calendar: Calendar, day: date) -> tuple[datetime, datetime] | None:
    """From when to when people work on a day; kept, for thousands of requests wait through the same days."""
    if not calendar.is_working_day(day):
        return None
    return start_of(day, calendar.zone, calendar.opens), start_of(day, calendar.zone, calendar.closes)


@lru_cache(maxsize=64)
def _public_holidays(country: str, year: int) -> frozenset[date]:
    """The public holidays of a year. Raises NotImplementedError for a country that is not known."""
    from holidays import country_holidays  # imported here, for it is slow and every process would pay

    name, _, part = country.partition("-")
    return frozenset(country_holidays(name, subdiv=part or None, years=year))
