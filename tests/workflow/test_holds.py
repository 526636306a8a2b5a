"""Contracts wait while their job has cost codes that are not out, and go when all of them are."""

import pytest

from tests.factories import assignments
from tests.workflow.site import Site
from workflow import queries
from workflow.columns import Unfit
from workflow.holds import HoldAdded, HoldKindNotHeld
from workflow.privileges import Rules
from workflow.tables import Hold
from workflow.vocabulary import Event, HoldKind, NoticeKind

WIDENED = Rules(hold_every_export=True)
OTHERS = [HoldKind.BUDGET, HoldKind.DIRECT_COST, HoldKind.INVOICE]


def waiting(site: Site) -> list[tuple[str, bool]]:
    """Number of each hold of the job, and whether it waits."""
    with site.database.reading() as session:
        return [(hold.number, hold.waiting) for hold in queries.holds_of(session, site.job.id)]


@pytest.mark.parametrize("kind", [kind for kind in HoldKind if kind.is_contract])
def test_a_contract_waits_from_ready_until_its_cost_codes_went_out(site: Site, kind: HoldKind) -> None:
    update = site.ask("03-300 L")
    added = site.hold("SC-1", kind)
    assert isinstance(added, HoldAdded)
    assert not added.already_there
    seen = [site.check().free]
    site.accept(update)
    seen.append(site.check().free)
    sync = site.claim()
    assert sync is not None
    site.plan(sync)
    seen.append(site.check().free)
    refusals = site.send(sync)
    seen.append(site.check().free)
    assert waiting(site) == [("SC-1", False)]
    site.read_back(sync, refusals)

    assert [*seen, site.check().free] == [False, False, False, True, True]
    names = site.event_names()
    assert names.index(Event.EXPORTED) < names.index(Event.HOLD_RELEASED)
    assert site.events()[names.index(Event.HOLD_RELEASED)].facts == {"holds": [f"{kind.value} SC-1"]}
    assert site.notices_of(Event.HOLD_RELEASED) == ([NoticeKind.THREAD], [], False)


def test_a_job_without_anything_asked_holds_nothing(site: Site) -> None:
    site.hold("SC-1")

    assert waiting(site) == [("SC-1", False)]
    assert site.check().free
    assert site.check().reason == ""


def test_a_contract_that_went_free_is_held_again_by_the_next_request(site: Site) -> None:
    site.hold("SC-1")
    site.hold("SC-2")
    site.ask("03-300 L")

    assert waiting(site) == [("SC-1", True), ("SC-2", True)]
    assert site.events()[-1].event == Event.HOLD_PLACED
    assert site.events()[-1].facts == {"holds": ["commitment SC-1", "commitment SC-2"]}


def test_what_is_held_already_is_not_told_again(site: Site) -> None:
    site.ask("03-300 L")
    site.hold("SC-1")
    site.ask("03-300 M")

    assert Event.HOLD_PLACED not in site.event_names()


def test_reject_releases_the_job_s_contracts(site: Site) -> None:
    update = site.ask("03-300 L")
    site.hold("SC-1")
    site.reject(update)

    assert waiting(site) == [("SC-1", False)]
    assert site.check().free


def test_what_sage_refused_holds_the_contracts_again(site: Site) -> None:
    site.sage.refuses = dict.fromkeys(assignments("03-300 L"), "Refused")
    update = site.ask("03-300 L")
    site.hold("SC-1")
    site.accept(update)
    site.data_sync()

    assert waiting(site) == [("SC-1", True)]
    assert "refused by Sage" in site.check().reason
    names = site.event_names()
    assert names.index(Event.FAILED) < names.index(Event.HOLD_PLACED)


def test_a_job_is_held_by_any_of_its_requested_updates(site: Site) -> None:
    site.accept(site.ask("03-300 L"))
    site.hold("SC-1")
    site.ask("03-300 M")
    assert site.check().reason == (
        "24-017 Riverside Medical Center: cost codes are Ready to Update and some are accepted and wait for "
        "the next data sync. Contracts of this job cannot be exported yet."
    )
    site.data_sync()

    assert waiting(site) == [("SC-1", True)]
    assert not site.check().free


def test_another_job_s_cost_codes_hold_nothing_here(site: Site) -> None:
    site.ask("03-300 L", job=site.another_job("24-018"))

    assert site.check().free


def test_the_same_contract_twice_is_one(site: Site) -> None:
    first, second = site.hold("SC-1"), site.hold(" SC-1 ")

    assert isinstance(first, HoldAdded)
    assert isinstance(second, HoldAdded)
    assert (second.hold.id, second.already_there) == (first.hold.id, True)
    assert site.event_names() == [Event.HOLD_ADDED]


def test_the_same_number_of_another_kind_is_another_contract(site: Site) -> None:
    site.hold("1", HoldKind.COMMITMENT)
    site.hold("1", HoldKind.PRIME_CONTRACT)

    assert waiting(site) == [("1", False), ("1", False)]


@pytest.mark.parametrize("kind", OTHERS)
def test_other_exports_wait_only_where_the_company_widened_the_rule(site: Site, kind: HoldKind) -> None:
    site.ask("03-300 L")
    refused = site.hold("B-1", kind)
    assert isinstance(refused, HoldKindNotHeld)
    assert "COSTBOT_HOLD_EVERY_EXPORT=true" in refused.words
    assert waiting(site) == []

    assert isinstance(site.hold("B-1", kind, WIDENED), HoldAdded)
    assert waiting(site) == [("B-1", True)]


@pytest.mark.parametrize("number", ["", "   ", "x" * 41, "SC\0-1", "SC-\udcff"])
def test_a_number_that_cannot_be_is_a_clear_problem(site: Site, number: str) -> None:
    result = site.hold(number)

    assert isinstance(result, Unfit)
    assert [problem.column for problem in result.problems] == ["number"]
    assert (waiting(site), site.events()) == ([], [])


def test_a_new_hold_is_drawn_on_the_card(site: Site) -> None:
    added = site.hold("SC-1")

    assert isinstance(added, HoldAdded)
    assert site.cards_due() == 1
    assert site.row(Hold, added.hold.id).title == "Concrete subcontract"


def test_a_new_hold_of_a_job_with_a_card_is_told_in_its_thread(site: Site) -> None:
    site.ask("03-300 L")
    site.hold("SC-1")

    assert site.notices_of(Event.HOLD_ADDED) == ([NoticeKind.THREAD], [], False)
