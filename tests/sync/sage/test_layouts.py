"""The import file, byte for byte, and read again by a reader that shares no code with the writer."""

from collections.abc import Iterable
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.sage.layouts import JobLine, RowWriter, UnwritableError, read_records
from sync.sage.profile import SageProfile
from workflow.batches import ExportLine

GOLDEN = Path(__file__).parents[1] / "golden"
ON = date(2026, 11, 2)
RIVERSIDE, DEPOT = ("24-017", "Riverside Medical Center"), ("24-018", 'North Depot "B"')
LINES = [
    ExportLine(1, *RIVERSIDE, "", "03-3000", "L", "Cast-in-place concrete"),
    ExportLine(2, *RIVERSIDE, "", "03-3000", "M", "Cast-in-place concrete"),
    ExportLine(3, *RIVERSIDE, "", "09-2500", "S", None, "Drywall, as Sage calls it"),
    ExportLine(4, *RIVERSIDE, "CO-1", "09-2500", "S", "Gypsum board"),
    ExportLine(5, *DEPOT, "", "22-1116", "M", 'Café pipe 2", domestic water, type L copper'),
]
PROFILES = {
    "quick-bid": {},
    "sage-estimating": {"file": {"layout": "sage-estimating"}, "cost_code": {"justification": "right"}},
    "unix-utf-8-repeating-sage": {
        "file": {"encoding": "utf-8", "line_end": "lf", "existing_description": "sage", "unit": "ls"},
        "job": {"justification": "left", "width": 8},
    },
}


def written(profile: SageProfile, lines: Iterable[ExportLine]) -> bytes:
    writer = RowWriter(profile, batch="DS000001", on=ON)
    return writer.comment() + b"".join(writer.rows(line) for line in lines)


@pytest.mark.parametrize("name", PROFILES)
def test_the_file_is_the_golden_one_byte_for_byte(name: str) -> None:
    profile = SageProfile.model_validate(PROFILES[name])

    assert written(profile, LINES) == (GOLDEN / f"{name}.jce").read_bytes()


def test_quantity_and_amount_have_two_decimals_however_the_profile_writes_them() -> None:
    profile = SageProfile.model_validate({"file": {"quantity": "1e2", "amount": 0}})

    assert b',11022026,100.00,"",0.00,' in written(profile, LINES[:1])


@pytest.mark.parametrize("name", PROFILES)
def test_the_golden_file_is_read_as_what_was_written(name: str) -> None:
    encoding = SageProfile.model_validate(PROFILES[name]).file.encoding
    rows = (GOLDEN / f"{name}.jce").read_bytes().decode(encoding).splitlines()

    records = list(read_records(rows))

    assert [record.line for record in records] == [JobLine(x.job_number, x.assignment) for x in LINES]
    assert [record.row for record in records] == [row for row in rows if row.startswith('"C"')]


@pytest.mark.parametrize("strange", ["日本", "a\nb", "a\rb", "\x00", "\N{LATIN SMALL LETTER A WITH MACRON}"])
def test_what_the_file_cannot_carry_is_refused_by_name_and_nothing_of_it_is_written(strange: str) -> None:
    writer = RowWriter(SageProfile(), batch="DS000001", on=ON)
    before, after = LINES[0], LINES[1]
    bad = ExportLine(9, *RIVERSIDE, "", "03-3001", "L", strange)

    rows = writer.rows(before)
    with pytest.raises(UnwritableError, match=r"\(U\+[0-9A-F]{4}\)"):
        writer.rows(bad)
    rows += writer.rows(after)

    assert rows == written(SageProfile(), [before, after]).partition(b"\r\n")[2]


def test_a_line_without_extra_after_one_with_goes_to_the_job_again() -> None:
    within, without = LINES[3], LINES[2]

    rows = written(SageProfile(), [within, without]).decode("cp1252").splitlines()

    assert [row[:3] for row in rows] == [';,"', '"*"', '"E"', '"C"', '"*"', '"C"']


# An independent reader: one character at a time, by the quoting that the sources show.
def fields_of(row: str) -> list[str]:
    fields: list[str] = []
    field, quoted, place = "", False, 0
    while place < len(row):
        character = row[place]
        if quoted and character == '"' and row[place + 1 : place + 2] == '"':
            field, place = field + '"', place + 1
        elif character == '"':
            quoted = not quoted
        elif character == "," and not quoted:
            fields, field = [*fields, field], ""
        else:
            field += character
        place += 1
    assert not quoted, row
    return [*fields, field]


def facts_of(content: bytes, profile: SageProfile) -> list[tuple[str, str, str, str, str]]:
    """(job, extra, code, description, category) of every category row; the other fields are checked."""
    text = content.decode(profile.file.encoding)
    end = profile.file.line_end.text
    assert text.endswith(end)
    facts, job, extra = [], "", ""
    for row in text.removesuffix(end).split(end):
        kind, *rest = fields_of(row)
        match kind:
            case ";":
                assert rest == ["costbot DS000001"]
            case "*":
                assert (len(rest), rest[2], rest[12]) == (13, "WRI", "0.00")
                job, extra = rest[0].strip(), ""
            case "E":
                extra, name = rest
                assert name == extra
            case "C":
                code, description, category, on, quantity, unit, amount, *blanks = rest
                assert (on, quantity, unit, amount) == ("11022026", "0.00", "", "0.00")
                assert set(blanks) == {""}
                facts.append((job, extra, code.strip(), description, category))
            case _:
                raise AssertionError(row)
    return facts


_text = st.text(st.characters(codec="cp1252", exclude_categories=["C"]), max_size=40)
_key = st.text(st.sampled_from("0123456789-.AB/"), min_size=1, max_size=10)
_line = st.builds(
    ExportLine,
    line_id=st.integers(1, 10**6),
    job_number=_key,
    job_name=_text,
    extra=st.just("") | _key,
    code=_key,
    category=st.sampled_from(["L", "M", "S", "EQ"]),
    description=st.none() | _text,
    sage_description=st.none() | _text,
)
_profile = st.builds(
    lambda layout, justification, line_end, existing: SageProfile.model_validate(
        {
            "file": {"layout": layout, "line_end": line_end, "existing_description": existing},
            "cost_code": {"justification": justification},
            "job": {"justification": justification},
        }
    ),
    st.sampled_from(["quick-bid", "sage-estimating"]),
    st.sampled_from(["none", "left", "right"]),
    st.sampled_from(["crlf", "lf"]),
    st.sampled_from(["blank", "sage"]),
)


@given(profile=_profile, lines=st.lists(_line, max_size=12))
def test_any_batch_is_read_again_as_the_same_facts(profile: SageProfile, lines: list[ExportLine]) -> None:
    content = written(profile, lines)

    def description(line: ExportLine) -> str:
        if line.description is not None:
            return line.description[:30].rstrip()
        if profile.file.existing_description == "sage":
            return line.sage_description or ""
        return " " if profile.file.layout == "sage-estimating" else ""

    assert facts_of(content, profile) == [
        (x.job_number, x.extra, x.code, description(x), x.category) for x in lines
    ]
    assert written(profile, lines) == content
    rows = content.decode("cp1252").split(profile.file.line_end.text)
    assert [record.line for record in read_records(rows)] == [
        JobLine(x.job_number, x.assignment) for x in lines
    ]
