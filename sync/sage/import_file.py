"""Sage 300 CRE by file: what Job Cost's Import Estimates reads, and what it answers.

One file per batch in `outgoing/`, a pure function of the batch. The accountant imports it and leaves
it in `done/`; the rejected records that the import writes go to `rejected/`. What Sage
holds is read back by whatever reader the company has (ODBC, or an export file).
"""

import hashlib
import os
import sqlite3
from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import groupby, islice
from operator import attrgetter
from pathlib import Path
from typing import Protocol
from uuid import uuid4

from sync.sage.answers import Answers
from sync.sage.company import Batch, Receipt, SageBusyError, SageUnreachableError
from sync.sage.folders import SUFFIX, Folders, Manifest
from sync.sage.layouts import RowWriter, UnwritableError
from sync.sage.profile import SageProfile
from workflow.batches import ExportLine
from workflow.checks import SageLimits
from workflow.merge import Assignment, Refusals, SageJob, words_of

_ROWS_A_BLOCK = 1_000
_LINES_AT_ONE_GO = 10_000


class Reader(Protocol):
    """A way to read what Sage holds; `read` may raise `SageUnreachableError`."""

    def read(self, numbers: Iterable[str]) -> Iterator[SageJob]:
        """What Sage holds for each job, in the order of `numbers`."""

    def untold(self) -> Mapping[str, str]:
        """Why, by number, of the jobs that `read` leaves out."""

    def is_newer_than(self, moment: datetime) -> bool:
        """Whether what `read` says was true after `moment`."""

    def problem(self) -> str | None:
        """Why it cannot be read, or None."""


def _now() -> datetime:
    return datetime.now(UTC)


class ImportFileCompany:
    """A Sage company that takes batches as import files."""

    def __init__(
        self, folder: Path, profile: SageProfile, reader: Reader, *, clock: Callable[[], datetime] = _now
    ) -> None:
        self._folder = folder
        self._folders = Folders.under(folder)
        self._profile = profile
        self._reader = reader
        self._clock = clock

    @property
    def limits(self) -> SageLimits:
        return self._profile.limits

    @property
    def answers_within(self) -> timedelta:
        return timedelta(hours=self._profile.file.imported_within_hours)

    def read(self, numbers: Iterable[str]) -> Iterator[SageJob]:
        return self._reader.read(numbers)

    def untold(self) -> Mapping[str, str]:
        return self._reader.untold()

    def newest_batch(self) -> int:
        """By the files in the folders, which nobody who files them away has renamed."""
        try:
            self._require_share()
            return max((Batch.number(name) for name in self._folders.names()), default=0)
        except OSError as error:
            raise SageUnreachableError(self._unusable(error)) from error

    def send(self, batch: Batch, lines: Iterable[ExportLine]) -> Receipt | None:
        """Write the batch's file, once: what was published is never written again. No lines, no file."""
        try:
            self._require_share()
            manifest = self._folders.manifest(batch.name) or self._write(batch, lines)
            if manifest.started_at != batch.started_at:
                raise SageUnreachableError(
                    f"COSTBOT_SAGE_FOLDER: {self._folder} has a batch {batch.name} of another costbot. Give "
                    "each one a folder of its own, or move the files of the other one away, as those of this "
                    "one from before its database was restored."
                )
            self._publish(manifest)
        except OSError as error:
            raise SageUnreachableError(self._unusable(error)) from error
        return Receipt(manifest.file, manifest.sha256) if manifest.lines else None

    def answer(self, batch: Batch, lines: Iterable[ExportLine]) -> Refusals | None:
        """Sage's words, once the file was imported and Sage can be read since; else None.

        It was imported when it lies in `done/`, when an answer names it or rejects lines of it, or,
        whatever became of the file, when Sage holds every line.
        """
        try:
            self._require_share()
            manifest = self._folders.manifest(batch.name)
            answers = Answers.to(batch, self._folders, manifest, now=self._clock())
            unwritable = manifest.unwritable if manifest else {}
            rejections = answers.rejections(encoding=self._profile.file.encoding)
            is_rejected = not answers.imported and rejections.has_any_of(_written(lines, unwritable))
            imported = answers.imported or (is_rejected and answers.quiet)
            all_held = (
                not answers.imported and not is_rejected and self._holds_all(_written(lines, unwritable))
            )
            if not all_held and not (imported and self._reader.is_newer_than(answers.arrived_at)):
                return None
            rejections.fit(_written(lines, unwritable))
        except OSError as error:
            raise SageUnreachableError(self._unusable(error)) from error
        except sqlite3.Error as error:
            raise SageUnreachableError(
                f"COSTBOT_SAGE_FOLDER: what Sage rejected of {batch.name} could not be kept while it is read "
                f"({error}). Make room where temporary files go, or name another folder for them in TMPDIR."
            ) from error

        def words(number: str, asked: Mapping[int, Assignment]) -> Mapping[int, str]:
            written = {line_id: each for line_id, each in asked.items() if line_id not in unwritable}
            return {**words_of(unwritable)(number, asked), **rejections.words(number, written)}

        return words

    def problem(self) -> str | None:
        try:
            self._require_share()
        except OSError as error:
            return self._unusable(error)
        except SageUnreachableError as error:
            return str(error)
        for folder in self._folders:
            if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
                return (
                    f"COSTBOT_SAGE_FOLDER: costbot may not read and write {folder}. Give its user the right."
                )
        return self._reader.problem()

    def _require_share(self) -> None:
        if not self._folders.are_there():
            raise SageUnreachableError(
                f"COSTBOT_SAGE_FOLDER: {self._folder} has no folder outgoing, rejected or done. If it is on "
                "a share, mount the share; if it is new, run `costbot sage set-up` once."
            )

    def _holds_all(self, lines: Iterable[ExportLine]) -> bool:
        """Whether Sage holds all these lines: read some jobs at one go, up to the first that it lacks."""
        wanted: dict[str, set[Assignment]] = {}
        count = 0
        for number, group in groupby(lines, attrgetter("job_number")):
            if count > _LINES_AT_ONE_GO:
                if not self._holds(wanted):
                    return False
                wanted, count = {}, 0
            wanted[number] = {line.assignment for line in group}
            count += len(wanted[number])
        return self._holds(wanted)

    def _holds(self, wanted: Mapping[str, Collection[Assignment]]) -> bool:
        return not wanted.keys() & self._reader.untold().keys() and all(
            (code := job.cost_codes.get(asked.code_key)) is not None and asked.category in code.categories
            for job in self._reader.read(wanted)
            for asked in wanted[job.number]
        )

    def _write(self, batch: Batch, lines: Iterable[ExportLine]) -> Manifest:
        """Write the content under a name of its own, then the manifest, which says that it is whole.

        Two may be at it: one that lost the data sync's lock, and does not know, and the next. Whoever begins
        takes the other's content away, and nobody goes on with a batch that has its manifest.
        """
        writer = RowWriter(self._profile, batch=batch.name, on=batch.started_at.astimezone(UTC).date())
        digest = hashlib.sha256()
        count, jobs, unwritable = 0, dict[str, None](), dict[int, str]()

        def rows() -> Iterator[bytes]:
            nonlocal count
            yield writer.comment()
            for line in lines:
                try:
                    yield writer.rows(line)
                except UnwritableError as error:
                    unwritable[line.line_id] = f"costbot could not write this line: {error}."
                else:
                    count += 1
                    jobs[line.job_number] = None

        own = self._folders.outgoing / f".{batch.name}{SUFFIX}.{uuid4().hex}.tmp"
        with own.open("xb") as file:
            self._tidy(batch.name, but=own)
            written = rows()
            while block := b"".join(islice(written, _ROWS_A_BLOCK)):
                file.write(block)
                digest.update(block)
            file.flush()
            os.fsync(file.fileno())
        manifest = Manifest(
            batch=batch.name,
            started_at=batch.started_at,
            file=f"{batch.name}{SUFFIX}",
            jobs=list(jobs),
            lines=count,
            sha256=digest.hexdigest(),
            unwritable=unwritable,
        )
        if (other := self._folders.manifest(batch.name)) is not None:
            own.unlink(missing_ok=True)
            return other
        try:
            own.replace(self._temporary(batch.name))
        except FileNotFoundError as error:
            raise SageBusyError(f"Another data sync is writing the batch {batch.name}.") from error
        _write_whole(self._folders.outgoing / f"{batch.name}.json", manifest.model_dump_json(indent=2) + "\n")
        return manifest

    def _tidy(self, batch: str, *, but: Path) -> None:
        """Remove what others have begun to write of a batch, killed or not."""
        for begun in self._folders.outgoing.glob(f".{batch}{SUFFIX}.*.tmp"):
            if begun != but:
                begun.unlink(missing_ok=True)

    def _publish(self, manifest: Manifest) -> None:
        """Give the content its name; when it has it, or the accountant took it, there is nothing to do."""
        temporary = self._temporary(manifest.batch)
        with suppress(FileNotFoundError):
            if manifest.lines:
                temporary.replace(self._folders.outgoing / manifest.file)
            else:
                temporary.unlink()
            _sync_folder(self._folders.outgoing)

    def _temporary(self, batch: str) -> Path:
        """The whole content, until it is published."""
        return self._folders.outgoing / f".{batch}{SUFFIX}.tmp"

    def _unusable(self, error: OSError) -> str:
        where = error.filename or self._folder
        return f"COSTBOT_SAGE_FOLDER: {where} cannot be used: {error.strerror or error}."


def _written(lines: Iterable[ExportLine], unwritable: Container[int]) -> Iterator[ExportLine]:
    """The lines that are in the file."""
    return (line for line in lines if line.line_id not in unwritable)


def _write_whole(path: Path, text: str) -> None:
    """Write a small file so that it is there whole or not at all."""
    temporary = path.with_name(f".{path.name}.tmp")
    with temporary.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Make a rename in the folder outlast a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # a network share may not know how
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
