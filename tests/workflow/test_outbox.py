"""The outbox as delivery uses it: what is due, and what becomes of each notice."""

from collections.abc import Iterator

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests import factories
from tests.factories import NINE, later
from tests.workflow.site import Site
from workflow import audit, messages, outbox
from workflow.database import Database
from workflow.privileges import SCHEDULE
from workflow.request_ids import working_for
from workflow.tables import Job, OutboxNotice, Person
from workflow.vocabulary import Event, NoticeKind


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    with database.writing() as session:
        yield session


@pytest.fixture
def job(session: Session) -> Job:
    return factories.job(session)


@pytest.fixture
def dana(session: Session) -> Person:
    return factories.approver(session)


def notice(session: Session, job: Job, *, minutes: float = 0, person: Person | None = None) -> OutboxNotice:
    row = OutboxNotice(
        kind=NoticeKind.DIRECT if person else NoticeKind.CARD,
        job_id=job.id,
        person_id=person.id if person else None,
        created_at=NINE,
        due_at=later(minutes),
    )
    session.add(row)
    session.flush()
    return row


def test_what_waited_longest_is_due_first(session: Session, job: Job) -> None:
    second, first, _ = (notice(session, job, minutes=minutes) for minutes in (2, 1, 30))
    assert list(outbox.due(session, now=later(5), limit=10)) == [first, second]
    assert list(outbox.due(session, now=later(5), limit=1)) == [first]
    assert outbox.next_due(session) == later(1)


def test_jobs_come_by_their_oldest_notice_and_people_by_who_waited_longest(
    session: Session, job: Job, dana: Person
) -> None:
    sam, depot = factories.person(session, "sam@example.com"), factories.job(session, "24-018", "Depot")
    notice(session, job, minutes=2)
    notice(session, depot, minutes=1)
    notice(session, job, minutes=30)
    for person, minutes in ((dana, 3), (sam, 2), (dana, 4)):
        notice(session, job, minutes=minutes, person=person)
    assert outbox.due_jobs(session, now=later(5), limit=10) == [job.id, depot.id]
    assert outbox.due_jobs(session, now=later(1), limit=10) == [depot.id]
    assert outbox.due_jobs(session, now=later(5), limit=10, kinds=[NoticeKind.THREAD]) == []
    assert outbox.due_people(session, now=later(5)) == [sam.id, dana.id]
    assert outbox.due_people(session, now=later(2)) == [sam.id]


def test_what_a_clock_that_was_ahead_wrote_or_put_off_comes_when_it_would_have(
    session: Session, job: Job, dana: Person
) -> None:
    put_off, right, young = notice(session, job), notice(session, job, minutes=8), notice(session, job)
    outbox.put_off(session, [put_off], until=later(300), error="Slack does not answer")
    outbox.put_off(session, [young], until=later(10), error="Slack does not answer")
    digest = notice(session, job, minutes=360, person=dana)
    digest.created_at = later(300)
    session.flush()

    assert outbox.ahead(session, now=later(5))
    outbox.bring_back(session, now=later(5))
    session.expire_all()

    assert [n.due_at for n in (put_off, right, young, digest)] == [later(5), later(8), later(10), later(65)]
    assert digest.created_at == later(5)
    assert not outbox.ahead(session, now=later(5))


def test_after_a_data_sync_the_cards_of_ready_jobs_are_drawn_anew(site: Site) -> None:
    site.ask("03-300 L")
    site.accept(site.ask("03-300 L", job=site.another_job("24-018")))
    with site.database.writing() as session:
        outbox.done(session, outbox.due(session, now=later(5), limit=100), at=later(5))

    with site.database.writing() as session:
        outbox.refresh_ready_cards(session, at=later(5))
        assert [notice.job_id for notice in outbox.due(session, now=later(5), limit=100)] == [site.job.id]


def test_many_events_at_once_are_told_as_each_by_itself(session: Session, job: Job, dana: Person) -> None:
    event = audit.record(session, Event.EXPORTED, by=SCHEDULE, at=NINE, job_id=job.id)
    with working_for("asks"):
        outbox.tell(session, event, people=[dana.id])
    outbox.tell_many(session, [outbox.Told(event.seq, job.id, {dana.id}, "asks")], at=NINE)

    columns = [column for column in OutboxNotice.__table__.c if column.name != "id"]
    told = list(map(tuple, session.execute(select(*columns).order_by(OutboxNotice.id))))
    assert len(told) == 6
    assert told[3:] == told[:3]


def test_what_is_done_or_given_up_waits_no_more(session: Session, job: Job, dana: Person) -> None:
    done, given_up = notice(session, job), notice(session, job, person=dana)
    outbox.done(session, [done], at=later(1))
    outbox.give_up(session, [given_up], error="nobody there")
    session.expire_all()
    assert outbox.next_due(session) is None
    assert list(outbox.due(session, now=later(5), limit=10)) == []
    assert list(outbox.waiting_for_person(session, dana.id)) == []
    assert (done.done_at, given_up.last_error) == (later(1), "nobody there")


def test_what_is_put_off_is_due_later_and_counts_only_its_own_faults(session: Session, job: Job) -> None:
    row = notice(session, job)
    outbox.put_off(session, [row], until=later(1), error="Slack is down")
    outbox.put_off(session, [row], until=later(2), error="bad blocks", counts=True)
    session.expire_all()
    assert (row.due_at, row.attempts, row.last_error) == (later(2), 1, "bad blocks")
    assert list(outbox.waiting_for_job(session, job.id, NoticeKind.CARD)) == [row]


def test_what_waits_for_what_was_put_off_is_tried_with_it(session: Session, job: Job, dana: Person) -> None:
    first, behind, asleep = (notice(session, job, person=dana) for _ in range(3))
    outbox.put_off(session, [first], until=later(9), error="SlackRefused: missing_scope")
    outbox.put_off(session, [behind], until=later(9), error="waits for the message before it")
    outbox.put_off(session, [asleep], until=later(9), error=None)

    outbox.try_now(session, at=later(1))

    session.expire_all()
    assert [row.due_at for row in (first, behind, asleep)] == [later(1), later(1), later(9)]


def test_what_somebody_has_told_meanwhile_is_neither_put_off_nor_given_up(session: Session, job: Job) -> None:
    card = notice(session, job)
    outbox.done(session, [card], at=later(1))

    outbox.put_off(session, [card], until=later(9), error="away", counts=True)
    outbox.give_up(session, [card], error="away")

    session.refresh(card)
    assert (card.done_at, card.due_at, card.attempts) == (later(1), NINE, 0)
    assert (card.given_up, card.last_error) == (False, None)


def test_notices_that_are_gathered_keep_the_key_of_their_message(
    session: Session, job: Job, dana: Person
) -> None:
    rows = [notice(session, job, person=dana) for _ in range(3)]
    outbox.gather(session, rows[:2], messages.direct_key(rows[0].id))
    session.expire_all()
    waiting = outbox.waiting_for_person(session, dana.id)
    assert [row.message_key for row in waiting] == [f"direct:{rows[0].id}"] * 2 + [None]


def test_a_notice_is_gathered_for_one_message_and_not_once_it_was_told(
    session: Session, job: Job, dana: Person
) -> None:
    first, second, told = (notice(session, job, person=dana) for _ in range(3))
    assert outbox.gather(session, [first], "direct:1")
    assert outbox.gather(session, [first], "direct:1")
    assert not outbox.gather(session, [first, second], "direct:2")
    outbox.done(session, [told], at=later(1))
    assert not outbox.gather(session, [told], "direct:3")


def test_a_message_is_known_from_its_attempt_until_it_is_forgotten(session: Session, job: Job) -> None:
    key = messages.card_key(job.id)
    assert messages.find(session, key) is None
    messages.attempt(session, key, channel="C1", at=NINE)
    attempted = messages.find(session, key)
    assert attempted is not None
    assert attempted.ts is None
    messages.posted(session, key, channel="C2", ts="1.5")
    messages.attempt(session, messages.thread_key(3), channel="C2", at=NINE)
    session.flush()
    posted = messages.find(session, key)
    assert posted is not None
    assert (posted.channel, posted.ts) == ("C2", "1.5")
    messages.forget(session, key, ts="1.5")
    session.flush()
    assert messages.find(session, key) is None
    assert messages.find(session, messages.thread_key(3)) is not None
