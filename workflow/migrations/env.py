"""Alembic's entry: runs the migrations on the URL that `workflow.database` hands over."""

from alembic import context

from workflow.database import Database
from workflow.tables import Table

_database = Database(context.config.attributes["url"])
with _database.writer.connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=Table.metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()
_database.close()
