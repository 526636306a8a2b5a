"""What was measured, for people and programs: the table, `results.json`, and the chart and table of docs/.

Drawn with matplotlib, as `bot.charts` does.
"""

import json
from collections.abc import Sequence
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image
from rich.table import Table

from benchmarks.measure import Row

RESULTS = Path(__file__).with_name("results.json")
_DOCS = Path(__file__).parents[1] / "docs"
PAGE, CHART = _DOCS / "benchmarks.md", _DOCS / "images" / "benchmarks.png"
BEGIN, END = "<!-- made by make bench -->\n", "<!-- end -->\n"
_COLUMNS = ("What", "Sizes", "Baseline", "Baseline took", "costbot took", "Ratio", "Goal", "")
_MET, _MISSED = "#2f855a", "#c05621"
_HIGH = 4.0
"""Beyond so many times its goal a bar ends, and only its figure goes on."""
_SHADES = 32


def table(rows: Sequence[Row]) -> Table:
    """For a terminal."""
    shown = Table(title="Ratios to bare baselines, of medians", title_justify="left")
    for number, column in enumerate(_COLUMNS):
        shown.add_column(column, justify="right" if 2 < number < 7 else "left")
    for row in rows:
        shown.add_row(*_cells(row), style=None if row.met else "red")
    return shown


def write(rows: Sequence[Row]) -> None:
    """`results.json`, the chart, and the table of docs/benchmarks.md."""
    facts = [
        {
            "name": row.name,
            "ratio": round(row.ratio, 3),
            "goal": row.goal,
            "met": row.met,
            "baseline_s": round(row.baseline_s, 6),
            "ours_s": round(row.ours_s, 6),
        }
        for row in rows
    ]
    RESULTS.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    _draw(rows, CHART)
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(before + BEGIN + _markdown(rows) + END + after, encoding="utf-8")


def _cells(row: Row) -> tuple[str, ...]:
    verdict = "met" if row.met else "**missed**"
    return (
        row.name,
        row.sizes,
        row.baseline,
        _duration(row.baseline_s),
        _duration(row.ours_s),
        f"{row.ratio:.2f}",
        f"≤ {row.goal:g}",
        "; ".join(filter(None, (verdict, row.note))),
    )


def _markdown(rows: Sequence[Row]) -> str:
    lines = [_COLUMNS, tuple("---:" if 2 < n < 7 else "---" for n in range(len(_COLUMNS)))]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in [*lines, *map(_cells, rows)])


def _duration(seconds: float) -> str:
    return f"{seconds:,.2f} s" if seconds >= 1 else f"{seconds * 1000:.1f} ms"


def _draw(rows: Sequence[Row], path: Path) -> None:
    """One bar a row: how much of its goal the ratio takes."""
    figure = Figure(figsize=(10, 0.42 * len(rows) + 1.2), layout="constrained")
    axes = figure.add_subplot()
    shares = [row.ratio / row.goal for row in rows]
    places = range(len(rows))
    colours = [_MET if row.met else _MISSED for row in rows]
    axes.barh(places, [min(share, _HIGH) for share in shares], color=colours, height=0.62)
    for place, row, share in zip(places, rows, shares, strict=True):
        words = f"{row.ratio:.2f} of {row.goal:g}" + ("" if row.met else ", missed")
        # beside the line of the goal, not across it
        axes.text(max(1.0, min(share, _HIGH)) + 0.04, place, words, va="center", fontsize=9)
    axes.axvline(1.0, color="#2d3748", linewidth=1.2)
    axes.set_yticks(places, [row.name for row in rows], fontsize=9)
    axes.invert_yaxis()
    axes.set_xlim(0, _HIGH + 1.0)
    axes.set_xlabel("Ratio to the bare baseline, as a part of its goal (the line; less is better)")
    axes.spines[["top", "right"]].set_visible(False)
    axes.margins(y=0.01)
    FigureCanvasAgg(figure).print_png(path)  # type: ignore[no-untyped-call]
    with Image.open(path) as drawn:
        few = drawn.convert("RGB").quantize(_SHADES, dither=Image.Dither.NONE)
    few.save(path, optimize=True)
