"""`costbot report`: the figures of a week or a month, in words, for a spreadsheet or as one page."""

from pathlib import Path
from typing import Annotated

import typer

from bot.blocks.report_page import report_page
from bot.blocks.report_words import report_title, report_words
from bot.commands.command import CommandLine, command
from bot.commands.report_shapes import ReportShape
from bot.commands.terminal import Answer
from bot.spreadsheet import report_csv
from workflow.report import Period
from workflow.report import report as read_report

app = typer.Typer()


@command(app, "report")
def report(
    line: CommandLine,
    period: Annotated[Period, typer.Argument(help="The last 7 or the last 30 days.")] = Period.WEEK,
    csv: Annotated[bool, typer.Option("--csv", help="Print every figure as CSV instead.")] = False,
    html: Annotated[
        Path | None,
        typer.Option("--html", metavar="FILE", help="Write one page with the chart and every figure."),
    ] = None,
) -> Answer:
    """Say how long requests waited, how many came, what Sage refused and who waits on whom."""
    with line.database.reading() as session:
        found = read_report(session, period, until=line.now())
    facts = ReportShape.of(found)
    if html is not None:
        from bot.charts import chart

        html.write_text(report_page(found, chart(found)), encoding="utf-8")
        return Answer(facts, [f"{report_title(found)} is in {html}."])
    if csv:
        return Answer(facts, report_csv(found).splitlines())
    return Answer(facts, [f"{report_title(found)}.", *report_words(found)])
