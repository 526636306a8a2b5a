"""Reads the facts after a fault: from the database, from what each person sees in Slack, and from Sage."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.sandbox.client import Person, Seen
from sync.sage.embedded import EmbeddedSage
from sync.sage.folders import SUFFIX, Folders
from sync.sage.layouts import read_records
from tests.faults.facts import Answer, Assignment, Facts, Line, Notice, Posted, TrailEvent, Update
from workflow import audit, messages, outbox
from workflow.database import Database
from workflow.tables import AuditEvent, Job, OutboxNotice, RequestedLine, RequestedUpdate, ScheduleSlot
from workflow.vocabulary import NoticeKind, PeriodicWork

_ENCODING = "cp1252"


def read_facts(
    database: Database,
    sage: EmbeddedSage,
    people: Sequence[tuple[str, Person]],
    *,
    sage_folder: Path | None,
    before: frozenset[Assignment],
    asked: frozenset[Assignment],
) -> Facts:
    """Everything as it is now; `people` are those whose Slack is looked at, by their names."""
    with database.reading() as session:
        jobs = {job.id: job.number for job in session.scalars(select(Job))}
        updates, lines = _updates(session, jobs)
        facts = {
            "cards": {number: messages.card_key(id_) for id_, number in jobs.items()},
            "updates": updates,
            "lines": lines,
            "events": tuple(_event(row, jobs) for row in audit.trail(session)),
            "audit_problems": tuple(audit.problems(session)),
            "notices": tuple(_notice(row, jobs) for row in session.scalars(select(OutboxNotice))),
            "undone": _undone(session),
        }
    seen = [(name, person.sees()) for name, person in people]
    return Facts(
        posted=tuple(_posted(sees for _, sees in seen)),
        answers=tuple(Answer(name, said.words) for name, sees in seen for said in sees.ephemerals),
        before=before,
        in_sage=in_sage(sage),
        in_files=_in_files(sage_folder) if sage_folder else Counter(),
        sage_answers_later=sage_folder is not None,
        asked=asked,
        **facts,  # type: ignore[arg-type]
    )


def in_sage(sage: EmbeddedSage) -> tuple[Assignment, ...]:
    """What Sage holds, a category of a cost code each."""
    return tuple(
        Assignment(row.job, row.extra, row.code, row.category) for row in sage.everything() if row.category
    )


def _updates(session: Session, jobs: dict[int, str]) -> tuple[tuple[Update, ...], tuple[Line, ...]]:
    found = session.scalars(select(RequestedUpdate)).all()
    job_of = {update.id: jobs[update.job_id] for update in found}
    updates = tuple(Update(update.id, job_of[update.id], update.state) for update in found)
    lines = tuple(
        Line(
            line.requested_update_id,
            Assignment(job_of.get(line.requested_update_id, "?"), line.extra, line.code, line.category),
            line.outcome,
            line.message,
        )
        for line in session.scalars(select(RequestedLine))
    )
    return updates, lines


def _event(row: AuditEvent, jobs: dict[int, str]) -> TrailEvent:
    job = jobs[row.job_id] if row.job_id else None
    return TrailEvent(row.seq, row.event, row.actor, job, row.requested_update_id, row.facts)


def _notice(row: OutboxNotice, jobs: dict[int, str]) -> Notice:
    return Notice(
        id=row.id,
        kind=row.kind,
        job=jobs[row.job_id] if row.job_id else None,
        event=row.event_seq,
        key=row.message_key,
        done=row.done_at is not None,
        given_up=row.given_up,
        waits_for_its_hour=_waits_for_its_hour(row),
        error=row.last_error,
    )


def waiting_notices(session: Session) -> int:
    """How many notices have still to go out, but for digests that wait for their hour."""
    waiting = select(OutboxNotice).where(OutboxNotice.done_at.is_(None), OutboxNotice.given_up.is_(False))
    return sum(not _waits_for_its_hour(row) for row in session.scalars(waiting))


def _waits_for_its_hour(row: OutboxNotice) -> bool:
    """Of a clock that is right: what one wrote that was ahead waits for an hour that is none."""
    now = datetime.now(UTC)
    in_time = row.created_at <= now + outbox.CLOCKS_DIFFER and row.last_error is None
    return row.kind is NoticeKind.DIGEST and in_time and row.due_at > now


def _undone(session: Session) -> tuple[str, ...]:
    """Data syncs that are due and not done; the newest by the clock may be under way, and is no fault."""
    slots = session.scalars(
        select(ScheduleSlot).where(
            ScheduleSlot.name == PeriodicWork.DATA_SYNC, ScheduleSlot.asked_by_id.is_not(None)
        )
    )
    return tuple(f"data sync of {slot.due_at:%H:%M:%S}" for slot in slots if slot.done_at is None)


def _posted(all_seen: Iterable[Seen]) -> Iterator[Posted]:
    """Each message with a key, once, whoever sees it."""
    known = set()
    for seen in all_seen:
        for conversation in seen.raw["conversations"]:
            for message in conversation["messages"]:
                key = ((message.get("metadata") or {}).get("event_payload") or {}).get("key")
                place = (conversation["id"], message["ts"])
                if key and place not in known:
                    known.add(place)
                    yield Posted(key, _words(message["blocks"], message["text"]))


def _words(blocks: object, text: str) -> str:
    """Everything that a message says, as one text."""
    return f"{text}\n{blocks}"


def _in_files(folder: Path) -> Counter[Assignment]:
    """How often each line stands in import files, imported or not."""
    folders = Folders.under(folder)
    return Counter(
        Assignment(record.line.job, asked.extra, asked.code, asked.category)
        for where in (folders.outgoing, folders.done)
        for path in sorted(where.glob(f"*{SUFFIX}"))
        for record in read_records(path.read_bytes().decode(_ENCODING).splitlines())
        for asked in (record.line.assignment,)
    )
