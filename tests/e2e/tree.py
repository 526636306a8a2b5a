"""costbot's processes as a machine runs them, and what may happen to them there: killed, frozen, restarted.

Owns the processes of one company and their log; knows nothing of what they do.
"""

import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import psutil

from bot.processes import costbot
from tests import processes

PATIENCE = 60.0
"""Seconds to wait for what takes one or two on a machine with nothing else to do."""
_POLL_SECONDS = 0.05


class ProcessTree:
    """Processes that were started with `costbot`, and all that these have started."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._folder = folder
        self._environment = environment
        self._log = folder / "log"
        self._started: list[subprocess.Popen[bytes]] = []

    def start(self, *words: str) -> None:
        """Start `costbot` with these words."""
        with self._log.open("ab") as log:
            process = subprocess.Popen(
                costbot(*words),
                cwd=self._folder,
                env=self._environment,
                stdin=subprocess.PIPE,  # it ends when this closes, so that nothing outlives the tests
                stdout=log,
                stderr=log,
            )
        self._started.append(process)

    def process(self, *words: str) -> psutil.Process:
        """The one that was started as `costbot` with these words, once it runs."""
        found: list[psutil.Process] = []

        def runs() -> bool:
            everybody = [child for root in self._started for child in psutil.Process(root.pid).children()]
            found[:] = [process for process in everybody if _was_started_as(process, words)]
            return bool(found)

        wait_until(runs, f"costbot {' '.join(words)} runs")
        return found[0]

    def kill(self, *words: str) -> None:
        """`kill -9` for a process and its children; `costbot run` starts it again a moment later."""
        psutil.wait_procs(processes.kill(self.process(*words)), timeout=PATIENCE)

    def frozen(self, *words: str) -> AbstractContextManager[None]:
        """A process and its children stand still for the length of the block."""
        return processes.frozen(self.process(*words))

    def stop(self) -> list[int]:
        """Ask all to stop, the newest first, and wait for it; their exit codes."""
        codes = []
        for process in reversed(self._started):
            process.terminate()
            codes.append(process.wait(PATIENCE))
            if process.stdin:
                process.stdin.close()
        return codes

    def errors(self) -> list[str]:
        """What the processes have logged as an error."""
        return [line for line in self._log.read_text().splitlines() if '"level": "error"' in line]


def wait_until(true: Callable[[], object], what: str) -> None:
    """Poll; AssertionError when it has not happened in time."""
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, f"waited in vain until {what}"
        time.sleep(_POLL_SECONDS)


def _was_started_as(process: psutil.Process, words: Sequence[str]) -> bool:
    try:
        return process.cmdline()[-len(words) :] == list(words)
    except psutil.Error:
        return False
