"""Read-back without ODBC: a Job Cost export that somebody saves as CSV.

Columns `job,job_name,extra,code,description,category`. The file is read anew whenever it changed,
once nobody has written it for a while; what it says was true then, and is used as that.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sync.files import read_export
from sync.sage.company import SageBusyError, SageUnreachableError
from sync.sage.embedded import LoadedRow
from workflow.merge import CodeKey, SageCode, SageJob
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
        self._jobs: Mapping[str, SageJob] = {}
        self._untold: Mapping[str, str] = {}

    def read(self, numbers: Iterable[str]) -> Iterator[SageJob]:
        jobs = self._export()
        for number in numbers:
            if number not in self._untold:
                yield jobs.get(number) or SageJob(number, None, {})

    def untold(self) -> Mapping[str, str]:
        """Why, by number, of each job whose rows are not all usable: it may have more than they say."""
        self._export()
        return self._untold

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

    def _export(self) -> Mapping[str, SageJob]:
        try:
            look = _Look.at(self._path)
            if look != self._read:
                self._require_quiet(look)
                export = read_export(self._path, encoding=self._encoding)
                self._require_unchanged(look)
                self._jobs, self._read = _jobs(export.rows), look
                self._untold = {
                    job: f"COSTBOT_SAGE_EXPORT: {BadFileError(self._path, problems)}. Correct it and save "
                    f"the export anew; until then costbot leaves job {job} as it is."
                    for job, problems in export.unusable.items()
                }
        except OSError as error:
            raise SageUnreachableError(
                f"COSTBOT_SAGE_EXPORT {self._path} cannot be read ({error.strerror}): save an export of Job "
                "Cost there."
            ) from error
        except BadFileError as error:
            raise SageUnreachableError(
                f"COSTBOT_SAGE_EXPORT cannot be used: {error}. Correct it and save the export anew."
            ) from error
        return self._jobs

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


def _jobs(rows: Iterable[LoadedRow]) -> dict[str, SageJob]:
    names: dict[str, str] = {}
    descriptions: dict[str, dict[CodeKey, str]] = {}
    categories: dict[tuple[str, CodeKey], set[str]] = {}
    for row in rows:
        names[row.job] = row.job_name
        codes = descriptions.setdefault(row.job, {})
        if row.code:
            key = (row.extra, row.code)
            codes[key] = row.description
            categories.setdefault((row.job, key), set()).update({row.category} - {""})
    return {
        number: SageJob(
            number,
            names[number],
            {key: SageCode(text, frozenset(categories[number, key])) for key, text in codes.items()},
        )
        for number, codes in descriptions.items()
    }
