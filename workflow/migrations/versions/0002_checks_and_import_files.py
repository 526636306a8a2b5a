"""The checks before Update, what Sage knows of a job, and the import file of a data sync."""

import sqlalchemy as sa
from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("jobs", sa.Column("known_in_sage", sa.Boolean(), nullable=True))
    op.add_column("jobs", sa.Column("sage_name", sa.String(length=200), nullable=True))
    op.add_column("jobs", sa.Column("sage_extras", sa.JSON(), nullable=True))
    op.add_column("data_syncs", sa.Column("file", sa.String(length=200), nullable=True))
    op.add_column("data_syncs", sa.Column("file_sha256", sa.String(length=64), nullable=True))
    op.add_column("data_syncs", sa.Column("alerted_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "line_findings",
        sa.Column("line_id", _ID, nullable=False),
        sa.Column("rule", sa.String(60), nullable=False),
        sa.Column("severity", sa.String(60), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["line_id"],
            ["requested_lines.id"],
            name=op.f("fk_line_findings_line_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("line_id", "rule", name=op.f("pk_line_findings")),
    )


def downgrade() -> None:
    op.drop_table("line_findings")
    for column in ("alerted_at", "file_sha256", "file"):
        op.drop_column("data_syncs", column)
    for column in ("sage_extras", "sage_name", "known_in_sage"):
        op.drop_column("jobs", column)
