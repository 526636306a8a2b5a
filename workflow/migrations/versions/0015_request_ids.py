"""The request that something was done for; refusals are counted by an index of their own."""

import sqlalchemy as sa
from alembic import op

revision: str = "0015"
down_revision: str | None = "0014"

_TABLES = (
    "audit_events",
    "data_syncs",
    "outbox",
    "procore_events",
    "procore_projects",
    "requested_updates",
    "schedule_slots",
)
_REFUSED = sa.text("event = 'act:refused'")


def upgrade() -> None:
    for table in _TABLES:
        op.add_column(table, sa.Column("request_id", sa.String(length=12), nullable=True))
    op.create_index(
        "ix_audit_events_refused",
        "audit_events",
        ["event"],
        sqlite_where=_REFUSED,
        postgresql_where=_REFUSED,
    )


def downgrade() -> None:
    op.drop_index("ix_audit_events_refused", "audit_events")
    for table in _TABLES:
        op.drop_column(table, "request_id")
