"""The merge of what was accepted with what Sage holds, as pure functions.

Sage wins on descriptions; assignments only ever add. `plan` says what to send, `DONE` what became of
it once Sage was read back and holds it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from workflow.language import later
from workflow.vocabulary import Outcome, Standing

CodeKey: TypeAlias = tuple[str, str]
"""(extra, cost code); extra '' is the job itself."""


class Assignment(NamedTuple):
    """One category tied to one cost code of one job; a plain tuple, since a request may have 100,000."""

    code: str
    category: str
    extra: str = ""

    @property
    def code_key(self) -> CodeKey:
        return (self.extra, self.code)


Asked: TypeAlias = tuple[str, str, str]
"""An `Assignment` or a plain tuple of the same, which a data sync of a million lines has no time to name."""


@dataclass(frozen=True, slots=True)
class SageCode:
    """A cost code that Sage holds: its own description and the categories tied to it."""

    description: str
    categories: frozenset[str]


InSage: TypeAlias = Mapping[CodeKey, SageCode]


@dataclass(frozen=True, slots=True)
class SageJob:
    """What Sage holds for one job. `name` is None when Sage does not know the job.

    `extras` are the job's extras (sub jobs), None where Sage was not asked for them.
    """

    number: str
    name: str | None
    cost_codes: InSage
    extras: frozenset[str] | None = None

    @property
    def known(self) -> bool:
        return self.name is not None


class Planned(NamedTuple):
    """How an accepted assignment stands against Sage; `sage_description` is set when Sage has the code."""

    assignment: Assignment
    standing: Standing
    sage_description: str | None

    @property
    def is_sent(self) -> bool:
        return self.standing is not Standing.IN_SAGE


def plan(requested: Iterable[Assignment], in_sage: InSage) -> Iterator[Planned]:
    """Compare each assignment with Sage, in the order given; one asked for twice is sent once."""
    asked = list(requested)
    for assignment, (standing, description) in zip(asked, standings(asked, in_sage), strict=True):
        yield Planned(assignment, standing, description)


def standings(requested: Iterable[Asked], in_sage: InSage) -> Iterator[tuple[Standing, str | None]]:
    """How each assignment stands against Sage, as `plan` has it, and Sage's description of its code."""
    seen: set[Asked] = set()
    for assignment in requested:
        code, category, extra = assignment
        held = in_sage.get((extra, code))
        if assignment in seen or (held and category in held.categories):
            standing = Standing.IN_SAGE
        elif held:
            standing = Standing.NEW_CATEGORY
        else:
            standing = Standing.NEW_CODE
        seen.add(assignment)
        yield standing, held.description if held else None


DONE = {
    Standing.NEW_CODE: Outcome.CREATED,
    Standing.NEW_CATEGORY: Outcome.TIED,
    Standing.IN_SAGE: Outcome.ALREADY_THERE,
}
"""What became of an assignment that Sage holds, as read back and never assumed, by how it stood before."""

NOT_READ_BACK = later("Sage does not hold this cost code with this category after the import.")
"""What is told of one that Sage does not hold, without a word of Sage's own."""

Refusals: TypeAlias = Callable[[str, Mapping[int, Assignment]], Mapping[int, str]]
"""Given some lines of a job by its number, of each its id and what it asks for: Sage's own words, by id, for
those of them that it refused.
"""


def words_of(refused: Mapping[int, str]) -> Refusals:
    """Sage's words for so few lines that they are all at hand, by id."""

    def words(_number: str, asked: Mapping[int, Assignment]) -> dict[int, str]:
        return {line_id: refused[line_id] for line_id in asked if line_id in refused}

    return words
