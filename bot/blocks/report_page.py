"""A report in full: as tables, and as one HTML page that needs no other file.

Pure: figures and the picture in, rows and HTML out.
"""

import base64
from collections.abc import Iterator, Sequence
from html import escape

from bot.blocks.report_words import report_title, report_words
from bot.blocks.words import one_line
from workflow.report import Report

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1d1c1d}"
    "img{width:100%;max-width:44rem;height:auto}table{border-collapse:collapse;margin:0 0 2rem}"
    "th,td{padding:.25rem .75rem;border-bottom:1px solid #ddd;text-align:left}td.n{text-align:right}"
)
Rows = Sequence[Sequence[object]]


def report_page(report: Report, picture: bytes) -> str:
    """The whole page."""
    title, sentences = escape(report_title(report)), report_words(report)
    said = "".join(f"<p>{escape(sentence)}</p>" for sentence in sentences)
    source = f"data:image/png;base64,{base64.b64encode(picture).decode()}"
    tables = "".join(_table(*table) for table in report_tables(report))
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{_STYLE}</style></head><body><h1>{title}</h1>{said}"
        f'<img src="{source}" alt="{escape(" ".join(sentences))}">{tables}</body></html>\n'
    )


def report_tables(report: Report) -> Iterator[tuple[str, Sequence[str], Rows]]:
    """Every figure as tables: title, heads and rows."""
    yield (
        "By week",
        ("Week of", "Requested", "Updated", "Rejected", "Median wait (hours)"),
        [
            (week.monday, week.requested, week.updated, week.rejected, _hours(week.median))
            for week in report.weeks
        ],
    )
    yield (
        "Lines that Sage refused",
        ("Reason", "Lines"),
        [(failure.reason, failure.lines) for failure in report.failures],
    )
    yield (
        "Who waits on whom",
        ("Who", "Updates", "Median wait (hours)"),
        [(f"{p.requested_by} on {p.updated_by}", p.updates, _hours(p.median)) for p in report.pairs],
    )
    yield (
        "Waiting now",
        ("Requested by", "Jobs", "Oldest (UTC)"),
        [(one.requested_by, one.jobs, f"{one.oldest:%Y-%m-%d %H:%M}") for one in report.waiting],
    )


def report_rows(report: Report) -> Iterator[tuple[str, str, str, object]]:
    """Every figure in a row of its own: the table, the row's name, the figure's name, the figure."""
    for title, heads, rows in report_tables(report):
        for row in rows:
            for head, value in zip(heads[1:], row[1:], strict=True):
                yield title, one_line(str(row[0])), head, value


def _table(title: str, heads: Sequence[str], rows: Rows) -> str:
    if not rows:
        return ""
    head = "".join(f"<th>{escape(name)}</th>" for name in heads)
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    return f"<h2>{escape(title)}</h2><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell(value: object) -> str:
    if isinstance(value, int | float):
        return f'<td class="n">{value:,}</td>'
    return f"<td>{escape(str(value))}</td>"


def _hours(hours: float | None) -> float | str:
    return "" if hours is None else round(hours, 2)
