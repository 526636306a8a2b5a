"""What Procore calls a cost code, to be held against Sage's own description."""

import sqlalchemy as sa
from alembic import op

revision: str = "0013"
down_revision: str | None = "0012"


def upgrade() -> None:
    op.add_column("procore_assignments", sa.Column("description", sa.String(200), nullable=True))


def downgrade() -> None:
    op.drop_column("procore_assignments", "description")
