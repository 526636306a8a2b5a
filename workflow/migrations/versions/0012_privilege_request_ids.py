"""SQLite never gives the id of a request for the privilege again: a button in Slack may carry it still."""

from alembic import op

revision: str = "0012"
down_revision: str | None = "0011"


def upgrade() -> None:
    _make_anew(autoincrement=True)


def downgrade() -> None:
    _make_anew(autoincrement=False)


def _make_anew(*, autoincrement: bool) -> None:
    if op.get_bind().dialect.name != "sqlite":
        return
    kept = {"sqlite_autoincrement": autoincrement}
    with op.batch_alter_table("privilege_requests", recreate="always", table_kwargs=kept):
        pass
