"""Read-back without ODBC: a Job Cost export that somebody saves as CSV.

Columns `job,job_name,extra,code,description,category`. The file is read anew whenever it changed;
what it says was true when it was written, and is used as that.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path

from sync.files import read_export
from sync.sage.company import SageUnreachableError
from sync.sage.folders import modified
from workflow.merge import CodeKey, SageCode, SageJob
from workflow.rows import BadFileError


class ExportReader:
    """Reads jobs from an export file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._as_of: datetime | None = None
        self._jobs: Mapping[str, SageJob] = {}

    def read(self, numbers: Iterable[str]) -> Iterator[SageJob]:
        jobs = self._export()
        for number in numbers:
            yield jobs.get(number) or SageJob(number, None, {})

    def is_newer_than(self, moment: datetime) -> bool:
        try:
            return modified(self._path) >= moment
        except OSError:
            return False

    def problem(self) -> str | None:
        try:
            self._export()
        except SageUnreachableError as error:
            return str(error)
        return None

    def _export(self) -> Mapping[str, SageJob]:
        try:
            as_of = modified(self._path)
            if as_of != self._as_of:
                self._jobs, self._as_of = _read(self._path), as_of
        except OSError as error:
            raise SageUnreachableError(
                f"COSTBOT_SAGE_EXPORT {self._path} cannot be read ({error.strerror}): save an export of Job "
                "Cost there."
            ) from error
        except BadFileError as error:
            raise SageUnreachableError(f"COSTBOT_SAGE_EXPORT cannot be used: {error}") from error
        return self._jobs


def _read(path: Path) -> dict[str, SageJob]:
    names: dict[str, str] = {}
    descriptions: dict[str, dict[CodeKey, str]] = {}
    categories: dict[tuple[str, CodeKey], set[str]] = {}
    for row in read_export(path).rows:
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
