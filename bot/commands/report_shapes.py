"""The JSON of `costbot report`, which scripts rely on; waits are in hours, times in UTC."""

from datetime import date, datetime
from typing import Self

from bot.commands.shapes import Shape
from workflow.report import Report


class WeekShape(Shape):
    """A week of a report, from its Monday on; waits in hours."""

    monday: date
    requested: int
    updated: int
    rejected: int
    median_hours: float | None


class PairShape(Shape):
    """Whose requests waited on whose Update."""

    requested_by: str
    updated_by: str
    updates: int
    median_hours: float


class WaitingShape(Shape):
    """Whose requests wait for an approver now."""

    requested_by: str
    jobs: int
    oldest: datetime


class FailureShape(Shape):
    """Why Sage refused lines."""

    reason: str
    lines: int


class ReportShape(Shape):
    """`report`: the figures of a week or a month; waits in hours."""

    period: str
    since: datetime
    until: datetime
    requested: int
    updated: int
    rejected: int
    median_hours: float | None
    ninth_decile_hours: float | None
    weeks: list[WeekShape]
    failures: list[FailureShape]
    pairs: list[PairShape]
    waiting: list[WaitingShape]

    @classmethod
    def of(cls, report: Report) -> Self:
        return cls(
            period=report.period.value,
            since=report.since,
            until=report.until,
            requested=report.requested,
            updated=report.waits.updates,
            rejected=report.rejected,
            median_hours=report.waits.median,
            ninth_decile_hours=report.waits.ninth_decile,
            weeks=[
                WeekShape(
                    monday=week.monday,
                    requested=week.requested,
                    updated=week.updated,
                    rejected=week.rejected,
                    median_hours=week.median,
                )
                for week in report.weeks
            ],
            failures=[FailureShape(reason=each.reason, lines=each.lines) for each in report.failures],
            pairs=[
                PairShape(
                    requested_by=pair.requested_by,
                    updated_by=pair.updated_by,
                    updates=pair.updates,
                    median_hours=pair.median,
                )
                for pair in report.pairs
            ],
            waiting=[
                WaitingShape(requested_by=each.requested_by, jobs=each.jobs, oldest=each.oldest)
                for each in report.waiting
            ],
        )
