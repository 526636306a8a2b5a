"""Alembic migrations of the schema in `workflow.tables`."""
