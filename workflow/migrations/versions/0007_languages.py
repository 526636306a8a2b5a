"""The language that each reader has set in Slack."""

import sqlalchemy as sa
from alembic import op

revision: str = "0007"
down_revision: str | None = "0006"


def upgrade() -> None:
    op.add_column("slack_links", sa.Column("locale", sa.String(length=30), nullable=True))


def downgrade() -> None:
    op.drop_column("slack_links", "locale")
