"""The benchmarks' own machinery, where it could hold up whoever measures."""

import multiprocessing
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.apart import Apart, Note
from bot.http import Dispatcher


@contextmanager
def never_ending(_note: Note) -> Iterator[Dispatcher]:
    yield None  # type: ignore[misc]
    threading.Event().wait()


def test_an_app_apart_that_does_not_end_by_itself_is_ended() -> None:
    before = set(multiprocessing.active_children())
    with Apart(never_ending, patience=0.2):
        [process] = set(multiprocessing.active_children()) - before
    assert not process.is_alive()
    assert process not in multiprocessing.active_children()
