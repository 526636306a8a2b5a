"""What a person sees when something is wrong: one line that names it and the mend, never a traceback."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from importlib.abc import MetaPathFinder
from pathlib import Path
from typing import IO, Any

import pytest
from sqlalchemy import Connection, Engine, event

import bot
from bot import __main__
from bot.commands import opening
from tests.bot.commands.conftest import ENGINEER, JOBS, PEOPLE, Shell
from tests.servers import PostgresServer
from workflow.database import Database


def test_sqlite_is_migrated_by_itself_at_the_first_use(bare_shell: Shell) -> None:
    assert bare_shell.json("jobs") == {"jobs": []}
    assert (bare_shell.folder / "costbot-data" / "costbot.db").exists()


def test_a_schema_that_is_missing_is_named(
    bare_shell: Shell, unmigrated_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COSTBOT_DATABASE_URL", unmigrated_url)

    ran = bare_shell.run("status")

    if unmigrated_url.startswith("sqlite"):
        assert ran.exit_code == 0
    else:
        assert ran.exit_code == 1
        assert ran.err == "The database has no tables of costbot yet: run `costbot migrate`.\n"
        bare_shell.done("migrate")
        bare_shell.done("status")


def test_a_database_of_a_newer_costbot_is_left_alone(shell: Shell, database: Database) -> None:
    with database.writing() as session:
        session.connection().exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")

    ran = shell.run("status")

    assert ran.exit_code == 1
    assert "newer costbot (schema 9999" in ran.err


def test_a_file_of_another_program_is_told_and_left_as_it_is(
    company: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "invoices.db"
    with closing(sqlite3.connect(file)) as others, others:
        others.execute("CREATE TABLE invoices (id INTEGER)")
    before = file.read_bytes()
    copied = company.run("db", "copy", f"sqlite:///{file}")
    monkeypatch.setenv("COSTBOT_DATABASE_URL", f"sqlite:///{file}")
    ran = [copied, *(company.run(command) for command in ("status", "migrate", "syncs", "doctor"))]

    assert [one.exit_code for one in ran] == [1] * len(ran)
    assert [one for one in ran if "has tables of another program (invoices)" not in one.out + one.err] == []
    assert file.read_bytes() == before
    assert list(tmp_path.glob("invoices*")) == [file]


def test_a_file_of_a_secret_that_is_missing_is_named(
    bare_shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN_FILE", "/run/secrets/no-such-file")

    ran = bare_shell.run("status")

    assert ran.exit_code == 1
    assert ran.err == (
        "SLACK_BOT_TOKEN_FILE is not usable: /run/secrets/no-such-file: No such file or directory.\n"
    )


def test_a_password_from_a_file_is_in_no_error(bare_shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    (bare_shell.folder / "password").write_text("hunter2\n")
    monkeypatch.setenv("COSTBOT_DATABASE_URL", "postgresql://costbot@127.0.0.1:1/costbot")
    monkeypatch.setenv("COSTBOT_DATABASE_PASSWORD_FILE", str(bare_shell.folder / "password"))

    ran = bare_shell.run("doctor", "--json")

    assert ran.exit_code == 1
    assert "postgresql+psycopg://costbot:***@127.0.0.1:1/costbot" in ran.out
    assert "hunter2" not in ran.out + ran.err


def test_a_database_that_does_not_answer_is_named_without_its_password(
    bare_shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COSTBOT_DATABASE_URL", "postgresql://costbot:hunter2@127.0.0.1:1/costbot")

    ran = bare_shell.run("ready", "--json")

    assert ran.exit_code == 1
    assert ran.json["result"] == "failed"
    assert "The database does not answer" in ran.err
    assert "COSTBOT_DATABASE_URL" in ran.err
    assert "hunter2" not in ran.err + ran.out
    assert "Traceback" not in ran.err


def test_each_wrong_setting_is_a_line_with_its_mend(
    bare_shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COSTBOT_SYNC_CRON", "hourly")
    monkeypatch.setenv("SLACK_BOT_TOKEN", "secret-that-is-no-token")

    ran = bare_shell.run("ready")

    assert ran.exit_code == 1
    cron, token = sorted(ran.err.splitlines())
    assert cron.startswith("COSTBOT_SYNC_CRON is not usable: use five cron fields")
    assert token.startswith("SLACK_BOT_TOKEN is not usable")
    assert "secret-that-is-no-token" not in ran.err


@pytest.mark.parametrize("command", ["bot", "run"])
def test_missing_slack_settings_are_all_named(bare_shell: Shell, command: str) -> None:
    ran = bare_shell.run(command)

    assert ran.exit_code == 1
    for name in ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET", "COSTBOT_CHANNEL"):
        assert name in ran.err
    assert "costbot demo" in ran.err
    assert len(ran.err.splitlines()) == 1


def test_a_fault_of_costbot_is_told_in_one_line_and_in_full_to_whoever_debugs_it(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("the moon is full")

    monkeypatch.setattr("workflow.queries.list_updates", broken)

    ran = shell.run("ready")
    assert ran.exit_code == 1
    assert "RuntimeError: the moon is full" in ran.err
    assert "COSTBOT_LOG_LEVEL=debug" in ran.err
    assert "Traceback" not in ran.err

    monkeypatch.setenv("COSTBOT_LOG_LEVEL", "debug")
    debugged = shell.run("ready", "--json")
    assert "Traceback" in debugged.err
    assert debugged.json["result"] == "failed"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_full_disk_is_called_one(connected_anew: Shell) -> None:
    def nothing_more_fits(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA max_page_count = 1")  # SQLite takes the size that it has already

    with listening(Engine, "connect", nothing_more_fits):
        ran = connected_anew.run("import", "people", connected_anew.file("many.csv", many_people()))

    assert (ran.exit_code, "The disk of the database is full." in ran.err) == (1, True)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_database_that_may_not_be_written_is_told_with_the_mend(connected_anew: Shell) -> None:
    def read_only(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA query_only = ON")

    with listening(Engine, "connect", read_only):
        ran = connected_anew.run("import", "people", connected_anew.file("many.csv", many_people()))

    assert (ran.exit_code, "cannot write its database" in ran.err) == (1, True)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_whoever_loses_the_database_in_the_middle_is_told_to_look(
    company: Shell, postgres_server: PostgresServer
) -> None:
    def go_away(_connection: Connection) -> None:
        postgres_server.execute(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity "
            "WHERE datname <> current_database() AND backend_type = 'client backend'"
        )

    with listening(Engine, "commit", go_away):
        ran = company.run("import", "people", company.file("people.csv", PEOPLE))

    assert ran.exit_code == 1
    assert "The database went away in the middle" in ran.err
    assert "costbot show JOB" in ran.err


def many_people() -> str:
    rows = (f"somebody.{number}@example.com,Somebody {number},none,false,true" for number in range(3000))
    return "\n".join([PEOPLE.partition("\n")[0], *rows])


@pytest.fixture
def connected_anew(company: Shell, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """`company`, whose next command has a connection of its own."""
    monkeypatch.setattr(opening, "Database", Database)
    return company


@contextmanager
def listening(target: type[Engine], name: str, listener: Callable[..., None]) -> Iterator[None]:
    """A listener to SQLAlchemy's events for the length of the block."""
    event.listen(target, name, listener)
    try:
        yield
    finally:
        event.remove(target, name, listener)


def test_an_unknown_command_is_wrong_usage_with_the_closest_one(bare_shell: Shell) -> None:
    ran = bare_shell.run("raedy")

    assert ran.exit_code == 2
    assert "ready" in ran.err


@pytest.mark.parametrize(
    "arguments",
    [("syncs", "--limit"), ("privilege", "grant", "--by", ENGINEER), ("update", "24-017", "--revision")],
)
def test_a_number_that_no_database_holds_is_wrong_usage(
    bare_shell: Shell, arguments: tuple[str, ...]
) -> None:
    assert bare_shell.run(*arguments, "9" * 20).exit_code == 2


def costbot(
    *arguments: str, folder: Path, stdout: IO[str] | int = subprocess.PIPE, **environment: str
) -> subprocess.Popen[str]:
    others = {
        name: value for name, value in os.environ.items() if not name.startswith(("COSTBOT_", "SLACK_"))
    }
    return subprocess.Popen(
        [sys.executable, "-m", "bot", *arguments],
        cwd=folder,
        env=others | environment,
        stdout=stdout,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )


def test_a_reader_that_has_enough_ends_the_command_quietly(bare_shell: Shell) -> None:
    bare_shell.done("import", "jobs", bare_shell.file("jobs.csv", JOBS))

    with costbot("audit", "export", "--format", "jsonl", folder=bare_shell.folder) as running:
        assert running.stdout
        assert running.stderr
        running.stdout.close()
        assert running.stderr.read() == ""
    assert running.returncode == 0


@pytest.mark.parametrize(
    "arguments", [["ready", "--json"], ["show", "99-999", "--json"], ["audit", "export"]]
)
def test_an_answer_that_cannot_be_written_ends_with_1_and_the_reason(
    bare_shell: Shell, arguments: list[str]
) -> None:
    if arguments[0] == "audit":
        arguments = [*arguments, "--format", "jsonl"]
        bare_shell.done("import", "jobs", bare_shell.file("jobs.csv", JOBS))

    with (
        Path("/dev/full").open("w") as full_disk,
        costbot(*arguments, folder=bare_shell.folder, stdout=full_disk) as running,
    ):
        assert running.stderr
        said = running.stderr.read()

    assert running.returncode == 1
    assert said.splitlines()[-1] == "The answer could not be written: No space left on device."
    assert "fault" not in said


def test_a_command_does_its_work_when_nobody_hears_it(bare_shell: Shell) -> None:
    file, costbot = bare_shell.file("jobs.csv", JOBS), f"{sys.executable} -m bot"

    ran = subprocess.run(
        ["/bin/sh", "-c", f"{costbot} import jobs {file} >&- && {costbot} status <&- >&-"],
        cwd=bare_shell.folder,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (ran.returncode, ran.stderr) == (0, "")
    assert len(bare_shell.json("audit", "verify")["problems"]) == 0
    bare_shell.done("show", "24-017")


def test_ctrl_c_while_it_is_being_imported_is_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    class CtrlC(MetaPathFinder):
        def find_spec(self, fullname: str, *_: object) -> None:
            if fullname == "bot.cli":
                raise KeyboardInterrupt

    monkeypatch.delattr(bot, "cli")
    monkeypatch.delitem(sys.modules, "bot.cli")
    monkeypatch.setattr(sys, "meta_path", [CtrlC(), *sys.meta_path])

    with pytest.raises(SystemExit) as ended:
        __main__.main()

    assert ended.value.code == 130


def test_the_answer_is_utf_8_whatever_the_terminal_is_set_to(bare_shell: Shell) -> None:
    jobs = "number,name,procore_project_id\n24-017,Żoliborz Clinic,\n"
    bare_shell.done("import", "jobs", bare_shell.file("jobs.csv", jobs))

    with costbot("show", "24-017", "--json", folder=bare_shell.folder, PYTHONIOENCODING="latin-1") as running:
        assert running.stdout
        assert "Żoliborz Clinic" in running.stdout.read()
    assert running.returncode == 0


def test_an_argument_that_is_no_utf_8_is_named_like_any_other(company: Shell) -> None:
    ran = company.run("show", "24\udcff017", "--json")
    assert (ran.exit_code, ran.json["reason"]) == (1, "unknown_job")
    assert "24\ufffd017" in ran.json["words"]

    ran = company.run("request", "24-017", "r\udce9gie.csv", "--by", ENGINEER, "--json")
    assert (ran.exit_code, ran.json["reason"]) == (1, "bad_file")
    assert "r\ufffdgie.csv" in ran.json["words"]


def test_a_file_whose_name_is_no_utf_8_leaves_an_audit_trail_that_can_be_exported(bare_shell: Shell) -> None:
    name = bare_shell.file("r\udce9gie.csv", JOBS)
    bare_shell.done("import", "jobs", name)

    assert "r\ufffdgie.csv" in bare_shell.done("audit", "export", "--format", "jsonl").out
    bare_shell.done("audit", "verify")


def test_looking_at_a_job_loads_neither_slack_nor_redis(bare_shell: Shell) -> None:
    bare_shell.done("import", "jobs", bare_shell.file("jobs.csv", JOBS))
    code = (
        "import sys\n"
        "from bot.cli import app\n"
        "try:\n"
        "    app(['show', '24-017'])\n"
        "except SystemExit as end:\n"
        "    assert not end.code\n"
        "heavy = {'slack_bolt', 'slack_sdk', 'redis', 'rq', 'uvicorn', 'starlette', 'httpx', 'alembic'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )

    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=bare_shell.folder, capture_output=True, text=True, check=False
    )

    assert ran.returncode == 0, ran.stderr
    assert "Riverside Medical Center" in ran.stdout
