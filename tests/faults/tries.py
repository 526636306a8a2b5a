"""What a fault tells of itself: how often it was tried, how, and what it has seen go wrong on the spot."""

from dataclasses import dataclass

from tests.faults.verdict import Finding


@dataclass(frozen=True)
class Tries:
    """How often a fault was tried; `note` says how, `findings` what no later look would show.

    `cannot_be_had`: the machine lacks what the fault needs, as the note says; else no try at all is wrong.
    """

    times: int
    note: str = ""
    cannot_be_had: bool = False
    findings: tuple[Finding, ...] = ()
