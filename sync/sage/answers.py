"""What the accountant's import left behind for one batch: the file in `done/`, rejected records, a report.

The rejected-records file has the import file's layout, and whoever imports chooses its name. The
Estimate Import Report is text for people, so a rejected line gets the report's line that names it.
"""

import codecs
import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain
from pathlib import Path

from sync.sage.company import Batch
from sync.sage.folders import SUFFIX, Folders, Manifest, arrived, modified
from sync.sage.import_report import Report
from sync.sage.layouts import JobLine, read_records

_REPORTS = (".txt", ".prn", ".log")
_BATCH = re.compile(r"DS\d{6,}", re.IGNORECASE)
_OPENING_BYTES = 1_000
_QUIET = timedelta(minutes=1)
"""A file in `rejected/` that changed since may belong to an import that still runs."""


@dataclass(frozen=True, slots=True)
class Answers:
    """The files that answer one batch; `imported` when they say by its name that its import is over.

    By `arrived_at` it was: what Sage held before says nothing. They are `quiet` when none is written
    any more.
    """

    imported: bool
    quiet: bool
    arrived_at: datetime
    rejected: tuple[Path, ...]
    reports: tuple[Path, ...]

    @classmethod
    def to(cls, batch: Batch, folders: Folders, manifest: Manifest | None, *, now: datetime) -> "Answers":
        """Look through `done/` and `rejected/` for the answers to a batch.

        `manifest` tells the import file itself from an answer, wherever somebody moved it.
        """
        done = _named(folders.done, f"{batch.name}{SUFFIX}")
        published = done or _named(folders.outgoing, f"{batch.name}{SUFFIX}")
        # the same clock as that of the answers, which may be another machine's
        since = modified(published) if published else batch.started_at
        rejected = tuple(
            f
            for f in _files(folders.rejected, (SUFFIX,))
            if _is_about(f, batch, since) and not _is_import_file(f, manifest)
        )
        reports = tuple(
            f
            for f in chain(_files(folders.done, _REPORTS), _files(folders.rejected, _REPORTS))
            if _is_about(f, batch, since)
        )
        by_name = [f for f in (*rejected, *reports) if batch.name.upper() in _batches(f)]
        latest = max(map(modified, (*rejected, *reports)), default=since)
        quiet = now - latest >= _QUIET
        return cls(
            imported=done is not None or bool(by_name and quiet),
            quiet=quiet,
            # the import itself wrote what names its batch; the file in `done/` was moved some time after it
            arrived_at=arrived(done) if done and not by_name else latest,
            rejected=rejected,
            reports=reports,
        )

    def words(self, *, encoding: str) -> dict[JobLine, str]:
        """Sage's words for each rejected line."""
        rejected = {
            record.line: path
            for path in self.rejected
            for record in read_records(_text(path, encoding).splitlines())
        }
        rows = [row for path in self.reports for row in _text(path, encoding).splitlines()]
        report = Report(rows, rejected)
        jobs_of = Counter(line.assignment for line in rejected)
        return {
            line: report.words(line, only_job=jobs_of[line.assignment] == 1)
            or f"Sage rejected this line: see {path.name}."
            for line, path in rejected.items()
        }


def _is_about(path: Path, batch: Batch, since: datetime) -> bool:
    """Whether a file is about the batch: it names it, or names none and came after it."""
    named = _batches(path)
    return batch.name.upper() in named if named else modified(path) >= since


def _is_import_file(path: Path, manifest: Manifest | None) -> bool:
    """Whether a file is the very one that costbot wrote."""
    if manifest is None:
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == manifest.sha256


def _batches(path: Path) -> set[str]:
    """The batches that a file's name or first lines name."""
    with path.open("rb") as file:
        opening = file.read(_OPENING_BYTES).decode("latin-1").replace("\0", "")  # UTF-16 has them
    return {name.upper() for name in _BATCH.findall(f"{path.name}\n{opening}")}


def _text(path: Path, encoding: str) -> str:
    content = path.read_bytes()
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16", "replace")
    for candidate in ("utf-8-sig", encoding):
        try:
            return content.decode(candidate)
        except UnicodeDecodeError:
            continue
    return content.decode("latin-1")


def _files(folder: Path, suffixes: tuple[str, ...]) -> Iterator[Path]:
    if folder.exists():
        found = (path for path in sorted(folder.iterdir()) if path.suffix.lower() in suffixes)
        yield from (path for path in found if path.is_file())


def _named(folder: Path, name: str) -> Path | None:
    """The file of this name, whatever letter case it got on its way."""
    return next((path for path in _files(folder, (SUFFIX,)) if path.name.upper() == name.upper()), None)
