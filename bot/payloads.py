"""What costbot puts into buttons and windows, and reads back: pydantic models and the ids that go with them.

Slack hands the values back as text, possibly months later and possibly from an older costbot, so
everything is parsed, never trusted.
"""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from workflow.vocabulary import JobFilter, Refusal


class Action(StrEnum):
    """`action_id` of every button, menu and search; a list's rows use one with their own `block_id`."""

    VIEW = "job:view"
    UPDATE = "job:update"
    REJECT = "job:reject"
    TAKE_BACK = "job:take_back"
    SEND_AGAIN = "job:send_again"
    TURN_PAGE = "window:page"
    ASK_FOR_PRIVILEGE = "privilege:ask"
    SYNC_NOW = "data_sync:now"
    ASK_AGAIN = "job:ask_again"
    HOME_FILTER = "home:filter"
    HOME_SEARCH = "home:search"
    HOME_PREVIOUS = "home:previous"
    HOME_NEXT = "home:next"


class Window(StrEnum):
    """`callback_id` of every window."""

    UPDATES = "window:updates"
    REJECT = "window:reject"


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True)

    def text(self) -> str:
        """The value as Slack carries it (2,000 characters at most in a button, 3,000 in a window)."""
        return self.model_dump_json()


class JobButton(_Value):
    """A button of a job: the requested update and the revision that the person sees beside it."""

    job_id: int
    requested_update_id: int
    revision: int


class PageButton(JobButton):
    """Turns to a page of the Cost Codes for Update window; pages count from 0.

    `revision` is the one that the person began to look at: what joins later is marked until they act.
    """

    page: int


class WindowMetadata(JobButton):
    """`private_metadata` of a window: what it shows, and where to answer."""

    page: int = 0
    channel_id: str | None = None


class PrivilegeButton(_Value):
    """Asks for the privilege; `reason` is what the refusal was."""

    reason: Refusal


class FilterChoice(_Value):
    """Lists other jobs on App Home: an option of its menu, or a button."""

    filter: JobFilter


class HomePageButton(_Value):
    """Turns to a page of the jobs on App Home; pages count from 0."""

    page: int
