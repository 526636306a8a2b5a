"""costbot's share of a company's calls: the client asks before each call and tells what the answer told."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sync.procore.limits import Told
from workflow import procore_calls
from workflow.database import Database


class Budget(Protocol):
    """Says whether a call may be made."""

    def take(self) -> datetime | None:
        """Count a call; or the time before which none may be made."""

    def heed(self, told: Told) -> None:
        """Keep what an answer told."""


@dataclass(frozen=True, slots=True)
class SharedBudget:
    """One for all processes, in the database."""

    database: Database
    company_id: int
    share: float
    usual_limit: int
    clock: Callable[[], datetime]

    def take(self) -> datetime | None:
        with self.database.writing() as session:
            return procore_calls.take(
                session,
                self.company_id,
                share=self.share,
                usual_limit=self.usual_limit,
                at=self.clock(),
            )

    def heed(self, told: Told) -> None:
        with self.database.reading() as session:
            known = procore_calls.hourly_limit(session, self.company_id)
        if told.wait_until is None and told.hourly_limit in (None, known):
            return
        with self.database.writing() as session:
            procore_calls.told(
                session, self.company_id, hourly_limit=told.hourly_limit, paused_until=told.wait_until
            )
