"""The interface to a Sage company: read what it holds, send it a batch, ask what it made of it.

Owns no way of reaching Sage. An implementation may answer at once or hours later, and must take
the same batch twice as one.
"""

import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from workflow.batches import ExportLine
from workflow.checks import SageLimits
from workflow.merge import Refusals, SageJob


class SageUnreachableError(Exception):
    """Sage could not be read or written; nothing is lost, the next data sync tries again."""

    level = logging.WARNING
    """How loud the log is about it."""


class SageBusyError(SageUnreachableError):
    """Somebody writes what Sage is read from: an everyday thing that is over in a moment."""

    level = logging.INFO


@dataclass(frozen=True, slots=True)
class Batch:
    """What makes a batch the same one at a second try; `started_at` (UTC) dates its records."""

    name: str
    started_at: datetime

    @staticmethod
    def number(name: str) -> int:
        """The number in the name of a batch, its file or its manifest; 0 in any other."""
        named = re.fullmatch(r"\.?DS(\d{6,})(\.jce|\.json)?(\.tmp)?", name, re.IGNORECASE)
        return int(named[1]) if named else 0


@dataclass(frozen=True, slots=True)
class Receipt:
    """The file that carries a batch, by its name, and the SHA-256 of its content in hex."""

    file: str
    sha256: str


class SageCompany(Protocol):
    """One Sage 300 CRE company. `read`, `send` and `answer` may raise `SageUnreachableError`."""

    @property
    def limits(self) -> SageLimits:
        """What this Sage takes, for the checks before Update."""

    @property
    def answers_within(self) -> timedelta:
        """How long after `send` nobody need worry that there is no answer yet."""

    def read(self, numbers: Iterable[str]) -> Iterator[SageJob]:
        """What Sage holds now for each job, in the order of `numbers`; `untold` ones are left out."""

    def untold(self) -> Mapping[str, str]:
        """Jobs of which it cannot be told now what Sage holds, by number, with the reason and the mend."""

    def newest_batch(self) -> int:
        """The highest number of a batch that it was ever sent; 0 for none."""

    def send(self, batch: Batch, lines: Iterable[ExportLine]) -> Receipt | None:
        """Give Sage the lines of a batch: all or, when killed, none. A second time changes nothing.

        Returns the receipt of the batch's file, where it goes by one.
        """

    def answer(self, batch: Batch, lines: Iterable[ExportLine]) -> Refusals | None:
        """Sage's own words for lines that it refused; None while it has not answered.

        `lines` are those that were sent, in the same order, and may be read more than once. No transaction
        is open between two of them, so that Sage may be asked meanwhile.
        """

    def problem(self) -> str | None:
        """Why Sage cannot be used now and how to mend it, in a sentence; None when it can."""
