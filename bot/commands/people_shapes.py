"""The JSON of the commands about people: approvers, the privilege, ties to Slack, notices, days away."""

from datetime import date, datetime

from bot.commands.shapes import Shape
from workflow.tables import PrivilegeRequest
from workflow.vocabulary import Notify, PrivilegeAnswer, Refusal


class NotifyShape(Shape):
    """`people notify EMAIL`: what the person hears of; quiet hours as `HH:MM`, on the person's own clock."""

    person: str
    notify: Notify
    quiet_from: str | None
    quiet_until: str | None
    time_zone: str


class AwayShape(Shape):
    """`people away EMAIL`: who stands in on which days; all null when nobody does."""

    person: str
    delegate: str | None
    first_day: date | None
    last_day: date | None


class LinkShape(Shape):
    """`people link` and `people unlink`; `slack_user` is null when there is no tie any more."""

    person: str
    team: str | None
    slack_user: str | None


class PrivilegeRequestShape(Shape):
    """A request for the privilege: `person` asks, `lacks` what; `answer` is null while it waits."""

    id: int
    person: str
    lacks: Refusal
    reason: str
    asked_at: datetime
    answer: PrivilegeAnswer | None
    comment: str | None

    @classmethod
    def of(cls, request: PrivilegeRequest) -> "PrivilegeRequestShape":
        return cls(
            id=request.id,
            person=request.asker,
            lacks=request.lacks,
            reason=request.reason,
            asked_at=request.asked_at,
            answer=request.answer,
            comment=request.comment,
        )


class PrivilegeRequestsShape(Shape):
    """`privilege list`: what waits for an administrator, oldest first."""

    requests: list[PrivilegeRequestShape]


class NearlyShape(Shape):
    """Somebody who lacks one thing to be an accounting approver, by its name."""

    name: str
    email: str
    lacks: str


class ApproversShape(Shape):
    """`approvers`: who may Update, who lacks exactly one condition, and when Procore's directory was read."""

    approvers: list[str]
    nearly: list[NearlyShape]
    read_at: datetime | None
