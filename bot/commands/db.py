"""`costbot db`: all of the data to another database, and into a file."""

from contextlib import closing
from pathlib import Path
from shlex import quote
from typing import Annotated

import typer
from sqlalchemy.engine import make_url

from bot.blocks.words import counted
from bot.commands.command import CommandLine, Exit, StopError, command, failed, refused
from bot.commands.terminal import Answer, progress
from bot.commands.upkeep_shapes import BackedUpShape, CopiedShape, RestoredShape
from workflow import backups, copying
from workflow.copying import NotCopied, Why
from workflow.database import Database, migrate, newest_revision, require_ours
from workflow.masking import mask
from workflow.settings.values import usable_database_url

app = typer.Typer(no_args_is_help=True, help="The database: moving it to another one, keeping a copy.")

_STOP = "Stop costbot (every bot, worker and scheduler), then copy again."


@command(app, "copy")
def copy(
    line: CommandLine,
    target: Annotated[
        str | None,
        typer.Argument(
            metavar="TARGET_URL",
            envvar="COSTBOT_COPY_TO",
            show_envvar=True,
            help="The empty database; set the variable where the address holds a password.",
        ),
    ] = None,
    source: Annotated[
        str | None,
        typer.Option("--from", metavar="SOURCE_URL", help="Instead of COSTBOT_DATABASE_URL's."),
    ] = None,
) -> Answer:
    """Copy all data to an empty database, SQLite to PostgreSQL or back. Stop costbot first."""
    if target is None:
        raise typer.BadParameter("name it, or set COSTBOT_COPY_TO", param_hint="TARGET_URL")
    there, here = _url(target, "TARGET_URL"), _url(source or line.settings.database, "--from")
    _require_file(here)
    if _is_new_file(there):
        _require_folder(there)
        migrate(there)
    else:
        require_ours(there)
    with (
        closing(Database(here)) as reading,
        closing(Database(there)) as writing,
        progress("Copying") as tell,
    ):
        result = copying.copy(reading, writing, tell=tell, alone=_work_of_costbot())
    if isinstance(result, NotCopied):
        return refused(_why_not(result, mask(there) if result.of_target else mask(here)), reason=result.why)
    rows = sum(result.rows.values())
    return Answer(
        CopiedShape(rows=rows, tables=result.rows),
        [
            f"{rows:,} rows of {len(result.rows)} tables were copied and verified, with the audit trail.",
            "Set COSTBOT_DATABASE_URL to the copy before you start costbot again.",
        ],
    )


@command(app, "backup")
def backup(
    line: CommandLine,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A new file; none is overwritten.")],
) -> Answer:
    """Write all of a SQLite database to a file, while costbot runs. PostgreSQL has pg_dump for it."""
    url = make_url(line.settings.database)
    if url.get_backend_name() != "sqlite":
        address = url.set(drivername="postgresql", password=None).render_as_string()
        words = f"pg_dump --format=custom --file={quote(str(file))} {quote(address)}"
        return refused(f"PostgreSQL is backed up by its own program: `{words}`.", reason="postgresql")
    _require_file(line.settings.database)
    with closing(Database(line.settings.database)) as database:  # as it is, for one may be about to upgrade
        done = backups.back_up(database, file)
    facts = BackedUpShape(file=str(file), size=done.size, events=done.events, problems=[*done.problems])
    words = f"{file} has all of the database: {done.size:,} bytes, {counted(done.events, 'event')}."
    if done.problems:
        why = f"{words} Its audit trail is not whole:\n" + "\n".join(done.problems)
        return Answer(facts, exit_code=Exit.FAILED, why=why)
    return Answer(facts, [words, "It was read back, and its audit trail is whole."])


@command(app, "restored")
def restored(line: CommandLine) -> Answer:
    """Say that the database was restored from a backup, once, before costbot is started again."""
    with line.database.writing() as session:
        done = backups.restored(session, by=line.operator, at=line.now())
    return Answer(
        RestoredShape(cards=done.cards, notices_waiting=done.waiting),
        [
            f"Ready to start: {counted(done.cards, 'card')} will be drawn anew, and buttons in Slack from "
            "after the backup change nothing.",
            f"{counted(done.waiting, 'notice')} waited when the backup was taken, and may come again.",
        ],
    )


def _work_of_costbot() -> tuple[str, ...]:
    """The locks of the work that must not be going on."""
    # imported here, for no other command needs Slack and Procore to look at a job
    from bot import delivery
    from sync import data_sync
    from sync.procore import intake

    return data_sync.LOCK, delivery.LOCK, intake.LOCK


def _why_not(result: NotCopied, address: str) -> str:
    """What stands in the way, and the mend."""
    nothing = f"Nothing was copied: {address}"
    match result.why:
        case Why.SAME_DATABASE:
            return f"{nothing} is both source and target. Name another target."
        case Why.OTHER_SCHEMA:
            schema = f"is of schema {result.found}" if result.found else "has no tables of costbot"
            return (
                f"{nothing} {schema}, and this costbot is of {newest_revision()}. Run `costbot migrate` with "
                "COSTBOT_DATABASE_URL set to it, by the newest costbot that uses either."
            )
        case Why.NOT_EMPTY:
            return f"{nothing} holds data already. Name an empty database."
        case Why.COPYING:
            return (
                f"Nothing was copied: another `costbot db copy` is at work on {address}. Wait until that one "
                "has ended."
            )
        case Why.IN_USE:
            return f"{nothing} is in use. {_STOP}"
        case Why.TRAIL_BROKEN:
            return (
                f"{nothing} has an audit trail that is not whole. {result.found} See `costbot audit verify`."
            )
        case Why.UNREADABLE:
            return (
                f"{nothing} is damaged: {result.found} cannot be read. Copy a backup of it (docs/backup.md)."
            )
        case Why.NOT_THE_SAME:
            return f"{nothing} read back another {result.found} than was copied. {_STOP}"


def _url(url: str, hint: str) -> str:
    try:
        return usable_database_url(url)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=hint) from None


def _file(url: str) -> Path | None:
    """The file of a SQLite database."""
    parts = make_url(url)
    return Path(parts.database or "") if parts.get_backend_name() == "sqlite" else None


def _is_new_file(url: str) -> bool:
    path = _file(url)
    return path is not None and (not path.exists() or path.stat().st_size == 0)


def _require_file(url: str) -> None:
    path = _file(url)
    if path is not None and not path.exists():
        raise StopError(failed(f"There is no database {path} to read.", reason="no_database"))


def _require_folder(url: str) -> None:
    path = _file(url)
    if path is not None and not path.absolute().parent.is_dir():
        folder = path.absolute().parent
        raise StopError(
            failed(f"There is no folder {folder}. Mend the address, or make the folder.", reason="no_folder")
        )
