"""Reading the CSV file that a command was given, and telling every bad row of it."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from bot.blocks.words import counted
from bot.commands.command import Exit, StopError
from bot.commands.sync_shapes import BadFileShape, FileProblemShape
from bot.commands.terminal import Answer, progress
from workflow.columns import Unfit
from workflow.rows import BadFileError, FileProblem

PROBLEMS_SHOWN = 20

File = Annotated[Path, typer.Argument(metavar="FILE", help="CSV file in UTF-8 with a header line.")]
Content = TypeVar("Content")


def read(path: Path, reader: Callable[[Path], Content]) -> Content:
    """What a file says; a file with bad rows ends the command, and nothing of it is taken."""
    with progress(f"Reading {path.name}"):
        try:
            return reader(path)
        except BadFileError as bad:
            raise StopError(refuse(path, bad.problems)) from None


def refuse_rows(path: Path, unfit: Unfit, lines: Sequence[int]) -> Answer:
    """The answer to rows that the rules cannot take; `lines` has the line of each row."""
    return refuse(path, [FileProblem(lines[p.index], p.column, p.reason) for p in unfit.problems])


def refuse(path: Path, problems: Sequence[FileProblem]) -> Answer:
    """The answer to a file that cannot be used: `line N, column X: reason` for each problem."""
    title = f"{path}: {counted(len(problems), 'problem')}, so nothing of it was taken."
    shown = [f"  {problem}" for problem in problems[:PROBLEMS_SHOWN]]
    if len(problems) > PROBLEMS_SHOWN:
        shown.append(f"  and {len(problems) - PROBLEMS_SHOWN:,} more (`--json` lists all)")
    facts = BadFileShape(
        words=title,
        problems=[FileProblemShape(line=p.line, column=p.column, reason=p.reason) for p in problems],
    )
    return Answer(facts, exit_code=Exit.FAILED, why="\n".join([title, *shown]))
