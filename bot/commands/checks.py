"""`costbot check`: what Sage would refuse of a file."""

from typing import Annotated

import typer

from bot.blocks import words
from bot.commands import csv_files
from bot.commands.command import CommandLine, Exit, command
from bot.commands.csv_files import File
from bot.commands.request_shapes import CheckedLine, CheckShape, LineFindingShape
from bot.commands.sage import refresh
from bot.commands.shapes import JobShape
from bot.commands.terminal import Answer
from sync.sage import open_company
from workflow import asked_lines, findings, requests
from workflow.checks import refusals
from workflow.columns import Unfit
from workflow.vocabulary import State

_SENT = (State.EXPORTED, State.SYNCED, State.FAILED)

app = typer.Typer()


@command(app, "check")
def check(
    line: CommandLine,
    file: File,
    job: Annotated[str, typer.Option("--job", metavar="JOB", help="Job number, such as 24-017.")],
) -> Answer:
    """Check a file of code,category against Sage, without requesting anything."""
    asked = csv_files.read(file, asked_lines.read_file)
    limits = open_company(line.settings).limits
    with line.database.reading() as session:
        found = line.job(session, job)
    refresh(line, [found.id])
    with line.database.reading() as session:
        unfit = requests.unfit(session, asked.rows, limits=limits)
        if unfit:
            return csv_files.refuse_rows(file, Unfit(tuple(unfit)), asked.lines)
        checked = findings.look(session, found, asked.rows, limits=limits)
    lines = [
        CheckedLine(
            line=number,
            code=assignment.code,
            category=assignment.category,
            findings=[LineFindingShape.model_validate(one, from_attributes=True) for one in each],
        )
        for number, (assignment, each) in zip(asked.lines, checked, strict=True)
    ]
    stopped = sum(bool(refusals(each)) for _, each in checked)
    told = [
        f"line {number}: {words.finding_words(finding, words.PLAIN)}"
        for number, (_, each) in zip(asked.lines, checked, strict=True)
        for finding in each
    ]
    facts = CheckShape(job=JobShape.of(found), ok=not stopped, lines=lines)
    if stopped:
        why = f"Sage would refuse {words.counted(stopped, 'line')} of {file.name} for {found.title}."
        return Answer(facts, told, exit_code=Exit.REFUSED, why=why)
    told.append(f"Nothing of {file.name} would be refused for {found.title}.")
    return Answer(facts, told)
