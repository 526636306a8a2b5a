"""The audit trail: append-only rows, each chained to the one before by a hash.

Owns the hash, the appending and the verifying. Append last in a transaction: the end of the chain
is one locked row, so whoever holds it must not go on to wait for other rows.
"""

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from workflow.privileges import Actor
from workflow.tables import AuditEvent, AuditHead
from workflow.vocabulary import Event

GENESIS = "0" * 64
_READ_ROWS = 1_000


def record(
    session: Session,
    event: Event,
    *,
    by: Actor,
    at: datetime,
    job_id: int | None = None,
    requested_update_id: int | None = None,
    **facts: Any,
) -> AuditEvent:
    """Append one event to the trail, in the caller's transaction."""
    head = session.scalars(
        select(AuditHead).with_for_update().execution_options(populate_existing=True)
    ).one()
    row = AuditEvent(
        seq=head.seq + 1,
        at=at,
        event=event,
        place=by.place,
        actor_id=by.person_id,
        actor=by.name,
        job_id=job_id,
        requested_update_id=requested_update_id,
        facts=facts,
        previous_hash=head.hash,
    )
    row.hash = hash_of(row)
    head.seq, head.hash = row.seq, row.hash
    session.add(row)
    session.flush()
    return row


def hash_of(row: AuditEvent) -> str:
    """SHA-256 (hex) of the row's canonical JSON and the hash before it."""
    content = [
        row.previous_hash,
        row.seq,
        row.at.astimezone(UTC).isoformat(),
        row.event,
        row.place,
        row.actor_id,
        row.actor,
        row.job_id,
        row.requested_update_id,
        row.facts,
    ]
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def trail(session: Session) -> Iterator[AuditEvent]:
    """Every event, oldest first, streamed."""
    return session.scalars(
        select(AuditEvent).order_by(AuditEvent.seq).execution_options(yield_per=_READ_ROWS)
    )


def problems(session: Session) -> Iterator[str]:
    """One sentence for each row that was edited, removed or added behind costbot's back."""
    expected_seq, expected_hash = 1, GENESIS
    for row in trail(session):
        if row.seq != expected_seq:
            yield f"Event {expected_seq} is missing: the trail goes on with event {row.seq}."
        elif row.previous_hash != expected_hash:
            yield f"Event {row.seq} does not follow from event {row.seq - 1}: one of the two was changed."
        if row.hash != hash_of(row):
            yield f"Event {row.seq} was changed after it was written."
        expected_seq, expected_hash = row.seq + 1, row.hash
    head = session.scalars(select(AuditHead)).one_or_none()
    if head is None:
        yield "The end of the trail is not on record: its row was removed."
    elif (head.seq, head.hash) != (expected_seq - 1, expected_hash):
        yield f"The trail ends at event {expected_seq - 1}, but {head.seq} were written: its end was cut off."
