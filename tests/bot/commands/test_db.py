"""`costbot db`: the data to another database, and into a file."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.bot.commands.conftest import Shell
from tests.servers import PostgresServer
from workflow import copying
from workflow.database import Database, migrate


@pytest.fixture
def empty_url(postgres_server: PostgresServer) -> Iterator[str]:
    """A PostgreSQL database without tables."""
    with postgres_server.database(template="template0") as url:
        yield url


def test_a_company_moves_to_another_database(
    company: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    company.request()
    there = f"sqlite:///{tmp_path / 'my moved.db'}"

    copied = company.json("db", "copy", there)
    shown = company.json("show", "24-017")
    trail = company.done("audit", "export", "--format", "jsonl").out

    assert (copied["tables"]["jobs"], copied["tables"]["requested_lines"]) == (2, 2)
    assert copied["rows"] == sum(copied["tables"].values())
    monkeypatch.setenv("COSTBOT_DATABASE_URL", there)
    assert company.json("show", "24-017") == shown
    assert company.done("audit", "export", "--format", "jsonl").out == trail
    assert company.json("audit", "verify")["problems"] == []


def test_the_target_may_come_from_the_environment_and_the_source_be_named(
    company: Shell, empty_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = f"sqlite:///{tmp_path / 'moved.db'}"
    company.done("db", "copy", file)
    migrate(empty_url)
    monkeypatch.setenv("COSTBOT_COPY_TO", empty_url)

    ran = company.done("db", "copy", "--from", file)

    assert "were copied and verified" in ran.out
    assert "Set COSTBOT_DATABASE_URL" in ran.out


def test_what_stands_in_the_way_is_said_with_the_mend(company: Shell, empty_url: str, tmp_path: Path) -> None:
    secret = empty_url.replace("postgres@", "postgres:s3cret@")
    bare = company.run("db", "copy", secret, "--json")
    full = f"sqlite:///{tmp_path / 'full.db'}"
    company.done("db", "copy", full)
    again = company.run("db", "copy", full)

    assert (bare.exit_code, bare.json["reason"]) == (3, "other_schema")
    assert "Run `costbot migrate`" in bare.json["words"]
    assert "s3cret" not in bare.out + bare.err
    assert (again.exit_code, again.out) == (3, "")
    assert "holds data already. Name an empty database." in again.err
    assert company.run("db", "copy").exit_code == company.run("db", "copy", "mysql://x").exit_code == 2


def test_a_second_copy_at_a_time_is_told_of_the_first(company: Shell, tmp_path: Path) -> None:
    there = f"sqlite:///{tmp_path / 'there.db'}"
    migrate(there)
    with closing(Database(there)) as other, other.exclusive(copying.LOCK):
        second = company.run("db", "copy", there)

    assert (second.exit_code, second.out) == (3, "")
    assert "another `costbot db copy` is at work on" in second.err
    assert "there.db" in second.err
    assert "top costbot" not in second.err


def test_a_source_that_is_not_there_is_not_made(bare_shell: Shell, tmp_path: Path) -> None:
    ran = bare_shell.run("db", "copy", f"sqlite:///{tmp_path / 'a.db'}", "--json")

    assert (ran.exit_code, ran.json["reason"]) == (1, "no_database")
    assert [*tmp_path.rglob("*.db")] == []


def test_a_target_in_a_folder_that_is_not_there_is_taken_for_a_mistake(
    company: Shell, tmp_path: Path
) -> None:
    ran = company.run("db", "copy", f"sqlite:///{tmp_path / 'mistyped' / 'a.db'}", "--json")

    assert (ran.exit_code, ran.json["reason"]) == (1, "no_folder")
    assert str(tmp_path / "mistyped") in ran.json["words"]
    assert not (tmp_path / "mistyped").exists()


def test_a_backup_is_a_file_or_the_command_that_makes_one(company: Shell, tmp_path: Path) -> None:
    file = tmp_path / "my costbot.backup"

    ran = company.run("db", "backup", str(file), "--json")

    if ran.exit_code == 3:
        assert ran.json["reason"] == "postgresql"
        assert f"pg_dump --format=custom --file='{file}' 'postgresql://postgres@/" in ran.json["words"]
        return
    assert (ran.json["problems"], ran.json["size"]) == ([], file.stat().st_size)
    again = company.run("db", "backup", str(file))
    assert (again.exit_code, again.err) == (1, f"{file} is there already. Name a new file.\n")


def test_after_a_restore_costbot_is_told(company: Shell) -> None:
    company.request()
    waiting = company.json("status")["notices_waiting"]

    assert company.json("db", "restored") == {"cards": 1, "notices_waiting": waiting}
    assert company.json("status")["notices_waiting"] == waiting + 1
