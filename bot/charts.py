"""A report as one picture: waits and volume by week, failures by reason, who waits on whom.

Pure: figures in, PNG out. What the picture shows is said in `bot.blocks.report_words`, its alt text; bars of
one chart differ by hatching too, since colour alone is no sign.
"""

import io
from collections.abc import Sequence
from datetime import date
from importlib import import_module
from typing import TYPE_CHECKING

from bot.blocks.report_words import report_title
from bot.blocks.words import one_line
from workflow.language import later, say
from workflow.report import Report

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH, DOTS_AN_INCH = 7.0, 120
"""Charts stand one below the other, so that a phone that shows the width shows words that can be read."""
_TITLE, _CHART, _EMPTY = 0.6, 2.6, 0.7
"""Inches of height: of the title, of a chart by week, of one that has nothing to show."""
_AROUND_BARS, _BAR = 0.9, 0.35
"""Inches of height: of what is around bars, and of each."""
_MONTHS = (
    *(later("Jan"), later("Feb"), later("Mar"), later("Apr"), later("May"), later("Jun")),
    *(later("Jul"), later("Aug"), later("Sep"), later("Oct"), later("Nov"), later("Dec")),
)
_LABEL = 34
_BLUE, _ORANGE, _GREY = "#1f6fb2", "#e08a1e", "#8a9199"


def prepare() -> None:
    """Load what draws, which takes seconds, before somebody waits for a chart."""
    import_module("matplotlib.figure")


def chart(report: Report) -> bytes:
    """The report's picture as a PNG."""
    from matplotlib.figure import Figure  # imported here, for it is slow and few commands draw

    heights = _heights(report)
    size = (WIDTH, round(_TITLE + sum(heights), 1))
    figure = Figure(figsize=size, dpi=DOTS_AN_INCH, layout="constrained")
    figure.suptitle(report_title(report), fontsize=15, fontweight="bold", wrap=True)
    waits, volume, failures, pairs = figure.subplots(4, height_ratios=heights)
    _waits(waits, report)
    _volume(volume, report)
    _bars(
        failures,
        say("Lines that Sage refused, by reason"),
        [(failure.reason, failure.lines) for failure in report.failures],
        say("lines"),
    )
    _bars(
        pairs,
        say("Who waits on whom: half of the Updates within"),
        [
            (
                say(
                    "{requested_by} on {updated_by}",
                    requested_by=pair.requested_by,
                    updated_by=pair.updated_by,
                ),
                pair.median,
            )
            for pair in report.pairs
        ],
        say("hours"),
    )
    picture = io.BytesIO()
    figure.savefig(picture, format="png", metadata={"Title": report_title(report)})
    return picture.getvalue()


def _heights(report: Report) -> list[float]:
    """Inches for each of the four charts, by what there is to show."""
    has_waits = any(week.median is not None for week in report.weeks)
    return [
        _CHART if has_waits else _EMPTY,
        _CHART if _has_volume(report) else _EMPTY,
        *(_AROUND_BARS + _BAR * len(bars) if bars else _EMPTY for bars in (report.failures, report.pairs)),
    ]


def _has_volume(report: Report) -> bool:
    return any(week.requested or week.updated or week.rejected for week in report.weeks)


def _waits(axes: "Axes", report: Report) -> None:
    axes.set_title(say("From request to Update, median by week"), loc="left", fontsize=11)
    weeks = [(number, week.median) for number, week in enumerate(report.weeks) if week.median is not None]
    if not weeks:
        return _nothing(axes)
    axes.plot(*zip(*weeks, strict=True), marker="o", color=_BLUE)
    for number, hours in weeks:
        axes.annotate(f"{hours:.1f}", (number, hours), xytext=(0, 7), textcoords="offset points", ha="center")
    axes.set_ylim(bottom=0, top=max(hours for _, hours in weeks) * 1.2 or 1)
    axes.set_ylabel(say("hours"))
    return _by_week(axes, report)


def _volume(axes: "Axes", report: Report) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.set_title(say("Requests by week"), loc="left", fontsize=11)
    if not _has_volume(report):
        return _nothing(axes)
    places, width = range(len(report.weeks)), 0.28
    kinds = (
        (say("requested"), [week.requested for week in report.weeks], _GREY, ""),
        (say("updated"), [week.updated for week in report.weeks], _BLUE, "//"),
        (say("rejected"), [week.rejected for week in report.weeks], _ORANGE, ".."),
    )
    for number, (label, counts, colour, hatch) in enumerate(kinds):
        at = [place + (number - 1) * width for place in places]
        axes.bar(at, counts, width, label=label, color=colour, hatch=hatch, edgecolor="white")
    # beside the title: over the bars it would hide the highest
    axes.legend(
        loc="lower right",
        bbox_to_anchor=(1, 1),
        borderaxespad=0,
        borderpad=0.2,
        columnspacing=1,
        fontsize=9,
        frameon=False,
        handlelength=1.4,
        ncols=3,
    )
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    return _by_week(axes, report)


def day_words(day: date) -> str:
    """`02 Nov`."""
    return say("{day:02} {month}", day=day.day, month=say(_MONTHS[day.month - 1]))


def _by_week(axes: "Axes", report: Report) -> None:
    axes.set_xlim(-0.6, len(report.weeks) - 0.4)
    axes.set_xticks(range(len(report.weeks)))
    labels = [day_words(week.monday) for week in report.weeks]
    axes.set_xticklabels(labels, rotation=45, ha="right", fontsize=8)
    axes.spines[["top", "right"]].set_visible(False)


def _bars(axes: "Axes", title: str, rows: Sequence[tuple[str, float]], unit: str) -> None:
    axes.set_title(title, loc="left", fontsize=11)
    if not rows:
        return _nothing(axes)
    places = range(len(rows))
    bars = axes.barh(places, [size for _, size in rows], height=0.6, color=_BLUE)
    axes.bar_label(bars, fmt="%.3g", padding=3)
    # what people typed is no formula, which matplotlib would take `$` for
    labels = [one_line(label, _LABEL).replace("$", r"\$") for label, _ in rows]
    axes.set_yticks(places, labels, fontsize=8)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xlabel(unit)
    axes.margins(x=0.15)
    axes.spines[["top", "right"]].set_visible(False)
    return None


def _nothing(axes: "Axes") -> None:
    axes.set_axis_off()
    axes.text(0.5, 0.5, say("Nothing in this time"), ha="center", va="center", color=_GREY)
