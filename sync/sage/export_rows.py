"""What the rows of a Job Cost export say that Sage holds, by job.

An export may have a million rows: it is read once, from one end to the other, and what it says is kept in a
temporary database, which SQLite holds in memory as long as it is small, and removes by itself.
"""

import json
import sqlite3
import threading
import weakref
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from sync.files import SageRow
from workflow.merge import CodeKey, SageCode, SageJob
from workflow.rows import BadFileError, FileProblem, cell_checks, checked, contradiction, records

_CODE = list(SageRow.columns()).index("code")
_ROWS_AT_ONCE = 20_000
_MOST_JOBS_AMISS = 10_000
_TABLE = "CREATE TABLE told (job TEXT, line INTEGER, name TEXT, codes TEXT)"
_PARTS = "SELECT line, name, codes FROM told WHERE job = ? ORDER BY line"


@dataclass(frozen=True, slots=True)
class Amiss:
    """The first problem of a job's rows, and how many they have."""

    first: FileProblem
    count: int = 1

    def and_one_more(self) -> "Amiss":
        return Amiss(self.first, self.count + 1)

    def of(self, path: Path) -> BadFileError:
        return BadFileError(path, [self.first], of=self.count)


class Export:
    """An export as it was read; `amiss` has, by number, the jobs that have rows that cannot be used."""

    def __init__(self, path: Path, *, encoding: str) -> None:
        """Read it; lines that are not UTF-8 are in `encoding`, and fields may be wide.

        Raises:
            OSError: it cannot be read.
            BadFileError: of a row that cannot be used not even the job is known, so no job is whole.
            sqlite3.Error: there is no room for what it says.
        """
        self.amiss: dict[str, Amiss] = {}
        self._all_amiss: Amiss | None = None
        self._is_whole = True
        # threads of one connection share its statements from Python 3.12 on, and so each other's rows
        self._one_at_a_time = threading.Lock()
        self._kept = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        weakref.finalize(self, self._kept.close)
        for statement in ("PRAGMA journal_mode = OFF", _TABLE):
            self._kept.execute(statement)
        with path.open("rb") as file:
            self._take(self._usable(file, encoding))
        self._kept.execute("CREATE INDEX of_job ON told (job)")
        self._compare_parts()
        if self._all_amiss and not self._is_whole:
            raise self._all_amiss.of(path)

    def job(self, number: str) -> SageJob:
        """What it says of a job."""
        parts = self._parts(number)
        if not parts:
            return SageJob(number, None, {})
        told = parts[0]
        for other in parts[1:]:
            deque(told.join(other), maxlen=0)
        codes = {
            key: SageCode(description, frozenset(categories - {""}))
            for key, (_, description, categories) in told.codes.items()
        }
        return SageJob(number, told.name, codes)

    def _usable(self, file: Iterable[bytes], encoding: str) -> Iterator[tuple[int, Sequence[str], str]]:
        """Of each row that can be used by itself its line, the texts of job and cost code, and the category.

        The texts are the same list as those of the row above where they say the same.
        """
        problems: list[FileProblem] = []
        *checks, category_check = cell_checks(SageRow)
        has_rows, texts = False, list[str]()
        before: Sequence[str] = ()
        category: Any
        for record in records(file, SageRow, problems, fallback=encoding):
            line, values, is_whole = record
            of_code = values[:-1]
            category = category_check(values[-1]) if of_code else None
            if not of_code or of_code != before:  # most rows add a category to the cost code of the row above
                texts = [check(value) for check, value in zip(checks, values)]  # noqa: B905 - of half a row, too
                before = of_code
            if is_whole and (category is None or None in texts or not texts[_CODE]):
                if not any(map(str.strip, values)) and not problems:
                    continue
                checked(record, SageRow, problems)
            has_rows = True
            if problems:
                number = (texts[0] or values[0].strip()) if texts else ""
                for problem in problems:
                    self._is_amiss(number if problem.line == line else "", problem)
                problems.clear()
            else:
                yield line, texts, category
        if not has_rows and not problems:
            problems.append(FileProblem(None, None, "has a header but no rows"))
        for problem in problems:
            self._is_amiss("", problem)

    def _take(self, rows: Iterable[tuple[int, Sequence[str], str]]) -> None:
        """Keep what the rows say, some thousand at a time; a job may be in several parts."""
        jobs: dict[str, _Told] = {}
        before: Sequence[str] = ()
        categories = set[str]()
        for n, (line, of_code, category) in enumerate(rows, start=1):
            if of_code is before:
                categories.add(category)
            else:
                before = of_code
                number, name, extra, code, description = of_code
                told = jobs.get(number)
                if told is None:
                    told = jobs[number] = _Told(line, name, {})
                for problem in told.add(line, name, extra, code, description, category):
                    self._is_amiss(number, problem)
                categories = told.categories_of(extra, code)
            if n % _ROWS_AT_ONCE == 0:
                self._keep(jobs)
                jobs.clear()
                before = []
        self._keep(jobs)

    def _keep(self, jobs: dict[str, "_Told"]) -> None:
        self._kept.execute("BEGIN")
        self._kept.executemany(
            "INSERT INTO told VALUES (?, ?, ?, ?)",
            ((number, *told.as_row()) for number, told in jobs.items()),
        )
        self._kept.execute("COMMIT")

    def _parts(self, number: str) -> list["_Told"]:
        with self._one_at_a_time:
            rows = self._kept.execute(_PARTS, (number,)).fetchall()
        return [_Told.of_row(*row) for row in rows]

    def _is_amiss(self, job: str, problem: FileProblem) -> None:
        self._all_amiss = self._all_amiss.and_one_more() if self._all_amiss else Amiss(problem)
        if job in self.amiss:
            self.amiss[job] = self.amiss[job].and_one_more()
        elif job and "\N{REPLACEMENT CHARACTER}" not in job and len(self.amiss) < _MOST_JOBS_AMISS:
            self.amiss[job] = Amiss(problem)
        else:
            self._is_whole = False

    def _compare_parts(self) -> None:
        """Parts of one job may contradict each other."""
        several = self._kept.execute("SELECT job FROM told GROUP BY job HAVING count(*) > 1")
        for (number,) in several:
            first, *others = self._parts(number)
            for problem in chain.from_iterable(map(first.join, others)):
                self._is_amiss(number, problem)


@dataclass(frozen=True, slots=True)
class _Told:
    """What rows say of a job, with the line that said it first: its name, and by cost code the rest."""

    line: int
    name: str
    codes: dict[CodeKey, tuple[int, str, set[str]]]

    def add(
        self, line: int, name: str, extra: str, code: str, description: str, category: str
    ) -> Iterable[FileProblem]:
        """One more row, and what it says otherwise than one before."""
        problems = [] if name == self.name else [contradiction(line, "job_name", name, self.name, self.line)]
        if code:
            said = self.codes.get((extra, code))
            if said is None:
                self.codes[extra, code] = (line, description, {category})
            else:
                first, before, categories = said
                categories.add(category)
                if description != before:
                    problems.append(contradiction(line, "description", description, before, first))
        return problems

    def categories_of(self, extra: str, code: str) -> set[str]:
        return self.codes[extra, code][2] if code else set()

    def join(self, other: "_Told") -> Iterator[FileProblem]:
        """What other rows say of it."""
        yield from self.add(other.line, other.name, "", "", "", "")
        for (extra, code), (line, description, categories) in other.codes.items():
            for category in categories:
                yield from self.add(line, self.name, extra, code, description, category)

    def as_row(self) -> tuple[int, str, str]:
        codes = [(*key, line, text, list(categories)) for key, (line, text, categories) in self.codes.items()]
        return self.line, self.name, json.dumps(codes)

    @classmethod
    def of_row(cls, line: int, name: str, codes: str) -> "_Told":
        return cls(
            line,
            name,
            {
                (extra, code): (first, text, set(categories))
                for extra, code, first, text, categories in json.loads(codes)
            },
        )
