"""Webhooks of Procore: reading their three shapes, keeping each event once, and which wait to be worked on.

Source of the shapes: procore/documentation, plan_your_app/webhooks.md (v2.0, v3.0, v4.0). An event is no more
than a hint that something changed: what it is, is read from Procore afterwards.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from workflow import request_ids
from workflow.characters import storable
from workflow.database import upsert
from workflow.tables import ProcoreEvent, ProcoreHook

_LARGEST_ID = 2**63 - 1
EVENTS_A_READING = 500


@dataclass(frozen=True, slots=True)
class Told:
    """What a webhook says, whichever shape it has."""

    ulid: str
    resource: str
    reason: str
    resource_id: int
    company_id: int
    project_id: int | None
    user_id: int | None
    application_id: str | None
    happened_at: datetime | None


class _Metadata(BaseModel):
    source_user_id: int | None = Field(None, ge=0, le=_LARGEST_ID)
    source_application_id: str | None = None


class _Payload(BaseModel):
    """v4 says `id`, `reason` and `resource_type`; v2 and v3 `ulid`, `event_type` and `resource_name`."""

    model_config = ConfigDict(extra="ignore", coerce_numbers_to_str=True)

    ulid: str = Field(validation_alias=AliasChoices("ulid", "id"), min_length=1, max_length=40)
    resource: str = Field(
        validation_alias=AliasChoices("resource_type", "resource_name"), min_length=1, max_length=100
    )
    reason: str = Field(validation_alias=AliasChoices("reason", "event_type"), min_length=1, max_length=40)
    resource_id: int = Field(ge=0, le=_LARGEST_ID)
    company_id: int = Field(ge=0, le=_LARGEST_ID)
    project_id: int | None = Field(None, ge=0, le=_LARGEST_ID)
    user_id: int | None = Field(None, ge=0, le=_LARGEST_ID)
    timestamp: datetime | None = None
    metadata: Any = None


def read(content: Any) -> Told | None:
    """What a webhook's JSON says; None for what is no webhook of Procore's."""
    try:
        payload = _Payload.model_validate(content)
    except ValidationError:
        return None
    text = payload.ulid + payload.resource + payload.reason
    if not text.isprintable():
        return None
    source = _source(payload.metadata)
    return Told(
        ulid=payload.ulid,
        resource=payload.resource,
        reason=payload.reason,
        resource_id=payload.resource_id,
        company_id=payload.company_id,
        project_id=payload.project_id,
        user_id=source.source_user_id or payload.user_id,
        application_id=storable(source.source_application_id or "")[:200] or None,
        happened_at=_in_utc(payload.timestamp),
    )


def _source(metadata: Any) -> _Metadata:
    """Who did it, as far as that can be read: of what happened it tells nothing."""
    try:
        return _Metadata.model_validate(metadata)
    except ValidationError:
        return _Metadata()


def _in_utc(at: datetime | None) -> datetime | None:
    if at is None or at.tzinfo is None:
        return at and at.replace(tzinfo=UTC)
    try:
        return at.astimezone(UTC)
    except OverflowError:  # at an end of the calendar
        return None


def keep(session: Session, told: Told, *, at: datetime) -> bool:
    """Keep an event; False when it came before."""
    values = {
        "ulid": told.ulid,
        "resource": told.resource,
        "reason": told.reason,
        "resource_id": told.resource_id,
        "project_id": told.project_id,
        "user_id": told.user_id,
        "application_id": told.application_id,
        "happened_at": told.happened_at,
        "received_at": at,
        "handled_at": None,
        "request_id": request_ids.current(),
    }
    statement = upsert(session, ProcoreEvent).values(values).on_conflict_do_nothing()
    return session.scalar(statement.returning(ProcoreEvent.ulid)) is not None


def waiting(session: Session, *, last: str) -> Sequence[ProcoreEvent]:
    """Events to be worked on, oldest first; EVENTS_A_READING at most.

    Those of the resource `last`, which may wait for long, come after all others, and keep none waiting.
    """
    query = select(ProcoreEvent).where(ProcoreEvent.handled_at.is_(None))
    order = (ProcoreEvent.resource == last, ProcoreEvent.received_at, ProcoreEvent.ulid)
    return session.scalars(query.order_by(*order).limit(EVENTS_A_READING)).all()


def handled(session: Session, ulids: Sequence[str], *, at: datetime) -> bool:
    """These events are worked on; False when somebody else has worked on them all."""
    waits = ProcoreEvent.handled_at.is_(None)
    noted = update(ProcoreEvent).where(ProcoreEvent.ulid.in_(ulids), waits).values(handled_at=at)
    return bool(session.execute(noted).rowcount)  # type: ignore[attr-defined]


def adders(session: Session, resource: str, resource_ids: Sequence[int]) -> Mapping[int, int]:
    """Procore user id by resource id: who last made or changed each, as far as webhooks told.

    What costbot itself did there, as when it marks a code as synced, is nobody's adding.
    """
    own = select(ProcoreHook.own_user_id).where(ProcoreHook.own_user_id.is_not(None))
    query = (
        select(ProcoreEvent.resource_id, ProcoreEvent.user_id)
        .where(
            ProcoreEvent.resource == resource,
            ProcoreEvent.resource_id.in_(resource_ids),
            ProcoreEvent.user_id.not_in(own),
            ProcoreEvent.reason != "delete",
        )
        .order_by(ProcoreEvent.received_at, ProcoreEvent.ulid)
    )
    return {resource_id: user_id for resource_id, user_id in session.execute(query) if user_id is not None}


def forget(session: Session, *, before: datetime) -> None:
    """Drop what was worked on before then."""
    session.execute(delete(ProcoreEvent).where(ProcoreEvent.handled_at < before))


def hook(session: Session) -> ProcoreHook | None:
    """The hook that was made last."""
    return session.scalars(
        select(ProcoreHook).order_by(ProcoreHook.connected_at.desc()).limit(1)
    ).one_or_none()


def put_hook(
    session: Session, hook_id: int, *, url: str, payload_version: str, own_user_id: int | None, at: datetime
) -> None:
    """The hook in use from now on."""
    session.execute(delete(ProcoreHook).where(ProcoreHook.hook_id != hook_id))
    session.merge(
        ProcoreHook(
            hook_id=hook_id,
            url=url,
            payload_version=payload_version,
            own_user_id=own_user_id,
            connected_at=at,
        )
    )
    session.flush()


def counts(session: Session) -> tuple[int, int, datetime | None]:
    """How many events are kept, how many of them wait, and when the newest came."""
    every, newest = session.execute(select(func.count(), func.max(ProcoreEvent.received_at))).one()
    waits = session.scalar(select(func.count()).where(ProcoreEvent.handled_at.is_(None)))
    return every, waits or 0, newest
