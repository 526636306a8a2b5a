"""Procore as a source: calls and their limit, projects, assignments that were seen, who its users are."""

import sqlalchemy as sa
from alembic import op

revision: str = "0009"
down_revision: str | None = "0008"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "procore_limits",
        sa.Column("company_id", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("hourly_limit", _NUMBER, nullable=True),
        sa.Column("paused_until", _TIME, nullable=True),
        sa.PrimaryKeyConstraint("company_id", name=op.f("pk_procore_limits")),
    )
    op.create_table(
        "procore_calls",
        sa.Column("company_id", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("minute", _TIME, nullable=False),
        sa.Column("calls", _NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("company_id", "minute", name=op.f("pk_procore_calls")),
    )
    op.create_table(
        "procore_projects",
        sa.Column("project_id", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("job_id", _NUMBER, nullable=False),
        sa.Column("read_at", _TIME, nullable=True),
        sa.Column("stale_since", _TIME, nullable=True),
        sa.PrimaryKeyConstraint("project_id", name=op.f("pk_procore_projects")),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_procore_projects_job_id")),
        sa.UniqueConstraint("job_id", name=op.f("uq_procore_projects_job_id")),
    )
    op.create_index("ix_procore_projects_next", "procore_projects", ["stale_since", "read_at"])
    op.create_table(
        "procore_assignments",
        sa.Column("cost_code_id", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("line_item_type_id", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("job_id", _NUMBER, nullable=False),
        sa.Column("extra", sa.String(length=20), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("category", sa.String(length=20), nullable=False),
        sa.Column("added_at", _TIME, nullable=False),
        sa.Column("seen_at", _TIME, nullable=False),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("removed_at", _TIME, nullable=True),
        sa.PrimaryKeyConstraint("cost_code_id", "line_item_type_id", name=op.f("pk_procore_assignments")),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_procore_assignments_job_id")),
    )
    op.create_index("ix_procore_assignments_job_id", "procore_assignments", ["job_id"])
    op.create_table(
        "procore_people",
        sa.Column("user_id", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("person_id", _NUMBER, nullable=False),
        sa.Column("read_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_procore_people")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_procore_people_person_id")),
        sa.UniqueConstraint("person_id", name=op.f("uq_procore_people_person_id")),
    )
    op.create_table(
        "procore_marks",
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_procore_marks")),
    )


def downgrade() -> None:
    for name in ("marks", "people", "assignments", "projects", "calls", "limits"):
        op.drop_table(f"procore_{name}")
