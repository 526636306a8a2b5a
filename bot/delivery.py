"""Delivery: what the outbox says, told in Slack: cards drawn anew, threads answered, people written to.

Owns the order (a job's card, its thread in order, then direct messages gathered by person) and what
becomes of a notice that cannot be delivered. Nothing it does is lost or doubled by a kill.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bot import drawing, report_files
from bot.blocks import notices
from bot.blocks.pieces import Message
from bot.blocks.report_words import report_title, report_words
from bot.digest import Digest
from bot.gateway import (
    Gateway,
    Posted,
    RateLimited,
    SlackError,
    SlackRefused,
    SlackUnavailable,
)
from bot.homes import Homes
from bot.identity import Identity
from bot.installations import connected
from bot.links import card_address
from bot.pace import SECONDS_A_MESSAGE
from bot.posting import Poster, UnderWay
from workflow import directory, messages, outages, outbox, slots, telling
from workflow.bursts import BurstFacts
from workflow.database import Database
from workflow.language import ENGLISH, later, speaking
from workflow.privileges import SCHEDULE, USUAL_RULES, Rules
from workflow.report import Period, Report
from workflow.report import report as read_report
from workflow.request_ids import working_for
from workflow.settings import BURST, read_settings
from workflow.tables import OutboxNotice, Person
from workflow.tally import bringing
from workflow.telling import Addressee
from workflow.vocabulary import NoticeKind

LOCK = "deliver"
LINGER = timedelta(seconds=3)
"""A notice due this soon is waited for, such as a direct message that gathers others."""
LONGEST_DRAIN = timedelta(minutes=10)
"""Under RQ's time-out of a job; what is left is taken up by the next drain, which may begin seconds later."""
SOONEST_RETRY = timedelta(seconds=15)
LATEST_RETRY = timedelta(minutes=10)
GIVE_UP_ATTEMPTS = 5
GIVE_UP_AGE = timedelta(hours=6)
"""A notice that Slack refuses for its own sake is given up after so many attempts and so long a time."""
PEOPLE_EVERY = timedelta(seconds=60)
"""In a burst a person's messages are gathered for so long."""
PEOPLE_A_CARD = 5
"""In a burst so many people are written to while the channel's next turn is waited for."""
CARDS_A_ROUND = 10
"""In a burst new cards go out by so many; then what changed on cards that are there comes first."""
UNANSWERED_CALLS = 3
"""After so many calls without an answer Slack is down: the rest waits for the next drain."""
_JOBS_A_ROUND = 100
_JOBS_IN_A_BURST = 2_000
_NOTICES_A_ROUND = 200
_UTC = ZoneInfo("UTC")

_MENDS = {
    "not_in_channel": "type `/invite @costbot` in the channel",
    "channel_not_found": "correct COSTBOT_CHANNEL, or type `/invite @costbot` in a private channel",
    "is_archived": "unarchive the channel, or set COSTBOT_CHANNEL to another",
    "restricted_action": "let apps post in the channel, or set COSTBOT_CHANNEL to another",
    "missing_scope": "install the Slack app again from bot/manifest.yaml",
}
_REINSTALL = (
    "install the Slack app again and set SLACK_BOT_TOKEN to its new token; on a host for many companies open "
    "/slack/install instead"
)
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
    delivery = _Delivery(database, gateway, channel, next_sync, rules, burst, zone, language, pages, clock)
    until = clock() + LONGEST_DRAIN
    while True:
        with database.exclusive(LOCK) as held:
            if not held:
                return delivery.delivered
            delivery.bring_back_what_is_ahead()
            with speaking(language):
                delivery.deliver_due(until)
        with database.reading() as session:
            waiting = outbox.next_due(session), pages.next_due() if pages else None
        due_at, now = min(filter(None, waiting), default=None), clock()
        if delivery.stopped or due_at is None or due_at > now + LINGER or now > until:
            return delivery.delivered
        sleep(max((due_at - now).total_seconds(), 0.0))


_Work = Callable[[], None]
"""Something to tell, to whom and how."""


class _NobodyToTell(Exception):  # noqa: N818 - an answer, not a mistake
    """The person has no Slack user that costbot may write to; the reason goes on record."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words
        """To be said in the language of whoever reads it."""


class _Delivery:
    """One drain, and what it has learned of Slack on the way."""

    def __init__(
        self,
        database: Database,
        gateway: Gateway,
        channel: str | None,
        next_sync: Callable[[], datetime],
        rules: Rules,
        burst: int,
        zone: ZoneInfo,
        language: str,
        pages: Homes | None,
        clock: Callable[[], datetime],
    ) -> None:
        self.delivered = 0
        self.stopped = False
        self._database = database
        self._gateway = gateway
        self._poster = Poster(database, gateway, clock=clock)
        self._channel = channel
        self._channel_id: str | None = None
        self._channel_trouble: SlackRefused | None = None
        self._team_id: str | None = None
        self._next_sync = next_sync
        self._rules = rules
        self._zone = zone
        self._language = language
        self._pages = pages
        self._clock = clock
        self._digest = Digest(database, self._poster, threshold=burst, clock=clock)
        self._told_at: dict[int, datetime] = {}
        self._outage_known: bool | None = None
        self._outage_noted = False
        self._unanswered = 0
        self._said: set[str] = set()
        self._asked_about: set[str] = set()

    def bring_back_what_is_ahead(self) -> None:
        """A clock that was set back holds up nothing."""
        now = self._clock()
        with self._database.reading() as session:
            ahead = outbox.ahead(session, now=now)
        if ahead:
            _log.warning("the clock was set back: what it had put off comes now", notices=len(ahead))
            with self._database.writing() as session:
                outbox.bring_back(session, now=now)

    def deliver_due(self, until: datetime) -> None:
        """Deliver until nothing is due, the time is over, or Slack is down."""
        burst = self._announce()
        while work := self._due(burst):
            for tell in work:
                if self.stopped or self._clock() > until:
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
            return self._digest.draw(self._channel_to_post_in)
        except SlackRefused as refused:
            if refused.is_channel_problem:
                self._channel_trouble = refused
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
        ask: list[_Work] = [
            partial(self._ask_administrator, n) for n in rest if n.kind is NoticeKind.PRIVILEGE
        ]
        ask += [partial(self._report, n) for n in rest if n.kind is NoticeKind.REPORT]
        steps: list[_Work] = [partial(self._answer_step, n) for n in rest if n.kind is NoticeKind.STEP]
        if burst is None or not jobs:
            tell_people = [partial(self._tell_person, one) for one in people]
            # after the cards, whose addresses the steps hand on
            return [*(partial(self._tell_job, job) for job in jobs), *steps, *tell_people, *ask]
        new = [job for job in jobs if job not in drawn]
        changed = [job for job in jobs if job in drawn and job in waiting_cards]
        # what is only to be answered waits for the last new card, however long that takes
        replies = [job for job in jobs if job in drawn and job not in waiting_cards]
        patient = iter([one for one in people if not self._was_just_told(one, now)])
        work = [*steps, *ask]
        for job in [*changed, *(new or replies)[:CARDS_A_ROUND]]:
            work.append(partial(self._tell_job, job))
            work += [partial(self._tell_person, one) for one in islice(patient, PEOPLE_A_CARD)]
        return work

    def _was_just_told(self, person_id: int, now: datetime) -> bool:
        told_at = self._told_at.get(person_id)
        return told_at is not None and now < told_at + PEOPLE_EVERY

    def _tell_job(self, job_id: int) -> None:
        """Draw the job's card once for all that ask for it, then answer in its thread, in order."""
        with self._database.reading() as session:
            cards = outbox.waiting_for_job(session, job_id, NoticeKind.CARD)
            replies = outbox.waiting_for_job(session, job_id, NoticeKind.THREAD)
        key = messages.card_key(job_id)
        failing, behind = cards or replies[:1], replies
        try:
            there = self._poster.where(key)
            if cards or there is None:
                # read after the notices: whatever asked to be shown is on the card
                with self._database.reading() as session:
                    card = drawing.card(session, job_id, next_sync=self._next_sync(), rules=self._rules)
                if card is None:
                    self._done(cards)
                    self._give_up(replies, later("nothing was asked for in this job, so it has no card"))
                    return
                is_new, there = there is None, self._poster.draw(key, self._channel_to_post_in(), card)
                self._done(cards)
                self._note_that_it_works(there)
                if is_new and self._digest.burst:
                    self._let_cards_go_first(replies, self._digest.burst)
                    return
            while behind and behind[0].due_at <= self._clock():
                failing, behind = behind[:1], behind[1:]
                self._reply(failing[0], there.channel, there.ts)
                self._done(failing)
            self._queue_up(behind)
        except SlackRefused as refused:
            if refused.is_message_gone:
                # somebody deleted the card: the next round draws it anew and answers there
                self._poster.forget(key)
            elif refused.is_channel_problem:
                self._channel_trouble = refused
            self._failed(refused, failing, behind)
        except Exception as error:  # noqa: BLE001 - whatever ails one notice, the others go on
            self._failed(error, failing, behind)

    def _let_cards_go_first(self, replies: Sequence[OutboxNotice], burst: BurstFacts) -> None:
        """In a burst the replies below new cards come when each job has its card."""
        until = self._clock() + timedelta(seconds=burst.waiting * SECONDS_A_MESSAGE)
        with self._database.writing() as session:
            outbox.put_off(session, replies, until=until, error=None)

    def _note_that_it_works(self, posted: Posted) -> None:
        """The channel takes messages again: whoever mends it has done so."""
        if self._outage_known is None:
            with self._database.reading() as session:
                self._outage_known = outages.is_open(session)
        if self._outage_known and posted.channel == self._channel_id:
            with self._database.writing() as session:
                outages.end(session, channel=self._channel or "", at=self._clock())
            self._outage_known = False

    def _note_outage(self, trouble: SlackRefused) -> None:
        """Tell who can mend it, once an outage."""
        if self._outage_noted:
            return
        self._outage_noted = self._outage_known = True
        with self._database.writing() as session:
            outages.begin(
                session, channel=self._channel or "", code=trouble.code, at=self._clock(), rules=self._rules
            )

    def _queue_up(self, replies: Sequence[OutboxNotice]) -> None:
        """Replies wait for the one before them, which was put off."""
        early = [reply for reply in replies if reply.due_at < replies[0].due_at]
        if early:
            with self._database.writing() as session:
                why = later("waits for the reply before it")
                outbox.put_off(session, early, until=replies[0].due_at, error=why)

    def _reply(self, notice: OutboxNotice, channel: str, card_ts: str) -> None:
        with self._database.reading() as session:
            reply = drawing.reply(session, notice)
        key = messages.thread_key(notice.event_seq or 0)
        self._poster.put(key, channel, reply, thread_ts=card_ts, broadcast=notice.broadcast)

    def _tell_person(self, person_id: int) -> None:
        """One message for all that waits; what was attempted before goes alone, as the message it was.

        While Slack does not answer it, what comes later gathers behind it, so that an outage is no flood.
        Who reads it, and whether in quiet hours, is decided now: the person may be away.
        """
        now = self._told_at[person_id] = self._clock()
        with self._database.reading() as session:
            waiting = outbox.waiting_for_person(session, person_id)
            to = telling.addressee(session, person_id, company_zone=self._zone, at=now)
        by_message: dict[tuple[str | None, NoticeKind], list[OutboxNotice]] = {}
        for notice in waiting:
            by_message.setdefault((notice.message_key, notice.kind), []).append(notice)
        behind: datetime | None = None
        for (key, _), gathered in sorted(by_message.items(), key=lambda item: item[0][0] is None):
            due_at = min(notice.due_at for notice in gathered)
            if due_at > now:
                if key and not gathered[0].attempts:
                    behind = due_at
                continue
            if key is None and behind:
                with self._database.writing() as session:
                    outbox.put_off(session, gathered, until=behind, error="waits for the message before it")
                continue
            if to.quiet_until:
                with self._database.writing() as session:
                    outbox.put_off(session, gathered, until=to.quiet_until, error=None)
                continue
            try:
                self._write_to(to, person_id, gathered, key or messages.direct_key(gathered[0].id))
                self._done(gathered)
            except _NobodyToTell as nobody:
                self._give_up(gathered, nobody.words)
            except Exception as error:  # noqa: BLE001 - whatever ails one notice, the others go on
                self._failed(error, gathered)
                if isinstance(error, SlackUnavailable | RateLimited | UnderWay):
                    behind = now + SOONEST_RETRY

    def _ask_administrator(self, notice: OutboxNotice) -> None:
        """Draw a request for the privilege for one administrator: new, or in place once it is answered.

        What is drawn in place pings nobody, so it does not wait for the end of quiet hours.
        """
        person_id, now = notice.person_id or 0, self._clock()
        try:
            user_id = self._slack_user(person_id)
            with self._database.reading() as session, self._speaking_to(session, person_id):
                request_id, message = drawing.privilege_request(session, notice)
                quiet_until = telling.quiet_until(session, person_id, company_zone=self._zone, at=now)
            key = messages.privilege_key(request_id, person_id)
            if quiet_until and self._poster.where(key) is None:
                with self._database.writing() as session:
                    outbox.put_off(session, [notice], until=quiet_until, error=None)
                return
            with self._direct_message(user_id) as channel:
                self._poster.draw(key, channel, message)
            self._done([notice])
        except _NobodyToTell as nobody:
            self._give_up([notice], nobody.words)
        except Exception as error:  # noqa: BLE001 - whatever ails one notice, the others go on
            self._failed(error, [notice])

    def _report(self, notice: OutboxNotice) -> None:
        """Tell the channel of a week, with chart and CSV file; in words where Slack takes no files."""
        try:
            with self._database.reading() as session:
                found = read_report(session, Period.WEEK, until=notice.created_at)
            channel = self._channel_to_post_in()
            if not self._shared_with_files(notice, found, channel):
                message = notices.channel_report(report_title(found), report_words(found))
                self._poster.put(messages.report_key(notice.id), channel, message)
            self._done([notice])
        except SlackRefused as refused:
            if refused.is_channel_problem:
                self._channel_trouble = refused
            self._failed(refused, [notice])
        except Exception as error:  # noqa: BLE001 - whatever ails one notice, the others go on
            self._failed(error, [notice])

    def _shared_with_files(self, notice: OutboxNotice, found: Report, channel: str) -> bool:
        """Whether the report stands in the channel with its files; False where it has to be in words."""
        with self._database.reading() as session:
            words_begun = messages.find(session, messages.report_key(notice.id)) is not None
        # files go to a channel by its id alone
        if words_begun or channel.startswith("#"):
            return False

        def share() -> None:
            files = report_files.upload(self._gateway, found)
            self._gateway.share_files(channel, files.titles, text=files.text)

        try:
            name = report_files.file_name(found, "csv")
            self._poster.share(messages.report_files_key(notice.id), channel, name, share)
        except SlackRefused as refused:
            if refused.is_channel_problem or (refused.is_token_problem and refused.code != "missing_scope"):
                raise
            _log.warning("Slack takes no files: the weekly report is in words", error=str(refused))
            return False
        return True

    def _answer_step(self, notice: OutboxNotice) -> None:
        """End a step of a workflow in Slack; one that is over there needs no answer any more."""
        step_id = notice.function_execution_id or ""
        try:
            with self._database.reading() as session:
                ended = drawing.ended_step(session, step_id, card_address=self._card_address)
            if ended is None:
                self._give_up([notice], "the step is not on record")
            elif isinstance(ended, str):
                self._gateway.fail_step(step_id, ended)
                self._done([notice])
            else:
                self._gateway.complete_step(step_id, ended)
                self._done([notice])
        except SlackRefused as refused:
            if not refused.is_step_over:
                return self._failed(refused, [notice])
            _log.info("a step of a workflow was over already", step=step_id, code=refused.code)
            self._done([notice])
        except Exception as error:  # noqa: BLE001 - whatever ails one notice, the others go on
            self._failed(error, [notice])

    def _write_to(self, to: Addressee, person_id: int, gathered: Sequence[OutboxNotice], key: str) -> None:
        try:
            user_id = self._slack_user(to.person_id)
        except _NobodyToTell:
            if to.person_id == person_id:
                raise
            # whoever stands in is not in Slack
            to, user_id = replace(to, person_id=person_id, stand_in=None), self._slack_user(person_id)
        with self._database.reading() as session, self._speaking_to(session, to.person_id):
            message = self._message(session, to, person_id, gathered)
        if message is None:
            return
        with self._direct_message(user_id) as channel:
            with self._database.writing() as session:
                outbox.gather(session, gathered, key)
            self._poster.put(key, channel, message)

    def _message(
        self, session: Session, to: Addressee, person_id: int, gathered: Sequence[OutboxNotice]
    ) -> Message | None:
        """What to write; None when nothing waits any more, or the reader heard of all of it as themselves."""
        if to.person_id != person_id:
            heard = outbox.told_of(session, to.person_id, {n.event_seq for n in gathered if n.event_seq})
            gathered = [n for n in gathered if n.kind is NoticeKind.DIGEST or n.event_seq not in heard]
        if not gathered:
            return None
        if gathered[0].kind is NoticeKind.DIGEST:
            said = drawing.digest(session, gathered)
        else:
            said = drawing.direct_message(session, gathered, card_address=self._card_address)
        if said is None or to.stand_in is None:
            return said
        return notices.noted(said, drawing.note(to.stand_in))

    def _card_address(self, job_id: int) -> str | None:
        return card_address(self._database, self._gateway, job_id)

    @contextmanager
    def _direct_message(self, user_id: str) -> Iterator[str]:
        """The direct message with a user. Slack is asked for it once, and anew after it was refused."""
        team_id = self._team_id or ""
        with self._database.reading() as session:
            known = directory.direct_channel(session, team_id, user_id)
        channel = known or self._gateway.open_direct_message(user_id)
        if not known:
            with self._database.writing() as session:
                directory.note_direct_channel(session, team_id, user_id, channel)
        try:
            yield channel
        except SlackRefused as refused:
            if refused.is_channel_problem:
                with self._database.writing() as session:
                    directory.note_direct_channel(session, team_id, user_id, None)
            raise

    def _slack_user(self, person_id: int) -> str:
        """The Slack user whom a person is pinned to; pinned now, by the e-mail that Slack has confirmed."""
        if self._team_id is None:
            self._team_id = self._gateway.auth_test().team_id
        with self._database.reading() as session:
            person = session.get_one(Person, person_id)
            pinned = directory.slack_user_of(session, self._team_id, person_id)
        if pinned is not None:
            self._learn_reader(person_id, pinned)
            return pinned
        user = self._gateway.user_by_email(person.email)
        if user is None:
            raise _NobodyToTell(later("nobody in Slack has the e-mail {email}", email=person.email))
        if user.deleted or user.is_bot or user.is_guest or not user.email_confirmed:
            raise _NobodyToTell(
                later("the Slack user with the e-mail {email} is no confirmed member", email=person.email)
            )
        try:
            with self._database.writing() as session:
                tie = directory.link(
                    session, person, team_id=self._team_id, user_id=user.id, by=SCHEDULE, at=self._clock()
                )
        except IntegrityError:
            # the person's own first click has made the tie at the same moment
            return self._slack_user(person_id)
        if isinstance(tie, directory.AlreadyLinked):
            raise _NobodyToTell(tie.words)
        with self._database.writing() as session:
            directory.note_time_zone(session, self._team_id, user.id, user.time_zone)
        self._learn_reader(person_id, user.id)
        return user.id

    def _speaking_to(self, session: Session, person_id: int) -> AbstractContextManager[None]:
        """Speak what a person reads, else what the company does."""
        return speaking(directory.languages(session, [person_id]).get(person_id, self._language))

    def _learn_reader(self, person_id: int, user_id: str) -> None:
        """Ask Slack once where a person reads, and in which language; later each of their own acts tells."""
        with self._database.reading() as session:
            known = directory.has_told(session, person_id)
        if known or user_id in self._asked_about or self._team_id is None:
            return
        self._asked_about.add(user_id)
        try:
            user = self._gateway.user(user_id)
        except SlackError as error:
            _log.warning("cannot find out where and how a person reads", error=str(error))
            return
        with self._database.writing() as session:
            directory.note_time_zone(session, self._team_id, user_id, user.time_zone)
            directory.note_locale(session, self._team_id, user_id, user.locale)

    def _channel_to_post_in(self) -> str:
        """The id of the approvals channel, or its name where Slack does not tell the id."""
        if self._channel_trouble:
            raise self._channel_trouble
        if self._channel is None:
            raise SlackRefused("chat.postMessage", "channel_not_found", ("COSTBOT_CHANNEL is not set",))
        if self._channel_id is None:
            self._channel_id = self._channel
            if self._channel.startswith("#"):
                self._channel_id = self._id_of(self._channel)
        return self._channel_id

    def _id_of(self, name: str) -> str:
        try:
            return self._gateway.channel(name).id
        except SlackRefused as refused:
            if refused.is_channel_problem:
                raise
            _log.warning("cannot look the channel up by its name, so it is used as it is", error=refused.code)
            return name

    def _failed(
        self, error: Exception, failing: Sequence[OutboxNotice], behind: Iterable[OutboxNotice] = ()
    ) -> None:
        """Put off what failed, and with it what has to come after it; give up what is never taken."""
        now = self._clock()
        age = now - failing[0].created_at
        retry_after = min(max(age, SOONEST_RETRY), LATEST_RETRY)
        is_its_fault = False
        match error:
            case RateLimited() | UnderWay():
                retry_after = timedelta(seconds=max(error.retry_after, 1.0))
            case SlackUnavailable():
                self._unanswered += 1
                self.stopped = self._unanswered >= UNANSWERED_CALLS
                self._say_once("Slack does not answer; notices wait", error)
            case SlackRefused() if error is self._channel_trouble:
                self._say_once("cannot post; notices wait", error, mend=_MENDS[error.code])
                self._note_outage(error)
            case SlackRefused(is_token_problem=True):
                self.stopped = True
                mend = _MENDS.get(error.code, _REINSTALL)
                self._say_once("Slack refuses the token; notices wait", error, mend=mend)
            case _:
                is_its_fault = True
                first = failing[0]
                with working_for(first.request_id):
                    _log.error("a notice could not be delivered", notice=first.id, exc_info=error)
        with self._database.writing() as session:
            if is_its_fault and age > GIVE_UP_AGE and failing[0].attempts + 1 >= GIVE_UP_ATTEMPTS:
                outbox.give_up(session, failing, error=str(error))
                return
            until, words = now + retry_after, f"{type(error).__name__}: {error}"
            outbox.put_off(session, failing, until=until, error=words, counts=is_its_fault)
            outbox.put_off(session, behind, until=until, error=words)

    def _say_once(self, words: str, error: SlackError, **facts: str) -> None:
        """One log line for each trouble, from its first notice that waits until the last is delivered."""
        code = error.code if isinstance(error, SlackRefused) else type(error).__name__
        if code in self._said:
            return
        self._said.add(code)
        with self._database.reading() as session:
            is_said = outbox.is_put_off_by(session, code)
        if not is_said:
            _log.warning(words, error=str(error), **facts)

    def _done(self, notices: Sequence[OutboxNotice]) -> None:
        now = self._clock()
        with self._database.writing() as session:
            outbox.done(session, notices, at=now)
        for notice in notices:
            waited = (now - notice.created_at).total_seconds()
            with working_for(notice.request_id):
                _log.info(
                    "a notice was delivered",
                    notice=notice.id,
                    kind=notice.kind.value,
                    event_seq=notice.event_seq,
                    seconds=waited,
                )
        self.delivered += len(notices)
        self._unanswered = 0

    def _give_up(self, notices: Sequence[OutboxNotice], reason: str) -> None:
        with self._database.writing() as session:
            outbox.give_up(session, notices, error=reason)
        for notice in notices:
            with working_for(notice.request_id):
                _log.warning("a notice was given up", notice=notice.id, reason=reason)
