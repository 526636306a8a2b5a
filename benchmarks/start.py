"""How long `costbot run` takes until everything works: the bot answers, both workers and the scheduler run.

Once with what it needs of itself, SQLite and an embedded Redis, and once on servers.

The baseline is a Python that only imports the libraries that these processes import. On both sides all code
is compiled already, as it is on a machine where costbot was started before.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

import httpx
import redis

from benchmarks.measure import Row, Sizes, by_turns, timed
from tests.ports import free_ports
from workflow.database import migrate

_GOAL = 2.0
_PATIENCE = 120.0
_POLL_SECONDS = 0.01
_ENDS_SECONDS = 60
_WORKERS = 2
# the distributions of pyproject.toml whose modules are loaded once bot, worker and scheduler are imported
_WHICH = """
import re, sys
from importlib.metadata import packages_distributions, requires
import bot.cli, bot.bot_process, bot.delivery, sync.worker, sync.sage, sync.data_sync
def plain(name):
    return re.sub("[-_.]+", "-", name.lower())
ours = {plain(re.match(r"[\\w.-]+", line)[0]) for line in requires("costbot") if "extra ==" not in line}
names = packages_distributions()
print(*sorted(n for n in {m.partition(".")[0] for m in list(sys.modules)}
              if ours & set(map(plain, names.get(n, [])))))
print(*sorted(m for m in sys.modules
              if ours & set(map(plain, names.get(m.partition(".")[0], [])))))
"""


@dataclass(frozen=True, slots=True)
class On:
    """What costbot is started on: its settings, and how its Redis is reached by the folder of its data."""

    words: str
    settings: Mapping[str, str]
    redis: Callable[[Path], redis.Redis]


def _embedded(data: Path) -> redis.Redis:
    return redis.Redis(unix_socket_path=str(next(data.glob("*.sock"))))


EMBEDDED = On("embedded Redis, SQLite", {}, _embedded)


def servers(database_url: str, redis_url: str) -> On:
    """On these servers, which nobody else uses; the database is empty so far."""
    migrate(database_url)
    return On(
        "Redis server, PostgreSQL",
        {"COSTBOT_DATABASE_URL": database_url, "COSTBOT_REDIS_URL": redis_url},
        lambda _data: redis.Redis.from_url(redis_url),
    )


def measure(sizes: Sizes, folder: Path, on: On = EMBEDDED) -> Iterator[Row]:
    """Start and stop by turns; the database is there from before."""
    which = subprocess.run([sys.executable, "-c", _WHICH], capture_output=True, text=True, check=True)
    libraries, modules = which.stdout.splitlines()
    importing = [sys.executable, "-c", f"import {', '.join(modules.split())}"]
    data = Path(mkdtemp(prefix="start-", dir=folder))
    [port] = free_ports(1)
    environment = {**_environment(data, port), **on.settings}

    def import_all() -> float:
        return timed(lambda: subprocess.run(importing, env=environment, check=True))

    def start() -> float:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
            return _start_and_stop(data, environment, client, on)

    for compiles in (import_all, start):
        compiles()
    baseline, ours = by_turns(import_all, start, runs=sizes.runs)
    yield Row(
        f"Start of `costbot run` to ready, {on.words.rpartition(' ')[2]}",
        f"bot, 2 workers, scheduler, {on.words}",
        f"importing its {len(libraries.split())} libraries",
        _GOAL,
        baseline,
        ours,
    )


def _environment(folder: Path, port: int) -> dict[str, str]:
    given = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return given | {
        "PYTHONPYCACHEPREFIX": str(folder / "compiled"),
        "COSTBOT_DATA_DIR": str(folder),
        "COSTBOT_HTTP_PORT": str(port),
        "COSTBOT_CHANNEL": "#bench",
        "COSTBOT_LOG_LEVEL": "warning",
        "SLACK_BOT_TOKEN": "xoxb-bench",
        "SLACK_SIGNING_SECRET": "bench",
        "SLACK_API_URL": "http://127.0.0.1:9/api/",
    }


def _start_and_stop(folder: Path, environment: Mapping[str, str], client: httpx.Client, on: On) -> float:
    start = time.perf_counter()
    process = subprocess.Popen(
        [str(Path(sys.executable).with_name("costbot")), "run"],
        cwd=folder,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = start + _PATIENCE
        while not _is_ready(folder, client, on):
            if process.poll() is not None or time.perf_counter() > deadline:
                raise RuntimeError("`costbot run` did not start")
            time.sleep(_POLL_SECONDS)
        return time.perf_counter() - start
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(_ENDS_SECONDS)
        with suppress(redis.RedisError, StopIteration), on.redis(folder) as queues:
            queues.flushdb()  # the next one is not ready by what this one has left


def _is_ready(folder: Path, client: httpx.Client, on: On) -> bool:
    """The bot says so, both workers have registered, and the scheduler has put its first work."""
    try:
        if client.get("/readyz").status_code != httpx.codes.OK:
            return False
        with on.redis(folder) as queues:
            return queues.scard("rq:workers") == _WORKERS and bool(queues.exists("rq:queues"))
    except (httpx.HTTPError, redis.RedisError, StopIteration):
        return False
