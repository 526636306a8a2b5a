"""A batch, and what Sage holds, for the tests of the import file; a reader that answers from memory."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sync.sage.company import Batch
from sync.sage.export_file import ExportReader
from tests.factories import NINE
from workflow.batches import ExportLine
from workflow.merge import Refusals, SageCode, SageJob

BATCH = Batch("DS000001", NINE)


def line(
    line_id: int, code: str, category: str, description: str | None = "Concrete", job: str = "24-017"
) -> ExportLine:
    return ExportLine(line_id, job, f"Name of {job}", "", code, category, description)


LINES = [
    line(1, "03-3000", "L"),
    line(2, "03-3000", "M"),
    line(3, "09-2500", "S", None),
    line(4, "22-1116", "M", "Pipe", job="24-018"),
]


def words_in(answer: Refusals | None, lines: Iterable[ExportLine] = LINES) -> dict[int, str] | None:
    """All words of an answer, by line id; None where there is none."""
    if answer is None:
        return None
    words: dict[int, str] = {}
    for each in lines:
        words |= answer(each.job_number, {each.line_id: each.assignment})
    return words


def left_alone(export: Path) -> ExportReader:
    """A reader of an export that nobody has written for a minute."""
    return ExportReader(export, clock=lambda: datetime.now(UTC) + timedelta(minutes=1))


@dataclass
class FakeReader:
    """Sage as it can be read: what it holds by job, and until when that was true."""

    held: dict[str, dict[str, set[str]]] = field(default_factory=dict)
    as_of: datetime | None = None
    readings: list[list[str]] = field(default_factory=list)
    """Which jobs were read at one go."""

    def take(self, lines: Iterable[ExportLine]) -> None:
        """Sage has imported these lines."""
        for each in lines:
            codes = self.held.setdefault(each.job_number, {})
            codes.setdefault(each.code, set()).add(each.category)

    def read(self, numbers: Iterable[str]) -> Iterator[SageJob]:
        self.readings.append([])
        for number in numbers:
            self.readings[-1].append(number)
            codes = self.held.get(number, {})
            yield SageJob(
                number,
                f"Name of {number}",
                {("", code): SageCode("As Sage calls it", frozenset(tied)) for code, tied in codes.items()},
            )

    def untold(self) -> Mapping[str, str]:
        return {}

    def is_newer_than(self, moment: datetime) -> bool:
        return self.as_of is None or self.as_of >= moment

    def problem(self) -> str | None:
        return None
