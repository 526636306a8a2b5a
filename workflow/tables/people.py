"""Tables of people: who they are, in Slack and to costbot, and the privilege that they ask for."""

from datetime import date, datetime, time

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from workflow.tables.base import Table
from workflow.vocabulary import ErpPermission, Notify, PrivilegeAnswer, Refusal


class Person(Table):
    """Somebody in the company directory; `email` is kept in lower case."""

    __tablename__ = "people"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(320), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    erp_permission: Mapped[ErpPermission]
    can_push_to_accounting: Mapped[bool]
    active: Mapped[bool]


class SlackLink(Table):
    """The pinned tie between a Slack user and a person: made once, moved only by an administrator.

    `time_zone` (IANA) is where the person reads and `locale` how, such as `es-LA`, as Slack last said; empty
    until it did. `direct_channel` is the direct message that costbot has with this user, once it wrote one.
    """

    __tablename__ = "slack_links"
    __table_args__ = (UniqueConstraint("team_id", "person_id"),)

    team_id: Mapped[str] = mapped_column(String(30), primary_key=True)
    user_id: Mapped[str] = mapped_column(String(30), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    linked_at: Mapped[datetime]
    time_zone: Mapped[str | None] = mapped_column(String(60))
    locale: Mapped[str | None] = mapped_column(String(30))
    direct_channel: Mapped[str | None] = mapped_column(String(30))

    person: Mapped[Person] = relationship(lazy="joined")


class NotifyChoice(Table):
    """How a person wants to hear from costbot; who chose nothing hears of every request, at any hour."""

    __tablename__ = "notify_choices"

    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True)
    notify: Mapped[Notify]
    quiet_from: Mapped[time | None]
    quiet_until: Mapped[time | None]


class Away(Table):
    """Days on which somebody stands in for a person; `ended_at` once it was called off.

    `starts_at` and `ends_at` are the bounds of those days in the person's own time zone.
    """

    __tablename__ = "aways"
    __table_args__ = (
        Index("ix_aways_person", "person_id", "ends_at"),
        Index("ix_aways_delegate", "delegate_id", "ends_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    delegate_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    first_day: Mapped[date]
    last_day: Mapped[date]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]

    person: Mapped[Person] = relationship(foreign_keys=person_id, lazy="joined")
    delegate: Mapped[Person] = relationship(foreign_keys=delegate_id, lazy="joined")


class PrivilegeRequest(Table):
    """Somebody asks to become an accounting approver; at most one of a person waits for an administrator.

    Without `person_id` the company directory does not know who asks; `asker` is their name as Slack has it.
    `in_procore`: the directory is Procore's, so only Procore can grant it.
    """

    __tablename__ = "privilege_requests"
    __table_args__ = (
        Index(
            "uq_privilege_requests_one_waiting",
            "asker_key",
            unique=True,
            sqlite_where=text("answer IS NULL"),
            postgresql_where=text("answer IS NULL"),
        ),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    asker: Mapped[str] = mapped_column(String(320))
    asker_key: Mapped[str] = mapped_column(String(340))
    lacks: Mapped[Refusal]
    reason: Mapped[str] = mapped_column(Text)
    in_procore: Mapped[bool]
    asked_at: Mapped[datetime]
    answer: Mapped[PrivilegeAnswer | None]
    answered_by_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    answered_at: Mapped[datetime | None]
    comment: Mapped[str | None] = mapped_column(Text)

    person: Mapped[Person | None] = relationship(foreign_keys=person_id)
    answered_by: Mapped[Person | None] = relationship(foreign_keys=answered_by_id)
