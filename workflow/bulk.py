"""Many rows into one table at once, for what may come by the hundred thousand.

Owns going past what SQLAlchemy does for each row: COPY on PostgreSQL, the driver's own executemany on SQLite.
Values are bound by the columns' types all the same; defaults in Python are not.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from workflow.tables import Table

_Bind = Callable[[Any], Any]


def insert_many(
    session: Session,
    table: type[Table],
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    **shared: Any,
) -> None:
    """Insert rows with these columns; `shared` are values that are the same in every row."""
    connection = session.connection()
    stored, dialect = table.__table__, connection.dialect

    def bind(column: str) -> _Bind:
        return stored.c[column].type.dialect_impl(dialect).bind_processor(dialect) or _as_it_is

    constant = tuple(bind(column)(value) for column, value in shared.items())
    binds = [bind(column) for column in columns]
    session.flush()  # the rows may be of what is not in the database yet
    bound = [(*(bind_(value) for bind_, value in zip(binds, row, strict=True)), *constant) for row in rows]
    if not bound:
        return
    quote = dialect.identifier_preparer.quote
    into = f"{quote(stored.name)} ({', '.join(map(quote, (*columns, *shared)))})"  # type: ignore[attr-defined]
    if dialect.name == "postgresql":
        _copy(connection, f"COPY {into} FROM STDIN", bound)
    else:
        marks = ", ".join("?" for _ in (*columns, *shared))
        connection.exec_driver_sql(f"INSERT INTO {into} VALUES ({marks})", bound)  # noqa: S608 - our own names


def _copy(connection: Connection, statement: str, rows: Iterable[Sequence[Any]]) -> None:
    """COPY by the driver, whose errors are raised as SQLAlchemy raises them of all other statements."""
    dialect, driver = connection.dialect, connection.connection.driver_connection
    assert driver is not None
    errors = dialect.loaded_dbapi.Error
    try:
        with driver.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)
    except errors as error:
        is_lost = dialect.is_disconnect(error, driver, None)
        if is_lost:
            connection.invalidate(error)
        raise DBAPIError.instance(
            statement, None, error, errors, connection_invalidated=is_lost, dialect=dialect
        ) from error


def _as_it_is(value: Any) -> Any:
    return value
