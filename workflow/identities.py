"""Which ids a table has given, on either engine: for what writes rows with ids of their own.

A button in Slack may carry the id of a row that is gone, so the highest id ever given counts, not the
highest that is there.
"""

from sqlalchemy import Connection, Table, func, select, text


def given(connection: Connection, table: Table) -> int | None:
    """The highest id that the table ever gave by itself; 0 for none yet, None where it gives none."""
    column = table.autoincrement_column
    if column is None:
        return None
    there: int = connection.scalar(select(func.coalesce(func.max(column), 0))) or 0
    if connection.dialect.name == "sqlite":
        remembered = _remembers(table) and connection.scalar(
            text("SELECT seq FROM sqlite_sequence WHERE name = :name"), {"name": table.name}
        )
    else:
        sequence = connection.scalar(select(func.pg_get_serial_sequence(table.name, column.name)))
        remembered = connection.scalar(
            text(f"SELECT CASE WHEN is_called THEN last_value END FROM {sequence}")  # noqa: S608
        )
    return max(there, int(remembered or 0))


def give_after(connection: Connection, table: Table, highest: int) -> None:
    """The table's next id comes after `highest`, as far as SQLite remembers what is not in the table."""
    column = table.autoincrement_column
    if column is None or highest == 0:
        return
    if connection.dialect.name != "sqlite":
        sequence = func.pg_get_serial_sequence(table.name, column.name)
        connection.execute(select(func.setval(sequence, highest)))
    elif _remembers(table):
        name = {"name": table.name}
        connection.execute(text("DELETE FROM sqlite_sequence WHERE name = :name"), name)
        row = text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :highest)")
        connection.execute(row, {**name, "highest": highest})


def _remembers(table: Table) -> bool:
    """Whether SQLite remembers the table's ids; otherwise it goes on after the highest that is there."""
    return bool(table.dialect_options["sqlite"]["autoincrement"])
