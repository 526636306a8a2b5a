"""`costbot sage`: what the Sage company holds; for trials, filling the embedded one."""

from collections.abc import Collection

import typer
from sqlalchemy import select

from bot.blocks.words import code_words, counted
from bot.commands import csv_files
from bot.commands.command import CommandLine, JobNumber, StopError, command, failed
from bot.commands.csv_files import File
from bot.commands.shapes import ImportShape, SageCode, SageJobShape
from bot.commands.terminal import Answer, Table, progress, warn
from sync import data_sync, files
from sync.sage import embedded_company, open_company
from sync.sage.company import SageUnreachableError
from workflow.tables import Job

app = typer.Typer(no_args_is_help=True, help="Look into Sage; fill the embedded Sage company for a trial.")


@command(app, "load")
def load(line: CommandLine, file: File) -> Answer:
    """Say what Sage holds already: job,job_name,extra,code,description,category."""
    rows = csv_files.read(file, files.read_sage).rows
    with progress(f"Loading {file.name}"):
        embedded_company(line.settings).load(rows)
    numbers = {row.job for row in rows}
    with line.database.reading() as session:
        known = session.scalars(select(Job.id).where(Job.number.in_(numbers))).all()
    refresh(line, known)
    told = (
        f"The embedded Sage company has {counted(len(rows), 'row')} of {counted(len(numbers), 'job')} more."
    )
    return Answer(ImportShape(rows=len(rows)), [told])


@command(app, "load-categories")
def load_categories(line: CommandLine, file: File) -> Answer:
    """Say which Standard Categories Sage has: category. Until then it takes any of 3 characters at most."""
    names = csv_files.read(file, files.read_sage_categories).rows
    embedded_company(line.settings).load_categories(names)
    told = f"The embedded Sage company has {counted(len(names), 'category', 'categories')} more."
    return Answer(ImportShape(rows=len(names)), [told])


@command(app, "show")
def show(line: CommandLine, job: JobNumber) -> Answer:
    """Show what Sage holds for a job now."""
    held = next(open_company(line.settings).read([job.strip()]))
    if held.name is None:
        raise StopError(failed(f"Sage has no job {job}.", reason="unknown_job"))
    codes = [
        SageCode(extra=extra, code=code, description=kept.description, categories=sorted(kept.categories))
        for (extra, code), kept in sorted(held.cost_codes.items())
    ]
    rows = [(code_words(c.extra, c.code), c.description, " ".join(c.categories)) for c in codes]
    facts = SageJobShape(job=held.number, name=held.name, cost_codes=codes)
    table = Table(("Cost code", "Description", "Categories"), rows)
    return Answer(
        facts, [f"{held.number} {held.name}", table if rows else "Sage holds no cost codes for it."]
    )


def refresh(line: CommandLine, job_ids: Collection[int]) -> None:
    """Compare jobs with what Sage holds now; when Sage cannot be asked, the next data sync does it."""
    try:
        with progress("Reading Sage"):
            data_sync.refresh_read_back(line.database, open_company(line.settings), job_ids, clock=line.now)
    except SageUnreachableError as error:
        warn(f"{error} What is new to Sage is shown as of the last time Sage was read.")
