"""costbot as a large company runs it: two of each process on servers, and a data sync while people click.

The baseline is a company with a hundredth of the jobs. Messages, clicks and answers go by Slack's look-alike
in Socket Mode, and Sage is the embedded company. In the end each click is one decision that Sage holds.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from statistics import median

from sqlalchemy import func, select

from benchmarks.company import TEAM, Company, email_of, name_of, user_of
from benchmarks.loading import copied, dropped, run
from benchmarks.measure import Row, Sizes, timed
from bot.sandbox import workspace
from bot.sandbox.client import Person, RefusedError
from sync.sage import embedded_company
from tests.e2e.office import Office
from tests.e2e.tree import wait_until
from tests.faults.clicking import cards_of
from tests.faults.crew import Crew
from tests.faults.reading import waiting_notices
from tests.servers import RedisServer
from workflow import audit, outbox, slots
from workflow.tables import AuditEvent, RequestedUpdate
from workflow.vocabulary import Event, PeriodicWork, State

_GOAL = 2.0
_OF_EACH = 2
_PATIENCE_SECONDS = 600.0


def measure(many: Company, few: Company, sizes: Sizes, folder: Path) -> Iterator[Row]:
    """Click on cards of a few jobs of each company, one after the other, with all of costbot at work."""
    for step in (few.found, few.accept, few.plan_a_batch, few.sync):
        step()
    few.ask(len(few.jobs))
    few_seconds, many_seconds = (_clicks(company, sizes.cards, folder) for company in (few, many))
    yield Row(
        f"Update click to ack during a data sync, {_OF_EACH} of each process, {many.engine}",
        f"{len(many.jobs):,} jobs ready, {many.lines:,} synced lines, {sizes.approvers} approvers",
        f"same with {len(few.jobs):,} jobs, {few.lines:,} lines",
        _GOAL,
        median(few_seconds),
        median(many_seconds),
    )


def _clicks(company: Company, cards: int, folder: Path) -> list[float]:
    """Seconds from each click on Update until its ack; RuntimeError where one led to anything else."""
    url = copied(company.url, "at_work")
    # asked for just now, so that nobody is reminded, in the workspace of the look-alike
    run(
        url,
        f"UPDATE slack_links SET team_id = '{workspace.TEAM_ID}' WHERE team_id = '{TEAM}'",
        "UPDATE requested_updates SET requested_at = CURRENT_TIMESTAMP WHERE state = 'ready'",
    )
    home = folder / f"at-work-{len(company.jobs)}"
    home.mkdir()
    try:
        with RedisServer() as redis, closing(_House(home, company, url, redis)) as house:
            house.open()
            ready = company.ready()[:cards]
            house.have_cards(ready)
            house.have_a_data_sync()
            seconds = [house.click(n, job_id) for n, (job_id, _) in enumerate(ready, start=1)]
            clicked = [update_id for _, update_id in ready]
            house.drain(clicked)
            house.check(clicked)
            return seconds
    finally:
        dropped(url)


class _House(Office):
    """Two of each of costbot's processes on the database of a company, and its Slack and Sage."""

    def __init__(self, folder: Path, company: Company, url: str, redis: RedisServer) -> None:
        settings = {
            "COSTBOT_DATABASE_URL": url,
            "COSTBOT_REDIS_URL": redis.url,
            "COSTBOT_CHANNEL": workspace.CHANNEL_ID,
            "SLACK_APP_TOKEN": workspace.APP_TOKEN,
            "COSTBOT_ADMIN_EMAIL": email_of(1),
        }
        super().__init__(folder, settings, redis)
        self._company = company
        self._crew = Crew(folder, self.environment)

    def load_company(self) -> None:
        """Everything is in the database already; Sage holds what it was sent."""
        self._company.fill(embedded_company(self.settings))

    def start_costbot(self) -> None:
        for n in self._company.people:
            self.sandbox.put_user(user_of(n), name=f"person{n}", real_name=name_of(n), email=email_of(n))
        for number in range(_OF_EACH):
            port = {"COSTBOT_HTTP_PORT": str(self.second_port)} if number else {}
            self._crew.start("bot", more=port)
            for queue in ("notices", "sync"):
                self._crew.start("worker", queue)
            self._crew.start("scheduler")

    def close(self) -> None:
        self._crew.stop()
        super().close()

    def have_cards(self, jobs: Sequence[tuple[int, int]]) -> None:
        """Wait until Slack has the cards of these jobs."""
        numbers = [self._company.number(job_id) for job_id, _ in jobs]
        with self.line.database.writing() as session:
            outbox.refresh_cards(session, [job_id for job_id, _ in jobs], at=self.line.now())
        self.nudge()
        self._first.wait_for(lambda seen: len(cards_of(seen, numbers)) == len(jobs), _PATIENCE_SECONDS)

    def have_a_data_sync(self) -> None:
        """Have one begin, and do not wait for it."""
        self._first.slash("/costcodes sync")
        wait_until(self._is_syncing, "a data sync is asked for")

    def click(self, person_id: int, job_id: int) -> float:
        """An approver clicks Update on the card of a job; seconds until Slack has the ack."""
        person = self.sandbox.as_person(user_of(person_id))
        while True:
            [card] = cards_of(person.sees(), [self._company.number(job_id)])
            with suppress(RefusedError):  # it was drawn anew under the hand
                return timed(partial(person.click, "Update", card))

    def drain(self, clicked: Sequence[int]) -> None:
        """Have one more data sync, and wait until Sage holds what was clicked and all of it is told."""
        wait_until(lambda: not self._is_syncing(), "the data sync is over", seconds=_PATIENCE_SECONDS)
        self.have_a_data_sync()
        wait_until(lambda: self._synced(clicked) == len(clicked), "Sage has it", seconds=_PATIENCE_SECONDS)
        wait_until(self._is_told, "all of it is told", seconds=_PATIENCE_SECONDS)

    def check(self, clicked: Sequence[int]) -> None:
        """RuntimeError where a click led to anything but one decision and one export."""
        once = (Event.UPDATED, Event.EXPORTED, Event.SYNCED)
        with self.line.database.reading() as session:
            query = select(AuditEvent.event, AuditEvent.requested_update_id)
            rows = session.execute(query.where(AuditEvent.requested_update_id.in_(clicked)))
            events = Counter((event, id_) for event, id_ in rows)
            problems = list(audit.problems(session))
        wrong = {
            (event, id_): events[event, id_] for event in once for id_ in clicked if events[event, id_] != 1
        }
        if wrong or problems or self._crew.errors():
            raise RuntimeError(f"wrong: {wrong} {problems} {self._crew.errors()}")

    @property
    def _first(self) -> Person:
        return self.sandbox.as_person(user_of(1))

    def _is_told(self) -> bool:
        with self.line.database.reading() as session:
            return not waiting_notices(session)

    def _is_syncing(self) -> bool:
        with self.line.database.reading() as session:
            return slots.undone(session, PeriodicWork.DATA_SYNC) is not None

    def _synced(self, updates: Sequence[int]) -> int:
        query = select(func.count()).where(
            RequestedUpdate.id.in_(updates), RequestedUpdate.state == State.SYNCED
        )
        with self.line.database.reading() as session:
            return session.scalar(query) or 0
