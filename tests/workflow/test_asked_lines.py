"""What people write when they ask for cost codes: read where it is clear, named where it is not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow.asked_lines import (
    Asked,
    code_like,
    line_of,
    lines_of_message,
    parse_file,
    parse_lines,
    unread_lines,
)
from workflow.merge import Assignment

CATEGORIES = {"L": "Labor", "LB": "Labor Burden", "M": "Material", "S": "Subcontract"}


def pairs(asked: Asked) -> list[str]:
    return [f"{one.code} {one.category}" for one in asked.assignments]


@pytest.mark.parametrize(
    "line",
    [
        "03-3000 L,M",
        "03-3000 L M",
        "03-3000: l, m",
        "03-3000,L,M",
        "03-3000;L;M",
        "03-3000 L/M",
        "• 03-3000 Labor and Material",
        "2. 03-3000 labor & material",
        "03-3000\tCast-in-place\tL; M",
        "| 03-3000 | Cast-in-place | L, M |",
        "`03-3000 L,M`",
        "*03-3000* (L, M)",
        "03-3000 - L, M",
        "03\u20133000 \u2014 L and M.",
        "03\u20113000 L,M",
        "\ufeff03\u22123000\u200b L,M",
        "'03-3000 L,M",
    ],
)
def test_a_line_is_read_however_it_is_written(line: str) -> None:
    assert pairs(parse_lines(line, CATEGORIES)) == ["03-3000 L", "03-3000 M"]


def test_a_category_of_two_words_and_a_code_with_spaces_are_read() -> None:
    assert pairs(parse_lines("03-3000 Labor Burden\n03 3000 L", CATEGORIES)) == ["03-3000 LB", "03 3000 L"]


def test_what_is_not_clear_is_named_by_its_line_and_never_guessed() -> None:
    asked = parse_lines("code,category\n\n03-3000-L\n03-3000 X\nplease add", CATEGORIES)

    assert asked.codes == ["03-3000-L"]  # no cost code of the list: said when the list is asked
    assert (pairs(asked), asked.lines) == (["03-3000 X"], [4])
    assert [str(problem) for problem in asked.problems] == [
        "line 5: “please add” does not begin with a cost code; write a line like 03-3000 L,M"
    ]


def test_a_line_that_comes_twice_counts_once_and_a_code_without_category_waits_to_be_ticked() -> None:
    asked = parse_lines("03-3000 L\n09-2110\n03-3000 L\n03-3000", CATEGORIES)

    assert (pairs(asked), asked.codes, asked.code_lines) == (["03-3000 L"], ["09-2110"], [2])


@given(
    st.dictionaries(
        st.from_regex(r"[0-9]{2}-[0-9]{3,4}", fullmatch=True),
        st.lists(st.sampled_from(sorted(CATEGORIES)), min_size=1, unique=True),
        max_size=20,
    ),
    st.sampled_from(["", "- ", "• ", "3) "]),
)
def test_what_is_written_by_us_is_read_as_it_was_meant(asked: dict[str, list[str]], bullet: str) -> None:
    text = "\n".join(bullet + line_of(code, categories) for code, categories in asked.items())

    read = parse_lines(text, CATEGORIES)

    meant = [Assignment(code, category) for code, categories in asked.items() for category in categories]
    assert (read.assignments, read.codes, read.problems) == (meant, [], [])


@given(st.text(max_size=200), st.binary(max_size=200))
def test_nothing_that_can_be_typed_or_shared_breaks_the_parser(text: str, content: bytes) -> None:
    parse_lines(text, CATEGORIES)
    parse_file("lines.txt", content, CATEGORIES)
    parse_file("lines.csv", content, CATEGORIES)
    lines_of_message(text, code_like(text), CATEGORIES)
    unread_lines(text, code_like(text))


def test_a_file_is_read_by_its_kind() -> None:
    as_csv = parse_file("A.CSV", b"code,category\n03-3000,L\n", CATEGORIES)
    as_text = parse_file("a.txt", b"\xef\xbb\xbf03-3000 L\r\n", CATEGORIES)

    assert pairs(as_csv) == pairs(as_text) == ["03-3000 L"]
    assert (as_csv.lines, as_text.lines) == ([2], [1])


def test_the_categories_of_a_csv_file_are_read_as_those_of_lines_are() -> None:
    content = 'code,category\n03\u20113000,l\n09-2110,"Labor Burden, M"\n03-3000,L\n16-1000,X\n'.encode()

    asked = parse_file("a.csv", content, CATEGORIES)

    assert pairs(asked) == ["03-3000 L", "09-2110 LB", "09-2110 M", "16-1000 X"]
    assert (asked.lines, asked.problems) == ([2, 3, 3, 5], [])


def test_a_csv_file_with_a_problem_gives_nothing_but_its_problems() -> None:
    asked = parse_file("a.csv", b"code,category\n03-3000,L\n03-3000,L\n", CATEGORIES)

    assert (asked.assignments, [str(one) for one in asked.problems]) == (
        [],
        ["line 3, column code: 03-3000 L is on line 2 already"],
    )


def test_a_message_gives_its_cost_codes_with_the_categories_after_each() -> None:
    said = (
        "Hi all, for 24-017 (call 555-0100) on 2026-11-02:\n"
        "- 03-3000 labor, Material and L\n"
        "- 09-2110. I need it, L-shaped walls\n"
        "16-1000 S and 16-2000 Labor Burden"
    )
    said = said.replace("16-1000", "16\u20131000")  # as a phone or Word may write it
    codes = {"03-3000", "09-2110", "16-1000", "16-2000"}

    assert codes | {"24-017"} <= code_like(said)
    assert lines_of_message(said, codes, CATEGORIES) == [
        "03-3000 L,M",
        "09-2110",
        "16-1000 S",
        "16-2000 LB",
    ]


def test_a_line_of_a_message_that_names_what_nobody_knows_is_told() -> None:
    said = (
        "Hi all, for 24-017 on 2026-11-02, two things:\n"
        "- 03-3000 labor\n"
        "- 99-999 M\n"
        "please 16-1000 S and 16-9999 L\n"
        "033000 L\n"
        "- 99-999 M\n"
        "Thanks, 1 of these is urgent"
    )
    assert unread_lines(said, {"24-017", "03-3000", "16-1000"}) == [
        "- 99-999 M",
        "please 16-1000 S and 16-9999 L",
        "033000 L",
    ]
