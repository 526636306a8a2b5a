"""Questions to parts that may hang, such as a server that takes a connection and says nothing any more.

Owns that whoever watches costbot is answered in time, and that what hangs holds one thread and no more.
"""

import threading
import time
from collections.abc import Callable, Hashable, Mapping
from concurrent.futures import Future, wait
from typing import Generic, TypeVar

_Answer = TypeVar("_Answer")
_Name = TypeVar("_Name", bound=Hashable)


class Question(Generic[_Answer]):
    """Asked in a thread of its own, and not again before it was answered."""

    def __init__(self, ask: Callable[[], _Answer]) -> None:
        self._ask = ask
        self._lock = threading.Lock()
        self._asked: Future[_Answer] | None = None

    def asked(self) -> Future[_Answer]:
        """The answer to come: to the question that waits for one already, else to a new one."""
        with self._lock:
            if self._asked is None or self._asked.done():
                asked: Future[_Answer] = Future()
                # a daemon, for a part that hangs must not keep the process from its end
                threading.Thread(target=self._answer, args=(asked,), daemon=True).start()
                self._asked = asked  # not before there is somebody to answer it
            return self._asked

    def _answer(self, answer: "Future[_Answer]") -> None:
        try:
            answer.set_result(self._ask())
        except Exception as error:  # noqa: BLE001 - it is for whoever asked
            answer.set_exception(error)


class OneAtATime(Generic[_Answer]):
    """Questions to one part, each asked after the one before; while one hangs the others are not asked."""

    def __init__(self) -> None:
        self._turn = threading.Semaphore()
        self._hanging: Future[_Answer] | None = None

    def answer(self, ask: Callable[[], _Answer], *, seconds: float) -> _Answer:
        """What is answered within so many seconds, else TimeoutError; at once where an earlier one hangs."""
        until = time.monotonic() + seconds
        hanging = self._hanging
        if (hanging and not hanging.done()) or not self._turn.acquire(timeout=seconds):
            raise TimeoutError
        try:
            asked = Question(ask).asked()
        except BaseException:
            self._turn.release()
            raise
        asked.add_done_callback(lambda _: self._turn.release())
        try:
            return asked.result(max(until - time.monotonic(), 0))
        except TimeoutError:
            self._hanging = asked
            raise


def answers(questions: Mapping[_Name, Question[_Answer]], *, seconds: float) -> dict[_Name, _Answer]:
    """What is answered within so many seconds, all having been asked at once; raises what they raise."""
    asked = {name: question.asked() for name, question in questions.items()}
    in_time = wait(asked.values(), timeout=seconds).done
    return {name: answer.result() for name, answer in asked.items() if answer in in_time}
