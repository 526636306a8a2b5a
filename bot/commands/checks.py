"""`costbot check` and `diff`: what Sage would refuse of a file, and where it is not as was asked for."""

from typing import Annotated

import typer

from bot.blocks import words
from bot.commands import csv_files
from bot.commands.command import CommandLine, Exit, JobNumber, command
from bot.commands.csv_files import File
from bot.commands.sage import refresh
from bot.commands.shapes import CheckedLine, CheckShape, DiffLine, DiffShape, JobShape, LineFindingShape
from bot.commands.terminal import Answer, Table, progress
from sync import data_sync
from sync.sage import open_company
from workflow import asked_lines, findings, queries, requests
from workflow.checks import refusals
from workflow.columns import Unfit
from workflow.queries import DifferenceFacts
from workflow.tables import Job
from workflow.vocabulary import Difference, Outcome, State

_SENT = (State.EXPORTED, State.SYNCED, State.FAILED)
_DIFFERENCE_WORDS = {
    None: "as asked for",
    Difference.MISSING: "not in Sage",
    Difference.CATEGORY_MISSING: "in Sage without this category",
    Difference.OTHER_DESCRIPTION: "Sage has another description",
}

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


@command(app, "diff")
def diff(line: CommandLine, job: JobNumber) -> Answer:
    """Read a job from Sage now, and show where it differs from what was asked for."""
    with line.database.reading() as session:
        found = line.job(session, job)
    sage = open_company(line.settings)
    with progress("Reading Sage"):
        data_sync.refresh_read_back(line.database, sage, [found.id], clock=line.now)
    with line.database.reading() as session:
        found = session.get_one(Job, found.id)
        lines = queries.differences(session, found.id, description_width=sage.limits.description_width)
    wrong = [each for each in lines if each.difference and each.state in _SENT]
    facts = DiffShape(
        job=JobShape.of(found),
        known_in_sage=bool(found.known_in_sage),
        ok=not wrong,
        lines=[DiffLine.model_validate(each, from_attributes=True) for each in lines],
    )
    told: list[str | Table] = [found.title if facts.known_in_sage else f"{found.title}: not in Sage."]
    headers = "Cost code", "Description", "Category", "State", "In Sage"
    told.append(Table(headers, [_row(each) for each in lines]) if lines else "Nothing was requested for it.")
    return Answer(facts, told)


def _row(each: DifferenceFacts) -> tuple[str, ...]:
    # of a requested update that failed, Sage may have refused other lines than this one
    state = each.state if each.outcome in (None, Outcome.FAILED) else State.SYNCED
    in_sage = _DIFFERENCE_WORDS[each.difference]
    if each.difference is Difference.OTHER_DESCRIPTION:
        in_sage += f": {each.sage_description}"
    return (
        words.code_words(each.extra, each.code),
        each.description,
        each.category,
        words.STATE_WORDS[state],
        in_sage,
    )
