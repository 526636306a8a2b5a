"""The folders that costbot and the accountant share, and the manifest that stands beside a file."""

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, ValidationError

SUFFIX = ".jce"
"""Job Cost's default suffix for import and rejected-records files."""


class Manifest(BaseModel):
    """The sidecar of an import file: what is in it, and why each line that is not could not be written.

    `started_at` tells the batch from one of the same name that another costbot sent.
    """

    batch: str
    started_at: datetime
    file: str
    jobs: list[str]
    lines: int
    sha256: str
    unwritable: dict[int, str] = {}


@dataclass(frozen=True, slots=True)
class Folders:
    """Files to import, what Sage rejected, and what was imported."""

    outgoing: Path
    rejected: Path
    done: Path

    @classmethod
    def under(cls, folder: Path) -> "Folders":
        """The three folders inside the company's one."""
        return cls(folder / "outgoing", folder / "rejected", folder / "done")

    def __iter__(self) -> Iterator[Path]:
        return iter((self.outgoing, self.rejected, self.done))

    def set_up(self) -> list[Path]:
        """Make those that are missing, for the first time too; returns them."""
        made = [folder for folder in self if not folder.exists()]
        for folder in self:
            folder.mkdir(parents=True, exist_ok=True)
        return made

    def are_there(self) -> bool:
        """Whether the share is; what is missing in it is made.

        Without any of them nothing is made: what lies where the share should be may be its bare mount point.
        """
        there = False
        for folder in self:
            with suppress(FileNotFoundError):  # anything else that is wrong is the caller's to tell
                folder.stat()
                there = True
        if there:
            self.set_up()
        return there

    def names(self) -> Iterator[str]:
        """The names of all files in them."""
        for folder in self:
            with os.scandir(folder) as entries:
                yield from (entry.name for entry in entries)

    def manifest(self, batch: str) -> Manifest | None:
        """The manifest of a batch, wherever the accountant moved it; None when it is lost, or not whole."""
        for folder in self:
            path = folder / f"{batch}.json"
            if path.exists():
                with suppress(ValidationError):
                    found = Manifest.model_validate_json(path.read_bytes())
                    if (found.batch, found.file) == (batch, f"{batch}{SUFFIX}"):
                        return found
        return None


def modified(path: Path) -> datetime:
    """When a file was last written, in UTC."""
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


def arrived(path: Path) -> datetime:
    """When a file came to lie where it is, in UTC: moving it changes the time of its status alone."""
    status = path.stat()
    return datetime.fromtimestamp(max(status.st_mtime, status.st_ctime), UTC)
