"""Sage's words in the Estimate Import Report, which is text for people: the line about a rejected one.

No source gives the report's layout, so a line is taken only where what it names, and what it stands
under, is the very job, extra, code and category.
"""

import re
from collections.abc import Iterable, Sequence, Set
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
    """The lines of import reports, and which job and extra each stands under."""

    def __init__(self, rows: Iterable[str], rejected: RejectedNames) -> None:
        self._jobs, self._extras = _Names(rejected.jobs), _Names(rejected.extras)
        codes = _Names(rejected.codes)
        self._by_first_word: dict[str, list[_ReportLine]] = {}
        heading_job = heading_extra = ""
        for row in rows:
            words = tuple(word.rstrip(".:") for word in _WORD.findall(row))
            job = _named_in(row, words, _JOB, self._jobs)
            extra = _named_in(row, words, _EXTRA, self._extras)
            if not codes.first_in(words):  # a heading, or a line about nothing that was rejected
                heading_job, heading_extra = job or heading_job, extra or ("" if job else heading_extra)
                continue
            line = _ReportLine(
                " ".join(row.split()), words, job or heading_job, extra or ("" if job else heading_extra)
            )
            for word in set(words):
                self._by_first_word.setdefault(word, []).append(line)

    def words(self, rejected: JobLine, *, only_job: bool) -> str | None:
        """The first line that names the code and the category of a rejected line, for its job and extra.

        A line that stands under no job is taken where the code was rejected for one job alone (`only_job`).
        """
        asked = rejected.assignment
        code, category = asked.code.split(), asked.category.split()
        for line in self._by_first_word.get(code[0], ()) if code else ():
            if (
                line.extra == asked.extra
                and (line.job == rejected.job or (not line.job and only_job))
                and _has(line.words, code)
                and _has(line.words, category)
            ):
                return line.text
        return None


@dataclass(frozen=True, slots=True)
class _ReportLine:
    text: str
    words: tuple[str, ...]
    job: str
    extra: str


class _Names:
    """Names to look for in text, which may be of several words."""

    def __init__(self, names: Set[str]) -> None:
        self._by_first_word: dict[str, set[str]] = {}
        for name in names - {""}:
            self._by_first_word.setdefault(name.split()[0], set()).add(name)

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
