"""Work for a real worker process: a data sync that stands still in Sage until a file says go."""

import time
from pathlib import Path

from sync.data_sync import run
from sync.sage import open_company
from tests.sync.company_at_work import WatchedSage, clock
from workflow.database import Database
from workflow.privileges import SCHEDULE
from workflow.settings import read_settings

_DEADLINE_SECONDS = 120.0


def sync_slowly() -> None:
    """An RQ entry point in place of `sync.worker.data_sync`, for tests that kill its process half-way."""
    settings = read_settings()
    run(
        Database(settings.database),
        WatchedSage(open_company(settings), lambda what: _stand_still(settings.data_dir, what)),
        by=SCHEDULE,
        clock=clock,
    )


def _stand_still(folder: Path, what: str) -> None:
    if what != "sent":
        return
    (folder / "standing").touch()
    deadline = time.monotonic() + _DEADLINE_SECONDS
    while not (folder / "go").exists():
        if time.monotonic() > deadline:
            raise TimeoutError("nobody said go")
        time.sleep(0.02)
