"""The interface to a Sage company: read what it holds, send it a batch, ask what it made of it.

Owns no way of reaching Sage. An implementation may answer at once or hours later, and must take
the same batch twice as one.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from workflow.exports import ExportLine
from workflow.merge import InSage


class SageUnreachableError(Exception):
    """Sage could not be read or written; nothing is lost, the next data sync tries again."""


@dataclass(frozen=True, slots=True)
class SageJob:
    """What Sage holds for one job. `name` is None when Sage does not know the job."""

    number: str
    name: str | None
    cost_codes: InSage

    @property
    def known(self) -> bool:
        return self.name is not None


@dataclass(frozen=True, slots=True)
class Batch:
    """What makes a batch the same one at a second try; `started_at` (UTC) dates its records."""

    name: str
    started_at: datetime


class SageCompany(Protocol):
    """One Sage 300 CRE company. Every method but `problem` may raise `SageUnreachableError`."""

    def read(self, numbers: Iterable[str]) -> Iterator[SageJob]:
        """What Sage holds now for each job, streamed in the order of `numbers`."""

    def send(self, batch: Batch, lines: Iterable[ExportLine]) -> None:
        """Give Sage the lines of a batch: all or, when killed, none. A second time changes nothing."""

    def answer(self, batch: Batch) -> Mapping[int, str] | None:
        """Sage's own words for each line that it refused, by line id; None while it has not answered."""

    def problem(self) -> str | None:
        """Why Sage cannot be used now and how to mend it, in a sentence; None when it can."""
