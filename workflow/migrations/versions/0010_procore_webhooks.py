"""Webhooks of Procore: the events that came, and the hook that sends them."""

import sqlalchemy as sa
from alembic import op

revision: str = "0010"
down_revision: str | None = "0009"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "procore_events",
        sa.Column("ulid", sa.String(length=40), nullable=False),
        sa.Column("resource", sa.String(length=100), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("resource_id", _NUMBER, nullable=False),
        sa.Column("project_id", _NUMBER, nullable=True),
        sa.Column("user_id", _NUMBER, nullable=True),
        sa.Column("application_id", sa.String(length=200), nullable=True),
        sa.Column("happened_at", _TIME, nullable=True),
        sa.Column("received_at", _TIME, nullable=False),
        sa.Column("handled_at", _TIME, nullable=True),
        sa.PrimaryKeyConstraint("ulid", name=op.f("pk_procore_events")),
    )
    op.create_index("ix_procore_events_waiting", "procore_events", ["handled_at", "received_at"])
    op.create_table(
        "procore_hooks",
        sa.Column("hook_id", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("payload_version", sa.String(length=10), nullable=False),
        sa.Column("own_user_id", _NUMBER, nullable=True),
        sa.Column("connected_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("hook_id", name=op.f("pk_procore_hooks")),
    )


def downgrade() -> None:
    op.drop_table("procore_hooks")
    op.drop_table("procore_events")
