"""A company at work with its Slack, as delivery and whoever reads what it wrote find them."""

from datetime import UTC, datetime, timedelta
from typing import TypeVar

from sqlalchemy import select
from structlog.typing import EventDict

from bot.delivery import drain
from bot.gateway import Gateway, web_client
from bot.sandbox import sample_company
from bot.sandbox.client import Message, Person, Sandbox
from bot.sandbox.workspace import BOT_TOKEN, CHANNEL_ID
from tests import factories
from tests.factories import RULES, actor
from workflow import acting, approvals, audit, outbox, reopening
from workflow.database import Database
from workflow.tables import AuditEvent, Job, OutboxNotice, RequestedUpdate
from workflow.tables import Person as DirectoryPerson
from workflow.vocabulary import Event, Place, Refusal

NEXT_SYNC = datetime(2026, 12, 1, 10, 0, tzinfo=UTC)

AnyGateway = TypeVar("AnyGateway", bound=Gateway)


class Clock:
    """Time that moves only when somebody waits; it begins now, for Slack's look-alike has its own clock."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now

    def monotonic(self) -> float:
        return self.now.timestamp()

    def sleep(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def wait(self, **time: float) -> None:
        self.now += timedelta(**time)


class Site:
    """A company with two approvers and a project engineer, its Slack, and acts of its people."""

    def __init__(self, database: Database, sandbox: Sandbox) -> None:
        self.database = database
        self.sandbox = sandbox
        self.clock = Clock()
        self.gateway = self.connect(Gateway)
        with database.writing() as session:
            factories.standard_list(session)
            self.dana = factories.approver(session, sample_company.APPROVER)
            self.marcus = factories.approver(session, sample_company.SECOND_APPROVER)
            self.tom = factories.person(session, sample_company.PROJECT_ENGINEER)
            self.riverside = factories.job(session)
            self.depot = factories.job(session, "24-018", "Bus Depot")

    def connect(self, kind: type[AnyGateway]) -> AnyGateway:
        client = web_client(BOT_TOKEN, self.sandbox.api_url)
        client.timeout = 60  # a busy machine is no Slack that does not answer
        return kind(client, monotonic=self.clock.monotonic, sleep=self.clock.sleep)

    def ask(self, job: Job, *lines: str) -> RequestedUpdate:
        with self.database.writing() as session:
            return factories.requested(session, job=job, by=self.tom, lines=lines, at=self.clock.now)

    def update(self, requested: RequestedUpdate, by: DirectoryPerson | None = None) -> None:
        with self.database.writing() as session:
            done = approvals.accept(
                session,
                requested_update_id=requested.id,
                revision=requested.revision,
                by=actor(by or self.dana, Place.SLACK),
                at=self.clock.now,
                rules=RULES,
            )
        assert isinstance(done, acting.Done), done

    def take_back(self, requested: RequestedUpdate) -> None:
        with self.database.writing() as session:
            done = reopening.take_back(
                session,
                requested_update_id=requested.id,
                by=actor(self.dana, Place.SLACK),
                at=self.clock.now,
                rules=RULES,
            )
        assert isinstance(done, acting.Done), done

    def ask_for_privilege(self, admin: DirectoryPerson, *, not_before: datetime | None = None) -> None:
        """An event that is told in one direct message, and nowhere else."""
        with self.database.writing() as session:
            event = audit.record(
                session,
                Event.PRIVILEGE_ASKED,
                by=actor(self.tom, Place.SLACK),
                at=self.clock.now,
                reason=Refusal.PERMISSION_TOO_LOW.value,
            )
            outbox.tell_people(session, event, [admin.id], not_before=not_before)

    def drain(
        self,
        *,
        gateway: Gateway | None = None,
        channel: str | None = CHANNEL_ID,
        database: Database | None = None,
    ) -> int:
        return drain(
            database or self.database,
            gateway or self.gateway,
            channel=channel,
            next_sync=lambda: NEXT_SYNC,
            clock=self.clock,
            sleep=self.clock.sleep,
        )

    def waiting(self) -> list[OutboxNotice]:
        with self.database.reading() as session:
            notices = session.scalars(select(OutboxNotice).order_by(OutboxNotice.id)).all()
        return [notice for notice in notices if notice.done_at is None and not notice.given_up]

    def given_up(self) -> list[OutboxNotice]:
        with self.database.reading() as session:
            return list(session.scalars(select(OutboxNotice).where(OutboxNotice.given_up)))

    def outages(self) -> list[str]:
        """What is on record of times in which the channel took no messages."""
        with self.database.reading() as session:
            query = select(AuditEvent.event).order_by(AuditEvent.seq)
            return list(session.scalars(query.where(AuditEvent.event.startswith("channel:"))))

    def channel(self) -> list[Message]:
        """The messages of the approvals channel that stand in no thread."""
        seen = self.person(self.dana).sees()
        return [message for message in seen.messages if message.thread_ts in (None, message.ts)]

    def thread(self) -> list[str]:
        """What was answered in the only card's thread."""
        card = self.channel()[0]
        return [reply.text for reply in self.person(self.dana).sees().thread(card)]

    def person(self, who: DirectoryPerson) -> Person:
        return self.sandbox.as_person(who.email)

    def posts(self) -> int:
        return sum(call["ok"] for call in self.sandbox.calls("chat.postMessage"))


def warned(logs: list[EventDict]) -> list[EventDict]:
    """What somebody ought to look at."""
    return [line for line in logs if line["log_level"] not in ("debug", "info")]
