"""The figures of a report, by hand and from a company at work."""

from datetime import date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from tests.factories import NINE, later
from tests.workflow.site import Site
from workflow.merge import Assignment
from workflow.report import WEEKS_SHOWN, Asked, Failure, Pair, Period, Waiting, Waits, Week, figures, report
from workflow.vocabulary import State

FRIDAY = NINE + timedelta(days=4)


def asked(hours: float | None, state: State = State.SYNCED, by: str = "Eve", at: datetime = NINE) -> Asked:
    """Requested on Monday at nine, and decided by Ada so many hours later."""
    decided = at + timedelta(hours=hours) if hours is not None else None
    return Asked(by, at, "Ada" if decided else None, decided, state)


def test_waits_are_those_of_updates_alone() -> None:
    found = figures(
        [asked(1), asked(2), asked(9, State.FAILED), asked(90, State.REJECTED), asked(None, State.READY)],
        [],
        Period.WEEK,
        until=FRIDAY,
    )
    assert found.waits == Waits(3, 2, 7.6)
    assert (found.requested, found.rejected) == (5, 1)
    assert found.waiting == (Waiting("Eve", 1, NINE),)


def test_who_waits_on_whom_has_the_busiest_first() -> None:
    found = figures([asked(1), asked(3), asked(5, by="Al")], [], Period.WEEK, until=FRIDAY)
    assert found.pairs == (Pair("Eve", "Ada", 2, 2), Pair("Al", "Ada", 1, 5))


def test_a_week_begins_on_monday_and_ends_before_the_next() -> None:
    sunday = datetime.combine(date(2026, 11, 1), NINE.time(), tzinfo=NINE.tzinfo)
    found = figures([asked(24, at=sunday), asked(1, State.REJECTED)], [], Period.MONTH, until=FRIDAY)
    assert found.weeks[-2:] == (
        Week(date(2026, 10, 26), requested=1, updated=0, rejected=0, median=None),
        Week(date(2026, 11, 2), requested=1, updated=1, rejected=1, median=24),
    )
    assert len(found.weeks) == WEEKS_SHOWN


def test_a_period_without_an_update_has_no_wait() -> None:
    assert figures([], [], Period.WEEK, until=FRIDAY).waits == Waits(0, None, None)


@given(st.lists(st.floats(0, 160), min_size=1))
def test_half_waited_no_longer_than_the_median_and_nine_of_ten_no_longer_than_the_decile(
    hours: list[float],
) -> None:
    waits = figures([asked(each) for each in hours], [], Period.MONTH, until=NINE + timedelta(days=9)).waits
    assert waits.median is not None
    assert waits.ninth_decile is not None
    slack = 1e-6
    assert min(hours) - slack <= waits.median <= waits.ninth_decile + slack <= max(hours) + 2 * slack


def test_a_report_reads_the_company_as_it_is(site: Site) -> None:
    site.sage.refuses[Assignment("16-100", "S")] = "category S is not standard"
    site.accept(site.ask("03-300 L", "16-100 S"), at=later(60))
    site.data_sync(at=later(90))
    site.ask("03-300 L", job=site.another_job("25-001"), at=later(30))
    with site.database.reading() as session:
        found = report(session, Period.WEEK, until=FRIDAY)
        later_on = report(session, Period.WEEK, until=FRIDAY + timedelta(days=30))
    assert found.waits == Waits(1, 1, 1)
    assert found.pairs == (Pair("Eve Engineer", "Ada Approver", 1, 1),)
    assert found.failures == (Failure("category S is not standard", 1),)
    assert found.waiting == (Waiting("Eve Engineer", 1, later(30)),)
    assert (later_on.requested, later_on.failures, later_on.waiting) == (0, (), found.waiting)
    assert sum(week.requested for week in later_on.weeks) == 2
