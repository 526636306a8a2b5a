"""What every table builds on: the base class, and how times, words and enums are stored."""

import json
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import JSON, BigInteger, DateTime, Dialect, Enum, Integer, MetaData, String, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

from workflow import request_ids
from workflow.characters import storable
from workflow.language import Said, kept
from workflow.vocabulary import (
    ErpAnswer,
    ErpPermission,
    HoldKind,
    JobFilter,
    NoticeKind,
    Notify,
    Outcome,
    Place,
    PrivilegeAnswer,
    Refusal,
    Rule,
    Severity,
    Standing,
    State,
    StepKind,
    SyncState,
    Until,
)

_Id = BigInteger().with_variant(Integer, "sqlite")


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC time; SQLite, which knows no time zone, stores it without one."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a time zone says nothing")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class KeptWords(TypeDecorator[str]):
    """Words for people: costbot's own as what they are made of, for any language; others' as they are.

    Sage's come from files of any content: what a database cannot hold must not keep it from the rest.
    """

    impl = Text
    cache_ok = True
    _MARK = "said:"

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        if isinstance(value, Said):
            value = self._MARK + json.dumps(value.made_of(), ensure_ascii=False, sort_keys=True)
        return None if value is None else storable(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        if value is None or not value.startswith(self._MARK):
            return value
        return kept(json.loads(value.removeprefix(self._MARK)))


def caused_by() -> Mapped[str | None]:
    """The request for which the row was written, by `workflow.request_ids`."""
    return mapped_column(String(request_ids.LENGTH), default=request_ids.current)


def _words(enum: type[StrEnum]) -> Enum:
    """A StrEnum stored as its value, in a plain text column that may learn new words later."""
    return Enum(enum, native_enum=False, length=60, values_callable=lambda e: [m.value for m in e])


class Table(DeclarativeBase):
    """Base of all tables; constraint names are fixed so that migrations can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: UtcDateTime,
        int: _Id,
        dict[str, Any]: JSON,
        ErpAnswer: _words(ErpAnswer),
        ErpPermission: _words(ErpPermission),
        HoldKind: _words(HoldKind),
        JobFilter: _words(JobFilter),
        NoticeKind: _words(NoticeKind),
        Notify: _words(Notify),
        Outcome: _words(Outcome),
        list[list[int]]: JSON,
        list[str]: JSON,
        Place: _words(Place),
        PrivilegeAnswer: _words(PrivilegeAnswer),
        Refusal: _words(Refusal),
        Rule: _words(Rule),
        Severity: _words(Severity),
        Standing: _words(Standing),
        State: _words(State),
        StepKind: _words(StepKind),
        SyncState: _words(SyncState),
        Until: _words(Until),
    }
