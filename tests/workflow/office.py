"""People and programs at work at the same time, each at random but repeatably, for the hunt for deadlocks."""

import random
from collections import Counter
from datetime import timedelta

from sqlalchemy import select

from tests.factories import LIMITS, NINE, RULES, actor, assignments
from tests.workflow.site import Site
from workflow import (
    aways,
    directory,
    drafts,
    escalation,
    expiry,
    holds,
    outages,
    outbox,
    preferences,
    reminders,
    requests,
)
from workflow.calendar import Calendar
from workflow.preferences import Choices
from workflow.privileges import SCHEDULE, Refused
from workflow.tables import Job, Person, RequestedUpdate
from workflow.vocabulary import ErpPermission, HoldKind, Notify, State
from workflow.waiting import Patience

_LOCK_SECONDS = 60.0
_LATER = NINE + timedelta(days=9)
_IMPATIENT = Patience(
    remind_after=timedelta(hours=1),
    escalate_after=timedelta(hours=2),
    escalate_to=("ben.second@example.com",),
    expire_after=timedelta(days=1),
)


class Office:
    """One of several people and programs that do at random, but repeatably, whatever costbot can do."""

    def __init__(self, site: Site, jobs: list[Job], deactivated: Person, seed: int) -> None:
        self.site, self.jobs, self.deactivated = site, jobs, deactivated
        self.chance = random.Random(seed)

    def work(self) -> Counter[str]:
        acts = [
            *[self.ask] * 3,
            *[self.decide] * 4,
            self.ask_without_right,
            self.take_back,
            self.send_again,
            self.hold,
            self.sync,
            self.import_jobs,
            self.import_people,
            self.look_at_what_waits,
            self.ask_again,
            self.hand_over,
            self.choose,
            self.send_a_draft,
            self.install,
            self.deliver,
        ]
        done: Counter[str] = Counter()
        for _ in range(15):
            act = self.chance.choice(acts)
            act()
            done[act.__name__] += 1
        return done

    def ask(self) -> None:
        codes = self.chance.sample(["01-100", "03-300", "09-250", "16-100"], 2)
        lines = [f"{code} {self.chance.choice('LMS')}" for code in codes]
        self.site.try_to_ask(*lines, job=self.chance.choice(self.jobs))

    def ask_without_right(self) -> None:
        with self.site.database.writing() as session:
            result = requests.request(
                session,
                job=self.chance.choice(self.jobs),
                assignments=assignments("03-300 L"),
                by=actor(self.deactivated),
                at=NINE,
                rules=RULES,
                limits=LIMITS,
            )
        assert isinstance(result, Refused)

    def decide(self) -> None:
        if update := self.some(State.READY):
            by = self.chance.choice([self.site.approver, self.site.second])
            self.site.accept(update, by=by) if self.chance.random() < 0.8 else self.site.reject(update, by=by)

    def take_back(self) -> None:
        if update := self.some(State.ACCEPTED):
            self.site.take_back(update)

    def send_again(self) -> None:
        if update := self.some(State.FAILED):
            self.site.send_again(update)

    def hold(self) -> None:
        with self.site.database.writing() as session:
            holds.add(
                session,
                job=self.chance.choice(self.jobs),
                kind=HoldKind.COMMITMENT,
                number=str(self.chance.randrange(5)),
                title="Contract",
                by=actor(self.site.engineer),
                at=NINE,
                rules=RULES,
            )

    def sync(self) -> None:
        with self.site.database.exclusive("data_sync", wait_seconds=_LOCK_SECONDS) as held:
            assert held
            self.site.data_sync()

    def import_jobs(self) -> None:
        rows = [
            {"number": job.number, "name": job.name, "procore_project_id": job.id + 1_000}
            for job in self.chance.sample(self.jobs, len(self.jobs))
        ]
        with self.site.database.writing() as session:
            assert directory.put_jobs(session, rows, source="jobs", by=SCHEDULE, at=NINE) is None

    def import_people(self) -> None:
        rows = [
            {
                "email": person.email,
                "name": person.name,
                "erp_permission": ErpPermission.STANDARD,
                "can_push_to_accounting": True,
                "active": True,
            }
            for person in self.chance.sample([self.site.approver, self.site.second], 2)
        ]
        with self.site.database.writing() as session:
            assert directory.put_people(session, rows, source="people", by=SCHEDULE, at=NINE) is None

    def look_at_what_waits(self) -> None:
        """Expire, escalate or remind, as the schedule does."""
        patience, calendar = _IMPATIENT, Calendar()
        act = self.chance.choice(["expire", "escalate", "remind"])
        update = self.some(State.READY)
        with self.site.database.writing() as session:
            if act == "remind":
                due = reminders.due(session, patience=patience, calendar=calendar, at=_LATER)
                reminders.remind(session, due, patience=patience, calendar=calendar, at=_LATER)
            elif update is not None and act == "expire":
                expiry.expire(session, requested_update_id=update.id, patience=patience, at=_LATER)
            elif update is not None:
                escalation.escalate(
                    session, requested_update_id=update.id, patience=patience, calendar=calendar, at=_LATER
                )

    def ask_again(self) -> None:
        update = self.some(State.EXPIRED) or self.some(State.REJECTED)
        with self.site.database.writing() as session:
            requests.ask_again(
                session,
                requested_update_id=update.id if update else None,
                by=actor(self.site.engineer),
                at=NINE,
                rules=RULES,
                limits=LIMITS,
            )

    def hand_over(self) -> None:
        pair = [self.site.approver, self.site.second]
        self.chance.shuffle(pair)
        with self.site.database.writing() as session:
            person, delegate = (session.get_one(Person, one.id) for one in pair)
            if self.chance.random() < 0.3:
                aways.end_away(session, person=person, by=actor(person), at=NINE)
            else:
                aways.set_away(
                    session,
                    person=person,
                    delegate=delegate,
                    first_day=NINE.date(),
                    last_day=NINE.date(),
                    zone=Calendar().zone,
                    by=actor(person),
                    at=NINE,
                    rules=RULES,
                )

    def choose(self) -> None:
        person = self.chance.choice([self.site.approver, self.site.second])
        choices = Choices(self.chance.choice(list(Notify)))
        with self.site.database.writing() as session:
            preferences.choose(session, person, choices, by=actor(person), at=NINE)

    def install(self) -> None:
        with self.site.database.writing() as session:
            outages.installed(session, workspace="Kestrel (T1)", by=SCHEDULE, at=NINE)

    def deliver(self) -> None:
        """Slack takes some of what is due, and the rest waits."""
        with self.site.database.reading() as session:
            due = list(outbox.due(session, now=_LATER, limit=20))
        self.chance.shuffle(due)
        with self.site.database.writing() as session:
            outbox.lock(session, due[5:])
            outbox.put_off(session, due[5:10], until=_LATER, error="bad blocks", counts=True)
            outbox.put_off(session, due[10:], until=_LATER, error="bad blocks")
        with self.site.database.writing() as session:
            outbox.done(session, due[:5], at=NINE)

    def send_a_draft(self) -> None:
        by, content = actor(self.site.engineer), drafts.Content(text="09-250 L,M\n16-100 L")
        with self.site.database.writing() as session:
            job_id = self.chance.choice(self.jobs).id
            token = drafts.save(session, by, content, job_id=job_id, at=NINE).token
        with self.site.database.writing() as session:
            drafts.submit(session, token=token, by=by, at=NINE, rules=RULES, limits=LIMITS)

    def some(self, state: State) -> RequestedUpdate | None:
        with self.site.database.reading() as session:
            found = session.scalars(select(RequestedUpdate).where(RequestedUpdate.state == state)).all()
        return self.chance.choice(found) if found else None
