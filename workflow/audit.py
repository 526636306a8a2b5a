"""The audit trail: append-only rows, each chained to the one before by a hash.

Owns the hash, the appending and the verifying. Append last in a transaction: the end of the chain
is one locked row, so whoever holds it must not go on to wait for other rows.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from operator import attrgetter
from typing import Any, NamedTuple

import structlog
from sqlalchemy import Result, Row, String, Text, cast, insert, select, update
from sqlalchemy.orm import Session

from workflow import bulk, request_ids
from workflow.characters import storable
from workflow.database import when_kept
from workflow.privileges import Actor, Refused
from workflow.tables import AuditEvent, AuditHead
from workflow.vocabulary import Event

GENESIS = "0" * 64
_READ_ROWS = 1_000
_LOGGED = ("seq", "place", "actor_id", "job_id", "requested_update_id", "request_id")
_log = structlog.get_logger(__name__)  # named, or each line would look up who speaks
_EVENTS, _HEAD = AuditEvent.__table__, AuditHead.__table__
_ACTOR_CHARACTERS = _EVENTS.c.actor.type.length  # type: ignore[attr-defined]
# built once, of the tables alone and past the session: every act of everybody waits for the end of the chain
_LOCK_HEAD = select(_HEAD.c.seq, _HEAD.c.hash).with_for_update()
_MOVE_HEAD = update(_HEAD)  # type: ignore[arg-type]
_APPEND = insert(_EVENTS)  # type: ignore[arg-type]


_OF_AN_ACT = ("at", "place", "actor_id", "actor")


class Recorded(NamedTuple):
    """An event as it was appended: the columns of its row, of which the session knows nothing."""

    seq: int
    at: datetime
    event: str
    place: str
    actor_id: int | None
    actor: str
    job_id: int | None
    requested_update_id: int | None
    facts: dict[str, Any]
    request_id: str | None
    previous_hash: str
    hash: str = ""


_OF_AN_ENTRY = tuple(name for name in Recorded._fields if name not in _OF_AN_ACT)


def record(
    session: Session,
    event: Event,
    *,
    by: Actor,
    at: datetime,
    job_id: int | None = None,
    requested_update_id: int | None = None,
    **facts: Any,
) -> Recorded:
    """Append one event to the trail, in the caller's transaction; the log tells of it once it is kept."""
    session.flush()  # what waits for other rows does so before the head is locked
    connection = session.connection()
    last, last_hash = connection.execute(_LOCK_HEAD).one()
    row = Recorded(
        seq=last + 1,
        at=at,
        event=event.value,
        place=by.place.value,
        actor_id=by.on_record,
        actor=storable(by.name)[:_ACTOR_CHARACTERS],
        job_id=job_id,
        requested_update_id=requested_update_id,
        facts=facts,
        request_id=request_ids.current(),
        previous_hash=last_hash,
    )
    row = row._replace(hash=hash_of(row))
    connection.execute(_APPEND, row._asdict())
    connection.execute(_MOVE_HEAD, {"seq": row.seq, "hash": row.hash})
    when_kept(session, partial(_tell_the_log, row))
    return row


def refuse(
    session: Session,
    refused: Refused,
    act: str,
    *,
    by: Actor,
    at: datetime,
    job_id: int | None = None,
    requested_update_id: int | None = None,
    **facts: Any,
) -> Refused:
    """Refuse an act, on record; the refusal itself, for whoever asked."""
    about = {"job_id": job_id, "requested_update_id": requested_update_id}
    record(session, Event.REFUSED, by=by, at=at, **about, act=act, reason=refused.reason.value, **facts)
    return refused


class Entry(NamedTuple):
    """What many events of one act differ in."""

    event: Event
    job_id: int
    requested_update_id: int
    facts: dict[str, Any]
    request_id: str | None


def record_many(session: Session, entries: Sequence[Entry], *, by: Actor, at: datetime) -> list[int]:
    """Append events to the trail as `record` does, by a few statements; their numbers, in this order."""
    if not entries:
        return []
    session.flush()
    connection = session.connection()
    seq, previous = connection.execute(_LOCK_HEAD).one()
    rows = []
    for entry in entries:
        seq += 1
        row = Recorded(
            seq=seq,
            at=at,
            event=entry.event.value,
            place=by.place.value,
            actor_id=by.on_record,
            actor=storable(by.name)[:_ACTOR_CHARACTERS],
            job_id=entry.job_id,
            requested_update_id=entry.requested_update_id,
            facts=entry.facts,
            request_id=entry.request_id,
            previous_hash=previous,
        )
        previous = hash_of(row)
        row = row._replace(hash=previous)
        rows.append(row)
        when_kept(session, partial(_tell_the_log, row))
    shared = {name: getattr(rows[0], name) for name in _OF_AN_ACT}
    bulk.insert_many(session, AuditEvent, _OF_AN_ENTRY, map(attrgetter(*_OF_AN_ENTRY), rows), **shared)
    connection.execute(_MOVE_HEAD, {"seq": seq, "hash": previous})
    return [row.seq for row in rows]


def hash_of(row: AuditEvent | Recorded) -> str:
    """SHA-256 (hex) of the row's canonical JSON and the hash before it."""
    return _hash(row, row.at, row.facts)


def trail(session: Session) -> Iterator[AuditEvent]:
    """Every event, oldest first, streamed."""
    return session.scalars(
        select(AuditEvent).order_by(AuditEvent.seq).execution_options(yield_per=_READ_ROWS)
    )


def problems(session: Session) -> Iterator[str]:
    """One sentence for each row that was edited, removed or added behind costbot's back."""
    expected_seq, expected_hash = 1, GENESIS
    for row in _as_stored(session):
        if row.seq != expected_seq:
            yield f"Event {expected_seq} is missing: the trail goes on with event {row.seq}."
        elif row.previous_hash != expected_hash:
            yield f"Event {row.seq} does not follow from event {row.seq - 1}: one of the two was changed."
        if row.hash != _hash_as_stored(row):
            yield f"Event {row.seq} was changed after it was written."
        expected_seq, expected_hash = row.seq + 1, row.hash
    head = session.scalars(select(AuditHead)).one_or_none()
    if head is None:
        yield "The end of the trail is not on record: its row was removed."
    elif (head.seq, head.hash) != (expected_seq - 1, expected_hash):
        yield f"The trail ends at event {expected_seq - 1}, but {head.seq} were written: its end was cut off."


def _tell_the_log(row: Recorded) -> None:
    told = {name: getattr(row, name) for name in _LOGGED}
    _log.info(row.event, **{name: value for name, value in told.items() if value is not None})


def _as_stored(session: Session) -> Result[*tuple[Any, ...]]:
    """Every row with its time and facts as text, since an edited row may hold neither a time nor JSON."""
    columns = [column for column in AuditEvent.__table__.c if column.name not in ("at", "facts")]
    at, facts = cast(AuditEvent.at, String).label("at"), cast(AuditEvent.facts, Text).label("facts")
    rows = select(*columns, at, facts).order_by(AuditEvent.seq)
    return session.execute(rows.execution_options(yield_per=_READ_ROWS))


def _hash_as_stored(row: Row[*tuple[Any, ...]]) -> str | None:
    """What the row's hash should be; None when the row could not have been written by costbot."""
    try:
        at = datetime.fromisoformat(row.at)
        return _hash(row, at if at.tzinfo else at.replace(tzinfo=UTC), json.loads(row.facts))
    except (TypeError, ValueError):
        return None


def _hash(row: AuditEvent | Recorded | Row[*tuple[Any, ...]], at: datetime, facts: Any) -> str:
    content = [
        row.previous_hash,
        row.seq,
        at.astimezone(UTC).isoformat(),
        row.event,
        row.place,
        row.actor_id,
        row.actor,
        row.job_id,
        row.requested_update_id,
        facts,
        *([] if row.request_id is None else [row.request_id]),
    ]
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
