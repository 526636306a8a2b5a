"""The embedded Sage company: a SQLite file that behaves as Sage 300 CRE's Job Cost import does.

For trials and tests. Owns Sage's limits and the words of its refusals; knows nothing of requests.
Source of the limits: Sage Estimating's file layout (description 30, category 3) and set-up page
(cost code 12), Procore's 'Which cost code formats are supported' (sections divided by - / or .).
"""

import fcntl
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from sync.sage.company import Batch, SageUnreachableError
from workflow.batches import ExportLine
from workflow.checks import SageLimits, cut_to
from workflow.merge import CodeKey, Refusals, SageCode, SageJob, words_of

CODE_LENGTH = 12
DESCRIPTION_LENGTH = 30
CATEGORY_LENGTH = 3
SECTION_DELIMITERS = "-/."

_BUSY_SECONDS = 30.0

_TABLES = """
CREATE TABLE IF NOT EXISTS jobs (
    number TEXT PRIMARY KEY,
    name TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS cost_codes (
    job TEXT NOT NULL REFERENCES jobs (number),
    extra TEXT NOT NULL,
    code TEXT NOT NULL,
    description TEXT NOT NULL,
    PRIMARY KEY (job, extra, code)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS assignments (
    job TEXT NOT NULL,
    extra TEXT NOT NULL,
    code TEXT NOT NULL,
    category TEXT NOT NULL,
    PRIMARY KEY (job, extra, code, category),
    FOREIGN KEY (job, extra, code) REFERENCES cost_codes (job, extra, code)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS standard_categories (category TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS batches (name TEXT PRIMARY KEY, started_at TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS refusals (
    batch TEXT NOT NULL REFERENCES batches (name),
    line_id INTEGER NOT NULL,
    words TEXT NOT NULL,
    PRIMARY KEY (batch, line_id)
) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class LoadedRow:
    """One row of what Sage holds already; code '' makes the job known, category '' the code alone."""

    job: str
    job_name: str
    extra: str = ""
    code: str = ""
    description: str = ""
    category: str = ""


def refusal(line: ExportLine, *, code_exists: bool, standard_categories: frozenset[str]) -> str | None:
    """Why Sage would refuse a line, in its words, or None.

    No standard category at all means that none was loaded: then every one that fits is standard.
    """
    code, category = line.assignment.code, line.assignment.category
    if len(code) > CODE_LENGTH:
        return f"Cost code {code} is longer than {CODE_LENGTH} characters"
    if not any(delimiter in code for delimiter in SECTION_DELIMITERS):
        return f"Cost code {code} is not sectioned: divide it by - / or ."
    if line.description is None and not code_exists:
        return f"Cost code {code} does not exist for job {line.job_number}"
    if not category or len(category) > CATEGORY_LENGTH:
        return f"Category {category or '(empty)'} must have 1 to {CATEGORY_LENGTH} characters"
    if standard_categories and category not in standard_categories:
        return f"Category {category} is not a standard category"
    return None


class EmbeddedSage:
    """A `SageCompany` in one SQLite file, made at its first use.

    A job that it does not know is created, as the real import does (Sage KB, 'Job Cost estimate import').
    """

    answers_within = timedelta(0)
    """A batch is answered as soon as it is taken."""

    def __init__(self, path: Path, limits: SageLimits | None = None) -> None:
        self._path = path
        self._limits = limits or SageLimits()

    @property
    def path(self) -> Path:
        """The file."""
        return self._path

    @property
    def limits(self) -> SageLimits:
        return self._limits

    def read(self, numbers: Iterable[str]) -> Iterator[SageJob]:
        with self._transaction("DEFERRED") as sage:
            for number in numbers:
                yield _job(sage, number)

    def untold(self) -> Mapping[str, str]:
        """None: what it says of a job is whole."""
        return {}

    def newest_batch(self) -> int:
        with self._transaction("DEFERRED") as sage:
            return max(
                (Batch.number(name) for (name,) in sage.execute("SELECT name FROM batches")), default=0
            )

    def send(self, batch: Batch, lines: Iterable[ExportLine]) -> None:
        started_at = batch.started_at.isoformat()
        with self._transaction("IMMEDIATE") as sage:
            taken = sage.execute("SELECT started_at FROM batches WHERE name = ?", (batch.name,)).fetchone()
            if taken:
                if taken[0] != started_at:
                    raise SageUnreachableError(
                        f"The embedded Sage company {self._path} has a batch {batch.name} of another "
                        "costbot. Move the file away."
                    )
                return
            sage.execute("INSERT INTO batches VALUES (?, ?)", (batch.name, started_at))
            standard = frozenset(row[0] for row in sage.execute("SELECT category FROM standard_categories"))
            for line in lines:
                words = _take(sage, line, standard)
                if words:
                    sage.execute("INSERT INTO refusals VALUES (?, ?, ?)", (batch.name, line.line_id, words))

    def answer(self, batch: Batch, lines: Iterable[ExportLine] = ()) -> Refusals | None:
        with self._transaction("DEFERRED") as sage:
            if not sage.execute("SELECT 1 FROM batches WHERE name = ?", (batch.name,)).fetchone():
                return None
            refused = sage.execute("SELECT line_id, words FROM refusals WHERE batch = ?", (batch.name,))
            return words_of(dict(refused))

    def problem(self) -> str | None:
        try:
            next(self.read([""]))
        except SageUnreachableError as error:
            return str(error)
        return None

    def load(self, rows: Iterable[LoadedRow]) -> None:
        """Say what Sage holds already; all rows or none. What is not named stays.

        This speaks for Sage itself, so a description given here replaces the one it had.
        """
        with self._transaction("IMMEDIATE") as sage:
            for row in rows:
                sage.execute(
                    "INSERT INTO jobs VALUES (?, ?) ON CONFLICT DO UPDATE SET name = excluded.name",
                    (row.job, row.job_name),
                )
                if row.code:
                    sage.execute(
                        "INSERT INTO cost_codes VALUES (?, ?, ?, ?)"
                        " ON CONFLICT DO UPDATE SET description = excluded.description",
                        (row.job, row.extra, row.code, row.description),
                    )
                if row.category:
                    _tie(sage, row.job, row.extra, row.code, row.category)

    def load_categories(self, categories: Iterable[str]) -> None:
        """Add standard categories; from the first one on, no other is standard."""
        with self._transaction("IMMEDIATE") as sage:
            sage.executemany(
                "INSERT OR IGNORE INTO standard_categories VALUES (?)",
                ((category,) for category in categories),
            )

    def everything(self) -> Iterator[LoadedRow]:
        """All that Sage holds, as rows that `load` takes."""
        with self._transaction("DEFERRED") as sage:
            rows = sage.execute(
                "SELECT number, name, coalesce(c.extra, ''), coalesce(c.code, ''),"
                " coalesce(description, ''), coalesce(category, '')"
                " FROM jobs LEFT JOIN cost_codes c ON c.job = number"
                " LEFT JOIN assignments a ON (a.job, a.extra, a.code) = (c.job, c.extra, c.code)"
                " ORDER BY 1, 3, 4, 6"
            )
            yield from (LoadedRow(*row) for row in rows)

    @contextmanager
    def _transaction(self, kind: str) -> Iterator[sqlite3.Connection]:
        """One transaction on the file: kept when the block ends, undone when it raises or is killed."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(self._path, timeout=_BUSY_SECONDS, isolation_level=None)
            with closing(connection) as sage:
                self._prepare(sage)
                sage.execute(f"BEGIN {kind}")
                yield sage
                sage.execute("COMMIT")  # closing without it rolls back
        except (sqlite3.Error, OSError) as error:
            raise SageUnreachableError(
                f"The embedded Sage company {self._path} cannot be used ({error}). "
                "Check that its folder exists, is yours and has room."
            ) from error

    def _prepare(self, sage: sqlite3.Connection) -> None:
        sage.execute("PRAGMA foreign_keys = ON")
        if sage.execute("PRAGMA user_version").fetchone()[0]:
            return
        with self._path.with_suffix(".lock").open("w") as lock:
            # two that switch to WAL at once meet 'database is locked', however long they may wait
            fcntl.flock(lock, fcntl.LOCK_EX)
            sage.execute("PRAGMA journal_mode = WAL")
            sage.executescript(f"BEGIN IMMEDIATE; {_TABLES} PRAGMA user_version = 1; COMMIT")


def _job(sage: sqlite3.Connection, number: str) -> SageJob:
    found = sage.execute("SELECT name FROM jobs WHERE number = ?", (number,)).fetchone()
    tied: dict[CodeKey, set[str]] = {}
    for extra, code, category in sage.execute(
        "SELECT extra, code, category FROM assignments WHERE job = ?", (number,)
    ):
        tied.setdefault((extra, code), set()).add(category)
    codes = sage.execute("SELECT extra, code, description FROM cost_codes WHERE job = ?", (number,))
    held = {
        (extra, code): SageCode(description, frozenset(tied.get((extra, code), ())))
        for extra, code, description in codes
    }
    return SageJob(number, found[0] if found else None, held)


def _take(sage: sqlite3.Connection, line: ExportLine, standard_categories: frozenset[str]) -> str | None:
    """Import one line; returns Sage's words when it is refused. A code that exists keeps its description."""
    extra, code = line.assignment.code_key
    key = (line.job_number, extra, code)
    words = refusal(
        line,
        code_exists=bool(
            sage.execute("SELECT 1 FROM cost_codes WHERE job = ? AND extra = ? AND code = ?", key).fetchone()
        ),
        standard_categories=standard_categories,
    )
    if words is None:
        description = cut_to(line.description or "", DESCRIPTION_LENGTH)
        sage.execute("INSERT OR IGNORE INTO jobs VALUES (?, ?)", (line.job_number, line.job_name))
        sage.execute("INSERT OR IGNORE INTO cost_codes VALUES (?, ?, ?, ?)", (*key, description))
        _tie(sage, *key, line.assignment.category)
    return words


def _tie(sage: sqlite3.Connection, job: str, extra: str, code: str, category: str) -> None:
    sage.execute("INSERT OR IGNORE INTO assignments VALUES (?, ?, ?, ?)", (job, extra, code, category))
