"""Reads the facts after a fault: from the database, from what each person sees in Slack, and from Sage."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.blocks import step_words
from bot.sandbox.client import Person, Sandbox, Seen
from sync.sage.embedded import EmbeddedSage
from sync.sage.folders import SUFFIX, Folders
from sync.sage.layouts import read_records
from tests.faults.clicking import is_answer, key_of
from tests.faults.facts import Answer, Assignment, Facts, Line, Notice, Posted, Slot, TrailEvent, Update
from workflow import audit, messages, outbox
from workflow.database import Database
from workflow.tables import AuditEvent, Job, OutboxNotice, RequestedLine, RequestedUpdate, ScheduleSlot
from workflow.vocabulary import NoticeKind

STEP = "step"
_NOTHING_KEPT = (str(step_words.WENT_WRONG), str(step_words.MAY_BE_SAVED))
_ENCODING = "cp1252"


def read_facts(
    database: Database,
    sage: EmbeddedSage,
    slack: Sandbox,
    people: Sequence[tuple[str, Person]],
    *,
    sage_folder: Path | None,
    **promised: Any,
) -> Facts:
    """Everything as it is now, and what the company knows; `people` are those whose Slack is looked at."""
    with database.reading() as session:
        jobs = {job.id: job.number for job in session.scalars(select(Job))}
        updates, lines = _updates(session, jobs)
        events = tuple(_event(row, jobs) for row in audit.trail(session))
        # which request for the privilege an event is of
        asked = {event.seq: int(event.facts.get("privilege_request_id") or 0) for event in events}
        facts = {
            "cards": {number: messages.card_key(id_) for id_, number in jobs.items()},
            "updates": updates,
            "lines": lines,
            "events": events,
            "audit_problems": tuple(audit.problems(session)),
            "notices": tuple(_notice(row, jobs, asked) for row in session.scalars(select(OutboxNotice))),
            "slots": tuple(
                Slot(slot.name, slot.due_at, slot.asked_by_id is not None, slot.done_at is not None)
                for slot in session.scalars(select(ScheduleSlot))
            ),
        }
    seen = {name: person.sees() for name, person in people}
    return Facts(
        posted=tuple(_posted(seen.values())),
        answers=tuple(_answers(slack, seen)),
        in_sage=in_sage(sage),
        in_files=_in_files(sage_folder) if sage_folder else Counter(),
        sage_answers_later=sage_folder is not None,
        **facts,  # type: ignore[arg-type]
        **promised,
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
    return TrailEvent(
        row.seq, row.event, row.actor, job, row.requested_update_id, row.facts, row.at, row.request_id
    )


def _notice(row: OutboxNotice, jobs: dict[int, str], requests: dict[int, int]) -> Notice:
    return Notice(
        id=row.id,
        kind=row.kind,
        job=jobs[row.job_id] if row.job_id else None,
        event=row.event_seq,
        key=_key(row, requests),
        done=row.done_at is not None,
        given_up=row.given_up,
        waits_for_its_hour=_waits_for_its_hour(row),
        error=row.last_error,
    )


def _key(row: OutboxNotice, requests: dict[int, int]) -> str | None:
    """The key of the one message that tells a notice, or of the step of a workflow that it ends."""
    match row.kind:
        case NoticeKind.CARD:
            return messages.card_key(row.job_id or 0)
        case NoticeKind.THREAD:
            return messages.thread_key(row.event_seq or 0)
        case NoticeKind.PRIVILEGE:
            return messages.privilege_key(requests[row.event_seq or 0], row.person_id or 0)
        case NoticeKind.STEP:
            return f"{STEP}:{row.function_execution_id}"
    return row.message_key


def waiting_notices(session: Session) -> int:
    """How many notices have still to go out, but for digests that wait for their hour."""
    waiting = select(OutboxNotice).where(OutboxNotice.done_at.is_(None), OutboxNotice.given_up.is_(False))
    return sum(not _waits_for_its_hour(row) for row in session.scalars(waiting))


def _waits_for_its_hour(row: OutboxNotice) -> bool:
    """Of a clock that is right: what one wrote that was ahead waits for an hour that is none."""
    now = datetime.now(UTC)
    in_time = row.created_at <= now + outbox.CLOCKS_DIFFER and row.last_error is None
    return row.kind is NoticeKind.DIGEST and in_time and row.due_at > now


def _answers(slack: Sandbox, seen: Mapping[str, Seen]) -> Iterator[Answer]:
    """What each person alone was told: where they acted, in a window, or by a message of the bot's."""
    names = {sees.raw["me"]: name for name, sees in seen.items()}
    for name, sees in seen.items():
        yield from (Answer(name, said.words) for said in sees.ephemerals)
        yield from (Answer(name, said.words) for said in sees.direct_messages if is_answer(said))
    for user, window in slack.windows():
        if user in names and len(window.blocks) == 1:  # an answer and nothing else
            yield Answer(names[user], window.words)


def _posted(all_seen: Iterable[Seen]) -> Iterator[Posted]:
    """Each message with a key, once, whoever sees it."""
    known = set()
    for seen in all_seen:
        for conversation in seen.raw["conversations"]:
            for message in conversation["messages"]:
                key = key_of(message)
                place = (conversation["id"], message["ts"])
                if key and place not in known:
                    known.add(place)
                    yield Posted(key, _words(message["blocks"], message["text"]))
        for step in (step for run in seen.raw["runs"] for step in run["steps"]):
            if step["state"] != "running":
                nothing_kept = step["error"] in _NOTHING_KEPT
                yield Posted(f"{STEP}:{step['id']}", str(step["outputs"]), of_nothing_kept=nothing_kept)


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
