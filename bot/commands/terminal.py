"""Where a command's answer goes: JSON or words on standard output, warnings and progress on standard error.

Tables and progress bars are drawn on a terminal only; elsewhere a table is lines of tab-separated
cells and progress is silent.
"""

import json
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TextIO

from pydantic import BaseModel

from workflow.characters import storable
from workflow.masking import mask, mask_within

_QUIET_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells under headers."""

    headers: tuple[str, ...]
    rows: Sequence[Sequence[object]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command found or did: `facts` for programs (`--json`), `words` for people."""

    facts: BaseModel
    words: Sequence[str | Table] = ()
    exit_code: int = 0
    why: str = ""
    """The reason on standard error, when the exit code is not 0."""


Progress = Callable[[str, int, int], None]
"""Told how far a long piece of work is: what is being done, how much of it is done, how much it is in all."""


def give(answer: Answer, *, as_json: bool) -> None:
    """Print an answer the way it was asked for."""
    if as_json:
        print(json_of(answer.facts, indent=2), file=sys.stdout)  # noqa: T201
    else:
        for part in answer.words:
            _print_table(part) if isinstance(part, Table) else say(part)
    if answer.why:
        warn(answer.why)


def json_of(facts: BaseModel, *, indent: int | None = None) -> str:
    """The facts as JSON; bytes of a file name or an argument that are no UTF-8 become U+FFFD."""
    separators = (",", ":") if indent is None else None
    told = mask_within(facts.model_dump(mode="json"))
    return storable(json.dumps(told, ensure_ascii=False, indent=indent, separators=separators))


def say(words: str) -> None:
    """A line for a person on standard output."""
    print(_plain(words), file=sys.stdout, flush=True)  # noqa: T201


def warn(words: str) -> None:
    """A line for a person on standard error."""
    print(_plain(words), file=sys.stderr, flush=True)  # noqa: T201


@contextmanager
def progress(words: str) -> Iterator[Progress]:
    """A bar on standard error, once the work has taken a second and only on a terminal."""
    if not sys.stderr.isatty():
        yield lambda _what, _done, _total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    columns = SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
    bar = Bar(*columns, TimeElapsedColumn(), console=Console(stderr=True), transient=True)
    task = bar.add_task(words, total=None)
    late = threading.Timer(_QUIET_SECONDS, bar.start)
    late.daemon = True
    late.start()
    try:
        yield lambda what, done, total: bar.update(task, description=what, completed=done, total=total)
    finally:
        late.cancel()
        late.join()
        bar.stop()


def _print_table(table: Table) -> None:
    if sys.stdout.isatty():
        _draw(table, sys.stdout)
        return
    for row in (table.headers, *table.rows):
        say("\t".join(_plain(_cell(cell)) for cell in row))


def _draw(table: Table, stream: TextIO) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table as Drawn
    from rich.text import Text

    drawn = Drawn(box=box.SIMPLE_HEAD, pad_edge=False)
    for header in table.headers:
        drawn.add_column(header, overflow="fold")
    for row in table.rows:
        drawn.add_row(*(Text(_plain(_cell(cell))) for cell in row))
    Console(file=stream).print(drawn)


def _cell(value: object) -> str:
    return "" if value is None else str(value)


def _plain(text: str) -> str:
    """The text without secrets, and without what a terminal would obey; data may come from anywhere."""
    return "".join(c if c.isprintable() or c == "\n" or c == "\t" else "�" for c in mask(text))
