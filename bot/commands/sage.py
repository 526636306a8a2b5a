"""`costbot sage`: what the Sage company holds; for trials, filling the embedded one."""

import tomllib
from collections.abc import Collection, Iterator
from typing import Annotated

import typer
from sqlalchemy import select

from bot.blocks.words import code_words, counted
from bot.commands import csv_files
from bot.commands.command import CommandLine, JobNumber, StopError, command, failed
from bot.commands.csv_files import File
from bot.commands.sync_shapes import ImportShape, SageCheckShape, SageCode, SageFoldersShape, SageJobShape
from bot.commands.terminal import Answer, Table, progress, warn
from sync import data_sync, files
from sync.sage import company_profile, embedded_company, open_company, set_up_folders, standard_cost_codes
from sync.sage.company import SageUnreachableError
from sync.sage.profile import EXAMPLE, SageProfile
from workflow.settings import SageTarget
from workflow.tables import Job, StandardCostCode

_CODES_SHOWN = 10

app = typer.Typer(no_args_is_help=True, help="Look into Sage; fill the embedded Sage company for a trial.")


@command(app, "check")
def check(line: CommandLine) -> Answer:
    """Check the Sage profile and that Sage can be reached, and compare the standard cost code lists."""
    settings = line.settings
    company_profile(settings)
    problem = open_company(settings).problem()
    if problem:
        raise StopError(failed(problem, reason="sage_unreachable"))
    in_sage = standard_cost_codes(settings)
    with line.database.reading() as session:
        on_list = set(session.scalars(select(StandardCostCode.code)))
    facts = SageCheckShape(
        target=settings.sage,
        standard_cost_codes=len(in_sage) if in_sage is not None else None,
        only_in_sage=sorted((in_sage or {}).keys() - on_list),
        only_in_costbot=sorted(on_list - in_sage.keys()) if in_sage else [],
    )
    return Answer(facts, [f"Sage can be used: {settings.sage}.", *_lists(facts)])


@command(app, "set-up")
def set_up(line: CommandLine) -> Answer:
    """Make the folders of the import files in COSTBOT_SAGE_FOLDER, once, while the share is mounted."""
    settings = line.settings
    try:
        made = set_up_folders(settings)
    except OSError as error:
        where = error.filename or settings.sage_folder
        raise StopError(
            failed(
                f"COSTBOT_SAGE_FOLDER: {where} cannot be made: {error.strerror}.", reason="sage_unreachable"
            )
        ) from None
    told = [f"{path} is made." for path in made] or [f"{settings.sage_folder} has its folders already."]
    return Answer(SageFoldersShape(made=[str(path) for path in made]), told)


@command(app, "profile")
def profile(
    line: CommandLine,
    example: Annotated[bool, typer.Option("--example", help="Print a commented one to start from.")] = False,
) -> Answer:
    """Show the company's Sage profile in force."""
    if example:
        text = EXAMPLE.read_text(encoding="utf-8")
        return Answer(SageProfile.model_validate(tomllib.loads(text)), [text.rstrip()])
    found = company_profile(line.settings)
    return Answer(found, [found.model_dump_json(indent=2)])


@command(app, "load")
def load(line: CommandLine, file: File) -> Answer:
    """Say what Sage holds already: job,job_name,extra,code,description,category."""
    _for_the_embedded(line)
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
    _for_the_embedded(line)
    names = csv_files.read(file, files.read_sage_categories).rows
    embedded_company(line.settings).load_categories(names)
    told = f"The embedded Sage company has {counted(len(names), 'category', 'categories')} more."
    return Answer(ImportShape(rows=len(names)), [told])


@command(app, "show")
def show(line: CommandLine, job: JobNumber) -> Answer:
    """Show what Sage holds for a job now."""
    sage = open_company(line.settings)
    held = next(sage.read([job.strip()]), None)
    if held is None:
        raise StopError(failed(sage.untold()[job.strip()], reason="sage_unreachable"))
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


def _for_the_embedded(line: CommandLine) -> None:
    if line.settings.sage is not SageTarget.EMBEDDED:
        raise StopError(failed(f"COSTBOT_SAGE={line.settings.sage}: only the embedded one is filled."))


def _lists(facts: SageCheckShape) -> Iterator[str]:
    if facts.standard_cost_codes is None:
        return
    if not facts.standard_cost_codes:
        yield "Sage's standard cost code list is empty."
        return
    for codes, where in ((facts.only_in_sage, "in Sage"), (facts.only_in_costbot, "in costbot")):
        if codes:
            more = f" and {len(codes) - _CODES_SHOWN:,} more" if len(codes) > _CODES_SHOWN else ""
            count = counted(len(codes), "standard cost code")
            yield f"{count} only {where}: {', '.join(codes[:_CODES_SHOWN])}{more}."
    if not facts.only_in_sage and not facts.only_in_costbot:
        yield f"The standard cost code lists are the same: {counted(facts.standard_cost_codes, 'code')}."


def refresh(line: CommandLine, job_ids: Collection[int]) -> None:
    """Compare jobs with what Sage holds now; when Sage cannot be asked, the next data sync does it."""
    try:
        with progress("Reading Sage"):
            data_sync.refresh_read_back(line.database, open_company(line.settings), job_ids, clock=line.now)
    except SageUnreachableError as error:
        warn(f"{error} What is new to Sage is shown as of the last time Sage was read.")
