"""Reading Sage back from an export file that somebody saves."""

import os
import sqlite3
from datetime import UTC, datetime, timedelta
from itertools import zip_longest
from pathlib import Path

import pytest

from sync.sage.company import SageUnreachableError
from sync.sage.export_file import ExportReader
from tests.factories import NINE
from tests.sync.sage.lines import left_alone
from workflow.merge import SageCode, SageJob

HEADER = "job,job_name,extra,code,description,category\n"
EXPORT = f"""{HEADER}24-017,Riverside,,03-3000,Concrete,L
24-017,Riverside,,03-3000,Concrete,M
24-017,Riverside,,09-2500,Drywall,
24-017,Riverside,CO-1,03-3000,Concrete of CO-1,L
24-018,Depot,,,,
"""
RIVERSIDE = SageJob(
    "24-017",
    "Riverside",
    {
        ("", "03-3000"): SageCode("Concrete", frozenset({"L", "M"})),
        ("", "09-2500"): SageCode("Drywall", frozenset()),
        ("CO-1", "03-3000"): SageCode("Concrete of CO-1", frozenset({"L"})),
    },
)


@pytest.fixture
def export(tmp_path: Path) -> Path:
    path = tmp_path / "export.csv"
    path.write_text(EXPORT)
    return path


def test_jobs_are_read_in_the_order_asked_and_unknown_ones_are_said_so(export: Path) -> None:
    assert list(left_alone(export).read(["24-018", "24-099", "24-017"])) == [
        SageJob("24-018", "Depot", {}),
        SageJob("24-099", None, {}),
        RIVERSIDE,
    ]


def test_a_newer_export_is_read_anew(export: Path) -> None:
    reader = left_alone(export)
    assert next(reader.read(["24-017"])) == RIVERSIDE
    export.write_text(f"{HEADER}24-017,Riverside,,,,\n")
    later = export.stat().st_mtime + 5
    os.utime(export, (later, later))

    assert next(reader.read(["24-017"])) == SageJob("24-017", "Riverside", {})


def test_it_is_newer_than_what_happened_before_it_was_saved(export: Path) -> None:
    saved = datetime.fromtimestamp(export.stat().st_mtime, UTC)
    reader = left_alone(export)

    assert reader.is_newer_than(saved - timedelta(minutes=1))
    assert not reader.is_newer_than(saved + timedelta(minutes=1))


def test_what_a_clock_that_was_ahead_dates_is_newer_than_nothing_but_what_the_same_clock_dated(
    tmp_path: Path,
) -> None:
    path, ahead = tmp_path / "export.csv", NINE + timedelta(hours=3)
    path.write_text(EXPORT)
    os.utime(path, (ahead.timestamp(), ahead.timestamp()))
    reader = ExportReader(path, clock=lambda: NINE)
    ours, same_clock = NINE - timedelta(minutes=1), ahead - timedelta(minutes=1)
    assert [reader.is_newer_than(moment) for moment in (ours, same_clock)] == [False, True]


def test_an_export_that_is_not_there_is_named_with_the_mend(tmp_path: Path) -> None:
    reader = left_alone(tmp_path / "export.csv")

    assert not reader.is_newer_than(datetime.now(UTC))
    assert "COSTBOT_SAGE_EXPORT" in str(reader.problem())
    with pytest.raises(SageUnreachableError, match=r"No such file or directory.*save an export of Job Cost"):
        next(reader.read(["24-017"]))


def test_a_company_with_wider_fields_is_read_as_it_is(export: Path) -> None:
    export.write_text(f"{HEADER}24-017,Riverside,,03-3000-10-100,{'Concrete' * 5},LABOR\n")

    [job] = left_alone(export).read(["24-017"])
    assert job.cost_codes == {("", "03-3000-10-100"): SageCode("Concrete" * 5, frozenset({"LABOR"}))}


def test_an_export_that_may_be_half_saved_is_waited_for(tmp_path: Path) -> None:
    path, now = tmp_path / "export.csv", NINE
    reader = ExportReader(path, clock=lambda: now)

    def save(text: str) -> None:
        path.write_text(text)
        os.utime(path, (now.timestamp(), now.timestamp()))

    save(EXPORT[: EXPORT.index("24-018")])
    half_saved = reader.problem()
    now += timedelta(seconds=9)
    save(EXPORT)
    saved_just_now = reader.problem()
    now += timedelta(seconds=10)

    assert "may be half saved" in str(half_saved)
    assert "when it has been left alone for 10 seconds" in str(saved_just_now)
    assert list(reader.read(["24-018"])) == [SageJob("24-018", "Depot", {})]


def test_one_from_the_future_is_looked_at_twice_by_a_process_that_has_not_seen_it_before(
    tmp_path: Path,
) -> None:
    """The share's clock is ahead, or costbot's was set back; each data sync is a process of its own."""
    path, pauses = tmp_path / "export.csv", list[float]()
    later = (NINE + timedelta(hours=3)).timestamp()

    def save(text: str, at: float) -> None:
        path.write_text(text)
        os.utime(path, (at, at))

    def saved_meanwhile(seconds: float) -> None:
        pauses.append(seconds)
        save(EXPORT, later + 5)

    save(EXPORT[: EXPORT.index("24-018")], later)
    half_saved = ExportReader(path, clock=lambda: NINE, pause=saved_meanwhile).problem()
    reader = ExportReader(path, clock=lambda: NINE, pause=pauses.append)
    read = [list(reader.read(["24-018"])) for _ in range(2)]

    assert "was saved anew while costbot read it" in str(half_saved)
    assert read == [[SageJob("24-018", "Depot", {})]] * 2
    assert pauses == [10.0, 10.0]


def test_what_was_read_before_is_not_taken_for_an_export_that_is_being_saved(tmp_path: Path) -> None:
    path, now = tmp_path / "export.csv", NINE
    reader = ExportReader(path, clock=lambda: now)
    path.write_text(EXPORT)
    os.utime(path, (now.timestamp() - 10, now.timestamp() - 10))
    assert list(reader.read(["24-017"])) == [RIVERSIDE]
    path.write_text(EXPORT[:100])
    os.utime(path, (now.timestamp(), now.timestamp()))

    with pytest.raises(SageUnreachableError, match="may be half saved"):
        next(reader.read(["24-017"]))


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (f"24-018,Depot,,03-3000,Concrete,{'L' * 21}", "line 7, column category: is longer than 20"),
        ("24-018,Depot,,03-3000,Concrete, cast in place,L", "line 7: has 7 values where the header has 6"),
        ("24-018,Depot,,03-30", "line 7: has 4 values where the header has 6"),
        ("24-018,Another depot,,03-3000,Concrete,L", "line 7, column job_name: Another depot differs"),
    ],
)
def test_of_a_job_with_a_bad_row_nothing_is_told_and_the_others_are_read(
    export: Path, row: str, reason: str
) -> None:
    export.write_text(f"{EXPORT}{row}\n")
    reader = left_alone(export)

    assert list(reader.read(["24-018", "24-017"])) == [RIVERSIDE]
    assert list(reader.untold()) == ["24-018"]
    assert reason in reader.untold()["24-018"]
    assert "Correct it and save the export anew" in reader.untold()["24-018"]
    assert reader.problem() == reader.untold()["24-018"]


@pytest.mark.parametrize(
    "row", [",Depot,,03-3000,Concrete,L", "24-01", '24-018,"Dep"ot,,,,', '24-018,"Depot']
)
def test_where_the_job_of_a_bad_row_is_not_known_no_job_can_be_told(export: Path, row: str) -> None:
    export.write_text(f"{EXPORT}{row}\n")

    with pytest.raises(SageUnreachableError, match=r"line 7.*Correct it and save the export anew"):
        list(left_alone(export).read(["24-017"]))


def test_a_row_that_is_there_twice_and_an_empty_one_say_nothing_new(export: Path) -> None:
    export.write_text(f"{EXPORT}24-017,Riverside,,03-3000,Concrete,L\n,,,,,\n")
    reader = left_alone(export)

    assert (reader.problem(), list(reader.read(["24-017"]))) == (None, [RIVERSIDE])


@pytest.mark.parametrize("at_once", [1, 2, 5])
def test_rows_in_any_order_and_kept_so_many_at_a_time_say_the_same(
    export: Path, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr("sync.sage.export_rows._ROWS_AT_ONCE", at_once)
    rows = EXPORT.removeprefix(HEADER).splitlines()
    other = [row.replace("24-017", "24-016") for row in rows[:4]]
    for order in (rows, rows[::-1], rows[::2] + rows[1::2]):
        mixed = [row for pair in zip_longest(order, other, fillvalue="") for row in pair]
        export.write_text("\n".join([HEADER, *mixed]))
        reader = left_alone(export)

        assert list(reader.read(["24-017", "24-018"])) == [RIVERSIDE, SageJob("24-018", "Depot", {})]
        assert reader.problem() is None


def test_rows_that_contradict_each_other_are_found_however_far_they_are_from_each_other(
    export: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sync.sage.export_rows._ROWS_AT_ONCE", 1)
    export.write_text(
        f"{EXPORT}24-018,Another depot,,03-3000,Concrete,L\n24-017,Riverside,,03-3000,Steel,S\n"
    )
    reader = left_alone(export)

    assert list(reader.read(["24-017", "24-018"])) == []
    assert "line 7, column job_name: Another depot differs from Depot on line 6" in reader.untold()["24-018"]
    assert "line 8, column description: Steel differs from Concrete on line 2" in reader.untold()["24-017"]


def test_an_export_of_which_too_many_jobs_are_amiss_cannot_be_used(
    export: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sync.sage.export_rows._MOST_JOBS_AMISS", 2)
    rows = [f"24-{n},Depot,,03-3000,Concrete,{'L' * 21}" for n in (101, 102, 102, 103)]
    export.write_text("\n".join([EXPORT, *rows]))

    with pytest.raises(SageUnreachableError, match=r"line 8, column category: is longer .*\(4 in all\)"):
        list(left_alone(export).read(["24-017"]))


def test_an_export_that_cannot_be_kept_while_it_is_read_is_told_with_the_mend(
    export: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr("sqlite3.connect", full)

    assert "database or disk is full). Make room where temporary files go" in str(
        left_alone(export).problem()
    )


def test_an_export_saved_in_the_encoding_of_the_profile_is_read(export: Path) -> None:
    export.write_text(f"{HEADER}24-017,Café Riverside,,,,\n", "cp1252")

    assert list(left_alone(export).read(["24-017"])) == [SageJob("24-017", "Café Riverside", {})]


def test_a_bad_row_of_an_export_is_named(export: Path) -> None:
    export.write_text(f"{HEADER}24-017,Riverside,,03-3000,Concrete,{'L' * 21}\n")

    assert "line 2, column category: is longer than 20 characters" in str(left_alone(export).problem())
