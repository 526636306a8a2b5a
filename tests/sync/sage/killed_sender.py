"""Sends a batch again and again, each time killed by `kill -9` one line of code later than before.

`python -m tests.sync.sage.killed_sender FOLDER` leaves a folder for every kill. A process of its own,
since it forks.
"""

import os
import signal
import sys
from itertools import count
from pathlib import Path
from types import FrameType
from typing import Any

from sync.sage import folders, import_file, layouts
from sync.sage.import_file import ImportFileCompany
from sync.sage.profile import SageProfile
from tests.sync.sage.lines import BATCH, LINES, FakeReader

LAST_LINE = "a send came through"
_WATCHED = {import_file.__file__, folders.__file__, layouts.__file__}


def main(folder: Path) -> None:
    for fatal in count(1):
        child = os.fork()
        if not child:
            _send(folder / f"{fatal:04}", fatal)
        _, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status):
            assert os.WEXITSTATUS(status) == 0
            sys.stdout.write(LAST_LINE)
            return


def _send(folder: Path, fatal: int) -> None:
    lines = 0

    def trace(frame: FrameType, event: str, _argument: Any) -> Any:
        nonlocal lines
        if frame.f_code.co_filename not in _WATCHED:
            return None
        lines += event == "line"
        if lines == fatal:
            os.kill(os.getpid(), signal.SIGKILL)
        return trace

    folders.Folders.under(folder).set_up()
    company = ImportFileCompany(folder, SageProfile(), FakeReader())
    sys.settrace(trace)
    company.send(BATCH, iter(LINES))
    os._exit(0)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
