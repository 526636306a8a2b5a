"""Whether a database transaction is open, in the same thread, while Slack is called.

Owns watching for it. A transaction that waits for a network holds its connection, and its locks, for as long
as Slack takes to answer.
"""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import local
from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.webhook import WebhookClient
from sqlalchemy import Connection, Engine, event

_OURS = Path(__file__).parents[2] / "bot"


class _Open(local):
    """The connections with a transaction that this thread has begun and not ended."""

    def __init__(self) -> None:
        self.connections: set[int] = set()


@contextmanager
def watched() -> Iterator[list[str]]:
    """The calls of Slack that were made in a transaction, each by the lines of ours that led there."""
    open_now, found = _Open(), list[str]()

    def begun(connection: Connection) -> None:
        if connection.get_execution_options().get("isolation_level") != "AUTOCOMMIT":
            open_now.connections.add(id(connection))

    def ended(connection: Connection) -> None:
        open_now.connections.discard(id(connection))

    def look() -> None:
        if open_now.connections:
            steps = [step for step in traceback.extract_stack() if Path(step.filename).is_relative_to(_OURS)]
            found.append(" > ".join(f"{Path(step.filename).name}:{step.lineno}" for step in steps))

    listeners = {"begin": begun, "commit": ended, "rollback": ended}
    for name, listener in listeners.items():
        event.listen(Engine, name, listener)
    with pytest.MonkeyPatch.context() as patched:
        for client, name in ((WebClient, "api_call"), (WebhookClient, "send")):
            patched.setattr(client, name, _seen(getattr(client, name), look))
        yield found
    for name, listener in listeners.items():
        event.remove(Engine, name, listener)


def _seen(call: Any, look: Any) -> Any:
    def seen(*args: Any, **kwargs: Any) -> Any:
        look()
        return call(*args, **kwargs)

    return seen
