"""The id of a request goes with what it causes, and is said once that is kept."""

from structlog.testing import capture_logs

from tests.factories import NINE
from tests.workflow.site import Site
from workflow import audit, request_ids
from workflow.privileges import SCHEDULE
from workflow.request_ids import working_for, working_for_all
from workflow.tables import DataSync, OutboxNotice, RequestedUpdate
from workflow.vocabulary import Event


def test_what_a_data_sync_does_for_an_update_has_the_id_of_the_update(site: Site) -> None:
    with working_for("asks"):
        update = site.ask("03-300 L")
    with working_for("decides"):
        site.accept(update)
    with working_for("syncs"):
        sync = site.data_sync()

    assert sync is not None
    assert site.row(DataSync, sync.id).request_id == "syncs"
    told = {Event(row.event): row.request_id for row in site.events()}
    assert told[Event.REQUESTED] == "asks"
    assert {told[event] for event in (Event.UPDATED, Event.EXPORTED, Event.SYNCED)} == {"decides"}
    assert {told[event] for event in (Event.SYNC_STARTED, Event.SYNC_FINISHED)} == {"syncs"}
    with site.database.reading() as session:
        notices = session.query(OutboxNotice).order_by(OutboxNotice.id).all()
    told_by_seq = {row.seq: row.request_id for row in site.events()}
    assert {notice.request_id for notice in notices} == {"asks", "decides"}
    assert all(n.request_id == told_by_seq[n.event_seq] for n in notices if n.event_seq)
    assert site.problems() == []


def test_what_was_taken_back_is_no_longer_done_for_whoever_decided(site: Site) -> None:
    update = site.ask("03-300 L")
    with working_for("decides"):
        site.accept(update)
    with working_for("takes back"):
        site.take_back(update)
    with working_for("decides anew"):
        site.accept(site.row(RequestedUpdate, update.id))
    site.data_sync()

    last = [row.request_id for row in site.events() if row.event == Event.SYNCED]
    assert last == ["decides anew"]


def test_the_log_tells_of_what_was_kept_and_of_nothing_that_was_undone(site: Site) -> None:
    with capture_logs() as logs, working_for("kept"), site.database.writing() as session:
        audit.record(session, Event.REMINDED, by=SCHEDULE, at=NINE)
        assert logs == []
    assert [(line["event"], line["request_id"], line["seq"]) for line in logs] == [
        ("approvers:reminded", "kept", len(site.events()))
    ]
    with capture_logs() as logs, working_for("undone"), site.database.writing() as session:
        audit.record(session, Event.REMINDED, by=SCHEDULE, at=NINE)
        session.rollback()
    assert logs == []


def test_ids_are_new_each_time_and_end_with_their_work() -> None:
    assert len({request_ids.new() for _ in range(1_000)}) == 1_000
    with working_for("outer"):
        with working_for("inner"):
            assert request_ids.current() == "inner"
        with working_for(None):
            assert request_ids.current() == "outer"
    assert request_ids.current() is None


def test_what_is_done_for_several_requests_names_each_and_for_one_is_done_for_that() -> None:
    with working_for_all(["later", "earlier", None, "later"]):
        assert (request_ids.current(), request_ids.several()) == (None, ["earlier", "later"])
    with working_for_all(["only", None, "only"]):
        assert (request_ids.current(), request_ids.several()) == ("only", [])
    with working_for("outer"), working_for_all([None]):
        assert (request_ids.current(), request_ids.several()) == ("outer", [])
    assert (request_ids.current(), request_ids.several()) == (None, [])
