"""What `costbot diff` answers with `--json`."""

from datetime import datetime

from bot.commands.shapes import JobShape, Shape
from workflow.vocabulary import Difference, Outcome, State, Verdict


class DiffLine(Shape):
    """An assignment that was asked for, and how Sage differs from it; null when it holds it so."""

    extra: str
    code: str
    description: str
    category: str
    state: State
    outcome: Outcome | None
    difference: Difference | None
    sage_description: str | None


class InProcoreShape(Shape):
    """What Procore has of an assignment, or had; null stands for what it has never had."""

    description: str | None
    has_erp_id: bool
    problem: str | None
    removed_at: datetime | None
    told_at: datetime | None
    refused: str | None


class InCostbotShape(Shape):
    """What became of an assignment in costbot; null stands for what nobody asked for."""

    state: State
    description: str
    words: str | None


class InSageShape(Shape):
    """What Sage has of an assignment's cost code; null stands for a cost code that it does not have."""

    description: str
    has_category: bool


class VerdictShape(Shape):
    """A way in which the places differ: `words` are Sage's, Procore's or an approver's about it."""

    verdict: Verdict
    words: str | None
    what_to_do: str


class DiffRow(Shape):
    """An assignment in three places; without `differences` it is everywhere as it should be."""

    extra: str
    code: str
    category: str
    description: str
    procore: InProcoreShape | None
    costbot: InCostbotShape | None
    sage: InSageShape | None
    differences: list[VerdictShape]


class ProcoreKnownShape(Shape):
    """How old what is known of Procore is: never read, or read then, and `changed_since`."""

    read_at: datetime | None
    changed_since: bool


class DiffShape(Shape):
    """`diff JOB`: `ok` when Sage holds all that it was sent, as it was sent.

    `lines` are the assignments that were asked for and not turned down, `rows` all that a place has.
    `procore` is null where costbot works with files.
    """

    job: JobShape
    known_in_sage: bool
    ok: bool
    lines: list[DiffLine]
    procore: ProcoreKnownShape | None
    sage_read_at: datetime | None
    rows: list[DiffRow]
