"""Files with junk in them: every command that takes one names what is wrong or takes it, and never breaks."""

import os
import re
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from sqlalchemy import delete, func, insert, select

from bot.commands.command import CommandLine
from sync.sage import embedded_company
from tests.bot.commands.conftest import (
    ADA,
    CATEGORIES,
    ENGINEER,
    JOBS,
    PEOPLE,
    SAGE,
    STANDARD_CODES,
    Ran,
    Shell,
)
from tests.factories import NINE
from tests.junk import SPOTS, junk_of, much, spoilt
from tests.workflow.everything import fill, raw
from workflow import audit
from workflow.database import Database
from workflow.settings import read_settings
from workflow.tables import AuditHead, Table

REQUEST = "code,category\n03-300,M\n09-250,L\n"
COMMANDS: dict[str, tuple[list[str], str]] = {
    "people": (["import", "people", "FILE"], PEOPLE),
    "categories": (["import", "categories", "FILE"], CATEGORIES),
    "standard-codes": (["import", "standard-codes", "FILE"], STANDARD_CODES),
    "jobs": (["import", "jobs", "FILE"], JOBS),
    "check": (["check", "FILE", "--job", "24-017"], REQUEST),
    "request": (["request", "24-017", "FILE", "--by", ENGINEER], REQUEST),
    "sage": (["sage", "load", "FILE"], SAGE),
    "sage-categories": (["sage", "load-categories", "FILE"], "category\nL\nM\nS\n"),
}


@pytest.fixture
def at_work(company: Shell, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """The company with a requested update that was accepted, and one that waits; its clock stands still."""
    monkeypatch.setattr(CommandLine, "now", lambda _line: NINE)
    company.request()
    company.done("update", "24-017", "--by", ADA)
    company.request("24-031")
    return company


def state(database: Database) -> object:
    """Every row of the database, and all that the embedded Sage company holds."""
    return raw(database), list(embedded_company(read_settings()).everything())


def says_why(ran: Ran) -> bool:
    """In lines that name the file, and none that a program wrote for itself."""
    told = ran.err.strip() or ran.out.strip()
    return "junk.csv" in told and not re.search(r"Traceback|\bFile \"|Error\b|fault of costbot", told)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_file_is_taken_whole_or_refused_with_reasons(at_work: Shell, database: Database, name: str) -> None:
    words, good = COMMANDS[name]
    file = at_work.folder / "junk.csv"
    now = state(database)

    @given(junk_of(good))
    @much(15)
    def check(content: bytes) -> None:
        nonlocal now
        file.write_bytes(content)

        ran = at_work.run(*["junk.csv" if word == "FILE" else word for word in words])

        before, now = now, state(database)
        assert file.read_bytes() == content
        assert ran.exit_code in (0, 1, 3), ran
        if ran.exit_code:
            assert says_why(ran), ran
            assert now == before
        if words[0] == "check":
            assert now == before

    check()
    with database.reading() as session:
        assert list(audit.problems(session)) == []


def count(database: Database) -> list[int | None]:
    """How many rows each table has, whatever stands in them."""
    with database.reading() as session:
        tables = Table.metadata.sorted_tables
        return [session.scalar(select(func.count()).select_from(table)) for table in tables]


@pytest.fixture
def saved(sqlite_template: Path, tmp_path: Path) -> Path:
    """A database of costbot as it was backed up, with rows in every table."""
    path = shutil.copyfile(sqlite_template, tmp_path / "saved.db")
    with closing(Database(f"sqlite:///{path}")) as database:
        fill(database)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    return path


def test_a_database_that_a_disk_has_damaged_is_copied_whole_or_not_at_all(
    shell: Shell, database: Database, saved: Path, tmp_path: Path
) -> None:
    good, empty = saved.read_bytes(), raw(database)
    with closing(Database(f"sqlite:///{saved}")) as full:
        whole = count(full)
    with database.reading() as session:
        first = dict(session.execute(select(AuditHead.__table__)).mappings().one())
    junk = tmp_path / "junk.db"

    @given(SPOTS)
    @much(8)
    def check(spots: list[tuple[float, bytes]]) -> None:
        for left in tmp_path.glob("junk.db*"):
            left.unlink()
        junk.write_bytes(spoilt(good, spots))

        ran = shell.run("db", "copy", os.environ["COSTBOT_DATABASE_URL"], "--from", f"sqlite:///{junk}")

        assert "Traceback" not in ran.err
        assert "fault of costbot" not in ran.err, ran
        if ran.exit_code:
            assert ran.exit_code in (1, 3)
            assert ran.err.strip().endswith("."), ran
            assert raw(database) == empty
        else:
            assert count(database) == whole
            with database.writing() as session:
                for table in reversed(Table.metadata.sorted_tables):
                    session.execute(delete(table))
                session.execute(insert(AuditHead), first)

    check()
