"""Files with junk in them: every command that takes one names what is wrong or takes it, and never breaks."""

import re

import pytest
from hypothesis import given

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
from tests.junk import junk_of, much
from tests.workflow.everything import raw
from workflow import audit
from workflow.database import Database
from workflow.settings import read_settings

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


def says_what_to_do(ran: Ran, words: list[str]) -> bool:
    """Whole lines that name the file, the place in it or the rule, and none that a program wrote for itself."""
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
            assert says_what_to_do(ran, words), ran
            assert now == before
        if words[0] == "check":
            assert now == before

    check()
    with database.reading() as session:
        assert list(audit.problems(session)) == []
