"""The people whom delivery writes to, as Slack knows them: which user, where to, in which language.

Owns pinning a person to a Slack user by the confirmed e-mail, as `bot.identity` does for who clicks.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime

import structlog
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bot.gateway import Gateway
from bot.slack_answers import SlackError, SlackRefused
from workflow import directory
from workflow.database import Database
from workflow.language import later, speaking
from workflow.privileges import SCHEDULE
from workflow.tables import Person

_LEARNED_A_DRAIN = 90
"""Slack lets `users.info` be called about 100 times a minute, and whoever clicks needs it too."""

_log = structlog.get_logger()


class NobodyToTell(Exception):  # noqa: N818 - an answer, not a mistake
    """The person has no Slack user that costbot may write to; the reason goes on record."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words
        """To be said in the language of whoever reads it."""


class Readers:
    """What one drain has learned of them; `language` is the company's."""

    def __init__(
        self, database: Database, gateway: Gateway, *, language: str, clock: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._gateway = gateway
        self._language = language
        self._clock = clock
        self._team_id: str | None = None
        self._asked_about: set[str] = set()

    def slack_user(self, person_id: int) -> str:
        """The Slack user whom a person is pinned to; pinned now, by the e-mail that Slack has confirmed.

        Raises NobodyToTell.
        """
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
            raise NobodyToTell(later("nobody in Slack has the e-mail {email}", email=person.email))
        if user.deleted or user.is_bot or user.is_guest or not user.email_confirmed:
            raise NobodyToTell(
                later("the Slack user with the e-mail {email} is no confirmed member", email=person.email)
            )
        try:
            with self._database.writing() as session:
                tie = directory.link(
                    session, person, team_id=self._team_id, user_id=user.id, by=SCHEDULE, at=self._clock()
                )
        except IntegrityError:
            # the person's own first click has made the tie at the same moment
            return self.slack_user(person_id)
        if isinstance(tie, directory.AlreadyLinked):
            raise NobodyToTell(tie.words)
        with self._database.writing() as session:
            directory.note_time_zone(session, self._team_id, user.id, user.time_zone)
        self._learn_reader(person_id, user.id)
        return user.id

    @contextmanager
    def direct_message(self, user_id: str) -> Iterator[str]:
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

    def speaking_to(self, session: Session, person_id: int) -> AbstractContextManager[None]:
        """Speak what a person reads, else what the company does."""
        return speaking(directory.languages(session, [person_id]).get(person_id, self._language))

    def _learn_reader(self, person_id: int, user_id: str) -> None:
        """Ask Slack once where a person reads, and in which language; later each of their own acts tells."""
        with self._database.reading() as session:
            known = directory.has_told(session, person_id)
        enough = user_id in self._asked_about or len(self._asked_about) >= _LEARNED_A_DRAIN
        if known or enough or self._team_id is None:
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
