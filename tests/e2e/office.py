"""A company that works with costbot: Slack's look-alike and all of costbot's processes, run for real.

People act in Slack (`dana`, `tom` and the others), scripts on the command line (`costbot`); what the
channel shows is read by `card` and `thread`.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, chdir, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx
from sqlalchemy import select

from bot.commands import imports, requests, sage
from bot.commands.command import CommandLine
from bot.commands.terminal import Answer
from bot.sandbox import sample_company, workspace
from bot.sandbox.client import NO_AUTHORITIES, Message, Person, Sandbox, Seen
from sync.worker import nudger
from tests import line
from tests.e2e.tree import PATIENCE, START_SECONDS, ProcessTree, wait_until
from tests.ports import HOST, free_ports
from tests.scraping import Samples, samples_of
from tests.servers import RedisServer
from workflow import outbox, slots
from workflow.settings import Settings

READY = "🟡 *Ready to Update*"
UPDATED = "🔵 *Updated, waits for the data sync*"
FAILED = "❌ *Failed to Export*"
SYNCED = "✅ *Synced*"
REJECTED = "⛔ *Rejected*"
"""What a card says of its state."""

_METRICS_TOKEN = "of-whoever-watches"
_FIRST_JOB = 101
_JOBS = 99


@dataclass(frozen=True)
class Ran:
    """How one run of the command line ended, and what it printed."""

    exit_code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@contextmanager
def at_work(
    folder: Path, settings: Mapping[str, str], redis: RedisServer | None = None, *, traces_to: str = ""
) -> Iterator["Office"]:
    """A company that works for the length of the block."""
    office = Office(folder, settings, redis, traces_to=traces_to)
    try:
        office.open()
        yield office
    finally:
        office.close()


class Office:
    """One company with its Slack, its costbot and its Sage.

    No data sync runs by itself within a test: each is asked for. `traces_to` is where its processes trace.
    """

    def __init__(
        self, folder: Path, settings: Mapping[str, str], redis: RedisServer | None, *, traces_to: str = ""
    ) -> None:
        self.redis = redis
        sandbox_port, self._bot_port, self.second_port = free_ports(3)
        self.sandbox = Sandbox(f"http://{HOST}:{sandbox_port}")
        self._sandbox_port = sandbox_port
        environment = {
            "COSTBOT_DATA_DIR": str(folder / "data"),
            "COSTBOT_SYNC_CRON": "0 0 1 1 *",
            "COSTBOT_HTTP_PORT": str(self._bot_port),
            "COSTBOT_ADMIN_EMAIL": sample_company.SECOND_APPROVER,
            "COSTBOT_METRICS_TOKEN": _METRICS_TOKEN,
            "SLACK_API_URL": self.sandbox.api_url,
            "SLACK_BOT_TOKEN": workspace.BOT_TOKEN,
            **settings,
        }
        # nothing that is set for whoever runs the tests reaches the company
        self.environment = {"PATH": os.environ["PATH"], **environment}
        with patch.dict(os.environ, self.environment, clear=True):
            self.settings = Settings(_env_file=None)
        self.folder = folder
        self.line = CommandLine(self.settings)
        traced = {"OTEL_EXPORTER_OTLP_ENDPOINT": traces_to} if traces_to else {}
        self.tree = ProcessTree(folder, self.environment | traced)
        self._nudge = nudger(self.settings)
        self._jobs = iter(_job_numbers())

    def open(self) -> None:
        """Start everything, and return once it works."""
        self.load_company()
        self.tree.start("sandbox", "--port", str(self._sandbox_port))
        self.tree.wait_for_start(partial(answers, f"{self.sandbox.url}/"), "the sandbox is up")
        if self.settings.slack_signing_secret:
            self.sandbox.switch(events_url=f"http://{HOST}:{self._bot_port}/slack/events")
        self.start_costbot()
        self.tree.wait_for_start(self._bot_is_ready, "the bot is ready")
        # the schedule's newest slot was missed before the company existed, and is made up for
        self.tree.wait_for_start(self._has_synced, "the first data sync is through")

    def start_costbot(self) -> None:
        """Start all of costbot's processes."""
        self.tree.start("run")

    def close(self) -> None:
        """Stop everything."""
        self.sandbox.close()
        self.line.close()
        self.tree.stop()

    @property
    def dana(self) -> Person:
        """An accounting approver."""
        return self.sandbox.as_person(sample_company.APPROVER)

    @property
    def marcus(self) -> Person:
        """Another accounting approver, and the administrator to ask for the privilege."""
        return self.sandbox.as_person(sample_company.SECOND_APPROVER)

    @property
    def lucia(self) -> Person:
        """An accounting approver who reads Spanish."""
        return self.sandbox.as_person(sample_company.SPANISH_APPROVER)

    @property
    def priya(self) -> Person:
        """Admin on ERP Integrations, without the privilege."""
        return self.sandbox.as_person(sample_company.ADMIN_WITHOUT_PRIVILEGE)

    @property
    def tom(self) -> Person:
        """The project engineer who requests."""
        return self.sandbox.as_person(sample_company.PROJECT_ENGINEER)

    @property
    def grace(self) -> Person:
        """A guest of the workspace."""
        return self.sandbox.as_person(sample_company.GUEST)

    def costbot(self, *arguments: str) -> Ran:
        """Run `costbot` as a script does, but here, which is quicker than a process of its own."""
        out, err = StringIO(), StringIO()
        with (
            patch.dict(os.environ, self.environment, clear=True),
            chdir(self.folder),
            line.logs_as_before(),
            redirect_stdout(out),
            redirect_stderr(err),
        ):
            try:
                line.costbot()(arguments, prog_name="costbot")
                code: object = 0
            except SystemExit as ended:
                code = ended.code or 0
        return Ran(code if isinstance(code, int) else 1, out.getvalue(), err.getvalue())

    def process(self, *arguments: str) -> Ran:
        """Run `costbot` as a script does, and wait for it."""
        ran = subprocess.run(
            [str(Path(sys.executable).with_name("costbot")), *arguments],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=START_SECONDS,
            check=False,
        )
        return Ran(ran.returncode, ran.stdout, ran.stderr)

    def done(self, *arguments: str) -> Any:
        """The JSON of a command that must succeed."""
        ran = self.costbot(*arguments, "--json")
        assert ran.exit_code == 0, ran
        return ran.json

    def show(self, job: str) -> Any:
        """What `costbot show` says of the job."""
        return _facts(requests.show(self.line, job))

    def history(self, job: str) -> list[Any]:
        """The job's events, as `costbot history` tells them."""
        events: list[Any] = _facts(requests.history(self.line, job))["events"]
        return events

    def in_sage(self, job: str) -> dict[str, list[str]]:
        """What Sage holds of the job: the categories of each cost code, as `costbot sage show` has them."""
        held = _facts(sage.show(self.line, job))["cost_codes"]
        return {code["code"]: code["categories"] for code in held}

    def file(self, name: str, header: str, rows: Sequence[str]) -> Path:
        """A CSV file to hand to a command."""
        path = self.folder / name
        path.write_text("\n".join([header, *rows, ""]), encoding="utf-8")
        return path

    def new_job(self) -> str:
        """The number of a job that nothing was requested for; Sage holds 03-3000 L of it."""
        return next(self._jobs)

    def ask(self, job: str, *lines: str) -> None:
        """Have Tom request cost codes, such as `03-3110,S`."""
        file = self.file(f"{job}.csv", "code,category", lines)
        _facts(requests.request(self.line, job, file, sample_company.PROJECT_ENGINEER))

    def requested(self, *lines: str) -> tuple[str, Message]:
        """A new job that Tom has requested cost codes for, and its card."""
        job = self.new_job()
        self.ask(job, *lines)
        self.nudge()
        return job, self.card(job, READY)

    def nudge(self) -> None:
        """Have Slack told now, not at the next sweep, what was done on the command line."""
        self._nudge("deliver")

    def card(self, job: str, saying: str) -> Message:
        """The one card of the job, once it says this."""

        def wanted(seen: Seen) -> Message | None:
            found = cards(seen, job)
            assert len(found) <= 1, f"{job} has {len(found)} cards"
            return next((card for card in found if saying in card.words), None)

        return self.dana.wait_for(wanted, PATIENCE)

    def thread(self, job: str, saying: str) -> list[str]:
        """What the thread of the job's card tells, oldest first, once it says this."""

        def wanted(seen: Seen) -> list[str] | None:
            told = [reply.text for card in cards(seen, job) for reply in seen.thread(card)]
            return told if any(saying in words for words in told) else None

        return self.dana.wait_for(wanted, PATIENCE)

    @contextmanager
    def frozen(self, *words: str) -> Iterator[None]:
        """A process stands still for the length of the block, in no transaction that others wait for."""
        with ExitStack() as still:
            with self.line.database.writing() as session:
                session.execute(select(1))  # on SQLite nobody else writes now
                still.enter_context(self.tree.frozen(*words))
            yield

    def wait_until_told(self, *, seconds: float = PATIENCE) -> None:
        """Return once nothing waits to be told in Slack."""

        def told() -> bool:
            with self.line.database.reading() as session:
                return outbox.backlog(session).waiting == 0

        wait_until(told, "everything is told", seconds=seconds)

    def metrics(self) -> Samples:
        """What Prometheus reads of the company now."""
        bearer = {"Authorization": f"Bearer {_METRICS_TOKEN}"}
        answer = httpx.get(
            f"http://{HOST}:{self._bot_port}/metrics",
            headers=bearer,
            timeout=PATIENCE,
            trust_env=False,
            verify=NO_AUTHORITIES,
        )
        return samples_of(answer.raise_for_status().text)

    def wait_for_bot(self) -> None:
        """Return once the bot hears what happens in Slack."""
        wait_until(self._bot_is_ready, "the bot is ready")

    def _bot_is_ready(self) -> bool:
        return answers(f"http://{HOST}:{self._bot_port}/readyz")

    def _has_synced(self) -> bool:
        with self.line.database.reading() as session:
            return slots.last_done(session, "data_sync") is not None

    def load_company(self) -> None:
        """The sample company's people and lists, and jobs of which Sage holds one cost code each."""
        jobs = [f"{job},Building {job}," for job in _job_numbers()]
        in_sage = [f"{job},03-3000,Concrete as Sage has it,L" for job in jobs]
        sage_header = "job,job_name,extra,code,description,category"
        _facts(imports.people(self.line, sample_company.PEOPLE))
        _facts(imports.categories(self.line, sample_company.CATEGORIES))
        _facts(imports.standard_codes(self.line, sample_company.STANDARD_CODES))
        _facts(imports.jobs(self.line, self.file("jobs.csv", "number,name,procore_project_id", jobs)))
        self.load_sage(self.file("sage.csv", sage_header, in_sage))

    def load_sage(self, rows: Path) -> None:
        """Say what Sage holds already."""
        _facts(sage.load(self.line, rows))
        _facts(sage.load_categories(self.line, sample_company.SAGE_CATEGORIES))


def cards(seen: Seen, job: str) -> list[Message]:
    """The job's cards in the channel; more than one is a fault of costbot's."""
    said_to_all = [m for m in seen.messages if not m.only_for_me and m.thread_ts in (None, m.ts)]
    return [message for message in said_to_all if message.text.startswith(job)]


def _facts(answer: Answer) -> Any:
    """What a command that must succeed prints with `--json`; run here, which is quicker than a process."""
    assert answer.exit_code == 0, answer.why
    return json.loads(answer.facts.model_dump_json())


def _job_numbers() -> list[str]:
    return [f"26-{number}" for number in range(_FIRST_JOB, _FIRST_JOB + _JOBS)]


def answers(url: str) -> bool:
    """Whether a server says there that all is well."""
    try:
        return (
            httpx.get(url, timeout=PATIENCE, trust_env=False, verify=NO_AUTHORITIES).status_code
            == httpx.codes.OK
        )
    except httpx.HTTPError:
        return False
