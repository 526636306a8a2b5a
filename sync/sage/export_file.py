"""Read-back without ODBC: a Job Cost export that somebody saves as CSV.

Columns `job,job_name,extra,code,description,category`. The file is read anew whenever it changed,
once nobody has written it for a while; what it says was true then, and is used as that.
"""

import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sync.sage.company import SageBusyError, SageUnreachableError
from sync.sage.export_rows import Export
from workflow.merge import SageJob
from workflow.rows import BadFileError

QUIET = timedelta(seconds=10)
"""An export that was written since may be half saved."""
_AHEAD = timedelta(minutes=1)
"""An export from further in the future was saved by another clock, or before ours was set back."""


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class _Look:
    """What the file was like when it was looked at: a save changes one or the other."""

    as_of: datetime
    size: int

    @classmethod
    def at(cls, path: Path) -> "_Look":
        status = path.stat()
        return cls(datetime.fromtimestamp(status.st_mtime, UTC), status.st_size)


class ExportReader:
    """Reads jobs from an export file; `clock` tells the time in UTC, `pause` waits for some seconds."""

    def __init__(
        self,
        path: Path,
        *,
        encoding: str = "cp1252",
        clock: Callable[[], datetime] = _now,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._path = path
        self._encoding = encoding
        self._clock = clock
        self._pause = pause
        self._read: _Look | None = None
        self._kept: Export | None = None

    def read(self, numbers: Iterable[str]) -> Iterator[SageJob]:
        export = self._export()
        for number in numbers:
            if number not in export.amiss:
                yield export.job(number)

    def untold(self) -> Mapping[str, str]:
        """Why, by number, of each job whose rows are not all usable: it may have more than they say."""
        return {
            job: f"COSTBOT_SAGE_EXPORT: {amiss.of(self._path)}. Correct it and save the export anew; until "
            f"then costbot leaves job {job} as it is."
            for job, amiss in self._export().amiss.items()
        }

    def is_newer_than(self, moment: datetime) -> bool:
        """What a clock that was ahead dates proves nothing, but to a moment of the same clock."""
        try:
            as_of, ahead = _Look.at(self._path).as_of, self._clock() + _AHEAD
        except OSError:
            return False
        return as_of >= moment and (as_of <= ahead or moment > ahead)

    def problem(self) -> str | None:
        try:
            return next(iter(self.untold().values()), None)
        except SageUnreachableError as error:
            return str(error)

    def _export(self) -> Export:
        try:
            look = _Look.at(self._path)
            if self._kept is None or look != self._read:
                self._require_quiet(look)
                export = Export(self._path, encoding=self._encoding)
                self._require_unchanged(look)
                self._kept, self._read = export, look
            return self._kept
        except OSError as error:
            raise SageUnreachableError(
                f"COSTBOT_SAGE_EXPORT {self._path} cannot be read ({error.strerror}): save an export of Job "
                "Cost there."
            ) from error
        except BadFileError as error:
            raise SageUnreachableError(
                f"COSTBOT_SAGE_EXPORT cannot be used: {error}. Correct it and save the export anew."
            ) from error
        except sqlite3.Error as error:
            raise SageUnreachableError(
                f"COSTBOT_SAGE_EXPORT {self._path} could not be kept while it is read ({error}). Make room "
                "where temporary files go, or name another folder for them in TMPDIR."
            ) from error

    def _require_quiet(self, look: _Look) -> None:
        """That its save is over: by the file's own time or, where that cannot tell, by looking twice."""
        age = self._clock() - look.as_of
        if age < -_AHEAD:
            self._pause(QUIET.total_seconds())
            self._require_unchanged(look)
        elif age < QUIET:
            raise SageBusyError(
                f"COSTBOT_SAGE_EXPORT {self._path} was written a moment ago and may be half saved. costbot "
                f"reads it when it has been left alone for {QUIET.seconds} seconds."
            )

    def _require_unchanged(self, look: _Look) -> None:
        if _Look.at(self._path) != look:
            raise SageBusyError(
                f"COSTBOT_SAGE_EXPORT {self._path} was saved anew while costbot read it. "
                "The next data sync reads it."
            )
