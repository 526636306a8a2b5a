"""Whether a project of Procore cannot be a job, or only not be read."""

import sqlalchemy as sa
from alembic import op

revision: str = "0019"
down_revision: str | None = "0018"


def upgrade() -> None:
    # of those from before nobody knows; they end when the project is read, as they did
    op.add_column(
        "procore_troubles", sa.Column("no_job", sa.Boolean(), nullable=False, server_default=sa.false())
    )


def downgrade() -> None:
    op.drop_column("procore_troubles", "no_job")
