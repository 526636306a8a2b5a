"""A stand-in for the accountant: Job Cost's Import Estimates, on files, into the embedded Sage company.

For the demo and for tests. Takes what lies in `outgoing/`, leaves rejected records and a report as the
real task does, saves an export of what Sage holds, and files the import away in `done/`.
"""

import csv
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sync.sage.company import Batch
from sync.sage.embedded import EmbeddedSage
from sync.sage.folders import SUFFIX, Folders, modified
from sync.sage.layouts import Record, read_records
from workflow.batches import ExportLine

_HEADER = ("job", "job_name", "extra", "code", "description", "category")


class ImportTask:
    """The accountant's desk: the shared folder on one side, Sage on the other."""

    def __init__(self, folder: Path, sage: EmbeddedSage, export: Path, *, encoding: str = "cp1252") -> None:
        self._folders = Folders.under(folder)
        self._sage = sage
        self._export = export
        self._encoding = encoding

    def run(self, *, lain_for: timedelta = timedelta(0)) -> list[str]:
        """Import each file that has lain in `outgoing/` for a while; returns their names."""
        self._folders.set_up()
        ready = datetime.now(UTC) - lain_for
        files = [
            path for path in sorted(self._folders.outgoing.glob(f"*{SUFFIX}")) if modified(path) <= ready
        ]
        for path in files:
            self._import(path)
        return [path.name for path in files]

    def save_export(self) -> None:
        """Save what Sage holds where costbot reads it back."""
        self._export.parent.mkdir(parents=True, exist_ok=True)
        temporary = self._export.with_name(f".{self._export.name}.tmp")
        with temporary.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(_HEADER)
            for row in self._sage.everything():
                writer.writerow((row.job, row.job_name, row.extra, row.code, row.description, row.category))
        temporary.replace(self._export)

    def _import(self, path: Path) -> None:
        rows = path.read_bytes().decode(self._encoding).splitlines()
        records = list(read_records(rows))
        batch = Batch(path.stem, modified(path))
        self._sage.send(batch, _as_lines(records))
        told = self._sage.answer(batch)
        asked = {place: record.line.assignment for place, record in enumerate(records)}
        refusals = told("", asked) if told else {}
        if refusals:
            rejected = "".join(f"{row}\r\n" for row in _rejected(rows, refusals))
            (self._folders.rejected / path.name).write_bytes(rejected.encode(self._encoding))
        report = "".join(f"{line}\r\n" for line in _report(path.name, records, refusals))
        (self._folders.done / f"{path.stem}.txt").write_bytes(report.encode(self._encoding))
        self.save_export()
        manifest = path.with_suffix(".json")
        if manifest.exists():
            manifest.rename(self._folders.done / manifest.name)
        path.rename(self._folders.done / path.name)


def _as_lines(records: Iterable[Record]) -> Iterator[ExportLine]:
    for place, record in enumerate(records):
        description = record.description or None
        asked = record.line.assignment
        yield ExportLine(
            place, record.line.job, record.job_name, asked.extra, asked.code, asked.category, description
        )


def _rejected(rows: Iterable[str], refusals: Mapping[int, str]) -> Iterator[str]:
    """The rows of rejected records, each under the job and extra rows that it stands under."""
    heads: list[str] = []
    place = 0
    for row in rows:
        if row.startswith('"*"'):
            heads = [row]
        elif row.startswith('"E"'):
            heads = [*heads[:1], row]
        elif row.startswith('"C"'):
            if place in refusals:
                yield from heads
                heads = []
                yield row
            place += 1


def _report(name: str, records: Iterable[Record], refusals: Mapping[int, str]) -> Iterator[str]:
    yield f"Estimate Import Report   {name}"
    yield ""
    for place, record in enumerate(records):
        if place in refusals:
            assignment = record.line.assignment
            extra = f"  Extra {assignment.extra}" if assignment.extra else ""
            yield (
                f"Job {record.line.job}{extra}  Cost code {assignment.code}  Category {assignment.category}  "
                f"{refusals[place]}"
            )
    yield f"Records rejected: {len(refusals)}"
