"""The JSON of data syncs, of Sage and of files that are taken in."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from bot.commands.shapes import Shape
from workflow.tables import DataSync


class SyncShape(Shape):
    """`sync`: one data sync, no batch when there was nothing to send; it counts assignments."""

    batch: str | None
    state: str
    jobs: int
    created: int
    tied: int
    already_there: int
    failed: int


class SyncRow(SyncShape):
    """A data sync in a list; `file` and its SHA-256 where it went out as an import file."""

    place: str
    started_at: datetime
    sent_at: datetime | None
    finished_at: datetime | None
    file: str | None
    file_sha256: str | None
    seconds: float | None

    @classmethod
    def of(cls, sync: DataSync) -> "SyncRow":
        taken = sync.finished_at - sync.started_at if sync.finished_at else None
        return cls(
            batch=sync.batch,
            state=sync.state,
            jobs=sync.jobs,
            created=sync.created,
            tied=sync.tied,
            already_there=sync.already_there,
            failed=sync.failed,
            place=sync.place,
            started_at=sync.started_at,
            sent_at=sync.sent_at,
            finished_at=sync.finished_at,
            file=sync.file,
            file_sha256=sync.file_sha256,
            seconds=taken.total_seconds() if taken else None,
        )


class SyncsShape(Shape):
    """`syncs`, newest first."""

    syncs: list[SyncRow]


class ImportShape(Shape):
    """`import …`, `sage load` and `sage load-categories`: how many rows of the file are in now.

    `new_categories` are those that the standard cost code list named first, without a name of their own.
    """

    rows: int
    new_categories: list[str] = Field(default_factory=list)


class FileProblemShape(Shape):
    """What is wrong in a file: `line` counts from 1, the header; both are null for the file as a whole."""

    line: int | None
    column: str | None
    reason: str


class BadFileShape(Shape):
    """A file with bad rows: nothing of it was taken, and the command failed."""

    result: Literal["failed"] = "failed"
    reason: Literal["bad_file"] = "bad_file"
    words: str
    problems: list[FileProblemShape]


class SageCode(Shape):
    """A cost code that Sage holds; `extra` is empty for the job itself."""

    extra: str
    code: str
    description: str
    categories: list[str]


class SageJobShape(Shape):
    """`sage show JOB`: what Sage holds now."""

    job: str
    name: str | None
    cost_codes: list[SageCode]


class SageFoldersShape(Shape):
    """`sage set-up`: the folders that were made, in full."""

    made: list[str]


class SageCheckShape(Shape):
    """`sage check`: how many standard cost codes Sage has (null where it cannot tell), and which differ."""

    target: str
    standard_cost_codes: int | None
    only_in_sage: list[str]
    only_in_costbot: list[str]
