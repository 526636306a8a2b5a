"""A tree of processes: children that are started again when they die, and that end with their parent.

Owns starting, restarting and stopping; knows nothing of what the children do. `python -m
bot.processes …` is a child's end of it: `costbot …` that stops when its parent is gone.
"""

import os
import runpy
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from queue import Empty, SimpleQueue

import structlog

_LOOK_SECONDS = 0.2
_FIRST_DELAY = 1.0
_LONGEST_DELAY = 30.0
_STEADY_SECONDS = 60.0
_STOP_SECONDS = 20.0

Pause = Callable[[float], bool]
"""Waits so many seconds, from any thread; True, at once, when it is time to stop."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Child:
    """A process to keep running: its name to people, and the command."""

    name: str
    command: tuple[str, ...]


def costbot(*arguments: str) -> tuple[str, ...]:
    """The command of a child that is costbot itself."""
    return (sys.executable, "-P", "-m", "bot.processes", *arguments)


def restart_delay(deaths: int) -> float:
    """Seconds to wait before a child runs again that died so many times in a row."""
    return float(min(_LONGEST_DELAY, _FIRST_DELAY * 2 ** (deaths - 1)))


class Family:
    """Children kept running for the length of a `with` block.

    A child that lived for a minute before it died starts again after a second; one that dies at
    once, after ever longer waits. At the end all are asked to stop, and killed when they do not.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._members: list[_Member] = []

    def start(self, child: Child) -> None:
        """Start a child, and again whenever it dies."""
        member = _Member(child)
        self._members.append(member)
        member.start(self._clock())

    def keep_running(self, pause: Pause) -> None:
        """Watch over the children until `pause` says to stop."""
        while not pause(_LOOK_SECONDS):
            for member in self._members:
                member.look(self._clock())

    def __enter__(self) -> "Family":
        return self

    def __exit__(self, *_: object) -> None:
        running = [member.process for member in self._members if member.process]
        for process in running:
            process.terminate()
        deadline = time.monotonic() + _STOP_SECONDS
        for process in running:
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdin:
                process.stdin.close()


class _Member:
    """One child: its process while it runs, and when it may run again while it does not."""

    def __init__(self, child: Child) -> None:
        self.child = child
        self.process: subprocess.Popen[bytes] | None = None
        self._started_at = self._again_at = 0.0
        self._deaths = 0

    def start(self, now: float) -> None:
        # a session of its own: Ctrl-C is for the parent, which then stops the children in order
        self.process = subprocess.Popen(  # noqa: S603 - the commands are costbot's own
            self.child.command, stdin=subprocess.PIPE, start_new_session=True
        )
        self._started_at = now

    def look(self, now: float) -> None:
        if self.process is None:
            if now >= self._again_at:
                self.start(now)
        elif self.process.poll() is not None:
            self._died(self.process, now)

    def _died(self, process: subprocess.Popen[bytes], now: float) -> None:
        if process.stdin:
            process.stdin.close()
        self.process = None
        self._deaths = 1 if now - self._started_at >= _STEADY_SECONDS else self._deaths + 1
        delay = restart_delay(self._deaths)
        self._again_at = now + delay
        log.warning("a process ended", child=self.child.name, exit_code=process.returncode, again_in=delay)


@contextmanager
def stopping_on_signals() -> Iterator[Pause]:
    """A pause that SIGTERM and SIGINT end, for the length of the block. Main thread only."""
    # its `put` may interrupt its own `get`, which is more than threading.Event promises
    asked: SimpleQueue[int] = SimpleQueue()

    def pause(seconds: float) -> bool:
        try:
            asked.put(asked.get(timeout=seconds))
        except Empty:
            return False
        return True

    signals = (signal.SIGTERM, signal.SIGINT)
    before = {number: signal.signal(number, lambda number, _frame: asked.put(number)) for number in signals}
    try:
        yield pause
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def end_with_parent() -> None:
    """Stop this process when its standard input closes, which its parent's death does too."""

    def watch() -> None:
        while os.read(sys.stdin.fileno(), 1):
            pass
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(_STOP_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()


if __name__ == "__main__":
    end_with_parent()
    runpy.run_module("bot.cli", run_name="__main__")
