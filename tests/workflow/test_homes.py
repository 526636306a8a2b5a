"""Whose App Home is out of date: everything on record makes it so, a rest and an hour limit it."""

from datetime import datetime, timedelta

from tests.factories import NINE, later
from tests.workflow.site import Site
from workflow import homes, slots
from workflow.homes import OPEN_FOR, REST
from workflow.tables import HomeView
from workflow.vocabulary import JobFilter, PeriodicWork


def open_page(site: Site, user: str = "U1", at: datetime = NINE) -> HomeView:
    with site.database.writing() as session:
        return homes.open_page(session, team_id="T1", user_id=user, at=at)


def draw(site: Site, view: HomeView, at: datetime = NINE) -> None:
    """Slack gets the page as of now."""
    with site.database.writing() as session:
        homes.drawn(session, view, seq=homes.newest_event(session), at=at)


def due(site: Site, now: datetime) -> list[str]:
    with site.database.reading() as session:
        return [view.user_id for view in homes.out_of_date(session, now=now)]


def test_a_page_is_as_it_was_left(site: Site) -> None:
    with site.database.writing() as session:
        view = homes.open_page(session, team_id="T1", user_id="U1", at=NINE)
        homes.turn_to(view, 3)
        homes.choose(view, JobFilter.FAILED)
        homes.search(view, f"  harbor \x00 {'x' * 300}")
        homes.turn_to(view, 2)
    again = open_page(site, at=later(5))
    assert (again.filter, again.page, again.opened_at) == (JobFilter.FAILED, 2, later(5))
    assert again.search == f"harbor \ufffd {'x' * 300}"[: homes.SEARCH_CHARACTERS]


def test_choosing_or_searching_begins_with_the_first_page(site: Site) -> None:
    view = open_page(site)
    homes.turn_to(view, 3)
    homes.choose(view, JobFilter.READY)
    assert view.page == 0
    homes.turn_to(view, -1)
    assert view.page == 0
    homes.turn_to(view, 3)
    homes.search(view, "")
    assert view.page == 0


def test_what_happens_puts_every_open_page_out_of_date_once(site: Site) -> None:
    for user in ("U1", "U2"):
        draw(site, open_page(site, user))
    assert due(site, later(1)) == []

    for line in ("03-300 L", "03-300 M", "16-100 S"):
        site.ask(line, at=later(1))

    assert due(site, later(1)) == ["U1", "U2"]
    with site.database.reading() as session:
        assert homes.next_due(session, now=later(1)) == NINE + REST
    draw(site, open_page(site, "U1", later(1)), later(1))
    assert due(site, later(2)) == ["U2"]


def test_a_data_sync_that_had_nothing_to_send_changes_the_page_too(site: Site) -> None:
    draw(site, open_page(site))
    with site.database.writing() as session:
        slots.take(session, PeriodicWork.DATA_SYNC, later(1))
        slots.done(session, PeriodicWork.DATA_SYNC, later(1), at=later(1))
    assert due(site, later(2)) == ["U1"]


def test_a_page_rests_and_is_forgotten_when_nobody_has_looked_for_an_hour(site: Site) -> None:
    draw(site, open_page(site))
    site.ask("03-300 L")

    assert due(site, NINE + REST / 2) == []
    assert due(site, NINE + REST) == ["U1"]
    assert due(site, NINE + OPEN_FOR) == ["U1"]
    assert due(site, NINE + OPEN_FOR + timedelta(seconds=1)) == []
    with site.database.reading() as session:
        assert homes.next_due(session, now=NINE + OPEN_FOR + timedelta(seconds=1)) is None


def test_a_page_that_was_drawn_by_a_clock_that_was_ahead_is_drawn_anew(site: Site) -> None:
    draw(site, open_page(site), later(300))
    with site.database.writing() as session:
        slots.take(session, PeriodicWork.DATA_SYNC, later(300))
        slots.done(session, PeriodicWork.DATA_SYNC, later(300), at=later(300))
    site.ask("03-300 L", at=later(1))
    assert due(site, later(1)) == ["U1"]
    draw(site, open_page(site), later(1))
    assert due(site, later(2)) == []


def test_when_two_draw_a_page_at_once_it_is_drawn_again(site: Site) -> None:
    one, other = open_page(site), open_page(site)
    draw(site, other)
    assert due(site, later(1)) == []
    draw(site, one)
    assert due(site, later(1)) == ["U1"]
