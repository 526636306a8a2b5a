"""Who acts in Slack: a Slack user, tied once to a person by the e-mail that Slack has confirmed.

Owns that tie, and whom it refuses before any rule of ours: outside people, guests, bots. What a person may do
is judged in `workflow.privileges`. 'Could not find out' refuses as well, in its own words.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from functools import partial
from threading import Lock

import structlog
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bot.gateway import Gateway
from bot.slack_answers import SlackError, SlackRefused, SlackUser
from bot.slow_parts import OneAtATime
from workflow import directory
from workflow.database import Database
from workflow.language import language_of
from workflow.privileges import Actor
from workflow.tables import SlackLink
from workflow.vocabulary import Place, Refusal

FRESH_SECONDS = 60.0
"""How long Slack's word on a user is believed: whoever is made a guest is refused within a minute, and a
burst of clicks costs one call."""

_STRANGER_TO_SLACK = ("user_not_found", "user_not_visible", "users_not_found")
_log = structlog.get_logger()


class Identity:
    """Finds out who a Slack user is; one for the whole process."""

    def __init__(
        self,
        gateway: Gateway,
        database: Database,
        *,
        clock: Callable[[], datetime],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._gateway = gateway
        self._database = database
        self._clock = clock
        self._monotonic = monotonic
        self._lock = Lock()
        self._own_team: str | None = None
        self._seen: dict[str, tuple[float, SlackUser]] = {}
        self._languages = OneAtATime[str | None]()

    def actor(self, user_id: str, team_id: str | None) -> Actor:
        """Who acts; `team_id` is the workspace that the payload says is theirs.

        Asks Slack, so it is never called in a transaction or before an ack.
        """
        return self.person(self.member(user_id, team_id))

    def member(self, user_id: str, team_id: str | None) -> SlackUser | Actor:
        """What Slack says of a member of the workspace, else who acts and is refused.

        Asks Slack, as `actor` does.
        """
        found = self._found(user_id, team_id)
        return found if isinstance(found, SlackUser) else self._for_the_record(found, user_id, team_id)

    def _found(self, user_id: str, team_id: str | None) -> SlackUser | Actor:
        try:
            team = self._team()
            user = self._user(user_id)
        except SlackRefused as error:
            outside = error.code in _STRANGER_TO_SLACK
            return _refused(user_id, Refusal.FROM_OUTSIDE if outside else Refusal.COULD_NOT_FIND_OUT)
        except SlackError as error:
            _log.warning("could not find out who a Slack user is", error=str(error))
            return _refused(user_id, Refusal.COULD_NOT_FIND_OUT)
        if _is_outside(user, team, team_id):
            return _refused(user.name, Refusal.FROM_OUTSIDE)
        return _refused(user.name, Refusal.DEACTIVATED) if user.deleted else user

    def _for_the_record(self, refused: Actor, user_id: str, team_id: str | None) -> Actor:
        """Whoever was tied to a person before is on record as that person, though nobody may act as them."""
        with self._database.reading() as session:
            tie = directory.slack_tie(session, self._own_team or team_id or "", user_id)
        return replace(refused, name=tie.name, tied_to=tie.person_id) if tie else refused

    @contextmanager
    def writing(self, member: SlackUser | Actor) -> Iterator[tuple[Session, Actor]]:
        """A write transaction, and who the member is, as it is read in it.

        Where there is something to note of them first, that is done in a transaction before.
        """
        with self._database.writing() as session:
            by = member if isinstance(member, Actor) else self._known(session, member)
            if by is not None:
                yield session, by
                return
        by = self.person(member)
        with self._database.writing() as session:
            yield session, by

    def person(self, member: SlackUser | Actor) -> Actor:
        """Who a member is; what is new of them is noted, and the first time they are tied to a person."""
        if isinstance(member, Actor):
            return member
        team = self._team()
        with self._database.reading() as session:
            tie = directory.slack_tie(session, team, member.id)
        if tie is None:
            return self._tied(member, team)
        if not _knows(tie, member):
            with self._database.writing() as session:
                directory.note_time_zone(session, team, member.id, member.time_zone)
                directory.note_locale(session, team, member.id, member.locale)
        return _actor(tie)

    def _known(self, session: Session, member: SlackUser) -> Actor | None:
        """Who a member is; None where there is something to note of them."""
        tie = directory.slack_tie(session, self._team(), member.id)
        return _actor(tie) if tie and _knows(tie, member) else None

    def language(self, user_id: str, *, within: float | None = None) -> str | None:
        """What a Slack user reads, as far as Slack has said it before; Slack is not asked, so it is quick.

        Raises TimeoutError where the database does not tell `within` so many seconds.
        """
        with self._lock:
            seen = self._seen.get(user_id)
        if seen and seen[1].locale:
            return language_of(seen[1].locale)
        if within is None:
            return self._kept_language(user_id)
        return self._languages.answer(partial(self._kept_language, user_id), seconds=within)

    def _kept_language(self, user_id: str) -> str | None:
        with self._database.reading() as session:
            return directory.language_in_slack(session, user_id)

    def _tied(self, user: SlackUser, team: str) -> Actor:
        """Tie the user to the person with their e-mail, where Slack has confirmed it."""
        if not user.email:
            return _refused(user.name, Refusal.COULD_NOT_FIND_OUT)
        if not user.email_confirmed:
            return _nobody(user, "which Slack has not confirmed")
        with self._database.reading() as session:
            person = directory.person_by_email(session, user.email)
        if person is None:
            return _nobody(user)
        by, at = Actor(Place.SLACK, person.name, person.id), self._clock()
        try:
            with self._database.writing() as session:
                tie = directory.link(session, person, team_id=team, user_id=user.id, by=by, at=at)
                directory.note_time_zone(session, team, user.id, user.time_zone)
                directory.note_locale(session, team, user.id, user.locale)
        except IntegrityError:
            # two first clicks at once: the other one has made the tie
            return self.actor(user.id, None)
        return by if isinstance(tie, SlackLink) else _nobody(user, "which is another Slack user's")

    def _team(self) -> str:
        if self._own_team is None:
            self._own_team = self._gateway.auth_test().team_id
        return self._own_team

    def _user(self, user_id: str) -> SlackUser:
        now = self._monotonic()
        with self._lock:
            self._seen = {k: v for k, v in self._seen.items() if now - v[0] < FRESH_SECONDS}
            known = self._seen.get(user_id)
        if known:
            return known[1]
        user = self._gateway.user(user_id)
        with self._lock:
            self._seen[user_id] = now, user
        return user


def _is_outside(user: SlackUser, team: str, acting_from: str | None) -> bool:
    # on Enterprise Grid a member has one home team, and lists the others
    theirs = {user.team_id, *user.teams}
    elsewhere = team not in theirs or (acting_from is not None and acting_from not in theirs)
    return elsewhere or user.is_guest or user.is_bot


def _actor(tie: directory.SlackTie) -> Actor:
    return Actor(Place.SLACK, tie.name, tie.person_id)


def _knows(tie: directory.SlackTie, member: SlackUser) -> bool:
    return tie.knows(time_zone=member.time_zone, locale=member.locale)


def _refused(name: str, reason: Refusal) -> Actor:
    return Actor(Place.SLACK, name, refusal=reason)


def _nobody(user: SlackUser, why: str = "") -> Actor:
    return Actor(Place.SLACK, ", ".join(filter(None, (f"{user.name} ({user.email})", why))))
