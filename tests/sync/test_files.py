"""CSV in: what is accepted, and how each mistake is named."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sync import files
from sync.sage.embedded import LoadedRow
from workflow import asked_lines, tables
from workflow.directory import StandardCode
from workflow.merge import Assignment
from workflow.rows import BadFileError
from workflow.vocabulary import ErpPermission

Reader = Callable[[Path], Any]

SAVE = "save it as CSV UTF-8 (comma separated)"

PEOPLE = "email,name,erp_permission,can_push_to_accounting,active\n"
JOBS = "number,name,procore_project_id\n"
CATEGORIES = "category,name\n"
CODES = "code,description,categories\n"
REQUEST = "code,category\n"
SAGE = "job,job_name,extra,code,description,category\n"


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str | bytes], Path]:
    def write(content: str | bytes) -> Path:
        path = tmp_path / "file.csv"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


def problems_of(read: Reader, path: Path) -> list[str]:
    with pytest.raises(BadFileError) as bad:
        read(path)
    return [str(problem) for problem in bad.value.problems]


def test_people_are_read_with_every_way_to_say_yes_and_a_permission(
    write: Callable[[str], Path],
) -> None:
    path = write(
        PEOPLE
        + "Ada@Example.com, Ada Approver ,Read Only,yes,1\n"
        + "bob@example.com,Bob,STANDARD,False,true\n"
        + "cy@example.com,Cy,read_only,0,NO\n"
    )

    assert files.read_people(path).rows == [
        {
            "email": "ada@example.com",
            "name": "Ada Approver",
            "erp_permission": ErpPermission.READ_ONLY,
            "can_push_to_accounting": True,
            "active": True,
        },
        {
            "email": "bob@example.com",
            "name": "Bob",
            "erp_permission": ErpPermission.STANDARD,
            "can_push_to_accounting": False,
            "active": True,
        },
        {
            "email": "cy@example.com",
            "name": "Cy",
            "erp_permission": ErpPermission.READ_ONLY,
            "can_push_to_accounting": False,
            "active": False,
        },
    ]


def test_a_job_may_lack_its_procore_project(write: Callable[[str], Path]) -> None:
    path = write(JOBS + "24-017,Riverside Medical Center,5512\n24-018,Depot,\n24-019,Yard,\n")

    assert files.read_jobs(path).rows == [
        {"number": "24-017", "name": "Riverside Medical Center", "procore_project_id": 5512},
        {"number": "24-018", "name": "Depot", "procore_project_id": None},
        {"number": "24-019", "name": "Yard", "procore_project_id": None},
    ]


def test_categories_are_read_by_their_code(write: Callable[[str], Path]) -> None:
    assert files.read_categories(write(CATEGORIES + "L,Labor\n")).rows == [{"code": "L", "name": "Labor"}]


def test_the_categories_of_a_standard_code_are_separated_by_semicolons(write: Callable[[str], Path]) -> None:
    path = write(CODES + "03-300,Concrete,L; M;;L\n01-100,Conditions,\n")

    assert files.read_standard_codes(path).rows == [
        StandardCode("03-300", "Concrete", ("L", "M")),
        StandardCode("01-100", "Conditions", ()),
    ]


def test_a_request_keeps_the_line_that_each_assignment_begins_on(write: Callable[[str], Path]) -> None:
    path = write('category,code\nL,03-300\n\n"M\r\n",03-300\nS,09-250\n')

    request = asked_lines.read_file(path)

    assert request.rows == [
        Assignment("03-300", "L"),
        Assignment("03-300", "M"),
        Assignment("09-250", "S"),
    ]
    assert request.lines == [2, 4, 6]


def test_what_sage_holds_may_be_a_job_or_a_cost_code_alone(write: Callable[[str], Path]) -> None:
    path = write(
        SAGE + "24-017,Riverside,,,,\n24-018,Depot,,03-300,Concrete,\n24-018,Depot,A,03-300,Slab,L\n"
    )

    assert files.read_sage(path).rows == [
        LoadedRow("24-017", "Riverside"),
        LoadedRow("24-018", "Depot", "", "03-300", "Concrete", ""),
        LoadedRow("24-018", "Depot", "A", "03-300", "Slab", "L"),
    ]


def test_sage_s_standard_categories_are_one_column(write: Callable[[str], Path]) -> None:
    assert files.read_sage_categories(write("category\nL\nM\n")).rows == ["L", "M"]


@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("last_end", [True, False])
def test_a_byte_order_mark_and_either_line_end_are_understood(
    write: Callable[[bytes], Path], bom: bytes, end: bytes, last_end: bool
) -> None:
    lines = [b'"category","name"', 'É,"Gerüst, ""schwer"" 🏗"'.encode()]
    path = write(bom + end.join(lines) + (end if last_end else b""))

    assert files.read_categories(path).rows == [{"code": "É", "name": 'Gerüst, "schwer" 🏗'}]


def test_the_header_may_be_in_any_order_and_letter_case(write: Callable[[str], Path]) -> None:
    assert files.read_categories(write("Name , CATEGORY\nLabor,L\n")).rows == [{"code": "L", "name": "Labor"}]


def test_a_line_break_inside_a_value_becomes_a_space(write: Callable[[str], Path]) -> None:
    path = write(CATEGORIES + 'L,"Labor \n\n and\u00a0burden"\n')

    assert files.read_categories(path).rows == [{"code": "L", "name": "Labor and burden"}]


def test_every_bad_row_is_named_by_line_column_and_reason(write: Callable[[str], Path]) -> None:
    path = write(
        PEOPLE
        + "ada.example.com,Ada,Standard,true,true\n"
        + '"bob@example.com","Bob\nthe\nBuilder",Owner,maybe,true\n'
        + "cy@example.com,,,true,\n"
        + "dee@example.com,Dee,Admin,true,true\n"
        + "DEE@example.com,Dee again,Admin,true,true\n"
        + "eve@example.com,Eve\n"
    )

    assert problems_of(files.read_people, path) == [
        "line 2, column email: ada.example.com is not an e-mail address",
        "line 3, column erp_permission: Owner is not one of none, read_only, standard, admin",
        "line 3, column can_push_to_accounting: maybe is not true or false",
        "line 6, column name: is empty",
        "line 6, column erp_permission: (empty) is not one of none, read_only, standard, admin",
        "line 6, column active: (empty) is not true or false",
        "line 8, column email: dee@example.com is on line 7 already",
        "line 9: has 2 values where the header has 5",
    ]


@pytest.mark.parametrize(
    ("read", "content", "expected"),
    [
        (
            files.read_jobs,
            JOBS + "1,A,x\n",
            (2, "procore_project_id: x is not a Procore project id (a whole number)"),
        ),
        (
            files.read_jobs,
            JOBS + "1,A,0\n",
            (2, "procore_project_id: 0 is not a Procore project id (a whole number)"),
        ),
        (files.read_jobs, JOBS + "1,A,5\n2,B,5\n", (3, "procore_project_id: 5 is on line 2 already")),
        (files.read_jobs, JOBS + "1,A,5\n1,A,6\n", (3, "number: 1 is on line 2 already")),
        (files.read_categories, CATEGORIES + "L,Labor\nL,Labour\n", (3, "category: L is on line 2 already")),
        (files.read_categories, CATEGORIES + "L,\n", (2, "name: is empty")),
        (files.read_categories, CATEGORIES + "L,a\0b\n", (2, "name: has a control character")),
        (
            files.read_categories,
            CATEGORIES + "L," + "x" * 201 + "\n",
            (2, "name: is longer than 200 characters"),
        ),
        (asked_lines.read_file, REQUEST + "03-300,L\n03-300,L\n", (3, "code: 03-300 L is on line 2 already")),
        (asked_lines.read_file, REQUEST + ",L\n", (2, "code: is empty")),
        (
            files.read_sage,
            SAGE + "1,A,,03-300-0000-0,Concrete,L\n",
            (2, "code: is longer than 12 characters"),
        ),
        (
            files.read_sage,
            SAGE + "1,A,,03-300," + "x" * 31 + ",L\n",
            (2, "description: is longer than 30 characters"),
        ),
        (files.read_sage, SAGE + "1,A,,03-300,Concrete,LABO\n", (2, "category: is longer than 3 characters")),
        (files.read_sage, SAGE + "1,A,,,,L\n", (2, "code: is empty, but category is not")),
        (
            files.read_sage,
            SAGE + "1,A,,03-300,Slab,L\n1,A,,03-300,,M\n",
            (3, "description: (empty) differs from Slab on line 2"),
        ),
        (
            files.read_sage,
            SAGE + "1,A,,,,\n1,B,,03-300,Slab,M\n",
            (3, "job_name: B differs from A on line 2"),
        ),
        (
            files.read_standard_codes,
            CODES + "1-1,A," + "x" * 21 + "\n",
            (2, "categories: is longer than 20 characters"),
        ),
    ],
)
def test_a_wrong_value_is_named(
    write: Callable[[str], Path], read: Reader, content: str, expected: tuple[int, str]
) -> None:
    line, words = expected

    assert problems_of(read, write(content)) == [f"line {line}, column {words}"]


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("code", ["line 1, column category: is missing; the header must be code,category"]),
        ("code,category,name", ["line 1, column name: is not known; the header must be code,category"]),
        ("code,category,", ["line 1, column (no name): is not known; the header must be code,category"]),
        ("code,category,code", ["line 1, column code: is there twice"]),
        ("code;category", [f"line 1: the columns are not separated by commas: {SAVE}"]),
        (
            "03-300,L",
            [
                "line 1, column code: is missing; the header must be code,category",
                "line 1, column category: is missing; the header must be code,category",
                "line 1, column 03-300: is not known; the header must be code,category",
                "line 1, column l: is not known; the header must be code,category",
            ],
        ),
    ],
)
def test_a_wrong_header_is_named_and_nothing_else_is(
    write: Callable[[str], Path], header: str, expected: list[str]
) -> None:
    assert problems_of(asked_lines.read_file, write(f"{header}\n,\n")) == expected


def test_a_line_that_is_not_utf_8_is_named_with_the_others(write: Callable[[bytes], Path]) -> None:
    path = write(b"category,name\nL,Labor\nG,Ger\xfcst\nM,\n")

    assert problems_of(files.read_categories, path) == [
        "line 3: is not UTF-8 (byte 0xFC): save it as CSV UTF-8 (comma separated)",
        "line 4, column name: is empty",
    ]


def test_a_utf_16_file_is_told_apart(write: Callable[[bytes], Path]) -> None:
    path = write("category,name\nL,Labor\n".encode("utf-16"))

    assert problems_of(files.read_categories, path) == [
        "line 1: the file is UTF-16, not UTF-8: save it as CSV UTF-8 (comma separated)"
    ]


def test_a_quotation_mark_that_never_closes_is_named_where_its_row_begins(
    write: Callable[[str], Path],
) -> None:
    [problem] = problems_of(files.read_categories, write(CATEGORIES + 'L,Labor\nM,"Material\nS,Sub\n'))

    assert problem.startswith("line 3: cannot be read as CSV")


@pytest.mark.parametrize("content", ["", "\ufeff", "\n\r\n"])
def test_an_empty_file_is_an_error(write: Callable[[str], Path], content: str) -> None:
    assert problems_of(files.read_jobs, write(content)) == ["is empty"]


def test_a_file_with_a_header_alone_is_an_error(write: Callable[[str], Path]) -> None:
    assert problems_of(files.read_jobs, write(JOBS)) == ["has a header but no rows"]


def test_a_missing_file_and_a_folder_are_clear_errors(tmp_path: Path) -> None:
    assert problems_of(files.read_jobs, tmp_path / "none.csv") == [
        "cannot be read: No such file or directory"
    ]
    assert problems_of(files.read_jobs, tmp_path) == ["cannot be read: Is a directory"]


def test_the_error_tells_the_file_the_first_problem_and_how_many_there_are(
    write: Callable[[str], Path],
) -> None:
    path = write(CATEGORIES + "L,\n" * 3000)

    with pytest.raises(BadFileError, match=r"file\.csv: line 2, column name: is empty \(3000 in all\)"):
        files.read_categories(path)


def test_no_value_is_accepted_that_is_wider_than_its_column_in_the_database(
    write: Callable[[str], Path],
) -> None:
    columns = tables.Table.metadata.tables
    widest = {
        "email": columns["people"].c.email,
        "number": columns["jobs"].c.number,
        "code": columns["standard_cost_codes"].c.code,
        "category": columns["categories"].c.code,
    }
    width = {name: column.type.length for name, column in widest.items()}  # type: ignore[attr-defined]
    cases: list[tuple[Reader, str]] = [
        (files.read_people, PEOPLE + f"{'x' * (width['email'] - 5)}@b.co{{}},A,none,0,0\n"),
        (files.read_jobs, JOBS + f"{'x' * width['number']}{{}},A,\n"),
        (files.read_standard_codes, CODES + f"{'x' * width['code']}{{}},A,\n"),
        (asked_lines.read_file, REQUEST + f"{'x' * width['code']}{{}},L\n"),
        (files.read_categories, CATEGORIES + f"{'x' * width['category']}{{}},A\n"),
    ]
    for read, content in cases:
        assert read(write(content.format("")))
        assert "is longer than" in problems_of(read, write(content.format("x")))[0]
