"""A company under faults: an office whose processes are kept running by a crew, and what was promised in it.

Owns its people, its load of requests and decisions, and the wait until everything has drained by itself.
"""

import random
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import psutil
from slack_sdk import WebClient
from sqlalchemy import func, or_, select
from sqlalchemy.exc import SQLAlchemyError

from bot.commands import imports, requests
from bot.commands.command import StopError
from bot.sandbox import sample_company
from bot.sandbox.client import Json, RefusedError
from bot.sandbox.workspace import BOT_TOKEN
from sync.sage import embedded_company
from tests.e2e.office import Office
from tests.e2e.tree import PATIENCE
from tests.faults import scheduler
from tests.faults.clicking import cards_of, decide
from tests.faults.crew import Crew
from tests.faults.facts import Assignment, Deaf, Facts, Quiet
from tests.faults.reading import in_sage, read_facts, waiting_notices
from tests.servers import PostgresServer, RedisServer
from workflow import outbox
from workflow.tables import OutboxNotice, RequestedUpdate, ScheduleSlot
from workflow.vocabulary import Event, PeriodicWork, State

CODES = (
    "03-3000,M",
    "03-3110,S",
    "03-3110,M",
    "03-3110,L",
    "01-1000,L",
    "01-1000,M",
    "01-1110,L",
    "01-1100,L",
)
REFUSED_BY_SAGE = "01-1780,CW"
DRAIN_SECONDS = 300.0
"""What was killed in the middle is taken up after a minute at the latest; the rest is Slack's own pace."""
_NOT_YET = timedelta(seconds=60)
"""What falls due so much later is of a clock that was wrong."""
_ANSWER_ON_ITS_WAY = timedelta(seconds=10)
_IN_HAND = timedelta(seconds=30)
"""Whoever acts may wait so long for the database; their act bears the time when it was begun."""
_REQUEST = re.compile(r'"request_id": "(\w+)"')
_HEADER = "email,name,erp_permission,can_push_to_accounting,active"
_FIRST_CARD_SECONDS = 10.0
_WANT_SECONDS = 3.0
_REASON = {"reason": {"reason": "Dana is away"}}
_ONE_ENVIRONMENT = threading.Lock()
"""Settings are read from the environment of this process, which companies that open at once share."""
_BACKLOG = 10
"""More notices than that wait at one message a second: the load pauses, so that a drain has its bounds."""
_TROUBLE = (AssertionError, RefusedError, httpx.HTTPError, SQLAlchemyError, StopError, OSError)
"""What meets a person while things are broken; they try something else."""


class Company(Office):
    """One company with its crew; `doubled` has two of each process, `syncs` data syncs every few seconds."""

    def __init__(
        self,
        folder: Path,
        settings: Mapping[str, str],
        *,
        redis: RedisServer | None = None,
        postgres: PostgresServer | None = None,
        doubled: bool = False,
        syncs: bool = True,
        preload: Mapping[str, str] | None = None,
    ) -> None:
        settings = {"COSTBOT_SYNC_CRON": "* * * * *", **settings}
        if postgres and redis:
            servers = {"COSTBOT_DATABASE_URL": postgres.url_of("costbot"), "COSTBOT_REDIS_URL": redis.url}
            settings |= servers
        with _ONE_ENVIRONMENT:
            super().__init__(folder, settings, redis)
        self.postgres = postgres
        self.crew = Crew(folder, {**self.environment, **(preload or {})})
        self.sage = embedded_company(self.settings)
        self.asked: set[Assignment] = set()
        self.approvers: list[tuple[str, str]] = [
            ("Dana Whitfield", sample_company.APPROVER),
            ("Marcus Oyelaran", sample_company.SECOND_APPROVER),
        ]
        self._doubled, self._syncs = doubled, syncs
        self._hired: list[tuple[str, str]] = []
        self._quiet_since: datetime | None = None
        self._told: frozenset[int] | None = None
        self._calls: list[Json] = []
        self._deaf: list[Deaf] = []
        self._killed: list[tuple[Path, datetime]] = []
        self._before: frozenset[Assignment] = frozenset()
        self._files, self._reading_calls = threading.Lock(), threading.Lock()
        self._count = 0

    def start_costbot(self) -> None:
        self._before = frozenset(in_sage(self.sage))
        for number in range(2 if self._doubled else 1):
            port = {"COSTBOT_HTTP_PORT": str(self.second_port)} if number else {}
            self.crew.start("bot", more=port)
            for queue in ("notices", "sync"):
                self.crew.start("worker", queue)
            self.crew.start("scheduler", program=scheduler.PROGRAM if self._syncs else ())

    def close(self) -> None:
        self.crew.stop()
        super().close()

    def request(self, job: str, *lines: str) -> None:
        """Have Tom ask on the command line; what it confirms has been promised."""
        with self._files:
            self._count += 1
            file = self.file(f"request-{self._count}.csv", "code,category", lines)
        requests.request(self.line, job, file, sample_company.PROJECT_ENGINEER)
        for line in lines:
            code, _, category = line.partition(",")
            self.asked.add(Assignment(job, "", code, category))

    def let_the_schedule_run(self) -> None:
        """From now on there are data syncs."""
        self.crew.run_instead("scheduler", program=scheduler.PROGRAM)

    def hire(self, count: int) -> list[tuple[str, str]]:
        """So many more approvers, by name and e-mail, in the directory and in Slack."""
        numbers = range(len(self._hired), len(self._hired) + count)
        people = [(f"Approver {n:02}", f"approver{n:02}@kestrelbuilders.example") for n in numbers]
        self._hired += people
        rows = [*sample_company.PEOPLE.read_text(encoding="utf-8").splitlines()[1:]]
        rows += [f"{email},{name},standard,yes,yes" for name, email in self._hired]
        imports.people(self.line, self.file("people.csv", _HEADER, rows))
        for number, (name, email) in zip(numbers, people, strict=True):
            user_id = f"U0APPROVER{number:02}"
            self.sandbox.put_user(user_id, name=name.lower(), real_name=name, email=email)
        self.approvers += people
        return people

    def kill(self, process: psutil.Process) -> None:
        """`kill -9` for a process of the crew, or of its family; what a bot had in hand may go unanswered."""
        log = self.crew.log_of_bot(process)
        process.kill()
        if log:
            self._killed.append((log, datetime.now(UTC)))

    @contextmanager
    def windows_may_stay_empty(self) -> Iterator[None]:
        """For the length of the block whoever acts in a window may get no answer: Slack shows none."""
        began = datetime.now(UTC)
        try:
            yield
        finally:
            until = datetime.now(UTC) + _ANSWER_ON_ITS_WAY
            self._deaf.append(Deaf(began, until, events=frozenset({Event.REJECTED})))

    def _deaf_times(self) -> tuple[Deaf, ...]:
        """Those, and for each kill the requests of shortly before that the process had taken."""
        taken = {log: frozenset(_REQUEST.findall(log.read_text())) for log, _ in self._killed}
        cut_off = [Deaf(at - _IN_HAND, at, requests=taken[log]) for log, at in self._killed]
        return (*self._deaf, *cut_off)

    def calls(self) -> list[Json]:
        """Every call that Slack got so far. Thousands in the end: those of before are not read again."""
        with self._reading_calls:
            self._calls += self.sandbox.calls(after=len(self._calls))
            return [*self._calls]

    def facts(self) -> Facts:
        """Everything as it is now."""
        who = [*self.approvers, ("Lucía Herrera", sample_company.SPANISH_APPROVER)]
        who += [
            ("Priya Raman", sample_company.ADMIN_WITHOUT_PRIVILEGE),
            ("Tom Beckett", sample_company.PROJECT_ENGINEER),
        ]
        people = [(name, self.sandbox.as_person(email)) for name, email in who]
        return read_facts(
            self.line.database,
            self.sage,
            self.sandbox,
            people,
            sage_folder=self.settings.sage_folder,
            unheard=tuple(str(call["arguments"]) for call in self.calls() if call["fault"] and call["ok"]),
            before=self._before,
            asked=frozenset(self.asked),
            deaf=self._deaf_times(),
            quiet=Quiet(self._quiet_since, datetime.now(UTC), self._told) if self._quiet_since else None,
        )

    def drain(self) -> float:
        """Wait until nothing is on its way any more, at most DRAIN_SECONDS; how long it took.

        Nobody helps: what waits goes through by the schedule, of which one data sync at least is waited for.
        """
        began = time.monotonic()
        with suppress(AssertionError):
            self.sandbox.wait_for_bot(PATIENCE)
        self._quiet_since, self._told = datetime.now(UTC), None
        while self._told is None and time.monotonic() < began + DRAIN_SECONDS:
            time.sleep(0.2)
            with suppress(SQLAlchemyError):
                self._told = self._all_told(self._quiet_since)
        return time.monotonic() - began

    def ask_for_a_data_sync(self) -> None:
        """In Slack, if Slack and the bot are well."""
        with suppress(*_TROUBLE):
            self.dana.slash("/costcodes sync")

    def have_done(self, name: str) -> None:
        """Nudge whoever does the periodic work of this name."""
        self._nudge(name)

    def delete_a_card(self, jobs: Sequence[str], rng: random.Random) -> bool:
        """Remove the card of one of these jobs from Slack, as a person of costbot's workspace may."""
        with suppress(*_TROUBLE):
            card = rng.choice(cards_of(self.dana.sees(), jobs))
            slack = WebClient(BOT_TOKEN, base_url=self.sandbox.api_url)
            return bool(slack.chat_delete(channel=card.channel, ts=card.ts)["ok"])
        return False

    def backlog(self) -> int:
        """How many notices wait."""
        with self.line.database.reading() as session:
            return outbox.backlog(session).waiting

    def _all_told(self, since: datetime) -> frozenset[int] | None:
        """The ids of all notices; None while one waits, an update is on its way, or a slot of then."""
        mine = ScheduleSlot.name == PeriodicWork.DATA_SYNC
        by_schedule, not_done = ScheduleSlot.asked_by_id.is_(None), ScheduleSlot.done_at.is_(None)
        with self.line.database.reading() as session:
            on_their_way = select(func.count()).where(
                RequestedUpdate.state.in_((State.ACCEPTED, State.EXPORTED))
            )
            due = select(func.count()).where(not_done, or_(~by_schedule, ScheduleSlot.due_at <= since))
            has_run = select(func.count()).where(
                mine,
                by_schedule,
                ~not_done,
                ScheduleSlot.due_at.between(since, datetime.now(UTC) + _NOT_YET),
            )
            if (
                session.scalar(on_their_way)
                or session.scalar(due)
                or waiting_notices(session)
                or not session.scalar(has_run)
            ):
                return None
            return frozenset(session.scalars(select(OutboxNotice.id)))

    @contextmanager
    def under_load(self, rng: random.Random, jobs: int = 5) -> Iterator[list[str]]:
        """People ask, update, take back, reject and have data syncs run, for the length of the block."""
        numbers = [self.new_job() for _ in range(jobs)]
        over = threading.Event()
        people = [
            threading.Thread(target=self._keep_busy, args=(act, random.Random(rng.random()), numbers, over))
            for act in (self._ask, self._decide, self._decide, self._want)
        ]
        for person in people:
            person.start()
        try:
            with suppress(AssertionError):  # where Slack is what is broken, no card comes
                self.dana.wait_for(lambda seen: cards_of(seen, numbers), _FIRST_CARD_SECONDS)
            yield numbers
        finally:
            over.set()
            for person in people:
                person.join()

    def work_a_little(self, rng: random.Random, jobs: int = 2) -> None:
        """So many jobs are asked for, updated and sent, or rejected, while whatever is broken is broken."""
        with self.under_load(rng, jobs):
            time.sleep(4.0)

    def _keep_busy(
        self,
        act: Callable[[random.Random, Sequence[str]], None],
        rng: random.Random,
        jobs: Sequence[str],
        over: threading.Event,
    ) -> None:
        while not over.is_set():
            with suppress(*_TROUBLE):
                if self.backlog() < _BACKLOG or act == self._decide:
                    act(rng, jobs)
            over.wait(rng.uniform(0.1, 0.6) if act != self._want else rng.uniform(1.0, 4.0))

    def _ask(self, rng: random.Random, jobs: Sequence[str]) -> None:
        lines = rng.sample(CODES, rng.randint(1, 2))
        if not self.settings.sage_folder and rng.random() < 0.1:
            lines.append(REFUSED_BY_SAGE)
        self.request(rng.choice(jobs), *lines)
        self.nudge()

    def _decide(self, rng: random.Random, jobs: Sequence[str]) -> None:
        """An approver does something with a card of these jobs, or has a data sync run."""
        person = self.sandbox.as_person(rng.choice(self.approvers)[1])
        if rng.random() < 0.2:
            person.slash("/costcodes sync")
            return
        card = rng.choice(cards_of(person.sees(), jobs))
        act = rng.choices(("Update", "Take back", "Reject", "Send again"), (70, 10, 10, 10))[0]
        if act in card.buttons:
            decide(person, act, card)

    def _want(self, rng: random.Random, jobs: Sequence[str]) -> None:
        """Tom runs a workflow for one of these jobs; Priya, who may not update it, asks for the privilege."""
        job = rng.choice(jobs)
        if rng.random() < 0.5:
            self.tom.run_workflow(job, rng.choice(CODES).replace(",", " "))
            return
        self.priya.click("Update", rng.choice(cards_of(self.priya.sees(), jobs)))
        refusal = self.priya.wait_for_ephemeral("🔒", _WANT_SECONDS)
        self.priya.click("Ask for the privilege", refusal)
        self.priya.wait_for_modal(seconds=_WANT_SECONDS)
        self.priya.submit(_REASON)
