"""The first of two approvals, bursts of ready jobs, and times without a channel to post in."""

import sqlalchemy as sa
from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "first_approvals",
        sa.Column("requested_update_id", _ID, autoincrement=False, nullable=False),
        sa.Column("revision", _ID, nullable=False),
        sa.Column("approver_id", _ID, nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["requested_update_id"],
            ["requested_updates.id"],
            name=op.f("fk_first_approvals_requested_update_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["approver_id"], ["people.id"], name=op.f("fk_first_approvals_approver_id")),
        sa.PrimaryKeyConstraint("requested_update_id", name=op.f("pk_first_approvals")),
    )
    op.create_table(
        "bursts",
        sa.Column("id", _ID, nullable=False),
        sa.Column("began_at", _TIME, nullable=False),
        sa.Column("ended_at", _TIME, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bursts")),
    )
    op.create_table(
        "channel_outages",
        sa.Column("id", _ID, nullable=False),
        sa.Column("channel", sa.String(length=100), nullable=False),
        sa.Column("code", sa.String(length=60), nullable=False),
        sa.Column("began_at", _TIME, nullable=False),
        sa.Column("ended_at", _TIME, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_channel_outages")),
    )


def downgrade() -> None:
    for table in ("channel_outages", "bursts", "first_approvals"):
        op.drop_table(table)
