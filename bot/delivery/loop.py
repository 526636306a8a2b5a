"""The loop of a drain: what is due, in which order, and for how long one process goes on with it.

The order: a job's card and its thread, then what is told by itself, then direct messages; a burst of ready
jobs has an order of its own.
"""

import time
from collections.abc import Callable, Iterable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice
from zoneinfo import ZoneInfo

import structlog

from bot.delivery.cards import Cards
from bot.delivery.channel import Channel
from bot.delivery.digest import Digest
from bot.delivery.outcomes import Outcomes
from bot.delivery.people import People
from bot.delivery.privilege_requests import PrivilegeRequests
from bot.delivery.readers import Readers
from bot.delivery.reports import Reports
from bot.delivery.steps import Steps
from bot.gateway import Gateway
from bot.homes import Homes
from bot.identity import Identity
from bot.installations import connected
from bot.posting import Poster
from bot.slack_answers import SlackError, SlackRefused
from workflow import messages, outbox, slots
from workflow.bursts import BurstFacts
from workflow.database import Database, Held
from workflow.language import ENGLISH, speaking
from workflow.privileges import USUAL_RULES, Rules
from workflow.request_ids import working_for
from workflow.settings import BURST, read_settings
from workflow.tables import OutboxNotice
from workflow.tally import bringing
from workflow.vocabulary import NoticeKind

LOCK = "deliver"
LINGER = timedelta(seconds=3)
"""A notice due this soon is waited for, such as a direct message that gathers others."""
LONGEST_DRAIN = timedelta(minutes=10)
"""Under RQ's time-out of a job; what is left is taken up by the next drain, which may begin seconds later."""
CARDS_A_ROUND = 10
"""In a burst new cards go out by so many; then what changed on cards that are there comes first."""
PEOPLE_A_CARD = 5
"""In a burst so many people are written to while the channel's next turn is waited for."""
_JOBS_A_ROUND = 100
_JOBS_IN_A_BURST = 2_000
_NOTICES_A_ROUND = 200
_UTC = ZoneInfo("UTC")
_log = structlog.get_logger()


def deliver_waiting() -> int:
    """RQ's entry point: deliver what is due with the settings in force; how many notices were delivered."""
    settings = read_settings()
    if not settings.reaches_slack:
        return 0
    with (
        connected(settings) as gateway,
        closing(Database(settings.database)) as database,
        bringing(settings.redis, gateway.counts),
    ):
        return drain(
            database,
            gateway,
            channel=settings.channel,
            next_sync=lambda: slots.next_due(settings.sync_cron, _now()),
            rules=settings.rules,
            burst=settings.burst,
            zone=settings.calendar.zone,
            language=settings.language,
            pages=Homes(database, gateway, Identity(gateway, database, clock=_now), settings, clock=_now),
        )


def _now() -> datetime:
    return datetime.now(UTC)


def drain(
    database: Database,
    gateway: Gateway,
    *,
    channel: str | None,
    next_sync: Callable[[], datetime],
    rules: Rules = USUAL_RULES,
    burst: int = BURST,
    zone: ZoneInfo = _UTC,
    language: str = ENGLISH,
    pages: Homes | None = None,
    clock: Callable[[], datetime] = _now,
    sleep: Callable[[float], None] = time.sleep,
) -> int:
    """Deliver what is due, and what falls due in a moment; how many notices were delivered.

    From `burst` jobs that became ready at once, the channel gets one digest before their cards. `zone` and
    `language` are the company's, for the channel and for readers of whom Slack has told none. `pages` of App
    Home that are open are drawn anew on the way.

    One process delivers at a time. Whoever finds it busy may leave: the busy one looks for due
    notices once more after it has let go.
    """
    under_way = _Drain(
        database,
        gateway,
        channel=channel,
        next_sync=next_sync,
        rules=rules,
        burst=burst,
        zone=zone,
        language=language,
        pages=pages,
        clock=clock,
    )
    until = clock() + LONGEST_DRAIN
    while True:
        with database.exclusive(LOCK) as held:
            if not held:
                return under_way.outcomes.delivered
            under_way.bring_back_what_is_ahead()
            with speaking(language):
                under_way.deliver_due(until, held)
        with database.reading() as session:
            waiting = outbox.next_due(session), pages.next_due() if pages else None
        due_at, now = min(filter(None, waiting), default=None), clock()
        if under_way.outcomes.stopped or due_at is None or due_at > now + LINGER or now > until:
            return under_way.outcomes.delivered
        sleep(max((due_at - now).total_seconds(), 0.0))


_Work = Callable[[], None]
"""Something to tell, to whom and how."""


class _Drain:
    """One drain, and what it has learned of Slack on the way."""

    def __init__(
        self,
        database: Database,
        gateway: Gateway,
        *,
        channel: str | None,
        next_sync: Callable[[], datetime],
        rules: Rules,
        burst: int,
        zone: ZoneInfo,
        language: str,
        pages: Homes | None,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._pages = pages
        self._clock = clock
        poster = Poster(database, gateway, clock=clock)
        readers = Readers(database, gateway, language=language, clock=clock)
        self._channel = Channel(database, gateway, name=channel, rules=rules, clock=clock)
        self.outcomes = outcomes = Outcomes(database, self._channel, clock=clock)
        self._digest = Digest(database, poster, threshold=burst, clock=clock)
        self._cards = Cards(
            database,
            poster,
            self._channel,
            self._digest,
            outcomes,
            next_sync=next_sync,
            rules=rules,
            clock=clock,
        )
        self._people = People(database, gateway, poster, readers, outcomes, zone=zone, clock=clock)
        self._privilege_requests = PrivilegeRequests(
            database, poster, readers, outcomes, zone=zone, clock=clock
        )
        self._reports = Reports(database, gateway, poster, self._channel, outcomes)
        self._steps = Steps(database, gateway, outcomes)

    def bring_back_what_is_ahead(self) -> None:
        """A clock that was set back holds up nothing."""
        now = self._clock()
        with self._database.reading() as session:
            ahead = outbox.ahead(session, now=now)
        if ahead:
            _log.warning("the clock was set back: what it had put off comes now", notices=len(ahead))
            with self._database.writing() as session:
                outbox.bring_back(session, now=now)

    def deliver_due(self, until: datetime, held: Held) -> None:
        """Deliver until nothing is due, the time is over, Slack is down, or the lock is lost."""
        burst = self._announce()
        while work := self._due(burst):
            for tell in work:
                if self.outcomes.stopped or self._clock() > until or not held.is_kept():
                    return
                self._refresh_pages()
                tell()
            burst = self._announce()
        self._refresh_pages()

    def _refresh_pages(self) -> None:
        """Between two notices, since a burst of them takes minutes and a page takes none of their turns."""
        if self._pages is not None:
            self._pages.refresh()

    def _announce(self) -> BurstFacts | None:
        """Tell the channel of a burst, and how far it is; the burst that is under way."""
        try:
            return self._digest.draw(self._channel.to_post_in)
        except SlackRefused as refused:
            self._channel.refused(refused)
        except SlackError as error:
            _log.info("the digest of a burst is drawn later", error=str(error))
        return self._digest.burst

    def _due(self, burst: BurstFacts | None) -> list[_Work]:
        """The work of one round. In a burst people, and cards that are there, do not wait for all others."""
        now = self._clock()
        with self._database.reading() as session:
            jobs = outbox.due_jobs(session, now=now, limit=_JOBS_IN_A_BURST if burst else _JOBS_A_ROUND)
            people = outbox.due_people(session, now=now)
            rest = outbox.due(session, now=now, kinds=outbox.BY_ITSELF, limit=_NOTICES_A_ROUND)
            drawn = messages.with_card(session, jobs) if burst else set()
            waiting_cards = set(outbox.due_jobs(session, now=now, limit=len(jobs), kinds=[NoticeKind.CARD]))
        ask = _each(rest, NoticeKind.PRIVILEGE, self._privilege_requests.tell)
        ask += _each(rest, NoticeKind.REPORT, self._reports.tell)
        steps = _each(rest, NoticeKind.STEP, self._steps.tell)
        if burst is None or not jobs:
            tell_people = [partial(self._people.tell, one) for one in people]
            # after the cards, whose addresses the steps hand on
            return [*(partial(self._cards.tell, job) for job in jobs), *steps, *tell_people, *ask]
        new = [job for job in jobs if job not in drawn]
        changed = [job for job in jobs if job in drawn and job in waiting_cards]
        # what is only to be answered waits for the last new card, however long that takes
        replies = [job for job in jobs if job in drawn and job not in waiting_cards]
        patient = iter([one for one in people if not self._people.was_just_told(one)])
        work = [*steps, *ask]
        for job in [*changed, *(new or replies)[:CARDS_A_ROUND]]:
            work.append(partial(self._cards.tell, job))
            work += [partial(self._people.tell, one) for one in islice(patient, PEOPLE_A_CARD)]
        return work


def _each(
    notices: Iterable[OutboxNotice], kind: NoticeKind, tell: Callable[[OutboxNotice], None]
) -> list[_Work]:
    """To tell each notice of a kind by itself, for the request that it follows from."""

    def told(notice: OutboxNotice) -> None:
        with working_for(notice.request_id):
            tell(notice)

    return [partial(told, notice) for notice in notices if notice.kind is kind]
