"""One assignment in three places, Procore, costbot and Sage: how they differ, as pure functions.

Facts of each place in, verdicts out, the one to act on first. What a verdict asks of people is said in
`bot.blocks.comparison_words`; the facts are read in `workflow.three_places`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from workflow.checks import cut_to
from workflow.merge import Assignment
from workflow.vocabulary import TURNED_DOWN, Difference, Outcome, State, Verdict

_UPDATED = (State.ACCEPTED, State.EXPORTED, State.SYNCED, State.FAILED)
"""The states in which an approver has said yes, and nothing is taken back because Procore dropped it."""

_ON_THE_WAY = {
    State.READY: Verdict.WAITS_FOR_APPROVER,
    State.ACCEPTED: Verdict.WAITS_FOR_DATA_SYNC,
    State.EXPORTED: Verdict.WAITS_FOR_IMPORT,
    State.FAILED: Verdict.FAILED,
}


@dataclass(frozen=True, slots=True)
class InProcore:
    """An assignment that Procore has or, `removed_at`, had; `description` is None where it is not known yet.

    `problem` says why it cannot be asked for; `told_at` since Procore was told that Sage holds it, `refused`
    is what Procore said instead.
    """

    description: str | None
    has_erp_id: bool
    problem: str | None = None
    waits_for_read_back: bool = False
    removed_at: datetime | None = None
    told_at: datetime | None = None
    refused: str | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """What became of an assignment that was asked for: the newest that was not turned down, else the newest.

    `update_state` is the requested update's; `words` are Sage's of a refused line, or an approver's comment.
    """

    description: str
    update_state: State
    outcome: Outcome | None = None
    words: str | None = None

    @property
    def state(self) -> State:
        """The line's own state: where a requested update failed, Sage may have refused other lines."""
        return self.update_state if self.outcome in (None, Outcome.FAILED) else State.SYNCED


@dataclass(frozen=True, slots=True)
class InSage:
    """A cost code that Sage holds, and whether this category is tied to it."""

    description: str
    has_category: bool


@dataclass(frozen=True, slots=True)
class Scene:
    """What holds for every assignment of a job: is Procore's side known, and is Procore told by costbot."""

    knows_procore: bool
    tells_procore: bool
    description_width: int


@dataclass(frozen=True, slots=True)
class Judged:
    """A way in which the places differ; `words` are those of Sage, of Procore or of an approver about it."""

    verdict: Verdict
    words: str | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """An assignment, what each place has of it, and how they differ: not at all without `judged`."""

    assignment: Assignment
    procore: InProcore | None
    asked: Asked | None
    sage: InSage | None
    judged: tuple[Judged, ...]

    @property
    def description(self) -> str:
        """What the project team calls it, else Sage."""
        if self.asked:
            return self.asked.description
        if self.procore and self.procore.description:
            return self.procore.description
        return self.sage.description if self.sage else ""

    @property
    def difference(self) -> Difference | None:
        """Of what was asked for: how Sage differs."""
        differs = any(one.verdict is Verdict.OTHER_DESCRIPTION for one in self.judged)
        if self.sage is None:
            return Difference.MISSING
        if not self.sage.has_category:
            return Difference.CATEGORY_MISSING
        return Difference.OTHER_DESCRIPTION if differs else None


def compare(
    assignment: Assignment,
    procore: InProcore | None,
    asked: Asked | None,
    sage: InSage | None,
    scene: Scene,
) -> Row | None:
    """The row of an assignment; None for one that no place has any more and nobody waits for."""
    judged = tuple(_judged(procore, asked, sage, scene))
    there = procore is not None and procore.removed_at is None
    wanted = asked is not None and asked.state not in TURNED_DOWN
    held = sage is not None and sage.has_category
    if not (judged or there or wanted or held):
        return None
    return Row(assignment, procore, asked, sage, judged)


def _judged(
    procore: InProcore | None, asked: Asked | None, sage: InSage | None, scene: Scene
) -> Iterator[Judged]:
    held = sage is not None and sage.has_category
    there = procore is not None and procore.removed_at is None
    # what is in Sage already waits for nobody: the Update changes nothing about it
    waits = asked is not None and not (held and asked.state is State.READY)
    if waits and asked and asked.state in _ON_THE_WAY:
        yield Judged(_ON_THE_WAY[asked.state], asked.words if asked.state is State.FAILED else None)
    elif not held and asked and asked.state is State.SYNCED:
        yield Judged(Verdict.MISSING_IN_SAGE)
    elif not held and procore and there:
        yield _not_asked(procore, asked)
    if procore and procore.removed_at and (held or (asked and asked.state in _UPDATED)):
        yield Judged(Verdict.REMOVED_IN_PROCORE)
    if held and procore is None and scene.knows_procore:
        yield Judged(Verdict.NOT_IN_PROCORE)
    if sage and _differs(_wanted_description(procore, asked), sage, scene.description_width):
        yield Judged(Verdict.OTHER_DESCRIPTION)
    if held and procore and there:
        yield from _telling(procore, scene)


def _not_asked(procore: InProcore, asked: Asked | None) -> Judged:
    """Why something that Procore has is neither in Sage nor on its way there."""
    if procore.waits_for_read_back:
        return Judged(Verdict.WAITS_FOR_READ_BACK)
    if procore.problem:
        return Judged(Verdict.CANNOT_BE_ASKED_FOR, procore.problem)
    if asked is None:
        return Judged(Verdict.NOT_ASKED_FOR)
    if asked.state is State.EXPIRED:
        return Judged(Verdict.EXPIRED)
    return Judged(Verdict.REJECTED, asked.words)


def _telling(procore: InProcore, scene: Scene) -> Iterator[Judged]:
    """What Procore does not know yet of what Sage holds."""
    if scene.tells_procore and procore.refused:
        yield Judged(Verdict.PROCORE_REFUSED, procore.refused)
    elif scene.tells_procore and procore.told_at is None:
        yield Judged(Verdict.PROCORE_NOT_TOLD)
    elif not scene.tells_procore and not procore.has_erp_id:
        yield Judged(Verdict.NO_ERP_ID)


def _wanted_description(procore: InProcore | None, asked: Asked | None) -> str | None:
    if asked and asked.state not in TURNED_DOWN:
        return asked.description
    return procore.description if procore and procore.removed_at is None else None


def _differs(description: str | None, sage: InSage, width: int) -> bool:
    """Whether Sage keeps a description of its own; one that was cut to its field is there as it was sent."""
    return description is not None and sage.description not in (description, cut_to(description, width))
