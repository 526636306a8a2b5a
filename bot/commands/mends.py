"""Each error that can stop a command, told in one line that names what is wrong and the mend."""

import sys

from sqlalchemy.exc import DBAPIError, OperationalError

from bot.processes import FamilyGoneError
from sync.sage.company import SageUnreachableError
from workflow.backups import BackupError
from workflow.database import MigrationBusyError, OthersDatabaseError
from workflow.settings import SettingsError

_IN_WORDS = (
    SettingsError,
    SageUnreachableError,
    MigrationBusyError,
    OthersDatabaseError,
    BackupError,
    FamilyGoneError,
)


def mend(error: Exception) -> str:
    """What went wrong and what to do about it, for the person at the terminal."""
    if isinstance(error, _IN_WORDS):
        return str(error)
    if isinstance(error, DBAPIError) and _is_disk_full(error):
        return "The disk of the database is full. Make room on it and try again; nothing was changed."
    if isinstance(error, DBAPIError) and _is_read_only(error):
        return (
            f"costbot cannot write its database: {_first_line(error)}. Let the user that runs costbot write "
            "the file and its folder."
        )
    if isinstance(error, DBAPIError) and _is_damaged(error):
        return (
            f"The database is damaged, or no database of costbot's: {_first_line(error)}. Check "
            "COSTBOT_DATABASE_URL, or put a backup in its place (docs/backup.md); nothing was changed."
        )
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return (
            f"The database went away in the middle: {_first_line(error)}. What was being saved may be saved "
            "or not: look with `costbot show JOB` or `costbot history JOB` before you do it again."
        )
    if isinstance(error, OperationalError):
        return f"The database does not answer: {_first_line(error)}. Check COSTBOT_DATABASE_URL."
    if isinstance(error, DBAPIError):
        return f"The database refused: {_first_line(error)}. Nothing was changed."
    if _is_from("redis", error):
        return f"Redis does not answer: {error}. Check COSTBOT_REDIS_URL."
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}."
    return (
        f"Something unexpected went wrong, which is a fault of costbot: {type(error).__name__}: {error}. "
        "Run it again with COSTBOT_LOG_LEVEL=debug to see where."
    )


def _is_disk_full(error: DBAPIError) -> bool:
    """As SQLite and PostgreSQL (class 53, insufficient resources) name it."""
    return (
        getattr(error.orig, "sqlite_errorname", "") == "SQLITE_FULL"
        or getattr(error.orig, "sqlstate", "") == "53100"
    )


def _is_read_only(error: DBAPIError) -> bool:
    """As SQLite names it, whatever forbids it to write."""
    return getattr(error.orig, "sqlite_errorname", "").startswith("SQLITE_READONLY")


def _is_damaged(error: DBAPIError) -> bool:
    """As SQLite names what is not whole, or never was SQLite's; Python's driver, text that is none."""
    name = getattr(error.orig, "sqlite_errorname", "")
    return name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")) or "Could not decode to UTF-8" in str(
        error.orig
    )


def _first_line(error: DBAPIError) -> str:
    return str(error.orig).strip().splitlines()[0].rstrip(".")


def _is_from(library: str, error: Exception) -> bool:
    # compared by name, so that a command that needs no Redis never imports it
    return library in sys.modules and type(error).__module__.partition(".")[0] == library
