"""A tree of processes: children that are started again when they die, and that end with their parent.

Owns starting, restarting and stopping; knows nothing of what the children do. They are forked by a process
that does nothing else (docs/adr/0022): what all of them import is there once, and no thread, connection or
socket of whoever wants them comes along.
"""

import atexit
import gc
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import ForkProcess
from queue import Empty, SimpleQueue

import structlog

try:
    from setproctitle import setproctitle
except ImportError:  # it is for Linux: on macOS a forked process may die of it

    def setproctitle(title: str) -> None:
        """Leave the process its parent's title."""


_LOOK_SECONDS = 0.2
_POLL_SECONDS = 0.05
_FIRST_DELAY = 1.0
_LONGEST_DELAY = 30.0
_STEADY_SECONDS = 60.0
_STOP_SECONDS = 20.0
_STOP_AT_ONCE_SECONDS = 5.0
_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)

Pause = Callable[[float], bool]
"""Waits so many seconds, from any thread; True, at once, when it is time to stop."""

log = structlog.get_logger()
_forking = multiprocessing.get_context("fork")


@dataclass(frozen=True, slots=True)
class Child:
    """A process to keep running: its name to people, and its words behind `costbot`."""

    name: str
    words: tuple[str, ...]


class FamilyGoneError(Exception):
    """The process that keeps the children running has ended, and they end."""

    def __init__(self) -> None:
        super().__init__("costbot-keeper, which keeps the others running, has ended: start costbot again.")


def restart_delay(deaths: int) -> float:
    """Seconds to wait before a child runs again that died so many times in a row."""
    return float(min(_LONGEST_DELAY, _FIRST_DELAY * 2 ** (deaths - 1)))


class Family:
    """Children kept running until `close`: forks that call `main`, each with its words in `sys.argv`.

    They are what this process is now: make a family after the imports, before any thread or connection.

    A child that lived for a minute before it died starts again after a second; one that dies at
    once, after ever longer waits. At the end all are asked to stop, asked once more when they take long, upon
    which a worker cuts its piece of work off, and killed when they do not.
    """

    def __init__(self, main: Callable[[], object], *, clock: Callable[[], float] = time.monotonic) -> None:
        gc.freeze()  # or the first collection in a child would write to all the memory that it shares
        orders, self._orders = _forking.Pipe(duplex=False)
        self._keeper = _forking.Process(target=_keep, args=(orders, self._orders, main, clock))
        self._keeper.start()
        orders.close()

    def start(self, child: Child) -> None:
        """Start a child, and again whenever it dies; raises FamilyGoneError."""
        try:
            self._orders.send(child)
        except BrokenPipeError:
            raise FamilyGoneError from None

    def keep_running(self, pause: Pause) -> None:
        """Wait until `pause` says to stop; raises FamilyGoneError."""
        while not pause(_LOOK_SECONDS):
            if not self._keeper.is_alive():
                raise FamilyGoneError

    def close(self) -> None:
        """Stop the children, and return when all have ended."""
        self._orders.close()
        self._keeper.join()


def _keep(
    orders: Connection, others_end: Connection, main: Callable[[], object], clock: Callable[[], float]
) -> None:
    """Be the process that forks the children and watches over them, until the orders end."""
    others_end.close()
    # looked at, not handled, so that a child misses none between its fork and handlers of its own
    signal.pthread_sigmask(signal.SIG_BLOCK, _STOP_SIGNALS)
    # a session of its own: Ctrl-C is for the parent, which then has the children stopped in order
    os.setsid()
    setproctitle("costbot-keeper")  # without a space, which would have Python 3.12 see threads where none are
    lives, lifeline = os.pipe()

    def live(words: Sequence[str]) -> None:
        orders.close()
        os.close(lifeline)  # this process alone must hold it
        os.setsid()
        sys.argv[:] = ["costbot", *words]
        setproctitle(" ".join(sys.argv))
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOP_SIGNALS)
        end_when_closed(lives)
        try:
            main()
        finally:
            atexit._run_exitfuncs()  # noqa: SLF001 - multiprocessing leaves them out before Python 3.13

    members: list[_Member] = []
    try:
        while not signal.sigpending():
            if orders.poll(_LOOK_SECONDS):
                members.append(_Member(orders.recv(), live))
            for member in members:
                member.look(clock())
    except EOFError:
        pass
    finally:
        _stop([member.process for member in members if member.process])


class _Member:
    """One child: its process while it runs, and when it may run again while it does not."""

    def __init__(self, child: Child, live: Callable[[Sequence[str]], None]) -> None:
        self._child = child
        self._live = live
        self.process: ForkProcess | None = None
        self._started_at = self._again_at = 0.0
        self._deaths = 0

    def look(self, now: float) -> None:
        """Start it, where it is time to."""
        if self.process is None:
            if now >= self._again_at:
                self.process = _forking.Process(target=self._live, args=(self._child.words,))
                self.process.start()
                self._started_at = now
        elif not self.process.is_alive():
            self._died(self.process, now)

    def _died(self, process: ForkProcess, now: float) -> None:
        self._deaths = 1 if now - self._started_at >= _STEADY_SECONDS else self._deaths + 1
        delay = restart_delay(self._deaths)
        self._again_at = now + delay
        log.warning("a process ended", child=self._child.name, exit_code=process.exitcode, again_in=delay)
        process.close()
        self.process = None


def _stop(processes: Sequence[ForkProcess]) -> None:
    for patience in (_STOP_SECONDS, _STOP_AT_ONCE_SECONDS):
        for process in processes:
            process.terminate()
        deadline = time.monotonic() + patience
        # not by `join`, for what a killed child leaves running would hold that up
        while any(process.is_alive() for process in processes) and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
    for process in processes:
        process.kill()
        process.join()


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

    before = {
        number: signal.signal(number, lambda number, _frame: asked.put(number)) for number in _STOP_SIGNALS
    }
    try:
        yield pause
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def end_when_closed(lifeline: int) -> None:
    """Stop this process when the other end of a pipe closes, which the death of who holds it does too."""

    def watch() -> None:
        while os.read(lifeline, 1):
            pass
        for patience in (_STOP_SECONDS, _STOP_AT_ONCE_SECONDS):  # as a family's children are stopped
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(patience)
        os._exit(1)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()
