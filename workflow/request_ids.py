"""The id of the request for which something is done: kept with what it causes, said in each log line of it.

A request is a click, a command, a due time of the schedule or a webhook. Its id lives in the context of the
logs, so that what is logged and what is stored can never differ.
"""

import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from structlog.contextvars import bound_contextvars, get_contextvars

KEY = "request_id"
SEVERAL = "request_ids"
LENGTH = 12


def new() -> str:
    """An id for a request that has just come."""
    return secrets.token_hex(LENGTH // 2)


def current() -> str | None:
    """The request that this thread works for."""
    found = get_contextvars().get(KEY)
    return None if found is None else str(found)


def several() -> list[str]:
    """The requests that this thread works for at once; none where it is one or none."""
    return list(get_contextvars().get(SEVERAL, ()))


@contextmanager
def working_for(request_id: str | None) -> Iterator[None]:
    """What is done in the block is done for this request; without one, for that of before."""
    if request_id is None:
        yield
        return
    with bound_contextvars(**{KEY: request_id}):
        yield


@contextmanager
def working_for_all(requests: Iterable[str | None]) -> Iterator[None]:
    """What is done in the block is done for these requests at once, such as a message that gathers many."""
    known = sorted(set(filter(None, requests)))
    if len(known) < 2:
        with working_for(known[0] if known else None):
            yield
        return
    with bound_contextvars(**{SEVERAL: known}):
        yield
