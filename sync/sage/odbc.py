"""Read-back by ODBC: what Sage 300 CRE holds, through the Timberline data source, read-only.

One connection per reading, one job at a time, rows streamed; Sage is never locked or written to.
Table and column names come from the profile; the defaults are those that public code queries.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from sync.sage.company import SageUnreachableError
from sync.sage.profile import SageProfile
from workflow.characters import storable
from workflow.merge import CodeKey, SageCode, SageJob

if TYPE_CHECKING:
    import pyodbc

_ROWS_A_FETCH = 1_000
_NO_JOB = "-"
_DESCRIPTION_LENGTH = 200
"""As many characters of one are kept; Sage's own have 30 characters, but the profile may name any column."""


class OdbcReader:
    """Reads jobs from the data source of a connection string, which may hold a password."""

    def __init__(self, connection_string: str, profile: SageProfile) -> None:
        self._connection_string = connection_string
        self._padded = profile.job.padded
        names = self._names = profile.odbc
        self._job = _select(names.job_table, names.description, where=names.job)
        self._extras = _select(names.extra_table, names.extra, where=names.job)
        self._descriptions = _select(
            names.cost_code_table, names.extra, names.cost_code, names.description, where=names.job
        )
        self._categories = _select(
            names.category_table, names.extra, names.cost_code, names.category, where=names.job
        )
        self._standard_list = _select(names.standard_cost_code_table, names.cost_code, names.description)

    def read(self, numbers: Iterable[str]) -> Iterator[SageJob]:
        with self._connected() as connection:
            for number in numbers:
                yield self._held(connection, number)

    def untold(self) -> Mapping[str, str]:
        """None: what the database says of a job is whole."""
        return {}

    def is_newer_than(self, moment: datetime) -> bool:
        """Always: ODBC reads Sage itself."""
        return True

    def problem(self) -> str | None:
        try:
            with self._connected() as connection:
                for query in (self._job, self._extras, self._descriptions, self._categories):
                    list(_rows(connection, query, _NO_JOB))
                next(_rows(connection, self._standard_list), None)
        except SageUnreachableError as error:
            return str(error)
        return None

    def standard_cost_codes(self) -> dict[str, str]:
        """Description by code of Sage's standard cost code list, which is empty at some companies."""
        with self._connected() as connection:
            return {code: text for code, text in _rows(connection, self._standard_list)}  # noqa: C416 - pairs

    @contextmanager
    def _connected(self) -> Iterator["pyodbc.Connection"]:
        """One read-only connection, closed at the end."""
        try:
            import pyodbc  # an optional extra: only companies that read back by ODBC have it
        except ImportError as error:
            raise SageUnreachableError(
                f"COSTBOT_SAGE_ODBC: pyodbc is not installed ({error}). "
                "pip install 'costbot[odbc]', and install unixODBC with the driver of the data source."
            ) from None
        try:
            connection = pyodbc.connect(
                self._connection_string, readonly=True, autocommit=True, timeout=self._names.login_seconds
            )
            try:
                connection.timeout = self._names.query_seconds
                yield connection
            finally:
                connection.close()
        except pyodbc.Error as error:
            # the connection string holds a password, and some drivers repeat it: the state must do
            raise SageUnreachableError(
                f"COSTBOT_SAGE_ODBC: Sage did not answer over ODBC (SQLSTATE {error.args[0]}). Check the "
                "connection string, and the table names in the profile."
            ) from None

    def _held(self, connection: "pyodbc.Connection", number: str) -> SageJob:
        job = self._padded(number)
        found = list(_rows(connection, self._job, job))
        if not found:
            return SageJob(number, None, {})
        descriptions = {
            (extra, code): description[:_DESCRIPTION_LENGTH]
            for extra, code, description in _rows(connection, self._descriptions, job)
        }
        categories: dict[CodeKey, set[str]] = {}
        for extra, code, category in _rows(connection, self._categories, job):
            categories.setdefault((extra, code), set()).add(category)
        held = {
            key: SageCode(descriptions.get(key, ""), frozenset(categories.get(key, set()) - {""}))
            for key in descriptions.keys() | categories.keys()
        }
        extras = frozenset(extra for (extra,) in _rows(connection, self._extras, job))
        return SageJob(number, found[0][0], held, extras - {""})


def _select(table: str, *columns: str, where: str | None = None) -> str:
    # the profile takes no names but plain ones, and values are always parameters
    query = f"SELECT {', '.join(columns)} FROM {table}"  # noqa: S608
    return f"{query} WHERE {where} = ?" if where else query


def _rows(connection: "pyodbc.Connection", query: str, *parameters: str) -> Iterator[tuple[str, ...]]:
    with closing(connection.execute(query, *parameters)) as cursor:
        while rows := cursor.fetchmany(_ROWS_A_FETCH):
            for row in rows:
                # Job Cost pads its keys, and 'no extra' is NULL or spaces
                yield tuple("" if value is None else storable(str(value)).strip() for value in row)
