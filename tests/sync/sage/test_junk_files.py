"""Junk in what comes from Sage's side: it is used, or told in words, and never breaks a data sync."""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.sage.company import SageUnreachableError
from sync.sage.folders import Folders
from sync.sage.import_file import ImportFileCompany
from sync.sage.profile import EXAMPLE, ProfileError, SageProfile, read_profile
from tests.junk import damaged, junk_of, lines_amiss, much
from tests.sync.sage.lines import BATCH, LINES, FakeReader, left_alone, words_in
from tests.sync.sage.test_export_file import EXPORT
from tests.sync.sage.test_import_file import minutes_later

REPORT = """Estimate Import Report   DS000001.jce

Job 24-017  Cost code 03-3000  Category L  Category is not valid
Job 24-018  Cost code 22-1116  Category M  Job is closed
Records rejected: 2
"""


def in_words(told: str) -> bool:
    return told.endswith(".") and not re.search(r"Traceback|Errno|Error\b", told)


@contextmanager
def telling(what: str = "") -> Iterator[None]:
    """Sage cannot be used, or its profile, is all that may be raised, in lines that are words."""
    told = f"{what}."
    try:
        yield
    except (SageUnreachableError, ProfileError) as error:
        told = str(error)
    assert what in told
    assert all(map(in_words, told.splitlines()))


def test_an_export_is_read_or_its_fault_is_told(tmp_path: Path) -> None:
    export = tmp_path / "export.csv"

    @given(junk_of(EXPORT))
    @much(60)
    def check(content: bytes) -> None:
        export.write_bytes(content)
        reader = left_alone(export)

        problem = reader.problem()

        assert export.read_bytes() == content
        if problem is not None:
            assert problem.startswith("COSTBOT_SAGE_EXPORT")
            assert in_words(problem)
        with telling():
            jobs = list(reader.read(["24-017", "24-018", "24-099"]))
            assert [job.number for job in jobs] == [
                number for number in ("24-017", "24-018", "24-099") if number not in reader.untold()
            ]

    check()


def answered(folder: Path) -> dict[Path, bytes]:
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def sent(tmp_path: Path) -> Path:
    """The folders after a batch was sent, imported and half rejected."""
    folder = tmp_path / "sage"
    folders = Folders.under(folder)
    folders.set_up()
    ImportFileCompany(folder, SageProfile(), FakeReader(), clock=minutes_later).send(BATCH, iter(LINES))
    shutil.copy(folders.outgoing / "DS000001.jce", folders.rejected / "DS000001.jce")
    (folders.rejected / "report.txt").write_text(REPORT)
    (folders.outgoing / "DS000001.jce").rename(folders.done / "DS000001.jce")
    return folder


@pytest.mark.parametrize(
    "name", ["done/DS000001.jce", "rejected/DS000001.jce", "rejected/report.txt", "outgoing/DS000001.json"]
)
def test_a_batch_is_answered_whatever_lies_in_the_folders(sent: Path, name: str) -> None:
    good = (sent / name).read_bytes()
    company = ImportFileCompany(sent, SageProfile(), FakeReader(), clock=minutes_later)

    @given(damaged(good) | lines_amiss(good.decode()) | st.binary(max_size=100))
    @much(25)
    def check(content: bytes) -> None:
        (sent / name).write_bytes(content)
        before = answered(sent)

        with telling():
            said = words_in(company.answer(BATCH, LINES))
            assert set(said or ()) <= {line.line_id for line in LINES}
            assert all(words == " ".join(words.split()) for words in (said or {}).values())
        assert answered(sent) == before

    check()


def test_a_manifest_that_is_not_whole_never_moves_a_file_elsewhere(sent: Path) -> None:
    manifest = sent / "outgoing" / "DS000001.json"
    good = manifest.read_bytes()
    company = ImportFileCompany(sent, SageProfile(), FakeReader(), clock=minutes_later)

    @given(damaged(good) | lines_amiss(good.decode()) | st.binary(max_size=100))
    @much(25)
    def check(content: bytes) -> None:
        manifest.write_bytes(content)
        (sent / "outgoing" / ".DS000001.jce.tmp").write_bytes(b"content")
        with telling():
            company.send(BATCH, iter(LINES))
        assert {path for path in answered(sent.parent) if path.parts[0] != "sage"} == set()
        for path in (sent / "outgoing").iterdir():
            assert "DS000001" in path.name
            path.unlink()

    check()


def test_a_profile_is_used_or_each_mistake_is_told(tmp_path: Path) -> None:
    profile = tmp_path / "profile.toml"

    @given(damaged(EXAMPLE.read_bytes()) | lines_amiss(EXAMPLE.read_text()) | st.binary(max_size=100))
    @much(25)
    def check(content: bytes) -> None:
        profile.write_bytes(content)
        with telling(str(profile)):
            read_profile(profile)

    check()


def test_a_profile_that_an_editor_of_windows_saved_is_the_profile(tmp_path: Path) -> None:
    profile = tmp_path / "profile.toml"
    profile.write_bytes(b"\xef\xbb\xbf" + EXAMPLE.read_bytes().replace(b"\n", b"\r\n"))

    assert read_profile(profile) == read_profile(EXAMPLE)
