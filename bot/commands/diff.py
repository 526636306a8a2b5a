"""`costbot diff`: where Procore, costbot and Sage differ about a job, and what to do about it."""

import typer

from bot.blocks import comparison_words, words
from bot.commands.command import CommandLine, JobNumber, command
from bot.commands.diff_shapes import (
    DiffLine,
    DiffRow,
    DiffShape,
    InCostbotShape,
    InProcoreShape,
    InSageShape,
    ProcoreKnownShape,
    VerdictShape,
)
from bot.commands.shapes import JobShape
from bot.commands.terminal import Answer, Table, progress
from sync import data_sync
from sync.sage import open_company
from workflow.comparison import Row
from workflow.settings import Source
from workflow.tables import Job
from workflow.three_places import ThreePlaces, three_places
from workflow.vocabulary import TURNED_DOWN, State

_SENT = (State.EXPORTED, State.SYNCED, State.FAILED)

app = typer.Typer()


@command(app, "diff")
def diff(line: CommandLine, job: JobNumber) -> Answer:
    """Read a job from Sage now, and show where Procore, costbot and Sage differ, and what to do about it."""
    with line.database.reading() as session:
        found = line.job(session, job)
    sage = open_company(line.settings)
    with progress("Reading Sage"):
        data_sync.refresh_read_back(line.database, sage, [found.id], clock=line.now)
    settings = line.settings
    with line.database.reading() as session:
        known = three_places(
            session,
            session.get_one(Job, found.id),
            with_procore=settings.source is Source.PROCORE,
            tells_procore=settings.writes_back,
            limits=sage.limits,
        )
    lines = [each for row in known.rows if (each := _line(row)) is not None]
    facts = DiffShape(
        job=JobShape(number=known.number, name=known.name),
        known_in_sage=known.known_in_sage,
        ok=not any(each.difference and each.state in _SENT for each in lines),
        lines=lines,
        procore=known.procore and ProcoreKnownShape.model_validate(known.procore, from_attributes=True),
        sage_read_at=known.sage_read_at,
        rows=[_shape(row) for row in known.rows],
    )
    told: list[str | Table] = [known.title if facts.known_in_sage else f"{known.title}: not in Sage."]
    told += comparison_words.ages_words(known, words.PLAIN)
    listed = [row for row in known.rows if row.asked or row.judged]
    columns = ("Procore", "costbot", "Sage") if known.procore else ("costbot", "Sage")
    headers = ("Cost code", "Description", "Category", *columns, "What to do")
    told.append(Table(headers, [_cells(row, known) for row in listed]) if listed else "Nothing differs.")
    told.append(comparison_words.counts_words(known))
    return Answer(facts, told)


def _line(row: Row) -> DiffLine | None:
    if row.asked is None or row.asked.update_state in TURNED_DOWN:
        return None
    return DiffLine(
        extra=row.assignment.extra,
        code=row.assignment.code,
        description=row.asked.description,
        category=row.assignment.category,
        state=row.asked.update_state,
        outcome=row.asked.outcome,
        difference=row.difference,
        sage_description=row.sage.description if row.sage else None,
    )


def _shape(row: Row) -> DiffRow:
    todo = comparison_words.what_to_do(row, words.PLAIN)
    return DiffRow(
        extra=row.assignment.extra,
        code=row.assignment.code,
        category=row.assignment.category,
        description=row.description,
        procore=row.procore and InProcoreShape.model_validate(row.procore, from_attributes=True),
        costbot=row.asked and InCostbotShape.model_validate(row.asked, from_attributes=True),
        sage=row.sage and InSageShape.model_validate(row.sage, from_attributes=True),
        differences=[
            VerdictShape(verdict=one.verdict, words=one.words, what_to_do=said)
            for one, said in zip(row.judged, todo, strict=True)
        ],
    )


def _cells(row: Row, known: ThreePlaces) -> tuple[str, ...]:
    in_procore = comparison_words.procore_words(row, known, words.PLAIN)
    return (
        words.code_words(row.assignment.extra, row.assignment.code),
        row.description,
        row.assignment.category,
        *([in_procore] if known.procore else []),
        comparison_words.costbot_words(row),
        comparison_words.sage_words(row, known, words.PLAIN),
        " ".join(comparison_words.what_to_do(row, words.PLAIN)),
    )
