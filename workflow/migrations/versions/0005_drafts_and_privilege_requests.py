"""What somebody puts into the request window, and who asks for the privilege."""

import sqlalchemy as sa
from alembic import op

revision: str = "0005"
down_revision: str | None = "0004"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "request_drafts",
        sa.Column("person_id", _ID, nullable=False),
        sa.Column("token", sa.String(length=32), nullable=False),
        sa.Column("job_id", _ID, nullable=True),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_request_drafts_person_id")),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_request_drafts_job_id")),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_request_drafts")),
    )
    op.create_table(
        "privilege_requests",
        sa.Column("id", _ID, nullable=False),
        sa.Column("person_id", _ID, nullable=True),
        sa.Column("asker", sa.String(length=320), nullable=False),
        sa.Column("asker_key", sa.String(length=340), nullable=False),
        sa.Column("lacks", sa.String(60), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("in_procore", sa.Boolean(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer", sa.String(60), nullable=True),
        sa.Column("answered_by_id", _ID, nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_privilege_requests_person_id")),
        sa.ForeignKeyConstraint(
            ["answered_by_id"], ["people.id"], name=op.f("fk_privilege_requests_answered_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_privilege_requests")),
    )
    op.create_index(
        "uq_privilege_requests_one_waiting",
        "privilege_requests",
        ["asker_key"],
        unique=True,
        sqlite_where=sa.text("answer IS NULL"),
        postgresql_where=sa.text("answer IS NULL"),
    )


def downgrade() -> None:
    op.drop_table("privilege_requests")
    op.drop_table("request_drafts")
