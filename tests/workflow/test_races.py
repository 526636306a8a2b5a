"""Several people and processes at once on both databases: one wins, the others hear of it, nothing breaks."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from multiprocessing.synchronize import Barrier as ProcessBarrier

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from tests.factories import LIMITS, NINE, RULES, actor, assignments, later
from tests.processes import forked, forking
from tests.workflow.office import Office
from tests.workflow.site import Site
from workflow import (
    audit,
    aways,
    bursts,
    deliveries,
    directory,
    drafts,
    expiry,
    holds,
    outages,
    outbox,
    procore_calls,
    reopening,
    requests,
    slots,
    telling,
)
from workflow.acting import AlreadyDecided, Done, Stale
from workflow.calendar import Calendar
from workflow.database import Database
from workflow.directory import AlreadyLinked
from workflow.privileges import SCHEDULE, Refused
from workflow.requests import Requested
from workflow.tables import DataSync, Hold, Job, Person, RequestedUpdate, SlackLink, StandardCostCode
from workflow.vocabulary import ErpPermission, Event, Refusal, State
from workflow.waiting import Patience

ROUNDS = 5
DEADLINE_SECONDS = 120.0


def at_once(*acts: Callable[[], object]) -> list[object]:
    """Each act in a thread of its own, all let go at the same moment; their results in order."""
    start = threading.Barrier(len(acts))

    def run(act: Callable[[], object]) -> object:
        start.wait(DEADLINE_SECONDS)
        return act()

    with ThreadPoolExecutor(len(acts)) as threads:
        return [future.result(DEADLINE_SECONDS) for future in [threads.submit(run, act) for act in acts]]


def test_of_two_approvers_one_updates_and_the_other_hears_who_did(site: Site) -> None:
    for _ in range(ROUNDS):
        update = site.ask("03-300 L")
        results = at_once(
            partial(site.accept, update),
            partial(site.accept, update, by=site.second),
        )

        assert Counter(type(result) for result in results) == {Done: 1, AlreadyDecided: 1}
        winner = ("Ada Approver", "Ben Second")[[type(r) for r in results].index(Done)]
        (loser,) = [r for r in results if isinstance(r, AlreadyDecided)]
        assert loser.words.startswith(f"{winner} updated it")
        site.data_sync()
    assert site.event_names().count(Event.UPDATED) == ROUNDS
    assert site.problems() == []


def test_of_update_and_reject_one_is_done(site: Site) -> None:
    for _ in range(ROUNDS):
        update = site.ask("03-300 L")
        results = at_once(
            partial(site.accept, update),
            partial(site.reject, update, by=site.second),
        )

        assert Counter(type(result) for result in results) == {Done: 1, AlreadyDecided: 1}
        site.data_sync()


def test_of_expiry_and_an_update_at_the_same_moment_one_is_done(site: Site) -> None:
    patience = Patience(remind_after=timedelta(days=1), expire_after=timedelta(days=1))

    def expire(update: RequestedUpdate) -> bool:
        with site.database.writing() as session:
            return expiry.expire(
                session, requested_update_id=update.id, patience=patience, at=NINE + timedelta(days=2)
            )

    for _ in range(ROUNDS):
        update = site.ask("03-300 L")
        expired, decided = at_once(partial(expire, update), partial(site.accept, update))

        if expired:
            assert isinstance(decided, AlreadyDecided)
            assert decided.words.startswith("It expired")
            assert site.state(update) is State.EXPIRED
        else:
            assert isinstance(decided, Done)
            assert site.state(update) is State.ACCEPTED
        site.data_sync()
    assert site.problems() == []


def test_what_is_asked_for_during_an_update_is_never_accepted_unseen(site: Site) -> None:
    for _ in range(ROUNDS):
        update = site.ask("03-300 L")
        asked, decided = at_once(
            partial(site.try_to_ask, "09-250 S"),
            partial(site.accept, update),
        )

        assert isinstance(asked, Requested)
        if isinstance(decided, Stale):
            assert list(decided.new) == assignments("09-250 S")
            assert site.state(update) is State.READY
        else:
            assert isinstance(decided, Done)
            assert site.pairs(update) == ["03-300 L"]
            assert asked.requested_update.id != update.id
        with site.database.reading() as session:
            open_one = session.scalars(
                select(RequestedUpdate).where(RequestedUpdate.state == State.READY)
            ).one()
        site.reject(open_one)
        site.data_sync()
    assert site.problems() == []


def test_what_is_taken_back_is_not_in_a_batch(site: Site) -> None:
    for _ in range(ROUNDS):
        update = site.ask("03-300 L")
        site.accept(update)
        taken, batch = at_once(
            partial(site.take_back, update),
            site.claim,
        )
        stored = site.row(RequestedUpdate, update.id)
        if not isinstance(batch, DataSync):
            assert isinstance(taken, Done)
            assert (stored.state, stored.data_sync_id) == (State.READY, None)
            site.reject(stored)
        else:
            assert isinstance(taken, Refused)
            assert taken.reason is Refusal.ALREADY_GOING_OUT
            assert (stored.state, stored.data_sync_id) == (State.ACCEPTED, batch.id)
            site.plan(batch)
            site.read_back(batch, site.send(batch))


def until(true: Callable[[], object]) -> None:
    """Poll until it is true, for a minute at most."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def somebody_waits_for_a_lock(database: Database) -> bool:
    with database.reading() as session:
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        return bool(session.scalar(text(waiting)))


def test_a_claim_leaves_out_what_was_accepted_and_taken_back_while_it_waited(postgres_site: Site) -> None:
    site = postgres_site
    first = site.ask("03-300 L")
    late = site.ask("03-300 L", job=site.another_job("24-018"))
    site.accept(first)
    with ThreadPoolExecutor(1) as threads:
        with site.database.writing() as blocking:
            directory.lock_jobs(blocking, [site.job.id])
            claiming = threads.submit(site.claim)
            until(partial(somebody_waits_for_a_lock, site.database))
            site.accept(late)
            taking_back = site.database.writing()
            taken = reopening.take_back(
                taking_back.__enter__(),
                requested_update_id=late.id,
                by=actor(site.approver),
                at=NINE,
                rules=RULES,
            )
        # the claim goes on, up to the end of the trail, which the other one holds
        until(partial(somebody_waits_for_a_lock, site.database))
        taking_back.__exit__(None, None, None)
        batch = claiming.result(DEADLINE_SECONDS)

    assert isinstance(taken, Done)
    stored = site.row(RequestedUpdate, late.id)
    assert (stored.state, stored.data_sync_id) == (State.READY, None)
    assert batch is not None
    assert (site.row(RequestedUpdate, first.id).data_sync_id, batch.jobs) == (batch.id, 1)


def test_of_two_claims_one_gets_everything(site: Site) -> None:
    for _ in range(ROUNDS):
        site.accept(site.ask("03-300 L"))
        (batch,) = [b for b in at_once(site.claim, site.claim) if b is not None]

        assert isinstance(batch, DataSync)
        site.plan(batch)
        site.read_back(batch, site.send(batch))
    assert site.event_names().count(Event.SYNC_STARTED) == ROUNDS


def test_twenty_requests_at_once_make_one_requested_update_with_all_of_them(site: Site) -> None:
    codes = [f"70-{n:03d}" for n in range(20)]
    with site.database.writing() as session:
        session.add_all(StandardCostCode(code=code, description=code) for code in codes)
    results = at_once(*(partial(site.try_to_ask, f"{code} L") for code in codes))

    assert Counter(isinstance(r, Requested) and r.joined for r in results) == {False: 1, True: 19}
    assert site.updates() == [(State.READY, 20)]
    assert site.pairs(site.ask(f"{codes[0]} L")) == [f"{code} L" for code in codes]
    assert site.problems() == []


def test_two_windows_of_one_person_break_neither_each_other_nor_the_request(site: Site) -> None:
    by, content = actor(site.engineer), drafts.Content(text="09-250 L,M\n16-100 L")

    def save() -> str:
        with site.database.writing() as session:
            return drafts.save(session, by, content, job_id=site.job.id, at=NINE).token

    def submit(token: str) -> object:
        with site.database.writing() as session:
            return drafts.submit(session, token=token, by=by, at=NINE, rules=RULES, limits=LIMITS)

    for _ in range(4 * ROUNDS):
        token, _ = at_once(save, save)
        results = at_once(save, partial(submit, str(token)), partial(submit, str(token)))
        assert sum(isinstance(result, Requested) for result in results) <= 1
    assert site.event_names() == [Event.REQUESTED]


def test_a_delivery_that_arrives_twice_at_once_is_handled_once(site: Site) -> None:
    def arrive() -> bool:
        with site.database.writing() as session:
            return deliveries.first_time(session, "E1", at=NINE)

    assert Counter(at_once(*[arrive] * 4)) == {True: 1, False: 3}


def test_of_several_schedulers_one_takes_the_slot(site: Site) -> None:
    def take() -> bool:
        with site.database.writing() as session:
            return slots.take(session, "data_sync", NINE)

    assert Counter(at_once(*[take] * 4)) == {True: 1, False: 3}


def test_two_first_messages_of_a_person_tie_them_once(site: Site) -> None:
    def tie(user_id: str) -> SlackLink | AlreadyLinked:
        with site.database.writing() as session:
            return directory.link(
                session,
                session.get_one(Person, site.engineer.id),
                team_id="T1",
                user_id=user_id,
                by=SCHEDULE,
                at=NINE,
            )

    assert all(isinstance(r, SlackLink) for r in at_once(*[partial(tie, "U1")] * 4))
    assert site.event_names() == [Event.PERSON_LINKED]


def _locked(session: Session, job_id: int) -> None:
    directory.lock_jobs(session, [job_id])


def _told(session: Session, job_id: int) -> None:
    outbox.refresh_card(session, job_id, at=NINE)


@pytest.mark.parametrize("act", [_locked, _told])
def test_an_import_of_jobs_takes_them_in_the_order_that_everybody_does(
    postgres_site: Site, act: Callable[[Session, int], None]
) -> None:
    """Neither waits for the other: somebody has the job with the first id, and then wants the second."""
    site = postgres_site
    second = site.another_job("23-001")  # its number is the first, its id is not
    rows = [
        {"number": job.number, "name": "New name", "procore_project_id": None} for job in (second, site.job)
    ]

    def import_jobs() -> None:
        with site.database.writing() as session:
            assert directory.put_jobs(session, rows, source="jobs", by=SCHEDULE, at=NINE) is None

    with ThreadPoolExecutor(1) as threads:
        with site.database.writing() as session:
            act(session, site.job.id)
            importing = threads.submit(import_jobs)
            until(partial(somebody_waits_for_a_lock, site.database))
            act(session, second.id)
        importing.result(DEADLINE_SECONDS)

    assert site.row(Job, second.id).name == "New name"


def test_two_imports_of_the_same_people_take_them_in_the_same_order(postgres_site: Site) -> None:
    site = postgres_site
    rows = [
        {
            "email": person.email,
            "name": "New name",
            "erp_permission": ErpPermission.STANDARD,
            "can_push_to_accounting": True,
            "active": True,
        }
        for person in (site.second, site.approver)
    ]

    def import_people() -> None:
        with site.database.writing() as session:
            assert directory.put_people(session, rows, source="people", by=SCHEDULE, at=NINE) is None

    with ThreadPoolExecutor(1) as threads:
        with site.database.writing() as session:
            session.get_one(Person, site.approver.id, with_for_update=True)
            importing = threads.submit(import_people)
            until(partial(somebody_waits_for_a_lock, site.database))
            session.get_one(Person, site.second.id, with_for_update=True)
        importing.result(DEADLINE_SECONDS)

    assert site.row(Person, site.second.id).name == "New name"


def install(database: Database) -> None:
    with database.writing() as session:
        outages.installed(session, workspace="Kestrel (T1)", by=SCHEDULE, at=NINE)


def test_an_install_and_who_has_approvers_reminded_lock_in_one_order(postgres_site: Site) -> None:
    site = postgres_site
    with site.database.writing() as session:
        for person in (site.second, site.approver):
            outbox.put_digest(session, person.id, at=NINE, due_at=NINE)
        waiting = outbox.due(session, now=NINE, limit=10)
        outbox.put_off(session, waiting, until=later(9), error="SlackRefused: missing_scope")
    with ThreadPoolExecutor(1) as threads:
        with site.database.writing() as session:
            event = audit.record(session, Event.REMINDED, by=SCHEDULE, at=NINE)
            installing = threads.submit(install, site.database)
            until(partial(somebody_waits_for_a_lock, site.database))
            telling.remind(session, event, [site.approver, site.second], calendar=Calendar())
        installing.result(DEADLINE_SECONDS)

    assert Event.SLACK_INSTALLED in site.event_names()


def test_an_install_and_who_puts_notices_off_lock_in_one_order(postgres_site: Site) -> None:
    site = postgres_site
    site.ask("03-300 L")
    with site.database.writing() as session:
        waiting = outbox.due(session, now=later(1), limit=10)
        for notice, minutes in zip(waiting, (9, 8, 7), strict=False):
            outbox.put_off(session, [notice], until=later(minutes), error="SlackRefused: missing_scope")
    with ThreadPoolExecutor(1) as threads:
        with site.database.writing() as session:
            outbox.put_off(session, waiting[1:2], until=later(9), error="SlackUnavailable")
            installing = threads.submit(install, site.database)
            until(partial(somebody_waits_for_a_lock, site.database))
            outbox.put_off(session, waiting[2:], until=later(9), error="SlackUnavailable")
        installing.result(DEADLINE_SECONDS)

    assert Event.SLACK_INSTALLED in site.event_names()


@pytest.mark.parametrize("seed", [1, 2])
def test_a_busy_office_meets_no_deadlock_and_leaves_a_whole_trail(site: Site, seed: int) -> None:
    # numbers against ids, so that whoever locks in another order than the others is caught
    jobs = [site.job, *(site.another_job(f"23-{n:03d}") for n in range(24, 20, -1))]
    with site.database.writing() as session:
        deactivated = Person(
            email="gone@example.com",
            name="Gone",
            erp_permission=ErpPermission.NONE,
            can_push_to_accounting=False,
            active=False,
        )
        session.add(deactivated)
    site.sage.refuses = dict.fromkeys(assignments("16-100 S"), "Category S is closed")
    at_once(*(Office(site, jobs, deactivated, seed * 100 + n).work for n in range(5)))

    assert site.problems() == []
    for job in jobs:
        states = [state for state, _ in site.updates(job)]
        assert states.count(State.READY) <= 1
        with site.database.reading() as session:
            check = holds.check(session, session.get_one(Job, job.id))
            waits = session.scalars(select(Hold.released_at.is_(None)).where(Hold.job_id == job.id)).all()
        assert check.free == (not set(states) & set(holds.HOLDING))
        assert set(waits) <= {not check.free}
    with site.database.reading() as session:
        loose = session.scalars(
            select(RequestedUpdate).where(
                RequestedUpdate.state == State.READY, RequestedUpdate.data_sync_id.is_not(None)
            )
        ).all()
    assert loose == []


def _clerk(database_url: str, codes: list[str], all_are_there: ProcessBarrier) -> None:
    database = Database(database_url)
    with database.reading() as session:
        job = session.scalars(select(Job)).one()
        clerk = session.scalars(select(Person).where(Person.email == "eve.engineer@example.com")).one()
    all_are_there.wait(DEADLINE_SECONDS)
    for code in codes:
        with database.writing() as session:
            result = requests.request(
                session,
                job=job,
                assignments=assignments(f"{code} L"),
                by=actor(clerk),
                at=NINE,
                rules=RULES,
                limits=LIMITS,
            )
        assert isinstance(result, Requested), result


def test_several_processes_write_at_once_and_none_is_turned_away(site: Site, database_url: str) -> None:
    codes = [f"70-{n:03d}" for n in range(60)]
    with site.database.writing() as session:
        session.add_all(StandardCostCode(code=code, description=code) for code in codes)
    all_are_there = forking.Barrier(3)
    clerks = [forked(_clerk, database_url, codes[start::3], all_are_there) for start in range(3)]
    for clerk in clerks:
        clerk.start()
    for clerk in clerks:
        clerk.join(DEADLINE_SECONDS)

    assert [clerk.exitcode for clerk in clerks] == [0, 0, 0]
    assert site.updates() == [(State.READY, 60)]
    assert site.problems() == []


def _begin_outage(site: Site, session: Session) -> object:
    return outages.begin(session, channel="#sage", code="is_archived", at=NINE, rules=RULES)


def _end_outage(site: Site, session: Session) -> object:
    return outages.end(session, channel="#sage", at=NINE)


def _begin_burst(site: Site, session: Session) -> object:
    return bursts.begin(session)


def _end_hand_over(site: Site, session: Session) -> object:
    person = session.get_one(Person, site.approver.id)
    return aways.end_away(session, person=person, by=actor(person), at=NINE)


def _hand_over(site: Site) -> None:
    with site.database.writing() as session:
        people = [session.get_one(Person, person.id) for person in (site.approver, site.second)]
        day, by = NINE.date(), actor(people[0])
        away = dict(zip(("person", "delegate"), people, strict=True))
        zone = Calendar().zone
        aways.set_away(session, **away, first_day=day, last_day=day, zone=zone, by=by, at=NINE, rules=RULES)


@pytest.mark.parametrize(
    ("before", "act"),
    [
        (lambda site: None, _begin_outage),
        (lambda site: in_one_transaction(site, _begin_outage), _end_outage),
        (lambda site: site.ask("03-300 L"), _begin_burst),
        (_hand_over, _end_hand_over),
    ],
    ids=["an outage begins", "an outage ends", "a burst begins", "a hand-over ends"],
)
def test_what_two_find_to_do_at_the_same_time_is_done_and_told_once(
    postgres_site: Site, before: Callable[[Site], object], act: Callable[[Site, Session], object]
) -> None:
    site = postgres_site
    before(site)
    with ThreadPoolExecutor(1) as threads:
        with site.database.writing() as session:
            first = act(site, session)
            other = threads.submit(in_one_transaction, site, act)
            until(lambda: other.done() or somebody_waits_for_a_lock(site.database))
        assert (bool(first), bool(other.result(DEADLINE_SECONDS))) == (True, False)
    assert site.problems() == []


def test_two_who_make_the_first_calls_of_procore_both_make_theirs(postgres_site: Site) -> None:
    site = postgres_site

    def call(_site: Site, session: Session) -> object:
        return procore_calls.take(session, 4001, share=1.0, usual_limit=100, at=NINE)

    with ThreadPoolExecutor(1) as threads:
        with site.database.writing() as session:
            assert call(site, session) is None
            other = threads.submit(in_one_transaction, site, call)
            until(lambda: other.done() or somebody_waits_for_a_lock(site.database))
        assert other.result(DEADLINE_SECONDS) is None
    with site.database.reading() as session:
        assert procore_calls.made(session, 4001, at=NINE) == 2


def test_what_comes_while_a_digest_is_fixed_joins_another(postgres_site: Site) -> None:
    site = postgres_site
    person_id = site.approver.id

    def put(_site: Site, session: Session) -> None:
        outbox.put_digest(session, person_id, at=NINE, due_at=NINE)

    in_one_transaction(site, put)
    with ThreadPoolExecutor(1) as threads:
        with site.database.writing() as session:
            [first] = outbox.waiting_for_person(session, person_id)
            assert outbox.gather(session, [first], "direct:1")
            other = threads.submit(in_one_transaction, site, put)
            until(lambda: other.done() or somebody_waits_for_a_lock(site.database))
        other.result(DEADLINE_SECONDS)
    with site.database.reading() as session:
        keys = [notice.message_key for notice in outbox.waiting_for_person(session, person_id)]
    assert keys == ["direct:1", None]


def in_one_transaction(site: Site, act: Callable[[Site, Session], object]) -> object:
    with site.database.writing() as session:
        return act(site, session)
