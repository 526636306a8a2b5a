"""What costbot puts into buttons and windows, and reads back: pydantic models and the ids that go with them.

Slack hands the values back as text, possibly months later and possibly from an older costbot, so
everything is parsed, never trusted.
"""

import re
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from workflow.vocabulary import JobFilter, Refusal


class Action(StrEnum):
    """`action_id` of every button, menu and search; a list's rows use one with their own `block_id`."""

    VIEW = "job:view"
    UPDATE = "job:update"
    REJECT = "job:reject"
    TAKE_BACK = "job:take_back"
    SEND_AGAIN = "job:send_again"
    TURN_PAGE = "window:page"
    TURN_COMPARISON = "comparison:page"
    ASK_FOR_PRIVILEGE = "privilege:ask"
    GRANT_PRIVILEGE = "privilege:grant"
    DECLINE_PRIVILEGE = "privilege:decline"
    SYNC_NOW = "data_sync:now"
    UPDATE_SEVERAL = "several:open"
    TICK = "several:tick"
    TURN_SEVERAL = "several:page"
    ASK_AGAIN = "job:ask_again"
    CHANGE_REQUEST = "request:change"
    START_OVER = "request:start_over"
    HOME_FILTER = "home:filter"
    HOME_SEARCH = "home:search"
    HOME_PREVIOUS = "home:previous"
    HOME_NEXT = "home:next"


class Window(StrEnum):
    """`callback_id` of every window."""

    UPDATES = "window:updates"
    REJECT = "window:reject"
    SEVERAL = "window:several"
    SEVERAL_CONFIRM = "window:several_confirm"
    NOTIFY = "window:notify"
    REQUEST = "window:request"
    CATEGORIES = "window:categories"
    PREVIEW = "window:preview"
    ASK_FOR_PRIVILEGE = "window:ask_for_privilege"
    DECLINE_PRIVILEGE = "window:decline_privilege"


class Typed(StrEnum):
    """`action_id` of every menu whose options costbot looks up while somebody types."""

    JOB = "request:job"
    COST_CODES = "request:cost_codes"
    CATEGORIES = "request:categories"


class Shortcut(StrEnum):
    """`callback_id` of the shortcuts in `bot/manifest.yaml`: a global one, and one on a message."""

    REQUEST = "request_cost_codes"
    REQUEST_THESE = "request_these_cost_codes"


Id = Annotated[int, Field(ge=0, le=2**63 - 1)]
Number = Annotated[int, Field(ge=0, le=2**31 - 1)]
"""A revision or a page; like an id, no larger than the database can compare."""


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True)

    def text(self) -> str:
        """The value as Slack carries it (2,000 characters at most in a button, 3,000 in a window)."""
        return self.model_dump_json()


class JobButton(_Value):
    """A button of a job: the requested update and the revision that the person sees beside it."""

    job_id: Id
    requested_update_id: Id
    revision: Number


class PageButton(JobButton):
    """Turns to a page of the Cost Codes for Update window; pages count from 0.

    `revision` is the one that the person began to look at: what joins later is marked until they act.
    """

    page: Number


class ComparisonButton(_Value):
    """Turns to a page of a job's comparison of Procore, costbot and Sage; pages count from 0."""

    job_id: Id
    page: Number


class Opened(_Value):
    """The part of any window's `private_metadata` that says where it was opened."""

    channel_id: str | None = None


class WindowMetadata(JobButton, Opened):
    """`private_metadata` of a window: what it shows, and where to answer."""

    page: Number = 0


class Tick(_Value):
    """A ticked job: the requested update and the revision that the person saw beside the box."""

    requested_update_id: Id
    revision: Number

    def text(self) -> str:
        """Short, for a window carries a hundred of them."""
        return f"{self.requested_update_id}.{self.revision}"

    @classmethod
    def read(cls, text: str) -> "Tick":
        """Raises ValueError for what no costbot has put beside a box."""
        match = re.fullmatch(r"([0-9]{1,18})\.([0-9]{1,9})", text)
        if match is None:
            raise ValueError(text)
        return cls(requested_update_id=int(match[1]), revision=int(match[2]))


class SeveralMetadata(Opened):
    """`private_metadata` of the windows of Update several.

    `ticked` has the ticks that are no boxes of this window: those of other pages, or what is to be confirmed.
    `drawing` counts the times that the window was drawn, for boxes keep what they held in Slack by their ids.
    """

    page: Number = 0
    drawing: Number = 0
    ticked: tuple[str, ...] = ()


class SeveralButton(_Value):
    """Turns to a page of Update several; `tick` ticks or unticks every box of it, None leaves them."""

    page: Number
    tick: bool | None = None


class DraftMark(_Value):
    """The draft of a request that a window or a button is about; `token` is new at each of its changes."""

    token: str


class FirstStep(DraftMark):
    """`private_metadata` of the request window's first step: how many lines of a file are kept already."""

    lines_in_file: Number = 0


class PrivilegeRequestMark(_Value):
    """The request for the privilege that a button or a window answers."""

    privilege_request_id: Id


class PrivilegeButton(_Value):
    """Asks for the privilege; `reason` is what the refusal was."""

    reason: Refusal


class FilterChoice(_Value):
    """Lists other jobs on App Home: an option of its menu, or a button."""

    filter: JobFilter


class HomePageButton(_Value):
    """Turns to a page of the jobs on App Home; pages count from 0."""

    page: Number
