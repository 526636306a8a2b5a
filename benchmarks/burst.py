"""How soon every one of many jobs that become Ready to Update at once has its card, at Slack's pace.

The look-alike enforces Slack's limits, and every wait for a limit is skipped: the one clock of costbot and of
those limits jumps ahead by it, and moves with the CPU time of the work otherwise, so that neither a quarter
of an hour goes by nor a busy machine counts.
"""

import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

from slack_sdk import WebClient
from sqlalchemy import select

from benchmarks.company import Company
from benchmarks.measure import Row, Sizes
from bot.blocks.pieces import Message
from bot.delivery import drain
from bot.gateway import Gateway, web_client
from bot.sandbox.app import wired
from bot.sandbox.faults import RateLimits
from bot.sandbox.server import running
from bot.sandbox.sockets import Sockets
from bot.sandbox.web_api import WebApi
from bot.sandbox.workspace import BOT_TOKEN, CHANNEL_ID, User, Workspace
from bot.slack_answers import Posted
from tests.factories import LIMITS, RULES
from workflow import requests
from workflow.database import Database
from workflow.merge import Assignment
from workflow.privileges import Actor
from workflow.tables import Job, OutboxNotice
from workflow.vocabulary import NoticeKind, Place

_GOAL = 1.1
_SECONDS_A_MESSAGE = 1.0
_SWEEP_SECONDS = 10.0
_ACK_SECONDS = 3.0


class Skipping:
    """The time that this process works, and nobody sleeps: a wait moves the clock ahead."""

    def __init__(self) -> None:
        self._began = datetime.now(UTC)
        self._skipped = 0.0

    def __call__(self) -> datetime:
        return self._began + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        return time.process_time() + self._skipped

    def sleep(self, seconds: float) -> None:
        self._skipped += seconds


class Watched(Gateway):
    """Notes when the last card was posted."""

    last_card = 0.0

    def __init__(self, client: WebClient, clock: Skipping) -> None:
        super().__init__(client, monotonic=clock.monotonic, sleep=clock.sleep)
        self._clock = clock

    def post(self, channel: str, message: Message, *, key: str, **more: Any) -> Posted:
        posted = super().post(channel, message, key=key, **more)
        if key.startswith("card:"):
            self.last_card = self._clock.monotonic()
        return posted


def measure(company: Company, sizes: Sizes) -> Iterator[Row]:
    """Ask for all, and deliver until each has its card; once, for it takes long and waits for nobody."""
    clock = Skipping()
    people = [
        User(f"U{n:04}", f"approver{n}", f"Approver {n}", f"approver{n}@example.com")
        for n in range(1, sizes.approvers + 1)
    ]
    workspace = Workspace(people)
    sockets = Sockets(workspace.changed)
    web_api = WebApi(workspace, sockets.url)
    web_api.limits = RateLimits(monotonic=clock.monotonic)
    web_api.limits.enforced = True
    sandbox = wired(workspace, web_api, sockets, ack_seconds=_ACK_SECONDS)
    with running(sandbox) as address, closing(Database(company.url)) as database:
        _ask(database, company, sizes.burst, clock)
        client = web_client(BOT_TOKEN, f"{address}/api/")
        began = last_card = clock.monotonic()
        while _cards_waiting(database):
            # each drain is a process of its own, which knows of no call before it
            gateway = Watched(client, clock)
            drain(
                database,
                gateway,
                channel=CHANNEL_ID,
                next_sync=lambda: clock() + timedelta(hours=1),
                rules=RULES,
                clock=clock,
                sleep=clock.sleep,
            )
            last_card = max(last_card, gateway.last_card)
            if _cards_waiting(database):
                clock.sleep(_SWEEP_SECONDS)  # until the schedule's next sweep, at the latest
        limited = web_api.limits.refused  # what Slack itself counts, whatever costbot makes of it
    yield Row(
        f"Cards of jobs made Ready to Update at once, {company.engine}",
        f"{sizes.burst:,} jobs, {sizes.approvers} approvers",
        "one message a second",
        _GOAL,
        # the digest of the burst goes first, so the last card is the message of that second
        sizes.burst * _SECONDS_A_MESSAGE,
        last_card - began,
        note="no 429" if not limited else f"429 from {', '.join(limited)}: {limited.total()}",
        kept=not limited,
    )


def _ask(database: Database, company: Company, jobs: int, clock: Skipping) -> None:
    by = Actor(Place.COMMAND_LINE, "engineer@example.com", company.engineer)
    for start in range(1, jobs + 1, 50):
        with database.writing() as session:
            for job_id in range(start, min(start + 50, jobs + 1)):
                result = requests.request(
                    session,
                    job=session.get_one(Job, job_id),
                    assignments=[Assignment("00-001", "L")],
                    by=by,
                    at=clock(),
                    rules=RULES,
                    limits=LIMITS,
                )
                if not isinstance(result, requests.Requested):
                    raise TypeError(f"the request was not taken: {result}")


def _cards_waiting(database: Database) -> int:
    with database.reading() as session:
        query = select(OutboxNotice.id).where(
            OutboxNotice.kind == NoticeKind.CARD,
            OutboxNotice.done_at.is_(None),
            OutboxNotice.given_up.is_(False),
        )
        return len(session.scalars(query).all())
