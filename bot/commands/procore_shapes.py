"""What the commands of `costbot procore` answer with `--json`."""

from datetime import datetime

from bot.commands.shapes import Shape
from workflow.vocabulary import Refusal


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


class ProcoreStatusShape(Shape):
    """`costbot procore status`: projects, calls of the last hour, webhooks and what became of them."""

    projects: int
    to_read: int
    problems: list[str]
    refused: list[str]
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
