"""How each person left their App Home, and what they asked for found by who they are."""

import sqlalchemy as sa
from alembic import op

revision: str = "0006"
down_revision: str | None = "0005"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "home_views",
        sa.Column("team_id", sa.String(length=30), nullable=False),
        sa.Column("user_id", sa.String(length=30), nullable=False),
        sa.Column("filter", sa.String(60), nullable=True),
        sa.Column("search", sa.String(length=200), nullable=False),
        sa.Column("page", _NUMBER, nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("drawn_seq", _NUMBER, nullable=False),
        sa.Column("drawn_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", _NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("team_id", "user_id", name=op.f("pk_home_views")),
    )
    op.create_index(op.f("ix_home_views_opened_at"), "home_views", ["opened_at"])
    op.create_index(
        "ix_requested_lines_requested_by_id", "requested_lines", ["requested_by_id", "requested_update_id"]
    )


def downgrade() -> None:
    op.drop_index("ix_requested_lines_requested_by_id", "requested_lines")
    op.drop_table("home_views")
