"""Two different approvers where the company wants them: counted by person and by revision, never by click."""

from collections import Counter
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import factories
from tests.factories import RULES, actor
from tests.workflow.site import Site
from tests.workflow.test_races import ROUNDS, at_once
from workflow import approvals, four_eyes, queries
from workflow.acting import AlreadyDecided, Done, FirstOfTwo, Stale
from workflow.privileges import Refused, Rules
from workflow.tables import RequestedUpdate
from workflow.vocabulary import Event, Refusal, State

ABOVE_ONE = Rules(two_approvers_above=1)
CHOSEN = Rules(two_approvers_jobs=("24-*",))
TWO_LINES = ("03-300 L", "03-300 M")


@given(st.integers(0, 50), st.integers(0, 50))
def test_two_are_needed_above_the_number_of_lines_and_not_at_it(lines: int, above: int) -> None:
    rules = Rules(two_approvers_above=above)
    assert four_eyes.needs_two(rules, number="24-017", open_lines=lines) == (lines > above)


@pytest.mark.parametrize(
    ("patterns", "needed"),
    [((), False), (("24-017",), True), (("25-*", "24-0*"), True), (("24-01",), False), (("25-*",), False)],
)
def test_two_are_needed_for_chosen_jobs_by_number_or_pattern(patterns: tuple[str, ...], needed: bool) -> None:
    rules = Rules(two_approvers_jobs=patterns)
    assert four_eyes.needs_two(rules, number="24-017", open_lines=1) == needed


def first_facts(site: Site, update: RequestedUpdate) -> str | None:
    with site.database.reading() as session:
        first = queries.update_facts(session, [update.id])[0].first_approval
    return first.by if first else None


def test_the_first_update_is_noted_and_the_second_accepts(site: Site) -> None:
    update = site.ask(*TWO_LINES)

    assert isinstance(site.accept(update, rules=ABOVE_ONE), FirstOfTwo)
    assert (site.state(update), first_facts(site, update)) == (State.READY, "Ada Approver")
    kinds, told, _ = site.notices_of(Event.FIRST_APPROVED)
    assert told == ["ben.second@example.com"]
    assert [str(kind) for kind in kinds] == ["thread", "direct"]

    again = site.accept(update, rules=ABOVE_ONE)
    assert isinstance(again, Refused)
    assert again.reason is Refusal.SECOND_APPROVER_NEEDED
    assert "a second approver must Update" in again.words
    with site.database.reading() as session:
        shown = partial(approvals.why_not_update, session, update.id, rules=ABOVE_ONE)
        assert shown(by=actor(site.approver)) == again
        assert shown(by=actor(site.second)) is None

    assert isinstance(site.accept(update, by=site.second, rules=ABOVE_ONE), Done)
    assert site.state(update) is State.ACCEPTED
    (updated,) = [event for event in site.events() if event.event == Event.UPDATED]
    assert updated.facts["first"] == "Ada Approver"
    assert set(site.notices_of(Event.UPDATED)[1]) == {"ada.approver@example.com", "eve.engineer@example.com"}
    assert site.problems() == []


def test_a_job_under_the_number_of_lines_takes_one_approver(site: Site) -> None:
    assert isinstance(site.accept(site.ask("03-300 L"), rules=ABOVE_ONE), Done)


def test_what_joins_voids_the_first_update(site: Site) -> None:
    seen = site.ask("03-300 L")
    assert isinstance(site.accept(seen, rules=CHOSEN), FirstOfTwo)
    joined = site.ask("09-250 S")

    assert first_facts(site, joined) is None
    assert isinstance(site.accept(seen, revision=1, by=site.second, rules=CHOSEN), Stale)
    assert isinstance(site.accept(joined, by=site.second, rules=CHOSEN), FirstOfTwo)
    assert isinstance(site.accept(joined, rules=CHOSEN), Done)


def test_an_update_that_two_gave_and_one_took_back_takes_two_again(site: Site) -> None:
    update = site.ask("03-300 L")
    site.accept(update, rules=CHOSEN)
    site.accept(update, by=site.second, rules=CHOSEN)
    assert isinstance(site.take_back(update), Done)

    back = site.row(RequestedUpdate, update.id)
    assert isinstance(site.accept(back, by=site.second, rules=CHOSEN), FirstOfTwo)


def test_the_first_update_goes_with_a_requested_update_that_joins_another(site: Site) -> None:
    accepted = site.ask("03-300 L")
    site.accept(accepted)
    waiting = site.ask("09-250 S")
    assert isinstance(site.accept(waiting, rules=CHOSEN), FirstOfTwo)

    assert isinstance(site.take_back(accepted), Done)

    joined = site.row(RequestedUpdate, accepted.id)
    assert first_facts(site, joined) is None
    assert isinstance(site.accept(joined, rules=CHOSEN), FirstOfTwo)


def test_only_who_gave_the_first_update_takes_it_back(site: Site) -> None:
    update = site.ask("03-300 L")
    site.accept(update, rules=CHOSEN)

    refused = site.take_back(update, by=site.second)
    assert isinstance(refused, Refused)
    assert "Only Ada Approver can take back" in refused.words
    assert isinstance(site.take_back(update), Done)
    assert first_facts(site, update) is None
    assert site.event_names()[-1] is Event.FIRST_TAKEN_BACK
    assert isinstance(site.accept(update, by=site.second, rules=CHOSEN), FirstOfTwo)


def test_a_reject_voids_the_first_update_and_tells_who_gave_it(site: Site) -> None:
    update = site.ask("03-300 L")
    site.accept(update, rules=CHOSEN)
    assert isinstance(site.reject(update, by=site.second, rules=CHOSEN), Done)
    assert "ada.approver@example.com" in site.notices_of(Event.REJECTED)[1]
    asked_again = site.ask("03-300 L")
    assert first_facts(site, asked_again) is None


def test_nobody_is_first_or_second_of_two_for_what_they_asked_for(site: Site) -> None:
    rules = Rules(forbid_own_request=True, two_approvers_jobs=("24-*",))
    update = site.ask("03-300 L", by=site.approver)
    own = site.accept(update, rules=rules)
    assert isinstance(own, Refused)
    assert own.reason is Refusal.OWN_REQUEST


def test_once_one_approver_is_enough_the_first_can_accept_alone(site: Site) -> None:
    update = site.ask("03-300 L")
    site.accept(update, rules=CHOSEN)
    assert isinstance(site.accept(update, rules=RULES), Done)
    (updated,) = [event for event in site.events() if event.event == Event.UPDATED]
    assert "first" not in updated.facts


def test_of_two_at_once_one_is_first_and_the_other_accepts(site: Site) -> None:
    for _ in range(ROUNDS):
        update = site.ask("03-300 L")
        results = at_once(
            partial(site.accept, update, rules=CHOSEN),
            partial(site.accept, update, by=site.second, rules=CHOSEN),
        )
        assert Counter(type(result) for result in results) == {FirstOfTwo: 1, Done: 1}
        site.data_sync()
    assert site.event_names().count(Event.FIRST_APPROVED) == ROUNDS
    assert site.problems() == []


def test_one_person_who_clicks_twice_at_once_is_one_approver(site: Site) -> None:
    update = site.ask("03-300 L")
    results = at_once(*[partial(site.accept, update, rules=CHOSEN)] * 3)
    assert Counter(type(result) for result in results) == {FirstOfTwo: 1, Refused: 2}
    assert site.state(update) is State.READY


def test_of_three_approvers_at_once_the_last_hears_who_did_it(site: Site) -> None:
    with site.database.writing() as session:
        third = factories.approver(session, "cy.third@example.com")
    update = site.ask("03-300 L")
    results = at_once(
        *(partial(site.accept, update, by=who, rules=CHOSEN) for who in (site.approver, site.second, third))
    )
    assert Counter(type(result) for result in results) == {FirstOfTwo: 1, Done: 1, AlreadyDecided: 1}
