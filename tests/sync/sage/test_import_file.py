"""Sage by import file: what is written and when, and how the accountant's import answers."""

import hashlib
import json
import os
import subprocess
import sys
import threading
import tracemalloc
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sync.sage.company import Batch, SageBusyError, SageUnreachableError
from sync.sage.folders import Folders
from sync.sage.import_file import ImportFileCompany
from sync.sage.profile import SageProfile
from tests.factories import NINE
from tests.sync.sage.killed_sender import LAST_LINE
from tests.sync.sage.lines import BATCH, LINES, FakeReader, line, words_in
from workflow.batches import ExportLine

DEADLINE_SECONDS = 60.0


def minutes_later() -> datetime:
    return datetime.now(UTC) + timedelta(minutes=10)


class Desk:
    """The accountant's desk: the folders, Sage, and costbot on the other side."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.outgoing, self.rejected, self.done = (folder / name for name in ("outgoing", "rejected", "done"))
        Folders.under(folder).set_up()
        self.sage = FakeReader()
        self.company = ImportFileCompany(folder, SageProfile(), self.sage, clock=minutes_later)

    def send(self, lines: list[ExportLine] = LINES, batch: Batch = BATCH) -> None:
        self.company.send(batch, iter(lines))

    def answer(self, lines: list[ExportLine] = LINES, batch: Batch = BATCH) -> Mapping[int, str] | None:
        return words_in(self.company.answer(batch, lines), lines)

    def file_away(self, name: str = "DS000001.jce") -> None:
        (self.outgoing / "DS000001.jce").rename(self.done / name)

    def reject(self, *categories: str, name: str = "DS000001.jce") -> None:
        """Write the rows of these categories, and the job rows above, to a rejected-records file."""
        source = (
            next(path for path in (self.done, self.outgoing) if (path / "DS000001.jce").exists())
            / "DS000001.jce"
        )
        rows = source.read_text("cp1252").splitlines(keepends=True)
        kept = [row for row in rows if row[:3] == '"*"' or any(f'"{c}",' in row for c in categories)]
        (self.rejected / name).write_text("".join(kept), "cp1252", newline="\r\n")


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "sage")


def test_a_batch_is_one_file_with_its_manifest_beside_it(desk: Desk) -> None:
    receipt = desk.company.send(BATCH, iter(LINES))

    content = (desk.outgoing / "DS000001.jce").read_bytes()
    assert receipt is not None
    assert (receipt.file, receipt.sha256) == ("DS000001.jce", hashlib.sha256(content).hexdigest())
    assert json.loads((desk.outgoing / "DS000001.json").read_text()) == {
        "batch": "DS000001",
        "started_at": "2026-11-02T09:00:00Z",
        "file": "DS000001.jce",
        "jobs": ["24-017", "24-018"],
        "lines": 4,
        "sha256": receipt.sha256,
        "unwritable": {},
    }
    assert names_in(desk.outgoing) == ["DS000001.jce", "DS000001.json"]


def test_a_second_time_writes_nothing_and_gives_the_same_receipt(desk: Desk) -> None:
    first = desk.company.send(BATCH, iter(LINES))
    before = (desk.outgoing / "DS000001.jce").stat()

    assert desk.company.send(BATCH, iter(LINES)) == first
    assert (desk.outgoing / "DS000001.jce").stat() == before


def test_a_file_that_the_accountant_took_is_not_written_again(desk: Desk) -> None:
    first = desk.company.send(BATCH, iter(LINES))
    (desk.outgoing / "DS000001.jce").unlink()

    assert desk.company.send(BATCH, iter(LINES)) == first
    assert not (desk.outgoing / "DS000001.jce").exists()


def test_a_batch_without_lines_is_no_file_and_answered(desk: Desk) -> None:
    assert desk.company.send(BATCH, iter([])) is None
    assert desk.answer([]) == {}
    assert not (desk.outgoing / "DS000001.jce").exists()


def test_a_line_that_cannot_be_written_is_refused_by_name_and_the_others_go(desk: Desk) -> None:
    lines = [*LINES, line(5, "50-1000", "L", "Fließestrich für 日本")]
    desk.send(lines)
    desk.file_away()

    assert desk.answer(lines) == {5: "costbot could not write this line: 日 (U+65E5) is not in cp1252."}
    assert b"?" not in (desk.done / "DS000001.jce").read_bytes()


def test_a_file_that_waits_has_no_answer(desk: Desk) -> None:
    desk.send()

    assert desk.answer() is None


def test_a_file_in_done_was_imported_and_nothing_rejected_is_no_refusal(desk: Desk) -> None:
    desk.send()
    desk.file_away()

    assert desk.answer() == {}


def test_a_file_in_done_may_have_changed_its_letter_case(desk: Desk) -> None:
    desk.send()
    desk.file_away("ds000001.JCE")

    assert desk.answer() == {}


@pytest.mark.parametrize("name", ["Riverside imported.jce", "DS000001 imported.jce.old", "imported.txt"])
def test_a_file_in_done_is_known_by_its_content_whatever_its_name(desk: Desk, name: str) -> None:
    desk.send()
    desk.file_away(name)

    assert desk.answer() == {}


def test_a_file_in_done_that_was_opened_and_saved_anew_rejects_nothing(desk: Desk) -> None:
    desk.send()
    text = (desk.outgoing / "DS000001.jce").read_text("cp1252")
    (desk.outgoing / "DS000001.jce").unlink()
    (desk.done / "saved anew.jce").write_text(text, "utf-16", newline="\n")

    assert desk.answer() == {}


@pytest.mark.parametrize("name", ["DS000001 rejected.jce", "Reject.jce"])
def test_rejected_records_that_were_put_into_done_are_read_there(desk: Desk, name: str) -> None:
    desk.send()
    desk.reject("S", name=name)
    (desk.rejected / name).rename(desk.done / name)

    assert desk.answer() == {3: f"Sage rejected this line: see done/{name}."}


def test_rejected_records_that_were_put_into_done_under_the_name_of_the_import_are_read_too(
    desk: Desk,
) -> None:
    desk.send()
    desk.reject("S")
    (desk.rejected / "DS000001.jce").rename(desk.done / "DS000001.jce")

    assert desk.answer() == {3: "Sage rejected this line: see done/DS000001.jce."}


def test_rejected_records_without_their_job_row_are_matched_where_one_line_alone_fits(desk: Desk) -> None:
    desk.send()
    desk.file_away()
    (desk.rejected / "DS000001.jce").write_text('"C","09-2500","","S",11022026,0.00,"",0.00,,,,,\n')
    (desk.done / "DS000001.txt").write_text("DS000001\nJob 24-017 Cost code 09-2500 Category S closed\n")

    assert desk.answer() == {3: "Job 24-017 Cost code 09-2500 Category S closed"}


def test_where_several_lines_fit_a_rejected_record_without_its_job_row_each_is_told(desk: Desk) -> None:
    lines = [*LINES, line(5, "22-1116", "M", job="24-019")]
    desk.send(lines)
    desk.file_away()
    (desk.rejected / "DS000001.jce").write_text('"C","22-1116","","M",11022026,0.00,"",0.00,,,,,\n')

    told = (
        "Sage may have rejected this line: rejected/DS000001.jce has its cost code and category without a "
        "job row, and several lines fit. Compare the Estimate Import Report."
    )
    assert desk.answer(lines) == {4: told, 5: told}


def test_a_rejected_record_without_job_and_batch_does_not_say_that_the_file_was_imported(desk: Desk) -> None:
    desk.send()
    (desk.rejected / "Reject.jce").write_text('"C","09-2500","","S",11022026,0.00,"",0.00,,,,,\n')

    assert desk.answer() is None


def test_rejected_records_are_matched_to_their_lines_with_the_report_s_words(desk: Desk) -> None:
    desk.send()
    desk.file_away()
    desk.reject("S", "M")
    (desk.done / "DS000001.txt").write_text(
        "Estimate Import Report   DS000001.jce\n"
        "Job 24-017  Cost code 03-3000  Category M   warning: rounded\n"
        "Job 24-017  Cost code 09-2500  Category S   Category is not a standard category\n"
        "Job 24-018  Cost code 22-1116  Category M   Cost code is closed\n",
        "cp1252",
    )

    assert desk.answer() == {
        2: "Job 24-017 Cost code 03-3000 Category M warning: rounded",
        3: "Job 24-017 Cost code 09-2500 Category S Category is not a standard category",
        4: "Job 24-018 Cost code 22-1116 Category M Cost code is closed",
    }


def reasons(desk: Desk, *report: str) -> dict[int, str]:
    """The words for lines 2 (03-3000 M of job 24-017) and 4 (22-1116 M of 24-018) after this report."""
    desk.send()
    desk.file_away()
    desk.reject("M")
    (desk.done / "DS000001.txt").write_text("\n".join(("Estimate Import Report DS000001", *report)), "cp1252")
    return dict(desk.answer() or {})


NO_REASON = "Sage rejected this line: see rejected/DS000001.jce."


@pytest.mark.parametrize(
    "other",
    [
        "Job 24-018  Cost code 03-3000  Category M  Cost code is closed",
        "Job 24-999  Cost code 03-3000  Category M  Cost code is closed",
        "Job 24-017  Cost code 03-3000  Category L  Cost code is closed",
        "Job 24-017  Cost code 03-30001  Category M  Cost code is closed",
        "Job 24-017  Extra 1  Cost code 03-3000  Category M  Cost code is closed",
        "Job 24-017  Cost code 03-3000  Cost code is closed",
        "Job: 24-018  Depot\n    03-3000  M  Cost code is closed",
    ],
)
def test_what_the_report_says_of_another_line_is_no_reason(desk: Desk, other: str) -> None:
    assert reasons(desk, other) == {2: NO_REASON, 4: NO_REASON}


@pytest.mark.parametrize(
    ("report", "reason"),
    [
        ("24-017 03-3000 M  closed", "24-017 03-3000 M closed"),
        ("Job 24-017  Riverside\n\n  03-3000  Concrete  M  closed", "03-3000 Concrete M closed"),
        ("Job 24-018  Depot\nJob 24-017  Riverside\n  03-3000  M  closed", "03-3000 M closed"),
        ("Cost code 03-3000, category M: closed", "Cost code 03-3000, category M: closed"),
    ],
)
def test_the_reason_is_the_report_s_line_of_that_job_code_and_category(
    desk: Desk, report: str, reason: str
) -> None:
    assert reasons(desk, report) == {2: reason, 4: NO_REASON}


def test_without_a_report_the_words_name_the_file(desk: Desk) -> None:
    desk.send()
    desk.file_away()
    desk.reject("S", name="Reject.jce")

    assert desk.answer() == {3: "Sage rejected this line: see rejected/Reject.jce."}


def test_answers_in_utf_16_are_read_too(desk: Desk) -> None:
    desk.send()
    desk.file_away()
    desk.reject("S")
    rejected = (desk.rejected / "DS000001.jce").read_text("cp1252")
    (desk.rejected / "DS000001.jce").write_text(rejected, "utf-16")
    report = "Estimate Import Report DS000001.jce\nCost code: 09-2500. Category: S. It is closed\n"
    (desk.done / "report.txt").write_text(report, "utf-16")

    assert desk.answer() == {3: "Cost code: 09-2500. Category: S. It is closed"}


def test_what_is_no_answer_among_the_answers_stops_nothing(desk: Desk) -> None:
    desk.send()
    desk.file_away()
    desk.reject("S")
    (desk.rejected / "other.jce").write_text("x" * 200_000)
    (desk.rejected / "earlier.jce").mkdir()

    assert desk.answer() == {3: "Sage rejected this line: see rejected/DS000001.jce."}


def test_a_large_rejected_file_of_another_import_is_read_without_being_kept(desk: Desk) -> None:
    desk.send()
    desk.file_away()
    desk.reject("S")
    large = desk.rejected / "other.jce"
    records = "".join(f'"C","03-{n:04}","Formwork",L,0.00,""\n' for n in range(200))
    large.write_text("".join(f'"*","25-{job:03}","Tower"\n{records}' for job in range(150)))

    tracemalloc.start()
    answer = desk.answer()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert answer == {3: NO_REASON}
    assert peak < large.stat().st_size


def test_a_file_of_records_may_have_a_name_that_is_no_text(desk: Desk) -> None:
    desk.send()
    desk.file_away()
    desk.reject("S", name=os.fsdecode(b"rejet\xe9s.jce"))

    assert desk.answer() == {3: "Sage rejected this line: see rejected/rejet\ufffds.jce."}


def test_a_report_about_records_of_another_import_gives_no_reason(desk: Desk) -> None:
    desk.send()
    desk.file_away()
    desk.reject("S")
    (desk.rejected / "other.jce").write_text('"*",25-001,Tower\n"C",09-2500,Drywall,S\n"C",01-1000,Crane,L\n')
    (desk.done / "report.txt").write_text(
        "09-2500 S  closed\n24-017\n25-001\n09-2500 S  is unknown\n01-1000 L 24-017\n09-2500 S  is odd\n"
    )

    assert desk.answer() == {3: NO_REASON}


def test_rejected_lines_of_it_say_that_a_file_was_imported_wherever_it_is_now(desk: Desk) -> None:
    desk.send()
    desk.reject("S", name="Reject.jce")
    (desk.outgoing / "DS000001.jce").unlink()

    assert desk.answer() == {3: "Sage rejected this line: see rejected/Reject.jce."}


def test_an_older_rejected_file_says_nothing_of_this_batch(desk: Desk) -> None:
    desk.send()
    desk.reject("S", name="Reject.jce")
    earlier = (desk.outgoing / "DS000001.jce").stat().st_mtime - 60
    os.utime(desk.rejected / "Reject.jce", (earlier, earlier))
    desk.file_away()

    assert desk.answer() == {}


def test_a_rejected_file_of_another_batch_says_nothing_of_this_one(desk: Desk) -> None:
    desk.send()
    desk.reject("S", name="DS000002.jce")

    assert desk.answer() is None


@pytest.mark.parametrize("name", ["DS000001.jce", "Not yet.jce"])
def test_an_import_file_that_was_moved_into_rejected_whole_rejects_nothing(desk: Desk, name: str) -> None:
    desk.send()
    (desk.outgoing / "DS000001.jce").rename(desk.rejected / name)

    assert desk.answer() is None


def test_an_import_that_still_writes_its_answer_is_waited_for(desk: Desk, tmp_path: Path) -> None:
    desk.send()
    (desk.rejected / "DS000001.jce").write_text("")
    at_once = ImportFileCompany(tmp_path / "sage", SageProfile(), desk.sage)

    assert at_once.answer(BATCH, LINES) is None
    assert desk.answer() == {}


def test_rejected_lines_that_may_still_be_joined_by_others_are_waited_for(desk: Desk, tmp_path: Path) -> None:
    desk.send()
    desk.reject("S", name="Reject.jce")
    at_once = ImportFileCompany(tmp_path / "sage", SageProfile(), desk.sage)

    assert at_once.answer(BATCH, LINES) is None
    assert desk.answer() == {3: "Sage rejected this line: see rejected/Reject.jce."}


def test_sage_must_have_been_read_after_the_import(desk: Desk) -> None:
    desk.send()
    desk.file_away()
    desk.sage.as_of = NINE

    assert desk.answer() is None


def test_an_export_saved_before_the_file_was_moved_to_done_may_not_hold_its_import_yet(desk: Desk) -> None:
    desk.send()
    sent_at = datetime.now(UTC) - timedelta(hours=1)
    os.utime(desk.outgoing / "DS000001.jce", (sent_at.timestamp(), sent_at.timestamp()))
    desk.file_away()
    desk.sage.as_of = sent_at + timedelta(minutes=30)
    assert desk.answer() is None
    desk.sage.as_of = minutes_later()

    assert desk.answer() == {}


def test_a_file_that_nobody_filed_away_is_answered_when_sage_holds_every_line(desk: Desk) -> None:
    desk.send()
    desk.sage.take(LINES[:-1])
    assert desk.answer() is None
    desk.sage.take(LINES[-1:])

    assert desk.answer() == {}


def test_sage_is_read_at_one_go_and_no_further_than_the_first_line_that_it_lacks(desk: Desk) -> None:
    desk.send()
    desk.answer()
    desk.sage.take(LINES)
    desk.answer()

    assert desk.sage.readings == [["24-017"], ["24-017", "24-018"]]


def test_a_lost_manifest_stops_nothing(desk: Desk) -> None:
    desk.send()
    (desk.outgoing / "DS000001.json").unlink()
    assert desk.answer() is None
    desk.file_away()

    assert desk.answer() == {}


def test_a_manifest_that_is_not_whole_is_as_good_as_lost(desk: Desk) -> None:
    desk.send()
    whole = (desk.outgoing / "DS000001.json").read_text()
    (desk.outgoing / "DS000001.json").write_text(whole[:20])
    assert desk.answer() is None
    desk.send()

    assert (desk.outgoing / "DS000001.json").read_text() == whole


def test_a_folder_that_another_costbot_uses_takes_no_batch_of_the_same_name(desk: Desk) -> None:
    desk.send()
    desk.file_away()
    ours = Batch(BATCH.name, BATCH.started_at + timedelta(days=1))

    with pytest.raises(SageUnreachableError, match="DS000001 of another costbot"):
        desk.send(batch=ours)


def test_an_unusable_folder_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "sage").write_text("not a folder")
    company = ImportFileCompany(tmp_path / "sage", SageProfile(), FakeReader())

    assert "COSTBOT_SAGE_FOLDER" in str(company.problem())
    with pytest.raises(SageUnreachableError, match=r"COSTBOT_SAGE_FOLDER: .*: Not a directory"):
        company.send(BATCH, iter(LINES))


def test_a_share_that_is_not_mounted_is_said_so_and_nothing_is_made_in_its_place(tmp_path: Path) -> None:
    mount_point = tmp_path / "mnt"
    mount_point.mkdir()
    for folder in (mount_point, mount_point / "costbot"):
        company = ImportFileCompany(folder, SageProfile(), FakeReader())

        assert "mount the share; if it is new, run `costbot sage set-up`" in str(company.problem())
        with pytest.raises(SageUnreachableError, match="COSTBOT_SAGE_FOLDER"):
            company.send(BATCH, iter(LINES))
        with pytest.raises(SageUnreachableError, match="COSTBOT_SAGE_FOLDER"):
            company.answer(BATCH, LINES)
    assert names_in(mount_point) == []


def test_a_folder_that_somebody_removed_is_made_again(desk: Desk) -> None:
    desk.rejected.rmdir()

    desk.send()

    assert desk.company.problem() is None
    assert names_in(desk.rejected) == []


def test_of_two_who_write_a_batch_at_once_one_gives_its_file_whole_and_for_good(desk: Desk) -> None:
    lines = [line(n, f"{n // 100:02}-{n % 100:02}00", "L", "Concrete") for n in range(3_000)]
    has_begun, may_go_on = threading.Event(), threading.Event()

    def first() -> Iterator[ExportLine]:
        for each in lines:
            if each is lines[-1]:
                threads.submit(other.company.send, BATCH, second())
                assert has_begun.wait(DEADLINE_SECONDS)
            yield each

    def second() -> Iterator[ExportLine]:
        has_begun.set()
        assert may_go_on.wait(DEADLINE_SECONDS)
        yield from lines

    other = Desk(desk.folder)
    with ThreadPoolExecutor(1) as threads:
        try:
            with suppress(SageBusyError):
                desk.company.send(BATCH, first())
            published = names_in(desk.outgoing)
            if "DS000001.jce" in published:
                _assert_is_whole(desk)
        finally:
            may_go_on.set()
    _assert_is_whole(desk)
    assert names_in(desk.outgoing) == ["DS000001.jce", "DS000001.json"]


def test_who_writes_a_batch_that_was_imported_meanwhile_does_not_give_it_again(desk: Desk) -> None:
    def interrupted() -> Iterator[ExportLine]:
        yield LINES[0]
        other.company.send(BATCH, iter(LINES))
        for name in ("DS000001.jce", "DS000001.json"):
            (desk.outgoing / name).rename(desk.done / name)
        yield from LINES[1:]

    other = Desk(desk.folder)
    receipt = desk.company.send(BATCH, interrupted())
    assert receipt is not None
    assert receipt.sha256 == hashlib.sha256((desk.done / "DS000001.jce").read_bytes()).hexdigest()
    assert names_in(desk.outgoing) == []


def _assert_is_whole(desk: Desk) -> None:
    manifest = json.loads((desk.outgoing / "DS000001.json").read_text())
    content = (desk.outgoing / "DS000001.jce").read_bytes()
    assert hashlib.sha256(content).hexdigest() == manifest["sha256"]


def test_killed_at_any_line_of_code_the_file_is_there_whole_or_not_at_all_and_the_next_send_finishes_it(
    tmp_path: Path,
) -> None:
    whole = Desk(tmp_path / "whole")
    whole.send()
    content = (whole.outgoing / "DS000001.jce").read_bytes()
    manifest = (whole.outgoing / "DS000001.json").read_bytes()
    sender = [sys.executable, "-W", "error", "-m", "tests.sync.sage.killed_sender", str(tmp_path / "killed")]
    finished = subprocess.run(sender, check=True, capture_output=True, text=True)
    killed = sorted((tmp_path / "killed").iterdir())

    assert LAST_LINE in finished.stdout
    assert len(killed) > 60
    seen = set()
    for folder in killed:
        there = names_in(folder / "outgoing")
        seen.add(tuple(there))
        if "DS000001.jce" in there:
            assert (folder / "outgoing" / "DS000001.jce").read_bytes() == content
        Desk(folder).send()
        assert names_in(folder / "outgoing") == ["DS000001.jce", "DS000001.json"], there
        assert (folder / "outgoing" / "DS000001.jce").read_bytes() == content
        assert (folder / "outgoing" / "DS000001.json").read_bytes() == manifest
    assert {(), (".DS000001.jce.tmp",), (".DS000001.jce.tmp", "DS000001.json")} <= seen
