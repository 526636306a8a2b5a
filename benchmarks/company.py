"""A contractor of any size in a database: its jobs, approvers, assignments, audit trail and Sage.

It goes through the life of a requested update as costbot does: a planned batch, then synced, then Ready to
Update anew. Every state is one that costbot itself reaches, and `costbot audit verify` finds the trail whole.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import datetime
from operator import itemgetter
from pathlib import Path

from sqlalchemy import select

from benchmarks.loading import Values, load, run, settle_down
from benchmarks.measure import Sizes
from sync.sage.embedded import EmbeddedSage
from tests.factories import NINE, later
from workflow import audit
from workflow.database import Database, migrate
from workflow.tables import (
    AuditEvent,
    AuditHead,
    Category,
    DataSync,
    Job,
    Person,
    RequestedLine,
    RequestedUpdate,
    SageAssignment,
    SlackLink,
    StandardCostCode,
)
from workflow.vocabulary import ErpPermission, Event, Outcome, Place, Standing, State, SyncState

TEAM = "T0BENCH"
CODES = 25_000
CATEGORIES = "LMSE"
_EVENTS = "seq, at, event, place, actor_id, actor, job_id, requested_update_id, facts, previous_hash, hash"
_LINES = (
    "id, requested_update_id, extra, code, category, description, requested_by_id, requested_at, "
    "added_in_revision, standing, outcome"
)


def code(n: int) -> str:
    """A cost code of the standard list, by its place in it."""
    return f"{n // 1000:02}-{n % 1000:03}"


def user_of(person_id: int) -> str:
    """The Slack user of a person."""
    return f"U{person_id:04}"


def email_of(person_id: int) -> str:
    """The address of a person."""
    return f"person{person_id}@example.com"


def name_of(person_id: int) -> str:
    """What a person is called."""
    return f"Person {person_id}"


class Company:
    """The company in one database; approvers are the people from 1 on, and the last person asks."""

    def __init__(self, engine: str, url: str, sizes: Sizes, *, lines: int) -> None:
        self.engine, self.url, self.sizes = engine, url, sizes
        self.lines = lines
        self._updates = lines // sizes.lines_a_job
        self.engineer = sizes.approvers + 1

    def found(self) -> None:
        """The schema, people, jobs and lists."""
        migrate(self.url)
        people = [
            (
                n,
                email_of(n),
                name_of(n),
                *((ErpPermission.STANDARD, True) if n < self.engineer else (ErpPermission.NONE, False)),
                True,
            )
            for n in self.people
        ]
        load(self.url, Person, "id, email, name, erp_permission, can_push_to_accounting, active", people)
        load(
            self.url,
            SlackLink,
            "team_id, user_id, person_id, linked_at, time_zone, locale",
            ((TEAM, user_of(person[0]), person[0], NINE, "America/Chicago", "en-US") for person in people),
        )
        load(
            self.url,
            Job,
            "id, number, name, read_back_at, known_in_sage, sage_name",
            ((n, self.number(n), self.name(n), NINE, True, self.name(n)) for n in self.jobs),
        )
        load(self.url, Category, "code, name", ((c, f"Category {c}") for c in CATEGORIES))
        load(
            self.url,
            StandardCostCode,
            "code, description",
            ((code(n), f"Concrete slab item {n}") for n in range(CODES)),
        )

    @property
    def people(self) -> range:
        """The approvers, and whoever asks."""
        return range(1, self.engineer + 1)

    @property
    def jobs(self) -> range:
        return range(1, self.sizes.jobs + 1)

    @staticmethod
    def number(job_id: int) -> str:
        """The number of a job."""
        return f"26-{job_id:05}"

    @staticmethod
    def name(job_id: int) -> str:
        """What a job is called, in Sage too."""
        return f"Job number {job_id}"

    @property
    def _sent(self) -> range:
        """The requested updates of the batch; each has its job's number."""
        return range(1, self._updates + 1)

    def accept(self) -> None:
        """All lines asked for and accepted."""
        load(
            self.url,
            RequestedUpdate,
            "id, job_id, state, revision, requested_by_id, requested_at, decided_by_id, decided_at",
            ((n, n, State.ACCEPTED, 1, self.engineer, NINE, 1, NINE) for n in self._sent),
        )
        load(self.url, RequestedLine, _LINES, self._lines(self._sent, self.sizes.lines_a_job, 0))
        self._record(
            [(event, n, n) for event in (Event.REQUESTED, Event.UPDATED) for n in self._sent], at=NINE
        )
        settle_down(self.url)

    def plan_a_batch(self) -> None:
        """All that is accepted planned into the one batch that is about to be sent."""
        load(
            self.url,
            DataSync,
            "id, state, place, started_at, jobs, created, tied, already_there, failed",
            [(1, SyncState.PLANNED, Place.SCHEDULE, NINE, self._updates, 0, 0, 0, 0)],
        )
        run(self.url, "UPDATE requested_updates SET data_sync_id = 1")
        settle_down(self.url)

    def sync(self) -> None:
        """Sage took the batch and holds every line."""
        at = "'2026-11-02 09:30:00.000000'" if self.engine == "SQLite" else "'2026-11-02 09:30:00+00'"
        settled = self._lines(self._sent, self.sizes.lines_a_job, 0, Outcome.CREATED)
        load(self.url, RequestedLine, _LINES, settled, instead=True)
        run(
            self.url,
            f"UPDATE requested_updates SET state = '{State.SYNCED}', exported_at = {at}, finished_at = {at}",
            f"UPDATE data_syncs SET state = '{SyncState.FINISHED}', sent_at = {at}, finished_at = {at}, "
            f"created = {self._updates * self.sizes.lines_a_job}",
        )
        load(
            self.url,
            SageAssignment,
            "job_id, extra, code, category, description",
            ((n, *line) for n in self._sent for line in self._held_lines()),
        )
        self._record([(event, n, n) for event in (Event.EXPORTED, Event.SYNCED) for n in self._sent], at=NINE)
        settle_down(self.url)

    def fill(self, sage: EmbeddedSage) -> None:
        """Have an embedded Sage company hold what was sent; its own `load` takes one row after the other."""
        next(sage.read([""]))  # which makes the file
        with closing(sqlite3.connect(sage.path)) as file, file:
            file.executemany(
                "INSERT INTO jobs VALUES (?, ?)", ((self.number(n), self.name(n)) for n in self.jobs)
            )
            for table, columns in (("cost_codes", (0, 2, 3, 4)), ("assignments", (0, 2, 3, 5))):
                rows = (itemgetter(*columns)(row) for row in self.held())
                file.executemany(f"INSERT OR IGNORE INTO {table} VALUES (?, ?, ?, ?)", rows)

    def held(self) -> Iterator[Sequence[str]]:
        """What Sage holds by then, as the rows of an export."""
        for n in self._sent:
            for extra, code_, category, description in self._held_lines():
                yield self.number(n), self.name(n), extra, code_, description, category

    def _held_lines(self) -> Iterator[tuple[str, str, str, str]]:
        for place in range(self.sizes.lines_a_job):
            yield "", code(place // 4), CATEGORIES[place % 4], f"Concrete slab item {place // 4}"

    def ask(self, ready: int, *, lines: int = 2) -> None:
        """So many jobs are Ready to Update, with lines that Sage does not hold."""
        first = self._updates + 1
        updates = range(first, first + ready)
        load(
            self.url,
            RequestedUpdate,
            "id, job_id, state, revision, requested_by_id, requested_at",
            ((n, n - first + 1, State.READY, 1, self.engineer, later(60)) for n in updates),
        )
        load(self.url, RequestedLine, _LINES, self._lines(updates, lines, self.sizes.lines_a_job))
        self._record([(Event.REQUESTED, n - first + 1, n) for n in updates], at=later(60))
        settle_down(self.url)

    def ready(self) -> list[tuple[int, int]]:
        """Job and requested update, of all that are Ready to Update."""
        with closing(Database(self.url)) as database, database.reading() as session:
            query = select(RequestedUpdate.job_id, RequestedUpdate.id)
            found = query.where(RequestedUpdate.state == State.READY).order_by(RequestedUpdate.id)
            return [(job_id, id_) for job_id, id_ in session.execute(found)]

    def _lines(
        self, updates: range, lines: int, first_place: int, outcome: Outcome | None = None
    ) -> Iterator[Values]:
        first_id = 1 if not first_place else self._updates * self.sizes.lines_a_job + 1
        for update in updates:
            for n in range(lines):
                place = first_place + n
                yield (
                    first_id + (update - updates.start) * lines + n,
                    update,
                    "",
                    code(place // 4),
                    CATEGORIES[place % 4],
                    f"Concrete slab item {place // 4}",
                    self.engineer,
                    NINE,
                    1,
                    Standing.NEW_CODE,
                    outcome,
                )

    def _record(self, events: Sequence[tuple[Event, int, int]], *, at: datetime) -> None:
        """Append to the audit trail as `audit.record` does."""
        with closing(Database(self.url)) as database:
            with database.reading() as session:
                head = session.scalars(select(AuditHead)).one()
            rows = []
            for event, job_id, update_id in events:
                row = AuditEvent(
                    seq=head.seq + 1,
                    at=at,
                    event=event.value,
                    place=Place.SCHEDULE.value,
                    actor_id=None,
                    actor="the schedule",
                    job_id=job_id,
                    requested_update_id=update_id,
                    facts={"revision": 1},
                    previous_hash=head.hash,
                )
                row.hash = audit.hash_of(row)
                head.seq, head.hash = row.seq, row.hash
                rows.append(tuple(getattr(row, name) for name in _EVENTS.split(", ")))
            load(self.url, AuditEvent, _EVENTS, rows)
        run(self.url, f"UPDATE audit_head SET seq = {head.seq}, hash = '{head.hash}'")


def sqlite_url(folder: Path, name: str) -> str:
    """Where a database file of this name is."""
    return f"sqlite:///{folder / name}.sqlite"
