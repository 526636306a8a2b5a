"""A report's chart and CSV file on their way to Slack, where nobody sees them before they are shared."""

from collections.abc import Mapping
from dataclasses import dataclass

from bot.blocks.report_words import report_title, report_words
from bot.blocks.words import SLACK
from bot.charts import chart
from bot.gateway import Gateway
from bot.spreadsheet import report_csv
from workflow.language import say
from workflow.report import Report


@dataclass(frozen=True, slots=True)
class ReportFiles:
    """Files that were brought to Slack: titles by id, and the words (mrkdwn) that stand above them."""

    titles: Mapping[str, str]
    text: str


def file_name(report: Report, suffix: str) -> str:
    """What a file of the report is called, such as `cost-codes-week-to-2026-11-23.csv`."""
    return f"cost-codes-{report.period}-to-{report.until:%Y-%m-%d}.{suffix}"


def upload(gateway: Gateway, report: Report) -> ReportFiles:
    """Draw the chart and bring both files to Slack. Raises what the gateway raises."""
    title, sentences = report_title(report), report_words(report)
    alt_text = say("Four charts. {sentences}", sentences=" ".join(sentences))
    picture = gateway.upload(file_name(report, "png"), chart(report), alt_text=alt_text)
    figures = gateway.upload(file_name(report, "csv"), report_csv(report).encode())
    return ReportFiles(
        {picture: title, figures: say("{title}, every figure", title=title)},
        "\n".join([f"*{SLACK.data(title)}*", *map(SLACK.data, sentences)]),
    )
