"""Reading CSV line by line into checked rows, whatever the kind of row and wherever the bytes come from.

Owns what is common to every file: encoding, header, repeated rows, what is one line of text, and naming
each bad row by line, column and reason. A file with one problem gives nothing.
"""

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache, partial
from operator import attrgetter, itemgetter
from pathlib import Path
from typing import Annotated, Any, ClassVar, Generic, NamedTuple, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

_CELLS = 20_000
_SAVE_AS = "save it as CSV UTF-8 (comma separated)"
_UNSEEN = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
_HYPHEN = re.compile("(?<=[0-9A-Za-z])[\u2010-\u2013\u2212\ufe63\uff0d](?=[0-9A-Za-z])")
"""What phones, Word and web pages put in place of the hyphen of a number or cost code."""


@dataclass(frozen=True, slots=True)
class FileProblem:
    """One thing wrong in a file. No line: the file as a whole; no column: the line as a whole."""

    line: int | None
    column: str | None
    reason: str

    def __str__(self) -> str:
        line = f"line {self.line}" if self.line else ""
        column = f"column {self.column}" if self.column else ""
        place = ", ".join(filter(None, (line, column)))
        return f"{place}: {self.reason}" if place else self.reason


class BadFileError(Exception):
    """A file that cannot be used; `problems` has everything that is wrong with it, in its order.

    Where they were too many to keep, it has the first of so many.
    """

    def __init__(self, name: Path | str, problems: Sequence[FileProblem], *, of: int | None = None) -> None:
        super().__init__(f"{name}: {problems[0]} ({of or len(problems)} in all)")
        self.problems = tuple(problems)


def one_line(value: str) -> str:
    """Text of a cell on one line; ValueError for what is no text."""
    if value.isascii() and value.isprintable():
        return value.strip(" ")
    text = re.sub(r"\s*[\r\n\t\xa0]\s*", " ", value.strip())
    if re.search(r"[\x00-\x1f\x7f-\x9f]", text):
        raise ValueError("has a control character")
    return text


def as_typed(text: str) -> str:
    """The text as a keyboard writes it: no characters that nobody sees, and the hyphen between letters."""
    return _HYPHEN.sub("-", _UNSEEN.sub("", text))


ONE_LINE = BeforeValidator(one_line)
"""For the fields of a `Row` that hold text."""


class Row(BaseModel):
    """A row; its fields, by alias where there is one, are the columns of the file."""

    model_config = ConfigDict(frozen=True)

    keys: ClassVar[tuple[tuple[str, ...], ...]] = ()
    """Columns that no two rows may share, unless they are empty."""
    told_once: ClassVar[tuple[tuple[tuple[str, ...], str], ...]] = ()
    """(columns, fact): rows that share the columns must agree on the fact."""

    @classmethod
    def columns(cls) -> dict[str, str]:
        """Field by column, in the order of the file."""
        return {field.alias or name: name for name, field in cls.model_fields.items()}

    def faults(self) -> Iterable[tuple[str, str]]:
        """(column, reason) of what is wrong between the columns of this row."""
        return ()


R = TypeVar("R", bound=Row)
Content = TypeVar("Content")


@dataclass(frozen=True, slots=True)
class FileRows(Generic[Content]):
    """What the rows of a file say, and the line of the file that each begins on (from 1)."""

    rows: list[Content]
    lines: list[int]


def read_rows(path: Path, kind: type[R], content: Callable[[R], Content]) -> FileRows[Content]:
    """What the rows of a file on disk say, as `parse_rows` has it.

    Raises:
        BadFileError: with everything that is wrong.
    """
    try:
        with path.open("rb") as file:
            return parse_rows(path, file, kind, content)
    except OSError as error:
        reason = f"cannot be read: {error.strerror or error}"
        raise BadFileError(path, [FileProblem(None, None, reason)]) from error


def parse_rows(
    name: Path | str, file: Iterable[bytes], kind: type[R], content: Callable[[R], Content]
) -> FileRows[Content]:
    """What the rows of a file say, given as its lines. Of each row its `content` alone is kept.

    Raises:
        BadFileError: with everything that is wrong.
    """
    problems: list[FileProblem] = []
    read: FileRows[Content] = FileRows([], [])
    repeats = _Repeats(kind)
    for record in records(file, kind, problems):
        row = record.whole and checked(record, kind, problems)
        if row:
            line = record.line
            problems.extend(repeats.of(line, row))
            read.rows.append(content(row))
            read.lines.append(line)
    if not read.rows and not problems:
        problems.append(FileProblem(None, None, "has a header but no rows"))
    if problems:
        raise BadFileError(name, sorted(problems, key=lambda problem: problem.line or 0))
    return read


class Record(NamedTuple):
    """The values of a row in the order of the columns; of one that is not whole, the first if it is sure."""

    line: int
    values: Sequence[str]
    whole: bool


_RECORD = partial(tuple.__new__, Record)
"""Makes one of its values in half the time that the class takes by itself."""


def records(
    file: Iterable[bytes], kind: type[Row], problems: list[FileProblem], *, fallback: str | None = None
) -> Iterator[Record]:
    """Each row under a good header; what is wrong with it is in `problems` before it comes.

    A line that is not UTF-8 but in the encoding `fallback` is no problem.
    """
    reader = csv.reader(text_lines(file, problems, fallback=fallback), strict=True)
    columns = list(kind.columns())
    in_order: Callable[[list[str]], Sequence[str]] | None = None
    header: list[str] | None = None
    while True:
        line = reader.line_num + 1
        try:
            values = next(reader)
        except StopIteration:
            break
        except csv.Error as error:
            problems.append(FileProblem(line, None, f"cannot be read as CSV ({error}); {_SAVE_AS}"))
            continue
        if not values:
            continue
        if header is None:
            header = [value.strip().lower() for value in values]
            faults = list(_header_faults(header, columns))
            problems.extend(FileProblem(line, column, reason) for column, reason in faults)
            if faults:
                return
            if header != columns:
                in_order = itemgetter(*map(header.index, columns))
        elif len(values) == len(header):
            yield _RECORD((line, in_order(values) if in_order else values, True))
        else:
            problems.append(
                FileProblem(line, None, f"has {len(values)} values where the header has {len(header)}")
            )
            # one value alone may be half of it, or the end of another row
            is_sure = header[0] == columns[0] and len(values) > 1
            yield Record(line, values[:1] if is_sure else (), whole=False)
    if header is None and not problems:
        problems.append(FileProblem(None, None, "is empty"))


def text_lines(
    file: Iterable[bytes], problems: list[FileProblem], *, fallback: str | None = None
) -> Iterator[str]:
    """The lines of a UTF-8 file, or in the encoding `fallback` where a line is not.

    What is something else is named, and read on with marks in its place.
    """
    for number, raw in enumerate(file, start=1):
        if number == 1 and raw.startswith((b"\xff\xfe", b"\xfe\xff")):
            problems.append(FileProblem(1, None, f"the file is UTF-16, not UTF-8: {_SAVE_AS}"))
            return
        encoding = "utf-8-sig" if number == 1 else "utf-8"
        try:
            yield raw.decode(encoding)
        except UnicodeDecodeError as error:
            if fallback is not None:
                with suppress(UnicodeDecodeError):
                    yield raw.decode(fallback)
                    continue
            byte = raw[error.start]
            problems.append(FileProblem(number, None, f"is not UTF-8 (byte 0x{byte:02X}): {_SAVE_AS}"))
            yield raw.decode(encoding, "replace")


def _header_faults(header: Sequence[str], wanted: Sequence[str]) -> Iterator[tuple[str | None, str]]:
    if len(header) == 1 and len(wanted) > 1 and re.search(r"[;\t|]", header[0]):
        yield None, f"the columns are not separated by commas: {_SAVE_AS}"
        return
    for column in wanted:
        if column not in header:
            yield column, f"is missing; the header must be {','.join(wanted)}"
    for place, column in enumerate(header):
        if column not in wanted:
            yield column or "(no name)", f"is not known; the header must be {','.join(wanted)}"
        elif column in header[:place]:
            yield column, "is there twice"


def checked(record: Record, kind: type[R], problems: list[FileProblem]) -> R | None:
    """A whole row, where nothing is wrong with a value of it."""
    line = record.line
    try:
        row = kind.model_validate(dict(zip(kind.columns(), record.values, strict=True)))
    except ValidationError as error:
        problems.extend(
            FileProblem(
                line, str(fault["loc"][0]), _reason(fault["type"], fault["msg"], fault.get("ctx", {}))
            )
            for fault in error.errors(include_url=False)
        )
        return None
    for column, reason in row.faults():
        problems.append(FileProblem(line, column, reason))
    return row


def cell_checks(kind: type[Row]) -> list[Callable[[str], Any]]:
    """By column, what gives the value of a cell, or None where `checked` will say what is wrong with it.

    They remember: a file of a million rows has the same few thousand values again and again.
    """

    def check(field: FieldInfo) -> Callable[[str], Any]:
        rule: Any = Annotated[field.annotation, *field.metadata]
        adapter = TypeAdapter(rule)

        @lru_cache(_CELLS)
        def value(cell: str) -> Any:
            try:
                return adapter.validate_python(cell)
            except ValidationError:
                return None

        return value

    return [check(field) for field in kind.model_fields.values()]


def _reason(kind: str, message: str, context: dict[str, Any]) -> str:
    match kind:
        case "string_too_short":
            return "is empty"
        case "string_too_long":
            return f"is longer than {context['max_length']} characters"
        case _:
            return message.removeprefix("Value error, ")


class _Repeats:
    """What earlier rows said, to name rows that repeat or contradict them."""

    def __init__(self, kind: type[Row]) -> None:
        self._kind = kind
        self._columns = {field: column for column, field in kind.columns().items()}
        self._keys: list[tuple[tuple[str, ...], Callable[[Row], Any], dict[object, int]]] = [
            (fields, attrgetter(*fields), {}) for fields in kind.keys
        ]
        self._told: dict[object, tuple[int, object]] = {}

    def of(self, line: int, row: Row) -> list[FileProblem]:
        """The problems of a row against the rows before it."""
        problems = []
        for fields, key_of, seen in self._keys:
            key = key_of(row)
            first = line if key is None else seen.setdefault(key, line)
            if first != line:
                words = " ".join(str(part) for part in (key if len(fields) > 1 else [key]) if part)
                problems.append(
                    FileProblem(line, self._columns[fields[0]], f"{words} is on line {first} already")
                )
        return problems + self.contradicted(line, row) if self._kind.told_once else problems

    def contradicted(self, line: int, row: Row) -> list[FileProblem]:
        """The facts of a row that an earlier one told otherwise."""
        problems = []
        for fields, fact in self._kind.told_once:
            told = getattr(row, fact)
            key = tuple(getattr(row, field) for field in fields)
            first, before = self._told.setdefault((fact, key), (line, told))
            if before != told:
                problems.append(contradiction(line, self._columns[fact], told, before, first))
        return problems


def contradiction(line: int, column: str, told: object, before: object, first: int) -> FileProblem:
    """What a row says otherwise than an earlier one, which is on line `first`."""
    return FileProblem(line, column, f"{told or '(empty)'} differs from {before} on line {first}")
