"""The life of a requested update: every arrow, and every act in every state where it has no place."""

import pytest

from tests.factories import NINE, assignments, later
from tests.workflow.site import Site
from workflow import batches, lines
from workflow.acting import Done, Stale
from workflow.merge import NOT_READ_BACK
from workflow.privileges import Refused
from workflow.requests import NothingNew, Requested
from workflow.tables import DataSync, RequestedUpdate
from workflow.vocabulary import Event, NoticeKind, Outcome, Refusal, Standing, State, SyncState

CARD, THREAD, DIRECT = NoticeKind.CARD, NoticeKind.THREAD, NoticeKind.DIRECT
ADA, BEN, EVE = "ada.approver@example.com", "ben.second@example.com", "eve.engineer@example.com"


def test_asking_makes_the_job_ready_and_tells_the_approvers(site: Site) -> None:
    result = site.try_to_ask("03-300 L", "03-300 M")

    assert isinstance(result, Requested)
    assert (result.added, result.joined) == (2, False)
    assert site.updates() == [(State.READY, 1)]
    assert site.event_names() == [Event.REQUESTED]
    assert site.notices_of(Event.REQUESTED) == ([THREAD, DIRECT, DIRECT], [ADA, BEN], False)
    assert site.cards_due() == 1


def test_an_approver_who_asks_is_not_told_of_it(site: Site) -> None:
    site.ask("03-300 L", by=site.approver)

    assert site.notices_of(Event.REQUESTED)[1] == [BEN]


def test_asking_for_more_joins_the_open_one_and_raises_its_revision(site: Site) -> None:
    first = site.ask("03-300 L")
    result = site.try_to_ask("03-300 L", "09-250 S", by=site.second)

    assert isinstance(result, Requested)
    assert (result.requested_update.id, result.added, result.joined) == (first.id, 1, True)
    assert site.updates() == [(State.READY, 2)]
    assert site.pairs(first) == ["03-300 L", "09-250 S"]
    assert site.row(RequestedUpdate, first.id).requested_by_id == site.engineer.id
    assert site.notices_of(Event.JOINED) == ([THREAD, DIRECT], [ADA], False)


def test_asking_for_what_waits_already_changes_nothing(site: Site) -> None:
    site.ask("03-300 L")
    result = site.try_to_ask("03-300 L")

    assert isinstance(result, NothingNew)
    assert site.updates() == [(State.READY, 1)]
    assert site.event_names() == [Event.REQUESTED]
    assert site.cards_due() == 1


def test_a_later_request_of_a_job_is_shown_in_the_channel_again(site: Site) -> None:
    site.reject(site.ask("03-300 L"))
    site.ask("03-300 M")

    assert site.notices_of(Event.REQUESTED)[2] is True


def test_update_accepts_and_tells_who_asked(site: Site) -> None:
    update = site.ask("03-300 L")
    result = site.accept(update, at=later(5))

    assert isinstance(result, Done)
    stored = site.row(RequestedUpdate, update.id)
    assert (stored.state, stored.decided_by_id, stored.decided_at) == (
        State.ACCEPTED,
        site.approver.id,
        later(5),
    )
    assert site.notices_of(Event.UPDATED) == ([THREAD, DIRECT], [EVE], False)
    assert site.cards_due() == 2


def test_everybody_who_asked_for_a_line_is_told_but_not_who_acts(site: Site) -> None:
    site.ask("03-300 L")
    update = site.ask("03-300 M", by=site.second)
    site.accept(update, by=site.second)

    assert site.notices_of(Event.UPDATED)[1] == [EVE]


def test_reject_keeps_the_comment_for_who_asked(site: Site) -> None:
    update = site.ask("03-300 L")
    result = site.reject(update, comment="  Wrong job.  ")

    assert isinstance(result, Done)
    assert site.row(RequestedUpdate, update.id).comment == "Wrong job."
    assert site.state(update) is State.REJECTED
    assert site.events()[-1].facts["comment"] == "Wrong job."
    assert site.notices_of(Event.REJECTED) == ([THREAD, DIRECT], [EVE], False)


@pytest.mark.parametrize("comment", ["", "  \n\t"])
def test_reject_wants_a_comment(site: Site, comment: str) -> None:
    update = site.ask("03-300 L")
    result = site.reject(update, comment=comment)

    assert isinstance(result, Refused)
    assert result.reason is Refusal.COMMENT_MISSING
    assert site.updates() == [(State.READY, 1)]


def test_take_back_makes_it_ready_in_a_new_revision(site: Site) -> None:
    update = site.ask("03-300 L")
    site.accept(update)
    result = site.take_back(update, by=site.second)

    assert isinstance(result, Done)
    stored = site.row(RequestedUpdate, update.id)
    assert (stored.state, stored.revision, stored.decided_by_id) == (State.READY, 2, None)
    assert site.notices_of(Event.TAKEN_BACK) == ([THREAD, DIRECT], [EVE], False)


def test_a_button_from_before_the_take_back_is_stale(site: Site) -> None:
    update = site.ask("03-300 L")
    site.accept(update)
    site.take_back(update)

    assert isinstance(site.accept(update), Stale)
    assert site.updates() == [(State.READY, 2)]


def test_take_back_joins_what_was_asked_for_meanwhile(site: Site) -> None:
    first = site.ask("03-300 L", "03-300 M")
    site.accept(first)
    newer = site.ask("03-300 M", "09-250 S", by=site.second)
    assert newer.id != first.id
    site.take_back(first)

    assert site.updates() == [(State.READY, 2)]
    assert site.pairs(first) == ["03-300 L", "03-300 M", "09-250 S"]
    gone = site.accept(newer)
    assert isinstance(gone, Stale)
    assert gone.new == ()
    assert isinstance(site.accept(first, revision=2), Done)


def test_the_trail_says_which_requested_update_joined_another(site: Site) -> None:
    first = site.ask("03-300 L")
    site.accept(first)
    newer = site.ask("09-250 S")
    site.take_back(first)

    [taken_back] = [event for event in site.events() if event.event == Event.TAKEN_BACK]
    assert (taken_back.requested_update_id, taken_back.facts["joined"]) == (first.id, [newer.id])


def test_take_back_with_a_newer_one_of_a_high_revision_leaves_no_old_button_alive(site: Site) -> None:
    first = site.ask("03-300 L")
    site.accept(first)
    site.ask("03-300 M")
    newer = site.ask("09-250 S")
    assert newer.revision == 2
    site.take_back(first)

    assert site.updates() == [(State.READY, 3)]
    assert isinstance(site.accept(first, revision=2), Stale)


def test_a_whole_data_sync_ends_in_synced(site: Site) -> None:
    update = site.ask("03-300 L", "03-300 M")
    site.accept(update)
    sync = site.data_sync(at=later(60))

    assert sync is not None
    assert (sync.state, sync.jobs, sync.created, sync.failed) == (SyncState.FINISHED, 1, 2, 0)
    stored = site.row(RequestedUpdate, update.id)
    assert (stored.state, stored.exported_at, stored.finished_at) == (State.SYNCED, later(60), later(60))
    assert [line.outcome for line in site.lines(update)] == [Outcome.CREATED, Outcome.CREATED]
    assert site.notices_of(Event.EXPORTED) == ([THREAD, DIRECT], [EVE], False)
    assert site.notices_of(Event.SYNCED) == ([THREAD, DIRECT], [EVE], False)
    assert site.event_names()[-4:] == [Event.SYNC_STARTED, Event.EXPORTED, Event.SYNCED, Event.SYNC_FINISHED]
    assert site.problems() == []


def test_what_sage_refuses_fails_with_its_words_and_tells_who_asked_and_who_updated(site: Site) -> None:
    site.sage.refuses[assignments("03-300 M")[0]] = "Category M is not a standard category"
    update = site.ask("03-300 L", "03-300 M")
    site.accept(update)
    site.data_sync()

    assert site.state(update) is State.FAILED
    assert [(line.outcome, line.message) for line in site.lines(update)] == [
        (Outcome.CREATED, None),
        (Outcome.FAILED, "Category M is not a standard category"),
    ]
    assert site.notices_of(Event.FAILED) == ([THREAD, DIRECT, DIRECT], [ADA, EVE], False)
    assert site.events()[-2].facts["lines"] == {"created": 1, "failed": 1}


def test_words_of_sage_that_no_database_can_hold_keep_nothing_from_being_settled(site: Site) -> None:
    site.sage.refuses[assignments("03-300 M")[0]] = "Category M\0 of rejet\udce9s is refused"
    update = site.ask("03-300 M")
    site.accept(update)
    site.data_sync()

    [line] = site.lines(update)
    assert (line.outcome, line.message) == (Outcome.FAILED, "Category M\ufffd of rejet\ufffds is refused")


def test_every_line_ends_as_it_was_read_back_whatever_was_planned(site: Site) -> None:
    site.sage.hold("24-017", "03-300", "Cast in place", "L")
    site.sage.hold("24-017", "09-250", "Drywall", "L")
    update = site.ask("03-300 L", "03-300 M", "09-250 L", "09-250 S", "16-100 L")
    site.accept(update)
    sync = site.claim()
    assert sync is not None
    site.plan(sync)
    refusals = site.send(sync)
    site.sage.hold("24-017", "03-300", "Cast by others", "L", "M")
    del site.sage.held["24-017"]["", "09-250"]
    site.read_back(sync, refusals)

    assert {
        (line.code, line.category): (line.outcome, line.message, line.sage_description)
        for line in site.lines(update)
    } == {
        ("03-300", "L"): (Outcome.ALREADY_THERE, None, "Cast by others"),
        ("03-300", "M"): (Outcome.TIED, None, "Cast by others"),
        ("09-250", "L"): (Outcome.FAILED, NOT_READ_BACK, "Drywall"),
        ("09-250", "S"): (Outcome.FAILED, NOT_READ_BACK, "Drywall"),
        ("16-100", "L"): (Outcome.CREATED, None, site.lines(update)[-1].description),
    }
    read_back = site.row(DataSync, sync.id)
    assert (read_back.created, read_back.tied, read_back.already_there, read_back.failed) == (1, 1, 1, 2)


def _failed(site: Site) -> RequestedUpdate:
    site.sage.refuses = dict.fromkeys(assignments("03-300 L", "09-250 S"), "Refused")
    update = site.ask("03-300 L", "09-250 S", "16-100 L")
    site.accept(update)
    site.data_sync()
    assert site.state(update) is State.FAILED
    return update


def test_a_corrected_cost_code_replaces_what_sage_refused_of_it_and_the_rest_is_asked_again(
    site: Site,
) -> None:
    update = _failed(site)
    result = site.try_to_ask("03-300 M", by=site.second, at=later(90))

    assert isinstance(result, Requested)
    assert (result.requested_update.id, result.joined, result.added) == (update.id, True, 1)
    assert site.updates() == [(State.READY, 2)]
    assert [(line.code, line.category, line.outcome, line.message) for line in site.lines(update)] == [
        ("03-300", "M", None, None),
        ("09-250", "S", None, None),
        ("16-100", "L", Outcome.CREATED, None),
    ]
    assert site.notices_of(Event.SENT_AGAIN) == ([THREAD, DIRECT], [ADA], True)

    site.sage.refuses.clear()
    site.accept(update, revision=2)
    again = site.data_sync()
    assert again is not None
    assert (again.created, again.failed, site.state(update)) == (2, 0, State.SYNCED)


def test_send_again_asks_for_what_sage_refused_once_more(site: Site) -> None:
    update = _failed(site)
    result = site.send_again(update)

    assert isinstance(result, Done)
    assert site.updates() == [(State.READY, 2)]
    assert [line.outcome for line in site.lines(update)] == [None, None, Outcome.CREATED]
    assert site.notices_of(Event.SENT_AGAIN) == ([THREAD, DIRECT], [BEN], True)


def test_a_line_that_is_asked_again_stands_against_what_sage_holds_now(site: Site) -> None:
    site.sage.refuses = dict.fromkeys(assignments("03-300 M"), "Refused")
    update = site.ask("03-300 L", "03-300 M")
    site.accept(update)
    site.data_sync()
    site.send_again(update)

    again = site.lines(update)[1]
    assert (again.category, again.standing, again.sage_description) == (
        "M",
        Standing.NEW_CATEGORY,
        "Cast-in-place concrete",
    )


def test_asking_for_more_also_asks_again_for_what_sage_refused_while_another_one_was_open(
    site: Site,
) -> None:
    site.sage.refuses = dict.fromkeys(assignments("03-300 L", "09-250 S"), "Refused")
    failing = site.ask("03-300 L", "09-250 S", "16-100 L")
    site.accept(failing)
    sync = site.claim()
    assert sync is not None
    newer = site.ask("01-100 L")
    site.plan(sync)
    site.read_back(sync, site.send(sync))
    assert site.updates() == [(State.FAILED, 1), (State.READY, 1)]
    result = site.try_to_ask("03-300 M")

    assert isinstance(result, Requested)
    assert result.requested_update.id == newer.id
    assert site.pairs(newer) == ["01-100 L", "03-300 M", "09-250 S"]
    assert site.updates() == [(State.SYNCED, 1), (State.READY, 2)]
    assert site.pairs(failing) == ["16-100 L"]


def test_what_failed_joins_the_open_one_when_it_is_sent_again(site: Site) -> None:
    site.sage.refuses = dict.fromkeys(assignments("03-300 L"), "Refused")
    failing = site.ask("03-300 L")
    site.accept(failing)
    sync = site.claim()
    assert sync is not None
    newer = site.ask("01-100 L")
    site.plan(sync)
    site.read_back(sync, site.send(sync))
    site.send_again(failing)

    assert site.updates() == [(State.READY, 2)]
    assert site.pairs(failing) == ["01-100 L", "03-300 L"]
    assert isinstance(site.accept(newer), Stale)


def test_what_was_synced_of_a_failed_one_survives_a_reject(site: Site) -> None:
    update = _failed(site)
    site.send_again(update)
    site.reject(site.row(RequestedUpdate, update.id))

    assert site.state(update) is State.REJECTED
    assert site.check().free


def test_a_job_whose_batch_is_on_its_way_waits_for_the_next_data_sync(site: Site) -> None:
    first = site.ask("03-300 L")
    site.accept(first)
    sync = site.claim()
    assert sync is not None
    second = site.ask("03-300 M")
    site.accept(second)
    assert site.claim() is None

    site.plan(sync)
    refusals = site.send(sync)
    assert site.claim() is None
    site.read_back(sync, refusals)
    assert site.claim() is not None


def test_two_accepted_requested_updates_of_a_job_go_out_together_and_each_line_once(site: Site) -> None:
    first = site.ask("03-300 L", "03-300 M")
    site.accept(first)
    second = site.ask("03-300 M", "09-250 S")
    site.accept(second)
    sync = site.data_sync()

    assert sync is not None
    assert (sync.jobs, sync.created, sync.already_there) == (1, 3, 1)
    assert (site.state(first), site.state(second)) == (State.SYNCED, State.SYNCED)


def test_a_batch_that_is_planned_never_changes_when_the_job_is_read_again(site: Site) -> None:
    first = site.ask("03-300 L")
    site.accept(first)
    sync = site.claim()
    assert sync is not None
    site.plan(sync)
    site.sage.hold("24-017", "03-300", "Concrete", "L")
    site.plan(sync)  # a worker that was killed and runs again begins here
    with site.database.writing() as session:
        lines.store_read_back(session, site.job, site.sage.of(site.job), at=NINE)

    with site.database.reading() as session:
        sent = list(batches.lines_to_send(session, sync))
    assert [line.assignment for line in sent] == assignments("03-300 L")


def test_the_lines_of_a_batch_go_by_job_extra_code_and_category_whoever_asked_first(site: Site) -> None:
    other = site.another_job("24-016")
    for lines_asked, job in (("16-100 L", None), ("03-300 M", None), ("09-250 L", other), ("03-300 L", None)):
        site.accept(site.ask(lines_asked, job=job))
    sync = site.claim()
    assert sync is not None
    site.plan(sync)

    with site.database.reading() as session:
        sent = list(batches.lines_to_send(session, sync))

    assert [f"{line.job_number} {line.code} {line.category}" for line in sent] == [
        "24-016 09-250 L",
        "24-017 03-300 L",
        "24-017 03-300 M",
        "24-017 16-100 L",
    ]


def test_every_step_of_a_data_sync_may_run_twice(site: Site) -> None:
    update = site.ask("03-300 L")
    site.accept(update)
    sync = site.claim()
    assert sync is not None
    for _ in range(2):
        site.plan(sync)
    for _ in range(2):
        site.send(sync)
    for _ in range(2):
        site.read_back(sync, {}, times=2)

    stored = site.row(DataSync, sync.id)
    assert (stored.state, stored.jobs, stored.created, stored.already_there) == (SyncState.FINISHED, 1, 1, 0)
    names = site.event_names()
    assert [names.count(e) for e in (Event.EXPORTED, Event.SYNCED, Event.SYNC_FINISHED)] == [1, 1, 1]


def test_nothing_accepted_makes_no_batch(site: Site) -> None:
    site.ask("03-300 L")

    assert site.claim() is None
    assert site.event_names() == [Event.REQUESTED]
