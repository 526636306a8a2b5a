"""The audit trail: a clean chain verifies, and whatever is done to a row behind costbot's back is found."""

from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from tests.factories import NINE
from tests.workflow.site import Site
from workflow import audit, outbox
from workflow.privileges import SCHEDULE, Actor
from workflow.request_ids import working_for
from workflow.tables import AuditEvent
from workflow.vocabulary import Event, Place


def write_trail(site: Site) -> int:
    """A life of a requested update with its trail; returns the number of events."""
    update = site.ask("03-300 L", "03-300 M")
    with working_for("0123456789ab"):
        site.accept(update)
    site.data_sync()
    count = len(site.events())
    assert count >= 5
    assert site.problems() == []
    return count


def tamper(site: Site, *statements: str) -> None:
    """What somebody does with the database's own tools."""
    with site.database.writing() as session:
        for statement in statements:
            session.execute(text(statement))


EDITS = {
    "at": "at = '2020-01-01 00:00:00+00:00'",
    "event": "event = 'requested_update:rejected'",
    "an event that is none": "event = 'nothing:happened'",
    "place": "place = 'Slack'",
    "a place that is none": "place = 'nowhere'",
    "actor_id": "actor_id = NULL",
    "actor": "actor = 'somebody@example.com'",
    "job_id": "job_id = NULL",
    "requested_update_id": "requested_update_id = 4711",
    "request_id": "request_id = 'forged'",
    "a request_id that is removed": "request_id = NULL",
    "facts": "facts = '{\"revision\": 2}'",
    "facts that are no object": "facts = '[]'",
    "previous_hash": f"previous_hash = '{'1' * 64}'",
    "hash": f"hash = '{'1' * 64}'",
    "seq": "seq = 4711",
}


@pytest.mark.parametrize("which", EDITS)
def test_an_edit_of_any_column_of_any_row_is_found(site: Site, which: str) -> None:
    count = write_trail(site)
    missed = []
    for seq in range(1, count + 1):
        with site.database.writing() as session:
            before = dict(
                session.execute(text(f"SELECT * FROM audit_events WHERE seq = {seq}")).mappings().one()
            )
            session.execute(text("DELETE FROM outbox"))  # its rows refer to the events
            session.execute(text(f"UPDATE audit_events SET {EDITS[which]} WHERE seq = {seq}"))
            edited = list(audit.problems(session))
            changed = before not in [
                dict(row) for row in session.execute(text("SELECT * FROM audit_events")).mappings()
            ]
            session.rollback()
        if changed and not edited:
            missed.append(seq)

    assert missed == []
    assert site.problems() == []


@pytest.mark.parametrize(
    "edit", ["at = 'yesterday'", "facts = 'no json'", "facts = x'00'", "actor = x'ff'", "actor_id = 'me'"]
)
def test_on_sqlite_an_edit_that_cannot_even_be_read_is_found(sqlite_site: Site, edit: str) -> None:
    write_trail(sqlite_site)
    tamper(sqlite_site, "PRAGMA defer_foreign_keys = ON", "DELETE FROM outbox")
    with sqlite_site.database.writing() as session:
        session.execute(text("PRAGMA defer_foreign_keys = ON"))
        session.execute(text(f"UPDATE audit_events SET {edit} WHERE seq = 2"))
        problems = list(audit.problems(session))
        session.rollback()

    assert problems == ["Event 2 was changed after it was written."]


def test_a_removed_row_is_found_wherever_it_stood(site: Site) -> None:
    count = write_trail(site)
    tamper(site, "DELETE FROM outbox")
    found = {}
    for seq in (1, 3, count):
        with site.database.writing() as session:
            session.execute(text(f"DELETE FROM audit_events WHERE seq = {seq}"))
            found[seq] = list(audit.problems(session))
            session.rollback()

    assert found == {
        1: ["Event 1 is missing: the trail goes on with event 2."],
        3: ["Event 3 is missing: the trail goes on with event 4."],
        count: [f"The trail ends at event {count - 1}, but {count} were written: its end was cut off."],
    }


def test_a_trail_that_was_emptied_is_found(site: Site) -> None:
    count = write_trail(site)
    tamper(site, "DELETE FROM outbox", "DELETE FROM audit_events")

    assert site.problems() == [
        f"The trail ends at event 0, but {count} were written: its end was cut off.",
    ]


def test_two_rows_that_changed_places_are_found(site: Site) -> None:
    write_trail(site)
    tamper(
        site,
        "DELETE FROM outbox",
        "UPDATE audit_events SET seq = -1 WHERE seq = 2",
        "UPDATE audit_events SET seq = 2 WHERE seq = 3",
        "UPDATE audit_events SET seq = 3 WHERE seq = -1",
    )

    assert "Event 2 was changed after it was written." in site.problems()
    assert "Event 3 was changed after it was written." in site.problems()


def test_a_row_that_was_slipped_in_at_the_end_is_found(site: Site) -> None:
    count = write_trail(site)
    with site.database.writing() as session:
        last = session.get_one(AuditEvent, count)
        forged = AuditEvent(
            seq=count + 1,
            at=NINE,
            event=Event.UPDATED,
            place=Place.SLACK,
            actor="ada.approver@example.com",
            facts={},
            previous_hash=last.hash,
        )
        forged.hash = audit.hash_of(forged)
        session.add(forged)

    assert len(site.problems()) == 1
    assert "its end was cut off" in site.problems()[0]


def test_a_row_rewritten_with_a_hash_of_its_own_breaks_the_chain_after_it(site: Site) -> None:
    write_trail(site)
    with site.database.writing() as session:
        row = session.get_one(AuditEvent, 2)
        row.actor = "somebody@example.com"
        row.hash = audit.hash_of(row)

    assert site.problems() == ["Event 3 does not follow from event 2: one of the two was changed."]


def test_a_missing_end_is_found(site: Site) -> None:
    write_trail(site)
    tamper(site, "DELETE FROM audit_head")

    assert site.problems() == ["The end of the trail is not on record: its row was removed."]


def test_an_empty_trail_is_clean(site: Site) -> None:
    assert site.problems() == []


def test_the_chain_s_end_is_one_row(site: Site) -> None:
    with pytest.raises(IntegrityError):
        tamper(site, "INSERT INTO audit_head (id, seq, hash) VALUES (2, 0, '')")


FACTS: dict[str, Any] = {
    "text": 'O\'Brien "quoted" \\ 🏗️ קוד ‮ \0 \n \udcff',
    "nothing": None,
    "yes": True,
    "large": 2**70,
    "fraction": 0.1,
    "small": 1e-300,
    "list": ["a", ["b", 1]],
    "deep": {"z": 1, "a": {"ü": "é"}},
    "empty": {},
}


def test_facts_of_every_shape_survive_the_database(site: Site) -> None:
    with site.database.writing() as session:
        audit.record(session, Event.IMPORTED, by=SCHEDULE, at=NINE, **FACTS)

    assert site.events()[0].facts == FACTS
    assert site.problems() == []


def test_many_events_at_once_are_kept_as_each_by_itself(site: Site) -> None:
    update, by = site.ask("03-300 L"), Actor(Place.SLACK, 'Zoë "Z" \\N \t\r\n\v')
    facts = FACTS | {"copied": "\\. \\N \t\r\n\v \\"}
    entry = audit.Entry(Event.EXPORTED, update.job_id, update.id, facts, "0123456789ab")
    with site.database.writing() as session, working_for(entry.request_id):
        about = {"job_id": update.job_id, "requested_update_id": update.id}
        audit.record(session, entry.event, by=by, at=NINE, **about, **facts)
        audit.record_many(session, [entry, entry._replace(request_id=None)], by=by, at=NINE)

    chained = {"seq", "previous_hash", "hash"}
    columns = [column.name for column in AuditEvent.__table__.c if column.name not in chained]
    alone, first, second = ({name: getattr(row, name) for name in columns} for row in site.events()[1:])
    assert first == alone
    assert second == alone | {"request_id": None}
    assert site.problems() == []


def test_who_acts_is_kept_as_the_text_that_it_is(site: Site) -> None:
    name = 'Zoë "Z" 🏗️ קוד'
    with site.database.writing() as session:
        audit.record(session, Event.SYNC_ASKED, by=Actor(Place.SLACK, name), at=NINE)

    assert site.events()[0].actor == name
    assert site.problems() == []


def test_a_transaction_that_fails_leaves_no_gap(site: Site) -> None:
    site.ask("03-300 L")
    with site.database.writing() as session:
        audit.record(session, Event.SYNC_ASKED, by=SCHEDULE, at=NINE)
        session.rollback()
    site.ask("03-300 M")

    assert [row.seq for row in site.events()] == [1, 2]
    assert site.problems() == []


def test_a_trail_longer_than_one_read_is_read_whole(site: Site) -> None:
    with site.database.writing() as session:
        for _ in range(1_203):
            audit.record(session, Event.SYNC_ASKED, by=SCHEDULE, at=NINE)

    assert len(site.events()) == 1_203
    assert site.problems() == []


def test_an_event_of_no_job_has_no_card_to_change(site: Site) -> None:
    with (
        site.database.writing() as session,
        pytest.raises(ValueError, match="only an event of a job"),
    ):
        outbox.tell(session, audit.record(session, Event.SYNC_ASKED, by=SCHEDULE, at=NINE))
