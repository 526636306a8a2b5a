"""Files with junk in them: every command that takes one names what is wrong or takes it, and never breaks."""

import csv
import io
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from tests.bot.commands.conftest import CATEGORIES, ENGINEER, JOBS, PEOPLE, STANDARD_CODES, Ran, Shell
from workflow.database import Database
from workflow.tables import Table

REQUEST = "code,category\n03-300,M\n09-250,L\n"
COMMANDS: dict[str, tuple[list[str], str]] = {
    "people": (["import", "people", "FILE"], PEOPLE),
    "categories": (["import", "categories", "FILE"], CATEGORIES),
    "standard-codes": (["import", "standard-codes", "FILE"], STANDARD_CODES),
    "jobs": (["import", "jobs", "FILE"], JOBS),
    "check": (["check", "FILE", "--job", "24-017"], REQUEST),
    "request": (["request", "24-017", "FILE", "--by", ENGINEER], REQUEST),
}
CELLS = st.one_of(
    st.text(max_size=20),
    st.text("0123456789-./;, \"'=+@\t\r\n\x00", max_size=20),
    st.sampled_from(["=1+1", "true", "\uff19", "9" * 400, "-1", "a@b", "\ufeff", "\u202e", "03-300", "L"]),
)


@st.composite
def broken(draw: st.DrawFn, good: str) -> bytes:
    """A file as a command wants it, with cells, columns, rows, encoding or bytes that it does not want."""
    rows = list(csv.reader(io.StringIO(good)))
    for _ in range(draw(st.integers(1, 4))):
        row = draw(st.integers(0, len(rows) - 1))
        if rows[row]:
            rows[row][draw(st.integers(0, len(rows[row]) - 1))] = draw(CELLS)
        match draw(st.sampled_from(["cell", "cell", "longer", "shorter", "twice"])):
            case "longer":
                rows[row].append(draw(CELLS))
            case "shorter":
                rows[row] = rows[row][:-1]
            case "twice":
                rows.append(rows[row])
    written = io.StringIO()
    csv.writer(written, delimiter=draw(st.sampled_from(",,,;\t"))).writerows(rows)
    content = written.getvalue().encode(draw(st.sampled_from(["utf-8", "utf-16", "cp1252"])), "replace")
    cut = draw(st.integers(0, len(content)))
    return draw(st.sampled_from([content, content[:cut], content[:cut] + b"\x00\xff" + content[cut:]]))


def count(database: Database) -> dict[str, int]:
    with database.reading() as session:
        return {
            each.name: session.scalar(select(func.count()).select_from(each)) or 0
            for each in Table.metadata.sorted_tables
        }


def said_why(ran: Ran) -> bool:
    return ran.out == "" and bool(ran.err.strip()) and "Traceback" not in ran.err


@pytest.mark.parametrize("name", COMMANDS)
def test_a_file_is_taken_whole_or_refused_with_reasons(company: Shell, database: Database, name: str) -> None:
    words, good = COMMANDS[name]

    @given(broken(good) | st.binary(max_size=200))
    @settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def check(content: bytes) -> None:
        (company.folder / "junk.csv").write_bytes(content)
        before = count(database)
        ran = company.run(*["junk.csv" if word == "FILE" else word for word in words])
        assert "fault of costbot" not in ran.err, content
        assert not re.search(r"Traceback|\bFile \"", ran.err + ran.out)
        if ran.exit_code != 0:
            assert ran.exit_code in (1, 2)
            assert said_why(ran) or ran.out, content
            assert count(database) == before

    check()
