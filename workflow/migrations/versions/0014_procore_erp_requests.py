"""ERP Requests of Procore: which were heard of, what they ask for, and what Procore was told."""

import sqlalchemy as sa
from alembic import op

revision: str = "0014"
down_revision: str | None = "0013"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "procore_erp_requests",
        sa.Column("request_id", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("heard_at", _TIME, nullable=False),
        sa.Column("happened_at", _TIME, nullable=True),
        sa.Column("name", sa.String(length=100), nullable=True),
        sa.Column("detail_id", _NUMBER, nullable=True),
        sa.Column("project_id", _NUMBER, nullable=True),
        sa.Column("extra", sa.String(length=20), nullable=False),
        sa.Column("sub_job_id", _NUMBER, nullable=True),
        sa.Column("is_new", sa.Boolean(), nullable=False),
        sa.Column("taken_at", _TIME, nullable=True),
        sa.Column("lines", sa.JSON(), nullable=True),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.Column("answer", sa.String(60), nullable=True),
        sa.Column("answered_at", _TIME, nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("tried_at", _TIME, nullable=True),
        sa.PrimaryKeyConstraint("request_id", name=op.f("pk_procore_erp_requests")),
    )
    op.create_index("ix_procore_erp_requests_place", "procore_erp_requests", ["project_id", "extra"])
    op.create_index("ix_procore_erp_requests_detail_id", "procore_erp_requests", ["detail_id"])


def downgrade() -> None:
    op.drop_table("procore_erp_requests")
