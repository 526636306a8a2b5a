"""What costbot told Procore of what reached Sage; when Procore last changed a project."""

import sqlalchemy as sa
from alembic import op

revision: str = "0011"
down_revision: str | None = "0010"


def upgrade() -> None:
    op.add_column(
        "procore_assignments", sa.Column("is_new", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.add_column("procore_assignments", sa.Column("written_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("procore_projects", sa.Column("updated_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("procore_assignments", sa.Column("write_error", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("procore_projects", "updated_at")
    for name in ("write_error", "written_at", "is_new"):
        op.drop_column("procore_assignments", name)
