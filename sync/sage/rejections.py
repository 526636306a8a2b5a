"""Which lines of a batch the accountant's import rejected, by the records that it left, and Sage's words.

A batch may have a million lines, and another import may have left as many records. So the records are kept
in a temporary database, which SQLite holds in memory as long as it is small, and lines are looked up.
"""

import sqlite3
import weakref
from collections.abc import Iterable, Mapping

from sync.sage.import_report import RejectedNames, Report
from sync.sage.layouts import JobLine
from workflow.batches import ExportLine
from workflow.characters import storable
from workflow.merge import Assignment

_RECORDS = """
CREATE TABLE records (
    code TEXT, category TEXT, extra TEXT, job TEXT, file TEXT, fits TEXT,
    PRIMARY KEY (code, category, extra, job)
) WITHOUT ROWID
"""
_RECORD = "SELECT file, fits FROM records WHERE (code, category, extra, job) = (?, ?, ?, ?)"
_SAME_LINE = "SELECT 1 FROM records WHERE (code, category, extra) = (?, ?, ?) LIMIT 2"
_FITS = """
UPDATE records SET fits = CASE WHEN fits IS NULL OR fits = ? THEN ? ELSE ? END
WHERE (code, category, extra, job) = (?, ?, ?, '')
"""
_SEVERAL = ""


class Rejections:
    """What the rejected records and the reports of an import say."""

    def __init__(self, records: Iterable[tuple[JobLine, str]], report: Iterable[str]) -> None:
        """Read them: each record with the file that it is in, and the rows of the reports.

        Raises:
            sqlite3.Error: there is no room for them.
        """
        self._kept = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        weakref.finalize(self, self._kept.close)
        names = RejectedNames()
        for statement in ("PRAGMA journal_mode = OFF", _RECORDS, "BEGIN"):
            self._kept.execute(statement)
        for record, file in records:
            names.add(record)
            self._kept.execute(
                "INSERT OR REPLACE INTO records VALUES (?, ?, ?, ?, ?, NULL)",
                (*record.assignment, record.job, storable(file)),
            )
        self._kept.execute("COMMIT")
        self._has_records, self._has_jobless = bool(names.jobs), "" in names.jobs
        self._report = Report(report if names.jobs else (), names, self._kept)

    def has_any_of(self, lines: Iterable[ExportLine]) -> bool:
        """Whether any of these lines was rejected under its job."""
        return self._has_records and any(self._record(line.job_number, line.assignment)[0] for line in lines)

    def fit(self, lines: Iterable[ExportLine]) -> None:
        """Find out which lines of the batch fit records that stand under no job row."""
        if not self._has_jobless:
            return
        self._kept.execute("BEGIN")
        self._kept.executemany(
            _FITS,
            (
                (of := f"{line.job_number}\n{line.extra}", of, _SEVERAL, *record)
                for line in lines
                for record in _without_job(line.assignment)
            ),
        )
        self._kept.execute("COMMIT")

    def words(self, number: str, asked: Mapping[int, Assignment]) -> dict[int, str]:
        """Words by line id for those lines of a job that were rejected.

        Where lines of several jobs or extras fit a record without a job row, one was rejected, and each is
        told so.
        """
        found = ((line_id, self._words(number, assignment)) for line_id, assignment in asked.items())
        return {line_id: words for line_id, words in found if words}

    def _words(self, number: str, asked: Assignment) -> str | None:
        file, _ = self._record(number, asked)
        for record in _without_job(asked) if file is None and self._has_jobless else ():
            found, fits = self._record("", record)
            if fits not in (_SEVERAL, f"{number}\n{asked.extra}"):
                continue  # of another line, or of another batch
            if fits == _SEVERAL:
                return (
                    f"Sage may have rejected this line: {found} has its cost code and category without a job "
                    "row, and several lines fit. Compare the Estimate Import Report."
                )
            file = found or file
        if file is None:
            return None
        only_job = len(self._kept.execute(_SAME_LINE, asked).fetchall()) == 1  # of whichever batch
        said = self._report.words(JobLine(number, asked), only_job=only_job)
        return said or f"Sage rejected this line: see {file}."

    def _record(self, number: str, asked: Assignment) -> tuple[str | None, str | None]:
        """The file that has the record of a line, and what fits it where it stands under no job."""
        found = self._kept.execute(_RECORD, (*asked, number)).fetchone()
        return found or (None, None)


def _without_job(asked: Assignment) -> set[Assignment]:
    """What the record of a line may say without its job row: the extra's row may be missing as well."""
    return {asked, asked._replace(extra="")}
