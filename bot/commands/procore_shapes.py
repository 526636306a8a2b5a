"""What the commands of `costbot procore` answer with `--json`."""

from datetime import datetime

from bot.commands.shapes import Shape
from workflow.vocabulary import ErpAnswer, Refusal


class RefusedTrigger(Shape):
    """A trigger that Procore did not take, with its words."""

    trigger: str
    words: str


class ConnectShape(Shape):
    """`costbot procore connect`."""

    hook_id: int
    url: str
    triggers: int
    refused: list[RefusedTrigger]


class ErpRequestShape(Shape):
    """An ERP request that Procore waits for, or with which something went wrong; `since` is its age."""

    request_id: int
    detail_id: int | None
    job: str | None
    since: datetime
    taken_in: bool
    answer: ErpAnswer | None
    error: str | None


class DetailShape(Shape):
    """An ERP request detail that Procore waits for, and of which costbot does not know the request."""

    detail_id: int
    created_at: datetime | None


class TroubleShape(Shape):
    """A project that cannot be a job or not be read, with the reason."""

    project_id: int
    words: str


class ProcoreStatusShape(Shape):
    """`costbot procore status`: projects, calls of the last hour, webhooks and what became of them."""

    projects: int
    to_read: int
    troubles: list[TroubleShape]
    problems: list[str]
    refused: list[str]
    requests: list[ErpRequestShape]
    unknown_details: list[DetailShape]
    calls_last_hour: int
    hourly_limit: int | None
    hook_id: int | None
    events: int
    events_waiting: int
    newest_event_at: datetime | None
    failing: int
    discarded: int
    gaps: int


class LookShape(Shape):
    """`costbot procore look`: projects that changed and were read, and assignments."""

    projects: int
    read: int
    requested: int
    removed: int
    problems: int


class PeopleShape(Shape):
    """`costbot procore people`: users read, new or changed, gone, and who may Update now."""

    people: int
    changed: int
    gone: int
    approvers: list[str]


class ChangeShape(Shape):
    """Somebody whom reading the directory would change; `lacks` is what they would not have for an Update."""

    name: str
    email: str
    lacks: Refusal | None


class ForeseenShape(Shape):
    """`costbot procore people --dry-run`: who would be deactivated, and who would lose or gain the Update."""

    people: int
    deactivated: list[ChangeShape]
    lose: list[ChangeShape]
    gain: list[ChangeShape]
