"""The first schema."""

import sqlalchemy as sa
from alembic import op

revision: str = "0001"
down_revision: str | None = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "audit_head",
        sa.Column("id", _ID, autoincrement=False, nullable=False),
        sa.Column("seq", _ID, nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_audit_head_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_head")),
    )
    op.create_table(
        "categories",
        sa.Column("code", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_categories")),
    )
    op.create_table(
        "jobs",
        sa.Column("id", _ID, nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("procore_project_id", _ID, nullable=True),
        sa.Column("read_back_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
        sa.UniqueConstraint("number", name=op.f("uq_jobs_number")),
        sa.UniqueConstraint("procore_project_id", name=op.f("uq_jobs_procore_project_id")),
    )
    op.create_table(
        "people",
        sa.Column("id", _ID, nullable=False),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("erp_permission", sa.String(60), nullable=False),
        sa.Column("can_push_to_accounting", sa.Boolean(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_people")),
        sa.UniqueConstraint("email", name=op.f("uq_people_email")),
    )
    op.create_table(
        "seen_deliveries",
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_seen_deliveries")),
    )
    op.create_index(op.f("ix_seen_deliveries_seen_at"), "seen_deliveries", ["seen_at"], unique=False)

    op.create_table(
        "slack_messages",
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("channel", sa.String(length=30), nullable=False),
        sa.Column("ts", sa.String(length=30), nullable=True),
        sa.Column("attempted_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_slack_messages")),
    )
    op.create_table(
        "standard_cost_codes",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("description", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_standard_cost_codes")),
    )
    op.create_table(
        "audit_events",
        sa.Column("seq", _ID, autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("event", sa.String(60), nullable=False),
        sa.Column("place", sa.String(60), nullable=False),
        sa.Column("actor_id", _ID, nullable=True),
        sa.Column("actor", sa.String(length=320), nullable=False),
        sa.Column("job_id", _ID, nullable=True),
        sa.Column("requested_update_id", _ID, nullable=True),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("previous_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["actor_id"], ["people.id"], name=op.f("fk_audit_events_actor_id")),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_audit_events_job_id")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit_events")),
    )
    op.create_index(op.f("ix_audit_events_job_id"), "audit_events", ["job_id"], unique=False)

    op.create_table(
        "data_syncs",
        sa.Column("id", _ID, nullable=False),
        sa.Column("state", sa.String(60), nullable=False),
        sa.Column("place", sa.String(60), nullable=False),
        sa.Column("asked_by_id", _ID, nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("jobs", _ID, nullable=False),
        sa.Column("created", _ID, nullable=False),
        sa.Column("tied", _ID, nullable=False),
        sa.Column("already_there", _ID, nullable=False),
        sa.Column("failed", _ID, nullable=False),
        sa.ForeignKeyConstraint(["asked_by_id"], ["people.id"], name=op.f("fk_data_syncs_asked_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_data_syncs")),
    )
    op.create_table(
        "holds",
        sa.Column("id", _ID, nullable=False),
        sa.Column("job_id", _ID, nullable=False),
        sa.Column("kind", sa.String(60), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_holds_job_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_holds")),
        sa.UniqueConstraint("job_id", "kind", "number", name=op.f("uq_holds_job_id_kind_number")),
    )
    op.create_table(
        "sage_assignments",
        sa.Column("job_id", _ID, nullable=False),
        sa.Column("extra", sa.String(length=20), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("category", sa.String(length=20), nullable=False),
        sa.Column("description", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_sage_assignments_job_id")),
        sa.PrimaryKeyConstraint("job_id", "extra", "code", "category", name=op.f("pk_sage_assignments")),
    )
    op.create_table(
        "schedule_slots",
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_by_id", _ID, nullable=True),
        sa.Column("enqueued_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["asked_by_id"], ["people.id"], name=op.f("fk_schedule_slots_asked_by_id")),
        sa.PrimaryKeyConstraint("name", "due_at", name=op.f("pk_schedule_slots")),
    )
    op.create_table(
        "slack_links",
        sa.Column("team_id", sa.String(length=30), nullable=False),
        sa.Column("user_id", sa.String(length=30), nullable=False),
        sa.Column("person_id", _ID, nullable=False),
        sa.Column("linked_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_slack_links_person_id")),
        sa.PrimaryKeyConstraint("team_id", "user_id", name=op.f("pk_slack_links")),
        sa.UniqueConstraint("team_id", "person_id", name=op.f("uq_slack_links_team_id_person_id")),
    )
    op.create_table(
        "standard_cost_code_categories",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("category", sa.String(length=20), nullable=False),
        sa.ForeignKeyConstraint(
            ["category"], ["categories.code"], name=op.f("fk_standard_cost_code_categories_category")
        ),
        sa.ForeignKeyConstraint(
            ["code"],
            ["standard_cost_codes.code"],
            name=op.f("fk_standard_cost_code_categories_code"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("code", "category", name=op.f("pk_standard_cost_code_categories")),
    )
    op.create_table(
        "outbox",
        sa.Column("id", _ID, nullable=False),
        sa.Column("kind", sa.String(60), nullable=False),
        sa.Column("job_id", _ID, nullable=True),
        sa.Column("person_id", _ID, nullable=True),
        sa.Column("event_seq", _ID, nullable=True),
        sa.Column("broadcast", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("message_key", sa.String(length=120), nullable=True),
        sa.Column("attempts", _ID, nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("given_up", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["event_seq"], ["audit_events.seq"], name=op.f("fk_outbox_event_seq")),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_outbox_job_id")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_outbox_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_outbox_waiting",
        "outbox",
        ["due_at", "id"],
        unique=False,
        sqlite_where=sa.text("done_at IS NULL"),
        postgresql_where=sa.text("done_at IS NULL"),
    )

    op.create_table(
        "requested_updates",
        sa.Column("id", _ID, nullable=False),
        sa.Column("job_id", _ID, nullable=False),
        sa.Column("state", sa.String(60), nullable=False),
        sa.Column("revision", _ID, nullable=False),
        sa.Column("requested_by_id", _ID, nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by_id", _ID, nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column("data_sync_id", _ID, nullable=True),
        sa.Column("exported_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["data_sync_id"], ["data_syncs.id"], name=op.f("fk_requested_updates_data_sync_id")
        ),
        sa.ForeignKeyConstraint(
            ["decided_by_id"], ["people.id"], name=op.f("fk_requested_updates_decided_by_id")
        ),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_requested_updates_job_id")),
        sa.ForeignKeyConstraint(
            ["requested_by_id"], ["people.id"], name=op.f("fk_requested_updates_requested_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_requested_updates")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_requested_updates_data_sync_id"), "requested_updates", ["data_sync_id"], unique=False
    )
    op.create_index(op.f("ix_requested_updates_job_id"), "requested_updates", ["job_id"], unique=False)
    op.create_index(
        "ix_requested_updates_state_requested_at",
        "requested_updates",
        ["state", "requested_at"],
        unique=False,
    )
    op.create_index(
        "uq_requested_updates_one_ready",
        "requested_updates",
        ["job_id"],
        unique=True,
        sqlite_where=sa.text("state = 'ready'"),
        postgresql_where=sa.text("state = 'ready'"),
    )

    op.create_table(
        "requested_lines",
        sa.Column("id", _ID, nullable=False),
        sa.Column("requested_update_id", _ID, nullable=False),
        sa.Column("extra", sa.String(length=20), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("category", sa.String(length=20), nullable=False),
        sa.Column("description", sa.String(length=200), nullable=False),
        sa.Column("requested_by_id", _ID, nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("added_in_revision", _ID, nullable=False),
        sa.Column("standing", sa.String(60), nullable=False),
        sa.Column("sage_description", sa.String(length=200), nullable=True),
        sa.Column("outcome", sa.String(60), nullable=True),
        sa.Column("message", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["requested_by_id"], ["people.id"], name=op.f("fk_requested_lines_requested_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["requested_update_id"],
            ["requested_updates.id"],
            name=op.f("fk_requested_lines_requested_update_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_requested_lines")),
        sa.UniqueConstraint(
            "requested_update_id",
            "extra",
            "code",
            "category",
            name=op.f("uq_requested_lines_requested_update_id_extra_code_category"),
        ),
        sqlite_autoincrement=True,
    )
    op.execute("INSERT INTO audit_head (id, seq, hash) VALUES (1, 0, '" + 64 * "0" + "')")


def downgrade() -> None:
    op.drop_table("requested_lines")

    op.drop_table("requested_updates")

    op.drop_table("outbox")
    op.drop_table("standard_cost_code_categories")
    op.drop_table("slack_links")
    op.drop_table("schedule_slots")
    op.drop_table("sage_assignments")
    op.drop_table("holds")
    op.drop_table("data_syncs")

    op.drop_table("audit_events")
    op.drop_table("standard_cost_codes")
    op.drop_table("slack_messages")

    op.drop_table("seen_deliveries")
    op.drop_table("people")
    op.drop_table("jobs")
    op.drop_table("categories")
    op.drop_table("audit_head")
