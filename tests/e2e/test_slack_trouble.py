"""Slack at its worst: errors and unknown results while cards are posted."""

from collections.abc import Iterator

import pytest

from tests.e2e.conftest import in_small_office
from tests.e2e.office import READY, UPDATED, Office, cards

pytestmark = [in_small_office, pytest.mark.timeout(600)]


@pytest.fixture(autouse=True)
def slack_is_well_again(office: Office) -> Iterator[None]:
    yield
    office.sandbox.clear_faults()


def new_requests(office: Office, count: int) -> list[str]:
    """New jobs with requested cost codes, whose cards are yet to be posted."""
    jobs = [office.new_job() for _ in range(count)]
    for job in jobs:
        office.ask(job, "03-3110,S")
    return jobs


def assert_told_once(office: Office, job: str) -> None:
    seen = office.dana.sees()
    [card] = cards(seen, job)
    [reply] = seen.thread(card)
    assert "Tom Beckett requested 1 assignment" in reply.text


def test_when_slack_breaks_while_it_posts_each_job_still_has_one_card(office: Office) -> None:
    office.wait_until_told()
    with office.frozen("worker", "notices"):
        jobs = new_requests(office, 3)
        office.sandbox.fail_next("chat.postMessage", "server_error")
        office.sandbox.fail_next("chat.postMessage", "server_error", after=True)
        office.sandbox.fail_next("chat.postMessage", "reset", after=True)
    office.nudge()

    for job in jobs:
        office.card(job, READY)

    office.wait_until_told()
    for job in jobs:
        assert_told_once(office, job)


def test_a_click_that_slack_delivers_twice_counts_once(office: Office) -> None:
    job, card = office.requested("03-3110,S")
    office.sandbox.switch(deliver_twice=1)

    office.dana.click("Update", card)

    office.card(job, UPDATED)
    office.wait_until_told()
    told = office.thread(job, "updated revision 1")
    assert len([words for words in told if "updated" in words]) == 1
