"""Telling Procore what Sage holds: cost codes get their ERP id, then their assignments are marked synced.

Sync actions answer 200 whatever happened, so each line's errors are read. Killed anywhere and run again it
says the same once more, which changes nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sync.procore.api import ProcoreApi
from workflow import procore_write_back
from workflow.database import Database


@dataclass(frozen=True, slots=True)
class Written:
    """How many assignments Procore took, and how many it refused."""

    written: int = 0
    refused: int = 0


@dataclass(frozen=True, slots=True)
class WriteBack:
    """Tells one company's Procore.

    `assignments_path` is the path of the assignments' sync, which is NOT FOUND in any public page.
    """

    database: Database
    api: ProcoreApi
    clock: Callable[[], datetime]
    assignments_path: str

    def run(self) -> Written:
        """Tell everything that is due.

        Raises:
            ProcoreError: nothing of what was not told is forgotten.
        """
        with self.database.reading() as session:
            due = procore_write_back.due(session)
        if not due:
            return Written()
        codes = {each.key[0]: each.origin_id for each in due if each.is_new}
        wrong_codes = self._mark_cost_codes(codes)
        marked = [each for each in due if each.key[0] not in wrong_codes]
        updates = [
            {"cost_code_id": cost_code_id, "line_item_type_id": type_id, "synced": True}
            for cost_code_id, type_id in (each.key for each in marked)
        ]
        errors = {each.key: wrong_codes[each.key[0]] for each in due if each.key[0] in wrong_codes}
        for error in self.api.client.sync(self.assignments_path, updates):
            if error.index is not None:
                errors[marked[error.index].key] = error.words
            else:
                # of which update is not said: none counts as taken
                errors |= {each.key: error.words for each in marked if each.key not in errors}
        with self.database.writing() as session:
            procore_write_back.told(session, due, errors=errors, at=self.clock())
        return Written(len(due) - len(errors), len(errors))

    def _mark_cost_codes(self, codes: dict[int, str]) -> dict[int, str]:
        """Give cost codes their ERP id; Procore's words about those that it did not take.

        Source: procore/documentation, erp_integration/erp_external_data_details.md, item type cost_code.
        """
        wrong: dict[int, str] = {}
        ids = list(codes)
        for error in self.api.mark_synced([("cost_code", code_id, codes[code_id]) for code_id in ids]):
            if error.index is not None:
                wrong[ids[error.index]] = error.words
            else:
                wrong |= {code_id: error.words for code_id in ids if code_id not in wrong}
        return wrong
