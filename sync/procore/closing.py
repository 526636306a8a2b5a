"""Closing ERP requests in Procore, once Sage or an approver answered for every line of them.

Killed anywhere and run again it says the same once more, which changes nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import structlog

from sync.procore.api import ProcoreApi
from sync.procore.errors import ProcoreRefusedError
from workflow import procore_answers, procore_requests
from workflow.database import Database
from workflow.language import speaking
from workflow.procore_answers import Answer

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Closing:
    """Closes one company's requests, with words in `language`, as long as it `may_go_on`."""

    database: Database
    api: ProcoreApi
    clock: Callable[[], datetime]
    language: str
    may_go_on: Callable[[], bool] = lambda: True

    def run(self) -> int:
        """Close everything that is answered; how many. What Procore refuses is kept with its words.

        Raises:
            ProcoreError: the next run closes the others.
        """
        with self.database.reading() as session, speaking(self.language):
            due = procore_answers.due(session, at=self.clock())
        closed = 0
        for answer in due:
            if not self.may_go_on():
                break
            try:
                wrong = self._close(answer)
            except ProcoreRefusedError as refused:
                wrong = str(refused)
            with self.database.writing() as session:
                if wrong is None:
                    procore_requests.tell(session, answer.request_id, answer.status, at=self.clock())
                    closed += 1
                else:
                    procore_requests.could_not(session, answer.request_id, wrong, at=self.clock())
            if wrong is not None:
                _log.warning(
                    "an ERP request cannot be closed in Procore", request=answer.request_id, reason=wrong
                )
        return closed

    def _close(self, answer: Answer) -> str | None:
        """Mark a new job as synced, then close the detail; Procore's words where it did not take the mark."""
        if answer.synced is not None:
            synced = answer.synced
            item = (synced.item_type, synced.item_id, synced.origin_id)
            errors = [error.words for error in self.api.mark_synced([item])]
            if errors:
                return "; ".join(errors)
        if answer.detail_id is not None:
            self.api.close_detail(answer.detail_id, answer.status, answer.messages)
        return None
