"""What the accountant's import left behind for one batch: the file in `done/`, rejected records, a report.

The rejected-records file has the import file's layout, and whoever imports chooses its name. The
Estimate Import Report is text for people, so a rejected line gets the report's line that names it.
"""

import codecs
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain, islice
from pathlib import Path

from sync.sage.company import Batch
from sync.sage.folders import SUFFIX, Folders, Manifest, arrived, modified
from sync.sage.layouts import read_records
from sync.sage.rejections import Rejections

_REPORTS = (".txt", ".prn", ".log")
_BATCH = re.compile(r"DS\d{6,}", re.IGNORECASE)
_OPENING_BYTES = 1_000
_BLOCK = 1 << 16
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
        named = _named(folders.done, f"{batch.name}{SUFFIX}")
        done = named or _renamed(folders.done, batch, manifest)
        published = done or _named(folders.outgoing, f"{batch.name}{SUFFIX}")
        # the same clock as that of the answers, which may be another machine's
        since = modified(published) if published else batch.started_at
        answers = [
            f
            for f in chain(_files(folders.done), _files(folders.rejected))
            if f != done
            and f.suffix.lower() in (SUFFIX, *_REPORTS)
            and _is_about(f, batch, since)
            and not _is_import_file(f, batch, manifest)
        ]
        if named and not _is_import_file(named, batch, manifest):
            answers.append(named)  # of that name, but with other content: what was rejected
        rejected = tuple(f for f in answers if f.suffix.lower() == SUFFIX)
        reports = tuple(f for f in answers if f.suffix.lower() != SUFFIX)
        by_name = [f for f in answers if f != named and batch.name.upper() in _batches(f)]
        latest = max(map(modified, answers), default=since)
        quiet = now - latest >= _QUIET
        return cls(
            imported=done is not None or bool(by_name and quiet),
            quiet=quiet,
            # the import itself wrote what names its batch; the file in `done/` was moved some time after it
            arrived_at=arrived(done) if done and not by_name else latest,
            rejected=rejected,
            reports=reports,
        )

    def rejections(self, *, encoding: str) -> Rejections:
        """What the rejected records and the reports say, whichever batch they are about."""
        records = (
            (record.line, f"{path.parent.name}/{path.name}")  # it may be called as the import file
            for path in self.rejected
            for record in read_records(_rows(path, encoding))
        )
        return Rejections(records, (row for path in self.reports for row in _rows(path, encoding)))


def _is_about(path: Path, batch: Batch, since: datetime) -> bool:
    """Whether a file is about the batch: it names it, or names none and came after it."""
    named = _batches(path)
    return batch.name.upper() in named if named else modified(path) >= since


def _renamed(folder: Path, batch: Batch, manifest: Manifest | None) -> Path | None:
    """The batch's import file under another name."""
    return next(
        (
            path
            for path in _files(folder)
            if batch.name.upper() in _batches(path) and _is_import_file(path, batch, manifest)
        ),
        None,
    )


def _is_import_file(path: Path, batch: Batch, manifest: Manifest | None) -> bool:
    """Whether a file is the one that costbot wrote, if only saved anew: its comment row, and every line."""
    if manifest is not None:
        with path.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() == manifest.sha256:
                return True
    if batch.name.upper() not in _batches(path, of_name=False):
        return False
    rows = _rows(path, "latin-1")
    if not next(rows, "").startswith(";"):
        return False
    return (
        manifest is None or sum(1 for _ in islice(read_records(rows), manifest.lines + 1)) == manifest.lines
    )


def _batches(path: Path, *, of_name: bool = True) -> set[str]:
    """The batches that a file's first lines name, or its own name."""
    with path.open("rb") as file:
        opening = file.read(_OPENING_BYTES).decode("latin-1").replace("\0", "")  # UTF-16 has them
    return {name.upper() for name in _BATCH.findall(f"{path.name if of_name else ''}\n{opening}")}


def _rows(path: Path, encoding: str) -> Iterator[str]:
    """The rows of a text file, read as they are asked for."""
    # what is appended meanwhile was not looked at
    with path.open(encoding=_encoding(path, encoding), errors="replace") as file:
        for row in file:
            yield from row.splitlines()


def _encoding(path: Path, usual: str) -> str:
    with path.open("rb") as file:
        if file.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
            return "utf-16"
    for candidate in ("utf-8-sig", usual):
        try:
            with path.open(encoding=candidate, newline="") as file:
                while file.read(_BLOCK):
                    pass
        except UnicodeDecodeError:
            continue
        return candidate
    return "latin-1"


def _files(folder: Path) -> Iterator[Path]:
    if folder.exists():
        yield from (path for path in sorted(folder.iterdir()) if path.is_file())


def _named(folder: Path, name: str) -> Path | None:
    """The file of this name, whatever letter case it got on its way."""
    return next((path for path in _files(folder) if path.name.upper() == name.upper()), None)
