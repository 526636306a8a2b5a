"""Opening the database with the schema that this version of costbot was written for.

SQLite is migrated by itself, for a trial has no administrator; PostgreSQL only by `costbot migrate`.
"""

from pathlib import Path

from sqlalchemy.engine import make_url

from workflow.database import Database, migrate, newest_revision, require_ours
from workflow.settings import Settings, SettingsError


def open_database(settings: Settings) -> Database:
    """The database, ready to use.

    Raises:
        SettingsError: the schema is missing or of another version, and not costbot's to change.
        OthersDatabaseError: the database is another program's.
    """
    url = make_url(settings.database)
    by_itself = url.get_backend_name() == "sqlite"
    if by_itself and not Path(url.database or "").exists():
        migrate(settings.database)
    elif by_itself:
        require_ours(settings.database)
    database = Database(settings.database)
    try:
        found = database.revision()
        if found != newest_revision():
            require_ours(settings.database)
            _require_mine(found, by_itself=by_itself)
            migrate(settings.database)
    except BaseException:
        database.close()
        raise
    return database


def _require_mine(found: str | None, *, by_itself: bool) -> None:
    wanted = newest_revision()
    if found is not None and found > wanted:
        raise SettingsError(
            f"The database was made by a newer costbot (schema {found}, not {wanted}): upgrade costbot."
        )
    if not by_itself:
        raise SettingsError(
            "The database has no tables of costbot yet: run `costbot migrate`."
            if found is None
            else f"The database is of an older costbot (schema {found}, not {wanted}): run `costbot migrate`."
        )
