"""`costbot import`: the company's lists from CSV files, each file whole or not at all."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import typer

from bot.blocks.words import counted
from bot.commands import csv_files
from bot.commands.command import CommandLine, StopError, command, refused
from bot.commands.csv_files import File
from bot.commands.sync_shapes import ImportShape
from bot.commands.terminal import Answer, progress
from sync import files
from workflow import directory
from workflow.columns import Unfit
from workflow.rows import FileRows
from workflow.settings import Source

app = typer.Typer(no_args_is_help=True, help="Take over the company's lists from CSV files.")


@command(app, "standard-codes")
def standard_codes(line: CommandLine, file: File) -> Answer:
    """The standard cost code list: code,description,categories (categories separated by ;)."""
    _needs_files(line, "Standard cost codes come from Procore's ERP standard cost code list", _LOOK)
    return _import(line, file, "standard code", files.read_standard_codes, directory.put_standard_codes)


@command(app, "categories")
def categories(line: CommandLine, file: File) -> Answer:
    """The standard categories: category,name."""
    _needs_files(line, "Categories come from Procore's cost types (line item types)", _LOOK)
    return _import(line, file, "category", files.read_categories, directory.put_categories)


@command(app, "people")
def people(line: CommandLine, file: File) -> Answer:
    """The company directory: email,name,erp_permission,can_push_to_accounting,active."""
    _needs_files(line, "People come from Procore's Company Directory", "costbot procore people")
    return _import(line, file, "person", files.read_people, directory.put_people)


@command(app, "jobs")
def jobs(line: CommandLine, file: File) -> Answer:
    """The jobs: number,name,procore_project_id (the id may be empty)."""
    _needs_files(line, "Jobs are Procore's projects that are synced with the ERP", _LOOK)
    return _import(line, file, "job", files.read_jobs, directory.put_jobs)


_LOOK = "costbot procore look"
_MANY = {"category": "categories", "person": "people"}


def _needs_files(line: CommandLine, words: str, mend: str) -> None:
    """Stop here where Procore has the list: what a file said would be gone with its next reading."""
    if line.settings.source is Source.PROCORE:
        told = f"{words} (COSTBOT_SOURCE=procore), so no file is taken. Change them in Procore, then type "
        raise StopError(refused(f"{told}`{mend}`.", reason="source_is_procore"))


def _import(
    line: CommandLine,
    file: Path,
    one: str,
    reader: Callable[[Path], FileRows[Any]],
    put: Callable[..., list[str] | Unfit | None],
) -> Answer:
    content = csv_files.read(file, reader)
    with line.database.writing() as session, progress(f"Importing {file.name}"):
        result = put(session, content.rows, source=file.name, by=line.operator, at=line.now())
    if isinstance(result, Unfit):
        return csv_files.refuse_rows(file, result, content.lines)
    new = result or []
    words = [f"Imported {counted(len(content.rows), one, _MANY.get(one))} from {file.name}."]
    if new:
        words.append(
            f"New categories without a name yet: {', '.join(new)} (see `costbot import categories`)."
        )
    return Answer(ImportShape(rows=len(content.rows), new_categories=new), words)
