"""Many rows into one table, or out of a query, at once, for what may come by the hundred thousand.

Owns going past what SQLAlchemy does for each row: COPY and arrays on PostgreSQL, on SQLite a statement of
many rows, or the driver's executemany; and the driver's own tuples of what is read.
What is written is bound by the columns' types all the same; defaults in Python are not.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import closing
from functools import cache
from itertools import chain, islice
from typing import Any, TypeVar

from sqlalchemy import ARRAY, ColumnElement, Connection, Select, any_, bindparam
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import InstrumentedAttribute, Session
from sqlalchemy.sql.dml import ReturningUpdate

from workflow.tables import Table

_VALUES_A_BLOCK = 1_500

_Bind = Callable[[Any], Any] | None
_One = TypeVar("_One")
_Block = list[tuple[Any, ...]]


def select_many(
    session: Session, query: Select[*tuple[Any, ...]] | ReturningUpdate[*tuple[Any, ...]]
) -> Sequence[tuple[Any, ...]]:
    """The rows of a query as the driver has them, which of text and numbers is all there is to know.

    Plain tuples: a row of SQLAlchemy's takes longer to make than to read, and Python's garbage collector does
    not pass it by.
    """
    session.flush()
    with closing(session.connection().execute(query)) as result:
        cursor = result.cursor
        assert cursor is not None
        return cursor.fetchall()


def among(
    session: Session, column: InstrumentedAttribute[int] | ColumnElement[int], values: Collection[int]
) -> ColumnElement[bool]:
    """Whether a column has one of many values, which go to PostgreSQL as one.

    Each by itself would be written into the statement, read out of it again and cast, on either side.
    """
    if session.connection().dialect.name == "postgresql":
        return column == any_(bindparam(None, list(values), type_=ARRAY(column.type)))
    return column.in_(values)


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
        return stored.c[column].type.dialect_impl(dialect).bind_processor(dialect)

    constant = [bind_(value) if (bind_ := bind(column)) else value for column, value in shared.items()]
    session.flush()  # the rows may be of what is not in the database yet
    # all of them first, for what makes them may ask the database, which takes no question during a COPY
    blocks = list(_blocks(rows, [bind(column) for column in columns]))
    if not blocks:
        return
    quote = dialect.identifier_preparer.quote
    into = f"{quote(stored.name)} ({', '.join(map(quote, (*columns, *shared)))})"  # type: ignore[attr-defined]
    if dialect.name == "postgresql":
        _copy(connection, f"COPY {into} FROM STDIN", blocks, constant)
    else:
        _insert(connection, f"INSERT INTO {into}", blocks, constant)


def update_many(
    session: Session, table: type[Table], columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    """Change rows of a table: of each its `id`, and then the new values of these columns."""
    connection = session.connection()
    stored, dialect = table.__table__, connection.dialect
    types = [stored.c[column].type for column in ("id", *columns)]
    session.flush()
    quote = dialect.identifier_preparer.quote
    changed = f"UPDATE {quote(stored.name)}"  # type: ignore[attr-defined]
    for block in _blocks(rows, [type_.dialect_impl(dialect).bind_processor(dialect) for type_ in types]):
        if dialect.name == "postgresql":
            sets = ", ".join(f"{quote(column)} = new.{quote(column)}" for column in columns)
            arrays = ", ".join(f"%s::{type_.compile(dialect)}[]" for type_ in types)
            names = ", ".join(map(quote, ("id", *columns)))
            connection.exec_driver_sql(
                f"{changed} AS old SET {sets} FROM unnest({arrays}) AS new ({names}) WHERE old.id = new.id",
                tuple(map(list, zip(*block, strict=True))),
            )
        else:
            sets = ", ".join(f"{quote(column)} = ?" for column in columns)
            values = [(*row[1:], row[0]) for row in block]
            connection.exec_driver_sql(f"{changed} SET {sets} WHERE id = ?", values)


def chunks(rows: Sequence[_One], size: int) -> Iterator[Sequence[_One]]:
    """The rows, so many at a time: a statement takes some ten thousand values at most."""
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


def _blocks(rows: Iterable[Sequence[Any]], binds: Sequence[_Bind]) -> Iterator[_Block]:
    """The rows with their values as the driver takes them, some at a time."""
    left = iter(rows)
    while block := list(islice(left, _VALUES_A_BLOCK // len(binds))):
        by_column = zip(binds, zip(*block, strict=True), strict=True)
        yield list(zip(*(map(bind, values) if bind else values for bind, values in by_column), strict=True))


def _insert(connection: Connection, into: str, blocks: Iterable[_Block], constant: Sequence[Any]) -> None:
    """Some hundred rows a statement: SQLite takes half as long as for each row by itself."""
    values = ", ".join(["one.*", *("?" for _ in constant)])

    @cache
    def statement(rows: int, columns: int) -> str:
        row = f"({', '.join('?' * columns)})"
        return f"{into} SELECT {values} FROM (VALUES {', '.join([row] * rows)}) AS one"  # noqa: S608 - our own names

    for block in blocks:
        every = statement(len(block), len(block[0]))
        connection.exec_driver_sql(every, (*constant, *chain.from_iterable(block)))


def _copy(connection: Connection, statement: str, blocks: Iterable[_Block], constant: Sequence[Any]) -> None:
    """COPY by the driver, whose errors are raised as SQLAlchemy raises them of all other statements."""
    dialect, driver = connection.dialect, connection.connection.driver_connection
    assert driver is not None
    errors = dialect.loaded_dbapi.Error
    try:
        with driver.cursor() as cursor, cursor.copy(statement) as copy:
            for row in chain.from_iterable(blocks):
                copy.write_row((*row, *constant))
    except errors as error:
        is_lost = dialect.is_disconnect(error, driver, None)
        if is_lost:
            connection.invalidate(error)
        raise DBAPIError.instance(
            statement, None, error, errors, connection_invalidated=is_lost, dialect=dialect
        ) from error
