"""What costbot told Procore of what reached Sage."""

import sqlalchemy as sa
from alembic import op

revision: str = "0011"
down_revision: str | None = "0010"


def upgrade() -> None:
    op.add_column(
        "procore_assignments", sa.Column("is_new", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.add_column("procore_assignments", sa.Column("written_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("procore_assignments", sa.Column("write_error", sa.Text(), nullable=True))


def downgrade() -> None:
    for name in ("write_error", "written_at", "is_new"):
        op.drop_column("procore_assignments", name)
