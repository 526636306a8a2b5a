"""The JSON of the commands, which scripts rely on and `docs/cli.md` shows: fields may come, none may change.

Times are ISO 8601 in UTC with a `Z`; `null` stands for what is not known or has not happened yet.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from workflow.facts import UpdateFacts
from workflow.tables import Job


class Shape(BaseModel):
    """A JSON object that a command prints."""

    model_config = ConfigDict(frozen=True)


class NotDone(Shape):
    """A command that did not do what it was asked to: `reason` for programs, `words` for people."""

    result: Literal["failed", "refused"]
    reason: str
    words: str


class JobShape(Shape):
    """Which job."""

    number: str
    name: str

    @classmethod
    def of(cls, job: Job | UpdateFacts) -> "JobShape":
        return cls(number=job.number, name=job.name)
