"""Projects of Procore that cannot be a job or not be read, each with the reason."""

import sqlalchemy as sa
from alembic import op

from workflow.tables.base import UtcDateTime

revision: str = "0017"
down_revision: str | None = "0016"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "procore_troubles",
        sa.Column("project_id", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("tried_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("project_id", name=op.f("pk_procore_troubles")),
    )


def downgrade() -> None:
    op.drop_table("procore_troubles")
