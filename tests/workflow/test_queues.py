"""The lists of App Home: in order, a page at a time, narrowed by text, and each person's own."""

from typing import Any

from tests.factories import later
from tests.workflow.site import Site
from workflow import queues
from workflow.merge import Assignment
from workflow.queues import Page
from workflow.tables import Job, Person
from workflow.vocabulary import JobFilter, State


def page(site: Site, which: JobFilter, person: Person | None = None, **more: Any) -> Page:
    with site.database.reading() as session:
        asked = {"person_id": person.id if person else None, "limit": 10} | more
        return queues.page(session, which, **asked)


def numbers(found: Page) -> list[str]:
    return [row.facts.number for row in found.rows]


def jobs(site: Site, count: int) -> list[Job]:
    """So many jobs Ready to Update, asked for a minute apart."""
    made = [site.another_job(f"25-{number:03}") for number in range(count)]
    for minutes, job in enumerate(made):
        site.ask("03-300 L", job=job, at=later(minutes))
    return made


def test_ready_jobs_come_oldest_first_a_page_at_a_time(site: Site) -> None:
    jobs(site, 5)

    first, last = (page(site, JobFilter.READY, limit=3, number=number) for number in (0, 1))

    assert (numbers(first), first.goes_on) == (["25-000", "25-001", "25-002"], True)
    assert (numbers(last), last.goes_on) == (["25-003", "25-004"], False)
    assert numbers(page(site, JobFilter.READY, text="-003")) == ["25-003"]
    assert numbers(page(site, JobFilter.READY, text="harbor", limit=1, number=4)) == ["25-004"]
    assert numbers(page(site, JobFilter.READY, text=" 25-002 Harbor ")) == ["25-002"]  # as its title is shown
    assert page(site, JobFilter.READY, limit=3, number=9) == last
    assert page(site, JobFilter.READY, text="zebra", number=9) == Page((), 0, goes_on=False)


def test_each_job_is_in_the_list_of_where_it_stands_now(site: Site) -> None:
    ready, accepted, failed, _ = jobs(site, 4)
    sage_refuses = Assignment("16-100", "S")
    site.sage.refuses[sage_refuses] = "no such category"
    site.ask("16-100 S", job=failed)
    for job in (accepted, failed):
        site.accept(site.ask("09-250 L", job=job))
    site.data_sync()
    site.accept(site.ask("01-100 L", job=accepted))
    site.ask("01-100 L", job=ready)

    assert numbers(page(site, JobFilter.ACCEPTED)) == ["25-001"]
    [row] = page(site, JobFilter.FAILED).rows
    assert (row.facts.number, row.refused) == ("25-002", ((sage_refuses, "no such category"),))
    assert numbers(page(site, JobFilter.READY)) == ["25-000", "25-003"]
    assert numbers(page(site, JobFilter.SYNCED)) == []


def test_a_person_finds_what_they_asked_for_alone_or_in_another_ones_request(site: Site) -> None:
    first, second, third = jobs(site, 3)
    site.ask("09-250 L", job=second, by=site.approver)
    site.ask("09-250 L", job=site.job, by=site.approver)

    assert numbers(page(site, JobFilter.MINE, site.approver)) == ["24-017", "25-001"]
    assert numbers(page(site, JobFilter.MINE, site.engineer)) == [third.number, second.number, first.number]
    assert numbers(page(site, JobFilter.MINE, site.engineer, text="25-00", limit=1, number=1)) == ["25-001"]
    assert numbers(page(site, JobFilter.MINE, site.second)) == []


def test_what_was_rejected_is_shown_until_somebody_asks_anew(site: Site) -> None:
    site.reject(site.ask("03-300 L"), comment="Use 03-310.")

    [row] = page(site, JobFilter.MINE, site.engineer).rows
    assert (row.facts.state, row.facts.comment) == (State.REJECTED, "Use 03-310.")

    site.ask("09-250 L", at=later(1))
    assert [row.facts.state for row in page(site, JobFilter.MINE, site.engineer).rows] == [State.READY]


def test_only_what_was_turned_down_may_be_asked_for_again(site: Site) -> None:
    site.reject(site.ask("03-300 L"))
    site.ask("03-300 L", job=site.another_job("25-001"))
    with site.database.reading() as session:
        [row] = queues.turned_down(session, site.engineer.id, limit=9)
        assert queues.turned_down(session, site.second.id, limit=9) == ()
    assert (row.facts.number, row.facts.state) == ("24-017", State.REJECTED)
