"""The JSON of upkeep: status, doctor, the audit trail and the database."""

from datetime import datetime

from bot.commands.shapes import NotDone, Shape
from bot.commands.sync_shapes import SyncRow
from workflow.vocabulary import State


class AuditEventShape(Shape):
    """One event of `audit export`, a JSON line or, with the same columns, a row of CSV.

    The ids, `previous_hash` and `hash` are there for who wants to follow the chain alone.
    """

    seq: int
    at: datetime
    event: str
    place: str
    actor: str
    actor_email: str | None
    actor_id: int | None
    job: str | None
    job_id: int | None
    requested_update_id: int | None
    facts: dict[str, object]
    previous_hash: str
    hash: str
    request_id: str | None


class AuditShape(Shape):
    """`audit verify`: how many events the trail has, and a sentence for each that was tampered with."""

    events: int
    problems: list[str]


class RefusalRow(Shape):
    """How often an act was refused for a reason."""

    reason: str
    count: int


class StatusShape(Shape):
    """`status`: how many jobs are in each state, what waits, and the data syncs around now."""

    jobs: dict[State, int]
    holds_waiting: int
    notices_waiting: int
    notices_given_up: int
    notices_wait_for: str | None
    last_sync: SyncRow | None
    next_sync_at: datetime
    parts: dict[str, str]
    """`ok`, or what is wrong, of the database, Redis, Sage's files, the data sync, the bot and Slack."""
    oldest_ready_at: datetime | None
    oldest_notice_at: datetime | None
    last_sync_done_at: datetime | None
    missed_syncs: int
    refusals: list[RefusalRow]
    slack_calls: int | None
    slack_rate_limited: int | None
    sync_runs: dict[str, int] | None
    """Runs of the data sync by how they ended, and the seconds that all of them took."""
    sync_seconds: float | None
    """The last four are since Redis last started anew; null while it does not answer."""


class StatusNotKnown(NotDone):
    """`status` while the database cannot be reached: `parts` as in `StatusShape`, as far as can be seen."""

    parts: dict[str, str]


class FindingShape(Shape):
    """One thing that `doctor` looked at; `mend` says what to do when it is not ok."""

    name: str
    ok: bool
    words: str
    mend: str


class DoctorShape(Shape):
    """`doctor`."""

    ok: bool
    findings: list[FindingShape]


class MigratedShape(Shape):
    """`migrate`: the schema's revision now."""

    revision: str


class CopiedShape(Shape):
    """`db copy`: how many rows each table has, in both databases."""

    rows: int
    tables: dict[str, int]


class BackedUpShape(Shape):
    """`db backup FILE`: its size in bytes, the events of its audit trail, and what is wrong with that."""

    file: str
    size: int
    events: int
    problems: list[str]


class RestoredShape(Shape):
    """`db restored`: cards that are drawn anew, and notices that waited when the backup was taken."""

    cards: int
    notices_waiting: int
