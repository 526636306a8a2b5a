"""Addresses in Slack that never change: of a message, and of the direct message with a person."""

import sqlalchemy as sa
from alembic import op

revision: str = "0018"
down_revision: str | None = "0017"


def upgrade() -> None:
    op.add_column("slack_messages", sa.Column("permalink", sa.String(length=500), nullable=True))
    op.add_column("slack_links", sa.Column("direct_channel", sa.String(length=30), nullable=True))


def downgrade() -> None:
    op.drop_column("slack_links", "direct_channel")
    op.drop_column("slack_messages", "permalink")
