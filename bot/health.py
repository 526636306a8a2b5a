"""What `/readyz` and `costbot status` say of the parts: database and its tables, Redis, the data sync.

Each check is short: a part that does not answer is told by the name of the error, and nothing waits for long.
"""

from collections.abc import Callable
from datetime import datetime

from redis import Redis, RedisError
from sqlalchemy.exc import SQLAlchemyError

from workflow import queries, slots, vitals
from workflow.database import Database, newest_revision
from workflow.settings import Settings
from workflow.vocabulary import PeriodicWork

Check = Callable[[], str | None]
"""None when all is well, else what is wrong in a few words."""

_REDIS_SECONDS = 2.0
NOT_KNOWN = "not known while the database does not answer"


def database_check(database: Database) -> Check:
    """Whether the database answers, with the tables that this costbot needs.

    Newer tables are no trouble: while several are upgraded, the last of the old ones works on.
    """

    needed = newest_revision()

    def check() -> str | None:
        try:
            found = database.revision()
        except SQLAlchemyError as error:
            return type(error).__name__
        if (found or "") < needed:
            return f"its tables are of schema {found}, and this costbot needs {needed}: `costbot migrate`"
        return None

    return check


def redis_check(settings: Settings) -> Check:
    """Whether Redis answers. Without it clicks are decided all the same, and notices come later."""

    def check() -> str | None:
        waits = {"socket_timeout": _REDIS_SECONDS, "socket_connect_timeout": _REDIS_SECONDS}
        try:
            with Redis.from_url(settings.redis, **waits) as client:
                client.ping()
        except (RedisError, OSError) as error:
            return type(error).__name__
        return None

    return check


def sync_check(settings: Settings, database: Database, *, clock: Callable[[], datetime]) -> Check:
    """Whether the data sync runs when it is due."""

    def check() -> str | None:
        try:
            with database.reading() as session:
                name = PeriodicWork.DATA_SYNC
                missed = slots.missed(session, name, settings.sync_cron, at=clock())
                last = slots.last_done(session, name)
        except SQLAlchemyError:
            return NOT_KNOWN
        if missed < vitals.LATE_SYNCS:
            return None
        when = f"was last done on {last:%Y-%m-%d %H:%M} UTC" if last else "was never done"
        return f"late: it {when}"

    return check


def files_check(database: Database) -> Check:
    """Whether import files lie about for too long."""

    def check() -> str | None:
        try:
            with database.reading() as session:
                late = queries.overdue_syncs(session)
        except SQLAlchemyError:
            return NOT_KNOWN
        return ", ".join(f"{sync.file or sync.batch} is not imported yet" for sync in late) or None

    return check
