"""The records of Job Cost's Import Estimates file: comment, job, extra and category rows, as text.

Pure: facts in, rows out, and back. Sources: Quick Bid's 'Sage-Timberline Office' file (rows `;` `*`
`E` `C`) and Sage Estimating's category transaction (row `C`), which agree on the order of the
fields: code, description, category, date mmddyyyy, quantity, unit, amount, then blanks.
"""

import csv
import re
from collections.abc import Iterable, Iterator
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from sync.sage.profile import ExistingDescription, Layout, SageProfile
from workflow.batches import ExportLine
from workflow.checks import cut_to
from workflow.merge import Assignment

_BLANKS = {Layout.QUICK_BID: ",,,,,", Layout.SAGE_ESTIMATING: ',,,"",""'}
_NO_DESCRIPTION = {Layout.QUICK_BID: "", Layout.SAGE_ESTIMATING: " "}
"""Sage Estimating's own sample writes one space where Sage keeps its description."""
_KEPT_TEXTS = 1 << 16
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class UnwritableError(Exception):
    """A line that the file cannot carry; the reason names the character."""


class JobLine(NamedTuple):
    """An assignment of a job, as a file names it; a plain tuple, since a file may have a million."""

    job: str
    assignment: Assignment


class Record(NamedTuple):
    """A category row as read: its line, the description beside it ('' for none), and the row itself."""

    line: JobLine
    job_name: str
    description: str
    row: str


class RowWriter:
    """Writes the rows of one batch: a job row before a job's first line, an extra row before an extra's."""

    def __init__(self, profile: SageProfile, *, batch: str, on: date) -> None:
        file = profile.file
        self._code, self._job = profile.cost_code.padded, profile.job.padded
        self._encoding = file.encoding
        self._end = file.line_end.text
        self._description_width = file.description_width
        self._repeats_sage = file.existing_description is ExistingDescription.SAGE
        self._no_description = _NO_DESCRIPTION[file.layout]
        self._figures = (
            f"{on:%m%d%Y},{file.quantity:.2f},{_quoted(file.unit)},{file.amount:.2f}"
            f"{_BLANKS[file.layout]}{self._end}"
        )
        self._batch = batch
        self._under: tuple[str, str] | None = None
        # most jobs of a batch have cost codes and categories that others have too
        self._beginning = lru_cache(_KEPT_TEXTS)(self._beginning_of)
        self._ending = lru_cache(_KEPT_TEXTS)(self._ending_of)

    def comment(self) -> bytes:
        """The first row: which batch of costbot's this is."""
        return self._encoded(f";,{_quoted(f'costbot {self._batch}')}{self._end}")

    def rows(self, line: ExportLine) -> bytes:
        """The rows that one line adds.

        Raises:
            UnwritableError: the file cannot carry the line; nothing was added.
        """
        _, job, _, extra, code, category, description, sage_description = line
        under = (job, extra)
        head = self._encoded(self._head(line)) if under != self._under else b""
        rows = head + self._beginning(code, description, sage_description) + self._ending(category)
        self._under = under
        return rows

    def _head(self, line: ExportLine) -> str:
        """The rows above a line of another job or extra than the line before."""
        job, extra = self._under or (None, "")
        head = ""
        if line.job_number != job or (extra and not line.extra):
            head = self._job_row(line)
        if line.extra:
            # Quick Bid: an extra's row has its number, and its name in ten characters
            head += f'"E",{_quoted(line.extra)},{_quoted(line.extra)}{self._end}'
        return head

    def _job_row(self, line: ExportLine) -> str:
        blanks = ",".join(['""'] * 9)  # the addresses of job site and company
        number, name = self._job(line.job_number), cut_to(line.job_name, self._description_width)
        return f'"*",{_quoted(number)},{_quoted(name)},"WRI",{blanks},0.00{self._end}'

    def _beginning_of(self, code: str, description: str | None, sage_description: str | None) -> bytes:
        if description is not None:
            description = cut_to(description, self._description_width)
        else:
            description = (sage_description or "") if self._repeats_sage else self._no_description
        return self._encoded(f'"C",{_quoted(self._code(code))},{_quoted(description)},')

    def _ending_of(self, category: str) -> bytes:
        return self._encoded(f"{_quoted(category)},{self._figures}")

    def _encoded(self, rows: str) -> bytes:
        try:
            return rows.encode(self._encoding)
        except UnicodeEncodeError as error:
            strange = rows[error.start]
            raise UnwritableError(f"{strange} (U+{ord(strange):04X}) is not in {self._encoding}") from None


def read_records(rows: Iterable[str]) -> Iterator[Record]:
    """The category rows of an import or rejected-records file, under the job and extra they belong to."""
    job = job_name = extra = ""
    for row in rows:
        try:
            fields = [field.strip() for field in next(csv.reader([row], skipinitialspace=True), [])]
        except csv.Error:
            continue  # no record has a field that long
        match fields:
            case ["*", number, name, *_]:
                job, job_name, extra = number, name, ""
            case ["E", number, *_]:
                extra = number
            case ["C", code, description, category, *_]:
                line = JobLine(job, Assignment(code, category, extra))
                yield Record(line, job_name, description, row)


def _quoted(text: str) -> str:
    control = _CONTROL.search(text)
    if control:
        raise UnwritableError(f"a control character (U+{ord(control[0]):04X}) would end the row")
    doubled = text.replace('"', '""')
    return f'"{doubled}"'
