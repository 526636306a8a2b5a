"""Rows as CSV for a spreadsheet, which runs no cell of them as a formula (OWASP, 'CSV injection')."""

import csv
import io
from collections.abc import Iterable
from typing import TextIO

from bot.blocks.report_page import report_rows
from workflow.report import Report

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def write_csv(heads: Iterable[str], rows: Iterable[Iterable[object]], out: TextIO) -> None:
    """Write a header line and the rows; a text that a spreadsheet would run has a `'` before it."""
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(heads)
    for row in rows:
        writer.writerow(_safe(value) for value in row)


def report_csv(report: Report) -> str:
    """Every figure of a report, a line each."""
    out = io.StringIO()
    write_csv(("table", "row", "figure", "value"), report_rows(report), out)
    return out.getvalue()


def _safe(value: object) -> object:
    if isinstance(value, str) and value.startswith(_FORMULA_STARTS):
        return f"'{value}"
    return value
