"""What cards, windows, App Home and the command line show, as plain frozen values; `queries` reads them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from workflow.checks import Finding
from workflow.vocabulary import HoldKind, Outcome, Standing, State


@dataclass(frozen=True, slots=True)
class HoldFacts:
    """A contract or contract change order of a job, and whether it waits."""

    kind: HoldKind
    number: str
    title: str
    waiting: bool


@dataclass(frozen=True, slots=True)
class CostCodeFacts:
    """One cost code of a requested update: what is asked for, and what Sage holds of it."""

    extra: str
    code: str
    description: str
    sage_description: str | None
    standing: Standing
    requested: tuple[str, ...]
    in_sage: tuple[str, ...]
    refused: tuple[tuple[str, str], ...]
    """(category, Sage's words) of the lines that Sage refused."""
    findings: tuple[Finding, ...] = ()
    """What the checks before Update found on its open lines, each once, those that refuse first."""

    @property
    def sage_keeps(self) -> str | None:
        """Sage's own description, where it differs from the standard list's and stays."""
        differs = self.sage_description is not None and self.sage_description != self.description
        return self.sage_description if differs else None


@dataclass(frozen=True, slots=True)
class LineFacts:
    """One assignment of a requested update."""

    extra: str
    code: str
    description: str
    category: str
    standing: Standing
    sage_description: str | None
    outcome: Outcome | None
    message: str | None
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """What the checks before Update found on the open lines of a requested update.

    How many different things stop it, how many are only to be known, and the first FINDINGS_SHOWN;
    without descriptions that Sage keeps, which its cost codes tell.
    """

    refusing: int = 0
    warning: int = 0
    first: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Counts:
    """Of a requested update: `cost_codes`, `new_codes` and `open_codes` count cost codes; the rest lines."""

    cost_codes: int
    assignments: int
    new_codes: int
    new_to_sage: int
    created: int
    tied: int
    already_there: int
    failed: int
    open_lines: int = 0
    """Those that an approver decides on, or has decided on, and Sage has not answered yet."""
    open_codes: int = 0
    """The cost codes of these."""


@dataclass(frozen=True, slots=True)
class FirstApprovalFacts:
    """The first of two Updates of the present revision: by whom, and when."""

    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class UpdateFacts:
    """A requested update with its job, as a card or a row of a list shows it."""

    job_id: int
    number: str
    name: str
    requested_update_id: int
    state: State
    revision: int
    requested_by: str
    requested_by_email: str
    requested_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    comment: str | None
    batch: str | None
    exported_at: datetime | None
    finished_at: datetime | None
    counts: Counts
    holds_waiting: int
    found: Found = Found()
    first_approval: FirstApprovalFacts | None = None
    decided_for: str | None = None
    """Names of those whom the decider stood in for."""

    @property
    def title(self) -> str:
        return f"{self.number} {self.name}"


@dataclass(frozen=True, slots=True)
class HistoryEvent:
    """One audit event of a job, with the actor's name."""

    seq: int
    at: datetime
    event: str
    place: str
    actor: str
    facts: Mapping[str, object]
