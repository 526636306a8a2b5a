"""Steps of costbot in Slack's workflows: who waits for what, and what came of it."""

import sqlalchemy as sa
from alembic import op

revision: str = "0008"
down_revision: str | None = "0007"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "workflow_steps",
        sa.Column("function_execution_id", sa.String(length=100), nullable=False),
        sa.Column("team_id", sa.String(length=30), nullable=False),
        sa.Column("kind", sa.String(60), nullable=True),
        sa.Column("job_id", _NUMBER, nullable=True),
        sa.Column("requested_update_id", _NUMBER, nullable=True),
        sa.Column("until", sa.String(60), nullable=True),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outputs", sa.JSON(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_workflow_steps_job_id")),
        sa.PrimaryKeyConstraint("function_execution_id", name=op.f("pk_workflow_steps")),
    )
    op.create_index(op.f("ix_workflow_steps_requested_update_id"), "workflow_steps", ["requested_update_id"])
    op.create_index(op.f("ix_workflow_steps_finished_at"), "workflow_steps", ["finished_at"])
    op.add_column("outbox", sa.Column("function_execution_id", sa.String(length=100), nullable=True))


def downgrade() -> None:
    op.drop_column("outbox", "function_execution_id")
    op.drop_table("workflow_steps")
