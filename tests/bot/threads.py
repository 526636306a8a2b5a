"""In place of the bot's threads, where what follows the ack is to be over with it, or not to be done."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any


class AtOnce(ThreadPoolExecutor):
    """Does everything within the request, so that the answer says that it is over."""

    def submit(self, work: Callable[..., Any], /, *args: Any, **more: Any) -> Future[Any]:
        """Do it now; what it raises stays in the future, as with a thread."""
        done: Future[Any] = Future()
        try:
            done.set_result(work(*args, **more))
        except Exception as error:  # noqa: BLE001 - whatever it is
            done.set_exception(error)
        return done


class Never(ThreadPoolExecutor):
    """Does nothing of what it is given."""

    def submit(self, work: Callable[..., Any], /, *args: Any, **more: Any) -> Future[Any]:
        """Forget it."""
        return Future()
