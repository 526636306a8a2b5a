"""Reminders: who hears of the jobs that have waited for a day, and how often."""

from datetime import timedelta

from tests.factories import NINE
from tests.workflow.site import Site
from workflow import outbox, reminders
from workflow.vocabulary import Event, NoticeKind

ELEVEN = NINE + timedelta(hours=2)


def remind(site: Site, *, hours: float = 25) -> tuple[int, set[int | None]]:
    """Remind so many hours after nine; the jobs it was about, and the people who are told."""
    at = NINE + timedelta(hours=hours)
    with site.database.writing() as session:
        outbox.done(session, outbox.due(session, now=at, limit=100), at=at)
        jobs = reminders.remind(session, at=at)
        told = outbox.due(session, now=at + outbox.GATHER, limit=100)
        assert {notice.kind for notice in told} <= {NoticeKind.DIRECT}
        return jobs, {notice.person_id for notice in told}


def test_every_approver_hears_once_of_all_jobs_that_waited_for_a_day(site: Site) -> None:
    site.ask("03-300 L")
    site.ask("03-300 L", job=site.another_job("24-018"))
    site.ask("03-300 L", job=site.another_job("24-019", "Depot"), at=ELEVEN)

    assert remind(site) == (2, {site.approver.id, site.second.id})
    [reminded] = [event for event in site.events() if event.event == Event.REMINDED]
    assert reminded.facts["oldest"][1] == "24-018 Harbor Point"


def test_a_reminder_whose_slot_runs_twice_is_sent_once_and_again_the_next_day(site: Site) -> None:
    site.ask("03-300 L")

    assert remind(site)[0] == 1
    assert remind(site, hours=25.1) == (0, set())
    assert remind(site, hours=49)[0] == 1


def test_nobody_is_told_when_nothing_waits_for_long(site: Site) -> None:
    site.accept(site.ask("03-300 L"))
    site.ask("03-300 M", at=ELEVEN)

    assert remind(site) == (0, set())
    assert Event.REMINDED not in site.event_names()
