"""`costbot sync` and `syncs`: run a data sync in the foreground, and look at past ones."""

from functools import partial
from typing import Annotated

import typer

from bot.blocks import words
from bot.commands.command import LARGEST_INTEGER, CommandLine, command, failed
from bot.commands.sync_shapes import SyncRow, SyncShape, SyncsShape
from bot.commands.terminal import Answer, Table, progress
from sync import data_sync
from sync.data_sync import RunState, SyncReport
from sync.sage import open_company
from workflow import queries
from workflow.settings import Source
from workflow.tables import DataSync

_WAIT_SECONDS = 3600.0
"""How long `costbot sync` waits for a data sync that runs already."""

app = typer.Typer()


@command(app, "sync")
def sync(line: CommandLine) -> Answer:
    """Run a data sync now and wait for it: what was accepted goes to Sage."""
    from workflow import tally  # imported here, for no other command on data syncs asks Redis

    with progress("Waiting for the data sync") as tell:
        report = data_sync.run(
            line.database,
            open_company(line.settings),
            by=line.operator,
            clock=line.now,
            wait_seconds=_WAIT_SECONDS,
            progress=tell,
            count=partial(tally.add_run, line.settings.redis),
        )
    if report.state is RunState.ANOTHER_IS_RUNNING:
        return failed(
            "Another data sync has been running for an hour. See `costbot syncs`.", reason=report.state
        )
    if line.settings.source is Source.PROCORE:
        from sync.procore import work

        work.tell(line.settings, line.database, clock=line.now)
    return Answer(SyncShape.model_validate(report, from_attributes=True), [_told(report), *report.untold])


@command(app, "syncs")
def syncs(
    line: CommandLine,
    limit: Annotated[int, typer.Option("--limit", min=1, max=LARGEST_INTEGER, help="How many.")] = 20,
) -> Answer:
    """List the newest data syncs."""
    with line.database.reading() as session:
        found = queries.data_syncs(session, limit=limit)
    headers = "Data sync", "State", "Started (UTC)", "Took", "From", "Jobs", "Result", "File", "SHA-256"
    table = Table(headers, [_row(sync) for sync in found])
    return Answer(
        SyncsShape(syncs=[SyncRow.of(sync) for sync in found]),
        [table] if found else ["No data sync has run yet."],
    )


def _told(report: SyncReport) -> str:
    if report.batch is None:
        return "Nothing is accepted, so there was nothing to send."
    result = words.outcome_words(report.created, report.tied, report.already_there, report.failed)
    state = "sent; Sage has not answered yet" if report.state is RunState.SENT else result
    return f"Data sync {report.batch}, {words.counted(report.jobs, 'job')}: {state}."


def _row(sync: DataSync) -> tuple[object, ...]:
    result = words.outcome_words(sync.created, sync.tied, sync.already_there, sync.failed)
    return (
        sync.batch,
        sync.state,
        f"{sync.started_at:%Y-%m-%d %H:%M}",
        words.time_taken(sync.started_at, sync.finished_at) if sync.finished_at else "",
        sync.place,
        sync.jobs,
        result if sync.finished_at else "not imported yet" if sync.alerted_at else "",
        sync.file,
        sync.file_sha256,
    )
