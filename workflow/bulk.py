"""Many rows into one table at once, for what may come by the hundred thousand.

Owns going past what SQLAlchemy does for each row: COPY on PostgreSQL, the driver's own executemany on SQLite.
Values are bound by the columns' types all the same; defaults in Python are not.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

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
        driver: Any = connection.connection.driver_connection
        with driver.cursor() as cursor, cursor.copy(f"COPY {into} FROM STDIN") as copy:
            for row in bound:
                copy.write_row(row)
    else:
        marks = ", ".join("?" for _ in (*columns, *shared))
        connection.exec_driver_sql(f"INSERT INTO {into} VALUES ({marks})", bound)  # noqa: S608 - our own names


def _as_it_is(value: Any) -> Any:
    return value
