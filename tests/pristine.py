"""One PostgreSQL database that is put back, in milliseconds, to how its template was.

A database of its own for each test would cost a tenth of a second, which a thousand tests would feel.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy import make_url

from tests.servers import PostgresServer

_NAME = "pristine"
_KEPT_OPEN = "kept open"
_REMEMBER = """
CREATE SCHEMA pristine;
DO $$
DECLARE name text; has_rows boolean;
BEGIN
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM public.%I)', name) INTO has_rows;
        IF has_rows THEN
            EXECUTE format('CREATE TABLE pristine.%I AS TABLE public.%I', name, name);
        END IF;
    END LOOP;
END $$;
"""
_RESTORE = f"""
SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND NOT (
    application_name = '{_KEPT_OPEN}' AND state = 'idle'
    AND NOT EXISTS (SELECT FROM pg_locks WHERE pg_locks.pid = pg_stat_activity.pid)
);
DO $$
DECLARE name text; size bigint;
BEGIN
    SET LOCAL session_replication_role = replica;  -- everything goes, so foreign keys need not be asked
    FOR name, size IN
        SELECT relname, pg_relation_size(oid) FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND pg_relation_size(oid) > 0
    LOOP
        IF size > 1000000 THEN
            EXECUTE format('TRUNCATE public.%I CASCADE', name);  -- rows deleted would still be read past
        ELSE
            EXECUTE format('DELETE FROM public.%I', name);
        END IF;
    END LOOP;
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'pristine' LOOP
        EXECUTE format('INSERT INTO public.%I TABLE pristine.%I', name, name);
    END LOOP;
    FOR name IN
        SELECT sequencename FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL
    LOOP
        EXECUTE format('ALTER SEQUENCE public.%I RESTART', name);
    END LOOP;
END $$;
"""


class PristineDatabase:
    """The database of one test after another, on a server of the test process.

    It is put back by one connection that stays, since a new one would first read what tables there are.
    """

    def __init__(self, server: PostgresServer, *, template: str) -> None:
        server.execute(f"CREATE DATABASE {_NAME} TEMPLATE {template}")
        self._url = server.url_of(_NAME)
        self._connect()
        self._run(_REMEMBER)

    @contextmanager
    def lent(self) -> Iterator[str]:
        """Its address, for one test; afterwards nobody else is connected and everything is as before."""
        try:
            yield self._url
        finally:
            self._run(_RESTORE)

    def close(self) -> None:
        """Leave it."""
        self._connection.close()

    def _connect(self) -> None:
        self._connection = psycopg.connect(self._url, autocommit=True)

    def _run(self, statements: str) -> None:
        try:
            self._connection.execute(statements.encode())
        except psycopg.OperationalError:  # a test has cut all connections
            self._connect()
            self._connection.execute(statements.encode())


def kept_open(url: str) -> str:
    """The same address for whoever stays connected from test to test: PostgreSQL begins no new process."""
    address = make_url(url)
    if address.get_backend_name() != "postgresql":
        return url
    return address.update_query_dict({"application_name": _KEPT_OPEN}).render_as_string(hide_password=False)
