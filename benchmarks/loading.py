"""Many rows into SQLite or PostgreSQL in little time: COPY, or executemany, past the ORM and foreign keys.

Who loads answers for it that the rows are such as costbot itself writes.
"""

import json
import shutil
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import Table as Stored
from sqlalchemy import make_url

from tests.servers import PostgresServer
from workflow.tables import Table

Values = tuple[Any, ...]


class DurablePostgres(PostgresServer):
    """The test's PostgreSQL, but as a company runs it: what is committed is on the disk."""

    def _command(self) -> list[str]:
        options = {
            "fsync": "on",
            "full_page_writes": "on",
            "shared_buffers": "512MB",
            # so that loading does not write everything twice
            "max_wal_size": "8GB",
            "wal_level": "minimal",
            "max_wal_senders": "0",
        }
        return [*super()._command(), *(word for pair in options.items() for word in ("-c", "=".join(pair)))]


def load(
    url: str, table: type[Table], columns: str, rows: Iterable[Values], *, instead: bool = False
) -> None:
    """Add rows to a table, `instead` of those that it has; `columns` by name, divided by commas."""
    name = table.__tablename__
    if is_sqlite(url):
        marks = ", ".join("?" for _ in columns.split(","))
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as file, file:
            file.execute("PRAGMA synchronous = OFF")
            if instead:
                file.execute(f"DELETE FROM {name}")
            file.executemany(f"INSERT INTO {name} ({columns}) VALUES ({marks})", map(_plain, rows))
        return
    with (
        bare_postgres(url) as connection,
        connection.cursor() as cursor,
    ):
        if instead:
            cursor.execute(f"TRUNCATE {name} CASCADE".encode())
        cursor.execute("SET session_replication_role = replica")
        with cursor.copy(f"COPY {name} ({columns}) FROM STDIN".encode()) as copy:
            for row in rows:
                copy.write_row(tuple(map(_as_json, row)))
        for column in _numbered(table.__table__):  # type: ignore[arg-type]
            sequence = f"pg_get_serial_sequence('{name}', '{column}')"
            cursor.execute(f"SELECT setval({sequence}, max({column})) FROM {name}".encode())


def run(url: str, *statements: str) -> None:
    """Run statements in one transaction, past costbot."""
    if is_sqlite(url):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as file, file:
            for statement in statements:
                file.execute(statement)
        return
    with bare_postgres(url) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def copied(url: str, name: str) -> str:
    """The address of a new copy of a database that nobody is connected to, beside it and of this name."""
    if is_sqlite(url):
        source = Path(url.removeprefix("sqlite:///"))
        copy = source.with_name(f"{name}.sqlite")
        shutil.copyfile(source, copy)
        return f"sqlite:///{copy}"
    source_name, copy_url = _database_of(url), url.replace(f"/{_database_of(url)}?", f"/{name}?")
    _administrate(url, f"CREATE DATABASE {name} TEMPLATE {source_name} STRATEGY file_copy")
    return copy_url


def dropped(url: str) -> None:
    """Remove a copy."""
    if is_sqlite(url):
        path = Path(url.removeprefix("sqlite:///"))
        for file in path.parent.glob(f"{path.name}*"):
            file.unlink()
    else:
        _administrate(url, f"DROP DATABASE {_database_of(url)} WITH (FORCE)")


def _database_of(url: str) -> str:
    return str(make_url(url).database)


def _administrate(url: str, statement: str) -> None:
    with bare_postgres(url.replace(f"/{_database_of(url)}?", "/postgres?")) as connection:
        connection.autocommit = True
        connection.execute(statement.encode())


def settle_down(url: str) -> None:
    """What a database does by itself in the hours after much was written; SQLite counts no rows by itself."""
    if is_sqlite(url):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as file:
            file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    else:
        with bare_postgres(url) as connection:
            connection.autocommit = True
            connection.execute("VACUUM ANALYZE")


@contextmanager
def bare_postgres(url: str) -> Iterator[psycopg.Connection[Any]]:
    """A connection of the driver itself."""
    with psycopg.connect(url.replace("postgresql+psycopg", "postgresql")) as connection:
        yield connection


def is_sqlite(url: str) -> bool:
    """Whether the address is of a SQLite file."""
    return url.startswith("sqlite")


def _plain(row: Values) -> Values:
    """As SQLAlchemy stores it in SQLite."""
    return tuple(
        value.strftime("%Y-%m-%d %H:%M:%S.%f") if isinstance(value, datetime) else _as_json(value)
        for value in row
    )


def _as_json(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, dict | list) else value


def _numbered(table: Stored) -> list[str]:
    """The column that PostgreSQL numbers by itself, where the table has one."""
    column = table.autoincrement_column
    return [column.name] if column is not None else []
