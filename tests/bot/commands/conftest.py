"""The command line as a script uses it: run in this process, on both databases, without Slack or Redis."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bot.commands import opening
from sync import files
from sync.sage import embedded_company
from tests import factories, line
from workflow import directory
from workflow.database import Database
from workflow.privileges import SCHEDULE
from workflow.rows import FileRows
from workflow.settings import Settings, read_settings

ADA = "ada.approver@example.com"
ENGINEER = "eve.engineer@example.com"
PEOPLE = f"""email,name,erp_permission,can_push_to_accounting,active
{ADA},Ada Approver,standard,true,true
ben.approver@example.com,Ben Approver,admin,yes,true
pat.admin@example.com,Pat Admin,admin,false,true
low.reader@example.com,Low Reader,read_only,true,true
gone.approver@example.com,Gone Approver,admin,true,false
{ENGINEER},Eve Engineer,none,false,true
"""
CATEGORIES = "category,name\nL,Labor\nM,Material\nXX,Not in Sage\n"
STANDARD_CODES = """code,description,categories
01-100,General conditions,L
03-300,Cast-in-place concrete,L;M
09-250,Gypsum board,L;M
"""
JOBS = "number,name,procore_project_id\n24-017,Riverside Medical Center,1001\n24-031,Harbor Point,\n"
SAGE = """job,job_name,extra,code,description,category
24-017,Riverside,,03-300,Concrete as Sage says,L
24-031,Harbor Point,,,,
"""


@dataclass(frozen=True)
class Ran:
    """What one run of `costbot` printed and how it ended."""

    exit_code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Shell:
    """Runs `costbot` in a folder of its own; files are written where they are named."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._capsys = capsys

    def run(self, *arguments: str) -> Ran:
        self._capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            line.costbot()(arguments, prog_name="costbot")
        printed = self._capsys.readouterr()
        code = ended.value.code
        return Ran(code if isinstance(code, int) else 0, printed.out, printed.err)

    def done(self, *arguments: str) -> Ran:
        """Run a command that must succeed."""
        ran = self.run(*arguments)
        assert ran.exit_code == 0, ran
        return ran

    def json(self, *arguments: str) -> Any:
        """The JSON of a command that must succeed."""
        return self.done(*arguments, "--json").json

    def file(self, name: str, text: str) -> str:
        (self.folder / name).write_text(text, encoding="utf-8")
        return name

    def rows(self, text: str, reader: Callable[[Path], FileRows[Any]]) -> list[Any]:
        """What a file with this text says."""
        return reader(self.folder / self.file("list.csv", text)).rows

    def request(self, job: str = "24-017", lines: Sequence[str] = ("03-300,M", "09-250,L")) -> Ran:
        """Request lines for a job as the project engineer."""
        file = self.file("request.csv", "\n".join(["code,category", *lines]))
        return self.done("request", job, file, "--by", ENGINEER)


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to run in, and none of the settings of whoever runs the tests."""
    for field in Settings.model_fields.values():
        for name in (str(field.validation_alias), f"{field.validation_alias}_FILE"):
            monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def logs_as_before() -> Iterator[None]:
    """What a command sets up for its process goes with the test."""
    with line.logs_as_before():
        yield


@pytest.fixture
def bare_shell(elsewhere: Path, logs_as_before: None, capsys: pytest.CaptureFixture[str]) -> Shell:
    """`costbot` in an empty folder without any setting, as a newcomer has it."""
    return Shell(elsewhere, capsys)


@pytest.fixture
def shell(
    bare_shell: Shell,
    database_url: str,
    database_of: Callable[[str], Database],
    monkeypatch: pytest.MonkeyPatch,
) -> Shell:
    """`costbot` with an empty, migrated database and nothing else."""
    monkeypatch.setenv("COSTBOT_DATABASE_URL", database_url)
    monkeypatch.setattr(opening, "Database", database_of)
    return bare_shell


@pytest.fixture
def company(shell: Shell, database: Database) -> Shell:
    """`costbot` with the lists of a small company and what its Sage holds; importing has tests of its own."""
    put_lists(shell, database)
    sage = embedded_company(read_settings())
    sage.load(shell.rows(SAGE, files.read_sage))
    sage.load_categories(["L", "M"])
    return shell


def put_lists(shell: Shell, database: Database) -> None:
    """The lists of the small company."""
    told: Any = {"source": "a test", "by": SCHEDULE, "at": factories.NINE}
    with database.writing() as session:
        directory.put_people(session, shell.rows(PEOPLE, files.read_people), **told)
        directory.put_categories(session, shell.rows(CATEGORIES, files.read_categories), **told)
        directory.put_standard_codes(session, shell.rows(STANDARD_CODES, files.read_standard_codes), **told)
        directory.put_jobs(session, shell.rows(JOBS, files.read_jobs), **told)
