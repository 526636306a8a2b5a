"""Alembic's entry: runs the migrations on the URL that `workflow.database` hands over."""

from alembic import context

from workflow.database import make_engine
from workflow.tables import Table

_engine = make_engine(context.config.attributes["url"])
with _engine.connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=Table.metadata,
        render_as_batch=_engine.dialect.name == "sqlite",
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()
_engine.dispose()
