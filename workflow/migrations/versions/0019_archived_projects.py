"""Projects of Procore that are archived, and troubles that only a new listing ends."""

import sqlalchemy as sa
from alembic import op

from workflow.tables.base import UtcDateTime

revision: str = "0019"
down_revision: str | None = "0018"


def upgrade() -> None:
    op.add_column("procore_projects", sa.Column("archived_at", UtcDateTime(), nullable=True))
    # of those from before nobody knows; they end when the project is read, as they did
    op.add_column(
        "procore_troubles", sa.Column("no_job", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    # all projects are listed once more, for those that were archived before were left out
    op.execute("DELETE FROM procore_marks WHERE name = 'projects'")


def downgrade() -> None:
    op.drop_column("procore_troubles", "no_job")
    op.drop_column("procore_projects", "archived_at")
