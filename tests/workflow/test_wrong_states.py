"""Every act in every state of a requested update: done in its place, and elsewhere nothing but an answer."""

from collections.abc import Callable

import pytest

from tests.factories import assignments
from tests.workflow.site import Site
from workflow.acting import AlreadyDecided, Decision, Done, Stale
from workflow.privileges import Refused
from workflow.tables import RequestedUpdate
from workflow.vocabulary import Event, Refusal, State


def _ready(site: Site) -> RequestedUpdate:
    return site.ask("03-300 L")


def _accepted(site: Site) -> RequestedUpdate:
    update = _ready(site)
    site.accept(update)
    return update


def _going_out(site: Site) -> RequestedUpdate:
    update = _accepted(site)
    site.claim()
    return update


def _exported(site: Site) -> RequestedUpdate:
    update = _accepted(site)
    sync = site.claim()
    assert sync is not None
    site.plan(sync)
    site.send(sync)
    return update


def _synced(site: Site) -> RequestedUpdate:
    update = _accepted(site)
    site.data_sync()
    return update


def _failed_whole(site: Site) -> RequestedUpdate:
    site.sage.refuses = dict.fromkeys(assignments("03-300 L"), "Refused")
    return _synced(site)


def _rejected(site: Site) -> RequestedUpdate:
    update = _ready(site)
    site.reject(update)
    return update


REACH: dict[str, Callable[[Site], RequestedUpdate]] = {
    "ready": _ready,
    "accepted": _accepted,
    "going out": _going_out,
    "exported": _exported,
    "synced": _synced,
    "failed": _failed_whole,
    "rejected": _rejected,
}
ACTS: dict[str, Callable[[Site, RequestedUpdate], Decision]] = {
    "update": lambda site, update: site.accept(update, by=site.second),
    "reject": lambda site, update: site.reject(update, by=site.second),
    "take back": lambda site, update: site.take_back(update, by=site.second),
    "send again": lambda site, update: site.send_again(update, by=site.second),
}
HAS_A_PLACE = {
    ("ready", "update"),
    ("ready", "reject"),
    ("accepted", "take back"),
    ("failed", "send again"),
}


@pytest.mark.parametrize("state", [state for state in REACH if state != "ready"])
def test_an_act_that_has_no_place_changes_nothing_and_says_why_on_record(site: Site, state: str) -> None:
    update = REACH[state](site)
    before, events = (site.updates(), site.cards_due()), site.event_names()
    answers = {act: do(site, update) for act, do in ACTS.items() if (state, act) not in HAS_A_PLACE}

    for act in answers.keys() & {"update", "reject"}:
        decided = answers[act]
        assert isinstance(decided, AlreadyDecided)
        assert decided.words.startswith("Ada Approver ")
        assert "2026-11-02 09:00 UTC" in decided.words
    reasons = {act: answer.reason for act, answer in answers.items() if isinstance(answer, Refused)}
    expected = {
        "take back": Refusal.ALREADY_GOING_OUT if state == "going out" else Refusal.NOT_ACCEPTED,
        "send again": Refusal.NOT_FAILED,
    }
    assert reasons == {act: expected[act] for act in answers.keys() - {"update", "reject"}}
    assert (site.updates(), site.cards_due()) == before
    assert site.event_names() == [*events, *[Event.REFUSED] * len(answers)]


def test_there_is_nothing_to_take_back_or_send_again_while_it_is_ready(site: Site) -> None:
    update = site.ask("03-300 L")
    answers = [site.take_back(update), site.send_again(update)]

    assert [a.reason for a in answers if isinstance(a, Refused)] == [Refusal.NOT_ACCEPTED, Refusal.NOT_FAILED]
    assert site.updates() == [(State.READY, 1)]
    assert site.event_names() == [Event.REQUESTED, Event.REFUSED, Event.REFUSED]


@pytest.mark.parametrize(("state", "act"), sorted(HAS_A_PLACE))
def test_an_act_that_has_its_place_is_done(site: Site, state: str, act: str) -> None:
    update = REACH[state](site)

    assert isinstance(ACTS[act](site, update), Done)


@pytest.mark.parametrize("act", ACTS)
def test_an_act_on_what_never_was_changes_nothing(site: Site, act: str) -> None:
    nowhere = RequestedUpdate(id=4711, revision=1)
    result = ACTS[act](site, nowhere)

    assert isinstance(result, Stale)
    assert result.new == ()
    assert site.event_names() == [Event.STALE]
