"""Sage's words in the Estimate Import Report, which is text for people: the line about a rejected one.

No source gives the report's layout, so a line is taken only where what it names, and what it stands
under, is the very job, extra, code and category.
"""

import re
import sqlite3
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, field

from sync.sage.layouts import JobLine

_WORD = re.compile(r"[^\s\",;()]+")
_JOB = re.compile(r"\bJob(?:\s+(?:No\.?|Number))?\s*[:#]?\s*([^\s\",;()]*\d[^\s\",;()]*)", re.IGNORECASE)
_EXTRA = re.compile(r"\bExtra(?:\s+(?:No\.?|Number))?\s*[:#]?\s*([^\s\",;()]*\d[^\s\",;()]*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class RejectedNames:
    """What a report tells of, by name: of every rejected record, whichever batch it belongs to."""

    jobs: set[str] = field(default_factory=set)
    extras: set[str] = field(default_factory=set)
    codes: set[str] = field(default_factory=set)

    def add(self, line: JobLine) -> None:
        """One more record."""
        self.jobs.add(line.job)
        self.extras.add(line.assignment.extra)
        self.codes.add(line.assignment.code)


class Report:
    """The lines of import reports, and which job and extra each stands under, in a table of a database."""

    def __init__(self, rows: Iterable[str], rejected: RejectedNames, kept: sqlite3.Connection) -> None:
        self._kept = kept
        kept.execute("CREATE TABLE report (code TEXT, extra TEXT, job TEXT, row TEXT)")
        kept.execute("BEGIN")
        kept.executemany("INSERT INTO report VALUES (?, ?, ?, ?)", _lines(rows, rejected))
        kept.execute("COMMIT")
        kept.execute("CREATE INDEX of_code ON report (code, extra, job)")

    def words(self, rejected: JobLine, *, only_job: bool) -> str | None:
        """The first line that names the code and the category of a rejected line, for its job and extra.

        A line that stands under no job is taken where the code was rejected for one job alone (`only_job`).
        """
        asked = rejected.assignment
        code, category = asked.code.split(), asked.category.split()
        rows = self._kept.execute(
            "SELECT row FROM report WHERE code = ? AND extra = ? AND job IN (?, ?) ORDER BY rowid",
            (code[0] if code else "", asked.extra, rejected.job, "" if only_job else rejected.job),
        )
        for (row,) in rows:
            words = _words(row)
            if _has(words, code) and _has(words, category):
                return str(row)
        return None


def _lines(rows: Iterable[str], rejected: RejectedNames) -> Iterator[tuple[str, str, str, str]]:
    """The rows about codes that were rejected, by first word of such a code, extra and job."""
    jobs, extras, codes = _Names(rejected.jobs), _Names(rejected.extras), _Names(rejected.codes)
    heading_job = heading_extra = ""
    for row in rows:
        words = _words(row)
        job = _named_in(row, words, _JOB, jobs)
        extra = _named_in(row, words, _EXTRA, extras)
        if not codes.first_in(words):  # a heading, or a line about nothing that was rejected
            heading_job, heading_extra = job or heading_job, extra or ("" if job else heading_extra)
            continue
        for word in codes.beginning_with(words):
            yield word, extra or ("" if job else heading_extra), job or heading_job, " ".join(row.split())


def _words(row: str) -> tuple[str, ...]:
    return tuple(word.rstrip(".:") for word in _WORD.findall(row))


class _Names:
    """Names to look for in text, which may be of several words."""

    def __init__(self, names: Set[str]) -> None:
        self._by_first_word: dict[str, set[str]] = {}
        for name in names - {""}:
            self._by_first_word.setdefault(name.split()[0], set()).add(name)

    def beginning_with(self, words: Iterable[str]) -> Set[str]:
        """Those of the words that a name begins with."""
        return self._by_first_word.keys() & words

    def first_in(self, words: Sequence[str]) -> str:
        """The first of them that is named, or ''."""
        for place, word in enumerate(words):
            for name in sorted(self._by_first_word.get(word, ()), key=len, reverse=True):
                if _has(words[place : place + len(name.split())], name.split()):
                    return name
        return ""


def _named_in(row: str, words: Sequence[str], label: re.Pattern[str], names: _Names) -> str:
    """The number behind its label in a row, such as `Job: 24-017`, or else one of the names; '' for none."""
    known, found = names.first_in(words), label.search(row)
    if not found or known.split()[:1] == [found[1].rstrip(".:")]:
        return known
    return found[1].rstrip(".:")


def _has(words: Sequence[str], wanted: Sequence[str]) -> bool:
    """Whether the wanted words follow each other among the words."""
    width = len(wanted)
    return any(list(words[place : place + width]) == list(wanted) for place in range(len(words) - width + 1))
