"""An app behind costbot's own HTTP server in a process of its own, and the signed requests that it gets.

Slack is another machine: in one process whoever clicks and whoever answers would take Python's lock from each
other, and most of all from an app that works on after its answer.
"""

import gc
import hmac
import http.client
import json
import multiprocessing
import os
import time
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, suppress
from hashlib import sha256
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Lock
from typing import Any, Self
from urllib.parse import urlencode, urlsplit

from bot import logs
from bot.http import Dispatcher, http_app
from bot.sandbox.server import running

SECRET = "0123456789abcdef"
_PATIENCE_SECONDS = 60
_spawning = multiprocessing.get_context("spawn")

Note = Callable[[str, float], None]
"""Tells whoever measures what has happened, and when by `time.perf_counter`, the machine's clock."""
Make = Callable[[Note], AbstractContextManager[Dispatcher]]
"""Builds an app in its process."""


class Apart:
    """An app in a process of its own, as costbot's bot is, for the length of the block."""

    def __init__(self, make: Make) -> None:
        self._make = make
        self._happened: defaultdict[str, deque[float]] = defaultdict(deque)

    def __enter__(self) -> Self:
        self._pipe, theirs = _spawning.Pipe()
        self._process = _spawning.Process(target=_serve, args=(self._make, theirs), daemon=True)
        self._process.start()
        theirs.close()
        self._signed = _Signed(self._pipe.recv())
        return self

    def __exit__(self, *_: object) -> None:
        self._signed.close()
        self._pipe.close()
        self._process.join()

    def send(self, body: Mapping[str, Any]) -> float:
        """Send an interaction, a command or an event; seconds until it is acknowledged."""
        return self._signed.send(body)

    def when(self, what: str) -> float:
        """When this has happened, once for each time; waits for it."""
        while not self._happened[what]:
            if not self._pipe.poll(_PATIENCE_SECONDS):
                raise TimeoutError(what)
            happened, at = self._pipe.recv()
            self._happened[happened].append(at)
        return self._happened[what].popleft()


def _serve(make: Make, pipe: Connection) -> None:
    """Be the process of an app until the other end of the pipe is closed."""
    lock = Lock()

    def note(what: str, at: float) -> None:
        with lock:
            pipe.send((what, at))

    with Path(os.devnull).open("w") as nowhere:
        logs.configure("info", stream=nowhere)  # what costbot logs is part of its work
        with make(note) as app, running(http_app(app, takes_events=True, ready={})) as address:
            gc.freeze()  # as the processes of `costbot run`
            pipe.send(address)
            with suppress(EOFError):
                pipe.recv()


class _Signed:
    """A connection to `/slack/events` on which Slack's requests are signed."""

    def __init__(self, address: str) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(address).netloc)

    def send(self, body: Mapping[str, Any]) -> float:
        if "event" in body:
            kind, content = "application/json", json.dumps(body).encode()
        else:
            form = body if "command" in body else {"payload": json.dumps(body)}
            kind, content = "application/x-www-form-urlencoded", urlencode(form).encode()
        stamp = str(int(time.time()))
        signature = hmac.new(SECRET.encode(), b"v0:%s:%s" % (stamp.encode(), content), sha256).hexdigest()
        headers = {
            "Content-Type": kind,
            "X-Slack-Request-Timestamp": stamp,
            "X-Slack-Signature": f"v0={signature}",
        }
        # a new connection, for the server ends one that nobody used for a while
        self._connection.close()
        self._connection.connect()
        start = time.perf_counter()
        self._connection.request("POST", "/slack/events", content, headers)
        answer = self._connection.getresponse()
        answer.read()
        took = time.perf_counter() - start
        if answer.status != 200:
            raise RuntimeError(f"the request was answered with {answer.status}")
        return took

    def close(self) -> None:
        self._connection.close()
