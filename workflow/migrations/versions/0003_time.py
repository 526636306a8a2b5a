"""Waiting, notify choices, people who are away, and the time zone that a person reads in."""

import sqlalchemy as sa
from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("slack_links", sa.Column("time_zone", sa.String(length=60), nullable=True))
    op.add_column("requested_updates", sa.Column("decided_for", sa.Text(), nullable=True))
    op.create_table(
        "waits",
        sa.Column("requested_update_id", _ID, nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reminders", _ID, nullable=False),
        sa.Column("escalated_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["requested_update_id"],
            ["requested_updates.id"],
            name=op.f("fk_waits_requested_update_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("requested_update_id", name=op.f("pk_waits")),
    )
    op.create_table(
        "notify_choices",
        sa.Column("person_id", _ID, nullable=False),
        sa.Column("notify", sa.String(60), nullable=False),
        sa.Column("quiet_from", sa.Time(), nullable=True),
        sa.Column("quiet_until", sa.Time(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_notify_choices_person_id")),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_notify_choices")),
    )
    op.create_table(
        "aways",
        sa.Column("id", _ID, nullable=False),
        sa.Column("person_id", _ID, nullable=False),
        sa.Column("delegate_id", _ID, nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_aways_person_id")),
        sa.ForeignKeyConstraint(["delegate_id"], ["people.id"], name=op.f("fk_aways_delegate_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_aways")),
    )
    op.create_index("ix_aways_person", "aways", ["person_id", "ends_at"])
    op.create_index("ix_aways_delegate", "aways", ["delegate_id", "ends_at"])


def downgrade() -> None:
    for table in ("aways", "notify_choices", "waits"):
        op.drop_table(table)
    op.drop_column("requested_updates", "decided_for")
    op.drop_column("slack_links", "time_zone")
