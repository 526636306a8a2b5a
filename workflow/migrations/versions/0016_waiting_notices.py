"""Waiting notices found by the job or the person that they are for, however many wait."""

import sqlalchemy as sa
from alembic import op

revision: str = "0016"
down_revision: str | None = "0015"

_WAITS = sa.text("done_at IS NULL")


def upgrade() -> None:
    for of, column in (("job", "job_id"), ("person", "person_id")):
        op.create_index(
            f"ix_outbox_waiting_of_{of}",
            "outbox",
            [column, "kind"],
            sqlite_where=_WAITS,
            postgresql_where=_WAITS,
        )


def downgrade() -> None:
    op.drop_index("ix_outbox_waiting_of_person", "outbox")
    op.drop_index("ix_outbox_waiting_of_job", "outbox")
