"""What a job asks for, as people write it: a CSV file, typed lines, or a message among colleagues.

Owns the one parser of each, for the command line and for Slack alike. Pure but for `read_file`: whether a
cost code is on the standard list is asked in `workflow.requests`. What is not clear is named, never guessed.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from pydantic import Field

from workflow.language import say
from workflow.merge import Assignment
from workflow.rows import (
    ONE_LINE,
    BadFileError,
    FileProblem,
    FileRows,
    Row,
    as_typed,
    parse_rows,
    read_rows,
    text_lines,
)

EXAMPLE = "03-3000 L,M"
"""How a line is written."""

_HEADINGS = {"code", "codes", "cost", "category", "categories", "description"}
_BULLET = re.compile(r"^\s*(?:[-*•\u2013\u2014▪◦]\s+|\d{1,3}[.)]\s+)+")
_DASHES = re.compile("[-\u2013\u2014]+")
_CELLS = re.compile(r"[\t|]")
_BETWEEN = re.compile(r"[\s,;:=/&+]+")
_DATE = re.compile(r"\d{4}-\d\d-\d\d|\d{1,2}/\d{1,2}(/\d{2,4})?")
_CODE_LIKE = re.compile(r"(?<![\w./-])[0-9A-Za-z]+(?:[-./][0-9A-Za-z]+)+(?!\w)")


@dataclass(frozen=True, slots=True)
class Asked:
    """What was read: assignments, each once, and cost codes that name no category.

    `lines` has the line of each assignment, `code_lines` that of each such cost code; counted from 1. Where
    there are `problems`, the rest is what could be read all the same.
    """

    assignments: list[Assignment] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)
    code_lines: list[int] = field(default_factory=list)
    problems: list[FileProblem] = field(default_factory=list)


class _RequestRow(Row):
    keys = (("code", "category"),)

    # as wide as the columns of workflow/tables, so that PostgreSQL and SQLite refuse the same
    code: Annotated[str, Field(min_length=1, max_length=40), ONE_LINE]
    category: Annotated[str, Field(min_length=1, max_length=20), ONE_LINE]


def read_file(path: Path) -> FileRows[Assignment]:
    """A CSV file on disk: code,category.

    Raises:
        BadFileError: with everything that is wrong.
    """
    return read_rows(path, _RequestRow, _asked_by)


def parse_file(name: str, content: bytes, categories: Mapping[str, str]) -> Asked:
    """A file that somebody handed in: CSV by its name, else lines as they are typed."""
    raw = content.splitlines(keepends=True)
    if name.lower().endswith(".csv"):
        try:
            read = parse_rows(name, raw, _RequestRow, _asked_by)
        except BadFileError as bad:
            return Asked(problems=list(bad.problems))
        return _as_written(read, categories)
    problems: list[FileProblem] = []
    typed = _parse(text_lines(raw, problems), categories)
    return Asked(typed.assignments, typed.lines, typed.codes, typed.code_lines, problems + typed.problems)


def parse_lines(text: str, categories: Mapping[str, str]) -> Asked:
    """Lines as they are typed or pasted: `03-3000 L,M`, with bullets, or as columns of a table.

    `categories` is name by code; a category may be written by its name or in another letter case. Of a table
    the first column is the cost code and the last its categories. A line may name a cost code alone.
    """
    return _parse(text.splitlines(), categories)


def code_like(text: str) -> set[str]:
    """Everything in a text that looks like a cost code, or a job number."""
    return set(_CODE_LIKE.findall(as_typed(text)))


def lines_of_message(text: str, codes: Collection[str], categories: Mapping[str, str]) -> list[str]:
    """The lines that a message among colleagues amounts to: each of `codes` that it names, once.

    A category counts for the cost code before it on the line: by its code as it is, or by its name.
    """
    found: dict[str, dict[str, None]] = {}
    category = _any_category(categories)
    by_name = _by_any_name(categories)
    for line in as_typed(text).splitlines():
        named = [match for match in _CODE_LIKE.finditer(line) if match[0] in codes]
        ends = [*(match.start() for match in named[1:]), len(line)]
        for match, end in zip(named, ends, strict=False):
            told = found.setdefault(match[0], {})
            for word in category.findall(line[match.end() : end]) if category else ():
                told[word if word in categories else by_name[word.casefold()]] = None
    return [line_of(code, told) for code, told in found.items()]


def unread_lines(text: str, known: Collection[str]) -> list[str]:
    """The lines of a message that name what looks like a cost code and is not `known`, as they are written.

    `known` are cost codes of the standard list and job numbers. Prose and dates are no such lines.
    """
    unread: dict[str, None] = {}
    for line in map(str.strip, text.splitlines()):
        named = [word for word in _CODE_LIKE.findall(line) if not _DATE.fullmatch(word)]
        first = next(iter(_BETWEEN.split(_BULLET.sub("", line).strip("`\"' "))), "")
        starts_a_list = any(map(str.isdigit, first)) and first not in known
        if any(word not in known for word in named) or (starts_a_list and not named):
            unread[line] = None
    return list(unread)


def line_of(code: str, categories: Iterable[str]) -> str:
    """A line as `parse_lines` reads it."""
    return f"{code} {','.join(categories)}".rstrip()


def _asked_by(row: _RequestRow) -> Assignment:
    return Assignment(row.code, row.category)


def _as_written(read: FileRows[Assignment], categories: Mapping[str, str]) -> Asked:
    """The rows of a table that people made, their categories read as those of a line are."""
    by_name = _by_any_name(categories)
    found: dict[Assignment, int] = {}
    for line, row in zip(read.lines, read.rows, strict=True):
        named = [row.category] if row.category in categories else _categories(row.category, by_name)
        for category in named:
            known = _known(category, categories, by_name)
            found.setdefault(Assignment(as_typed(row.code), known), line)
    return Asked(list(found), list(found.values()))


def _parse(lines: Iterable[str], categories: Mapping[str, str]) -> Asked:
    by_name = _by_any_name(categories)
    assignments: dict[Assignment, int] = {}
    codes: dict[str, int] = {}
    problems: list[FileProblem] = []
    for number, line in enumerate(lines, start=1):
        words = _words(line, by_name)
        if not words or {word.casefold() for word in words} <= _HEADINGS:
            continue
        code, *named = words
        if not any(map(str.isdigit, code)):
            shown = " ".join(line.split())
            reason = say(
                "“{shown}” does not begin with a cost code; write a line like {example}",
                shown=shown,
                example=EXAMPLE,
            )
            problems.append(FileProblem(number, None, reason))
            continue
        if not named:
            codes.setdefault(code, number)
        for category in named:
            assignments.setdefault(Assignment(code, _known(category, categories, by_name)), number)
    for code in {assignment.code for assignment in assignments} & codes.keys():
        del codes[code]
    return Asked(list(assignments), list(assignments.values()), list(codes), list(codes.values()), problems)


def _words(line: str, by_name: Mapping[str, str]) -> list[str]:
    """The cost code of a line and its categories, as they are written."""
    line = _BULLET.sub("", re.sub(r'[`"*]|^\s*\'', "", as_typed(line))).strip()
    cells = [cell.strip() for cell in _CELLS.split(line)]
    cells = [cell for cell in cells if cell and not re.fullmatch(r"[-:]+", cell)]
    if not cells:
        return []
    if len(cells) > 1:
        return [cells[0], *_categories(cells[-1], by_name)]
    code, *rest = [word for word in _BETWEEN.split(cells[0]) if word and not _DASHES.fullmatch(word)] or [""]
    while rest and not re.search(r"[-./]", code.partition(" ")[0]) and _goes_on(rest[0], by_name):
        code = f"{code} {rest.pop(0)}"  # a code whose sections are set apart by spaces
    return [code, *_categories(" ".join(rest), by_name)]


def _goes_on(word: str, by_name: Mapping[str, str]) -> bool:
    return word.isdigit() and word not in by_name


def _categories(text: str, by_name: Mapping[str, str]) -> Iterator[str]:
    """Categories one after the other; a name of several words is one where the whole text is it."""
    if text.strip().casefold() in by_name:
        yield text.strip()
        return
    for part in re.split(r"[,;/&+]|\band\b", text):
        if part.strip().casefold() in by_name:
            yield part.strip()
        else:
            yield from filter(None, (word.strip("()[].") for word in _BETWEEN.split(part)))


def _known(category: str, categories: Mapping[str, str], by_name: Mapping[str, str]) -> str:
    """The category that is meant, else what was written."""
    return category if category in categories else by_name.get(category.casefold(), category)


def _by_any_name(categories: Mapping[str, str]) -> dict[str, str]:
    """Category by its code and its name in lower case, where that is clear."""
    meant: dict[str, set[str]] = {}
    for code, name in categories.items():
        for word in (code, name):
            meant.setdefault(word.casefold(), set()).add(code)
    return {word: code for word, [code, *others] in meant.items() if not others}


def _any_category(categories: Mapping[str, str]) -> re.Pattern[str] | None:
    if not categories:
        return None
    names = sorted({name for name in categories.values() if len(name) > 1}, key=len, reverse=True)
    codes = sorted(categories, key=len, reverse=True)
    either = [f"(?i:{'|'.join(map(re.escape, names))})"] if names else []
    return re.compile(rf"(?<![\w-])(?:{'|'.join([*either, *map(re.escape, codes)])})(?![\w-])")
