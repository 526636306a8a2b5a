"""The benchmarks' own machinery: what it says of a measure, and where it could hold up whoever measures."""

import json
import multiprocessing
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from benchmarks import __main__ as bench
from benchmarks import report
from benchmarks.alone import in_a_process
from benchmarks.apart import Apart, Note
from benchmarks.measure import Memory, Row
from bot.http import Dispatcher

ROWS = [
    Row("Click to ack", "300 clicks", "bare Bolt app", 0.5, 0.012, 0.0036),
    Row("Just missed", "300 clicks", "by hand", 2.0, 1.0, 2.004),
    Row("Too much memory", "10 lines", "by hand", 2.0, 1.0, 1.5, note="300 MiB", kept=False),
]


@contextmanager
def never_ending(_note: Note) -> Iterator[Dispatcher]:
    yield None  # type: ignore[misc]
    threading.Event().wait()


def test_an_app_apart_that_does_not_end_by_itself_is_ended() -> None:
    before = set(multiprocessing.active_children())
    with Apart(never_ending, patience=0.2):
        [process] = set(multiprocessing.active_children()) - before
    assert not process.is_alive()
    assert process not in multiprocessing.active_children()


def test_work_alone_that_takes_too_long_or_fails_is_told_and_ended() -> None:
    with pytest.raises(TimeoutError, match="sleep takes longer"):
        in_a_process(time.sleep, 600, patience=0.05)
    with pytest.raises(RuntimeError, match="chdir failed"):
        in_a_process(os.chdir, "/nowhere/at/all")
    assert not multiprocessing.active_children()


def test_a_goal_is_met_by_the_ratio_itself_and_not_by_a_rounded_one() -> None:
    assert [row.met for row in ROWS] == [True, False, False]


@pytest.mark.parametrize(
    ("of_a_tenth", "of_all", "flat"), [(100, 119, True), (100, 121, False), (190, 201, False)]
)
def test_memory_is_flat_where_it_neither_grows_nor_is_too_much(
    of_a_tenth: float, of_all: float, flat: bool
) -> None:
    memory = Memory(of_a_tenth, of_all, 1_000_000)
    assert memory.is_flat is flat
    assert f"{of_all} MiB resident, {of_a_tenth} with 100,000 lines" in str(memory)


def test_what_was_measured_is_written_for_programs_and_people(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page, results, chart = tmp_path / "page.md", tmp_path / "results.json", tmp_path / "chart.png"
    page.write_text(f"Before\n{report.BEGIN}old\n{report.END}After\n")
    for name, path in (("PAGE", page), ("RESULTS", results), ("CHART", chart)):
        monkeypatch.setattr(report, name, path)

    report.write(ROWS)

    assert json.loads(results.read_text())[1] == {
        "name": "Just missed",
        "ratio": 2.004,
        "goal": 2.0,
        "met": False,
        "baseline_s": 1.0,
        "ours_s": 2.004,
    }
    before, table, after = _around(page.read_text())
    assert (before, after) == ("Before\n", "After\n")
    assert [row[-1] for row in table] == ["met", "**missed**", "**missed**; 300 MiB"]
    assert chart.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "code", "writes"),
    [((), 1, True), (("--short",), 0, False), (("--only", "lists"), 1, False)],
)
def test_only_a_whole_run_is_written_and_a_short_one_judges_nothing(
    monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], code: int, writes: bool
) -> None:
    written: list[object] = []
    monkeypatch.setattr(report, "write", written.append)
    monkeypatch.setattr(bench.Bench, "all", lambda self: self.rows.extend(ROWS))
    monkeypatch.setattr("sys.argv", ["benchmarks", *arguments])

    assert bench.main() == code
    assert written == ([ROWS] if writes else [])


def test_the_results_and_the_page_of_the_last_whole_run_agree() -> None:
    results = json.loads(report.RESULTS.read_text())
    _, table, _ = _around(report.PAGE.read_text())

    assert {frozenset(row) for row in results} == {
        frozenset({"name", "ratio", "goal", "met", "baseline_s", "ours_s"})
    }
    assert [(r["name"], f"≤ {r['goal']:g}", r["met"]) for r in results] == [
        (row[0], row[6], not row[7].startswith("**missed**")) for row in table
    ]
    assert [r["ratio"] for r in results] == pytest.approx([float(row[5]) for row in table], abs=0.0056)
    # by the figures as they are kept, which are rounded to a thousandth
    assert all(row["ratio"] <= row["goal"] + 0.0005 for row in results if row["met"])


def _around(page: str) -> tuple[str, list[list[str]], str]:
    """What stands before the table, its rows by cells, and what stands after it."""
    before, _, rest = page.partition(report.BEGIN)
    table, _, after = rest.partition(report.END)
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
    return before, rows[2:], after
