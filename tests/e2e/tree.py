"""costbot's processes as a machine runs them, and what may happen to them there: killed, frozen, restarted.

Owns the processes of one company and their log; knows nothing of what they do.
"""

import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path

import psutil

from tests import processes

PATIENCE = 120.0
"""Seconds to wait for what takes one or two on a machine with nothing else to do."""
START_SECONDS = 300.0
"""For what starts while much else does; a process that has ended is not waited for at all."""
_POLL_SECONDS = 0.05
_LINES_SHOWN = 20


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
                processes.costbot(*words),
                cwd=self._folder,
                env=self._environment,
                stdin=subprocess.PIPE,  # which it ends with
                stdout=log,
                stderr=log,
            )
        self._started.append(process)

    def wait_for_start(self, true: Callable[[], object], what: str) -> None:
        """Poll until it is up, however slow the machine is; AssertionError once a process has ended."""

        def is_up() -> bool:
            ended = [process.args for process in self._started if process.poll() is not None]
            assert not ended, f"before {what} had ended: {ended}\n{self._newest()}"
            return bool(true())

        wait_until(is_up, what, seconds=START_SECONDS)

    def _newest(self) -> str:
        return "\n".join(self._log.read_text().splitlines()[-_LINES_SHOWN:])

    def process(self, *words: str) -> psutil.Process:
        """The one that `costbot run` runs as `costbot` with these words, once it does."""
        found: list[psutil.Process] = []

        def runs() -> bool:
            found[:] = [process for process in self._kept_running() if _runs_as(process, words)]
            return bool(found)

        wait_until(runs, f"costbot {' '.join(words)} runs")
        return found[0]

    def _kept_running(self) -> Iterator[psutil.Process]:
        """The children of the process that keeps them running, and not what these have started."""
        for root in self._started:
            with suppress(psutil.Error):
                for keeper in psutil.Process(root.pid).children():
                    yield from keeper.children()

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

    def logged(self, words: str) -> list[str]:
        """The lines of the log that hold these words."""
        return [line for line in self._log.read_text().splitlines() if words in line]

    def errors(self) -> list[str]:
        """What the processes have logged as an error."""
        return self.logged('"level": "error"')


def wait_until(true: Callable[[], object], what: str, *, seconds: float = PATIENCE) -> None:
    """Poll; AssertionError when it has not happened in time."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"waited in vain until {what}"
        time.sleep(_POLL_SECONDS)


def _runs_as(process: psutil.Process, words: Sequence[str]) -> bool:
    try:
        # a title of its own ends in NULs, as far as the command line was that it overwrote
        return " ".join(process.cmdline()).split() == ["costbot", *words]
    except psutil.Error:
        return False
