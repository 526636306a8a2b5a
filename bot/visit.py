"""One interaction of one person being handled: who they are, what they do, what they are told.

Owns the order of things: what is done commits once, delivery is nudged, the person always gets an answer.
What is decided lives in `workflow`, what is said in `bot.blocks`.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, TypeVar

import structlog
from slack_bolt import Ack, BoltContext
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from bot.answering import AnsweredBeforeError, Answering, WindowClosedError, WindowNotOpenedError
from bot.blocks import notices
from bot.blocks.pieces import Json, Message
from bot.gateway import Gateway
from bot.identity import Identity
from bot.interaction import Interaction, UnreadableError
from bot.middleware import INTERACTION, REQUEST_ID, bind_log
from bot.slack_answers import SlackError, SlackUser
from workflow import approvals, deliveries, privilege_requests
from workflow.checks import SageLimits
from workflow.database import Database
from workflow.language import go_on_in, later, say, speaking
from workflow.privileges import Actor, Refused, Rules
from workflow.results import Unchanged
from workflow.settings import Settings
from workflow.tracing import span
from workflow.vocabulary import PeriodicWork

Result = TypeVar("Result")

ForgetInstall = Callable[[float], bool]
"""Drops the workspace's token, unless its install is younger (Unix seconds); whether it did."""

_WAS = {
    True: later("It was saved, but not all of it could be shown."),
    False: later("Nothing was changed."),
    None: later("It may have been saved, so look first."),
}
"""What became of what was done, when something goes wrong."""
_NOT_OPENED = later("Slack did not open the window in time. Nothing was changed; please click again.")
_LANGUAGE_SECONDS = 1.0
_log = structlog.get_logger(__name__)  # named, or each line would look up who speaks


def keep_settings(_installed_before: float) -> bool:
    """How a token in the settings is forgotten: not by costbot."""
    return True


def know_of_none() -> float:
    """When a token in the settings was installed: costbot does not know."""
    return 0.0


def know_no_better(_person_id: int) -> None:
    """How a person is read anew where the directory is costbot's own: there is nobody to ask."""


@dataclass(frozen=True, slots=True)
class Services:
    """What every listener works with; made once by `build_app`."""

    settings: Settings
    gateway: Gateway
    database: Database
    identity: Identity
    nudge: Callable[[str], None]
    """Ask for a periodic job's work now; never raises."""
    clock: Callable[[], datetime]
    limits: SageLimits
    """What the company's Sage takes."""
    read_back: Callable[[int], None]
    """Read what Sage holds for a job now, as far as Sage can be asked; never raises."""
    know_person: Callable[[int], None]
    """Read a person of Procore's directory anew where that is due, by their id; never raises."""
    forget_install: ForgetInstall
    """Drop the token that the install has left with costbot."""
    installed_at: Callable[[], float]
    """When the install was made that costbot works with (Unix seconds)."""
    threads: Executor
    """What handles visits after their ack."""


class RepeatedError(Exception):
    """Slack delivered this one before; it was handled then."""


class UnsureError(Exception):
    """The database did not say whether it took what was done."""


class DeniedError(Exception):
    """The person may not even look; it is on record."""

    def __init__(self, refused: Refused) -> None:
        super().__init__(refused.words)
        self.refused = refused


class Visit:
    """One interaction; listeners read, act and answer through it."""

    def __init__(self, services: Services, interaction: Interaction) -> None:
        self.services = services
        self.interaction = interaction
        self.now = services.clock()
        self.saved: bool | None = False
        """Whether anything was; None while all that is known is that it may have been."""
        self._noted: bool | None = False
        """Whether the delivery is; None where the database did not say."""
        self._answering = Answering(services.gateway, interaction)

    @cached_property
    def rules(self) -> Rules:
        return self.services.settings.rules

    @cached_property
    def _member(self) -> SlackUser | Actor:
        """Slack's word on who acts. Slack may be asked, so this comes before a transaction, never in one."""
        act = self.interaction
        member = self.services.identity.member(act.user_id, act.team_id)
        go_on_in(language_for(self.services, act))  # Slack may just have said it
        return member

    @cached_property
    def actor(self) -> Actor:
        """Who acts, for what only reads; found out before a transaction as well."""
        return self.services.identity.person(self._member)

    def meet(self) -> None:
        """Find out who reads, and so in which language, before an answer that asks for nothing else."""
        _ = self.actor

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that reads, for members of the workspace. Raises DeniedError for others."""
        if self.actor.refusal is not None:
            refused = self.check(self._look)
            if refused is not None:
                raise DeniedError(refused)
        with self.services.database.reading() as session:
            yield session

    def act(self, use_case: Callable[[Session, Actor, datetime], Result]) -> Result:
        """Carry out a use case in one transaction; RepeatedError when Slack delivers the same once more.

        A visit may act several times: the first transaction that is kept notes the delivery.

        Raises:
            RepeatedError: as said.
            UnsureError: the database did not say whether it took what was done.
        """
        return self._carry_out(use_case, Unchanged)

    def check(self, use_case: Callable[[Session, Actor, datetime], Result]) -> Result:
        """Carry out in the same way what only looks, so that nothing is saved whatever comes of it."""
        return self._carry_out(use_case, object)

    def _carry_out(self, use_case: Callable[[Session, Actor, datetime], Result], unchanged: type) -> Result:
        is_done = saves = False
        try:
            with self.services.identity.writing(self._member) as (session, by):
                if self._is_repeated(session):
                    raise RepeatedError
                result = use_case(session, by, self.now)
                is_done, saves = True, not isinstance(result, unchanged)
        except Exception as error:
            if is_done:
                self._noted = self._noted or None
            if saves:
                self.saved = self.saved or None
                raise UnsureError from error
            raise
        self._noted = True
        if saves:
            self.saved = True
        self.services.nudge(PeriodicWork.DELIVER)
        return result

    def _is_repeated(self, session: Session) -> bool:
        """Note the delivery, as long as that is not sure; whether another visit did."""
        key = self.interaction.delivery
        if not key or self._noted:
            return False
        return not deliveries.first_time(session, key, at=self.now) and self._noted is False

    def know_anew(self) -> None:
        """See to it that what is known of whoever acts is young enough to decide by, as far as it can be."""
        if self.rules.people_known_for is not None and self.actor.person_id is not None:
            self.services.know_person(self.actor.person_id)
            self.now = self.services.clock()

    def open(self, view: Json) -> None:
        """Open a window, on top of the one that was clicked in; a click is good for three seconds."""
        self._answering.open(view)

    def show(self, view: Json) -> None:
        """Show a view in the window that is open, else in a new one. Raises as `Answering.show` does."""
        self._answering.show(view)

    def show_or_tell(self, view: Json, message: Message) -> None:
        """Show what came of an act; whoever has closed the window meanwhile is told."""
        try:
            self.show(view)
        except (SlackError, WindowClosedError, WindowNotOpenedError):
            self.tell(message)

    def tell(self, message: Message) -> None:
        """Say something to the person alone."""
        self._answering.tell(message)

    def answer(self, text: str) -> None:
        """Say something short to the person alone; `text` is plain."""
        self.tell(notices.answer(text))

    def deny(self, refused: Refused) -> None:
        """Say why the person may not, and offer to ask for the privilege where that helps."""
        can_ask = privilege_requests.can_be_asked_for(refused.reason, self.rules)
        self.tell(notices.denied(refused.words, refused.reason, can_ask=can_ask))

    def _look(self, session: Session, by: Actor, at: datetime) -> Refused | None:
        return approvals.check(session, "look at cost codes", by=by, at=at, rules=self.rules)


def lazily(
    services: Services,
    handle: Callable[[Visit], None],
    *,
    acknowledge: Callable[[Ack, dict[str, Any]], None] | None = None,
) -> Callable[..., None]:
    """A listener that acknowledges, and then has the visit handled in a thread of its own.

    `acknowledge` says something by it, in the language of whoever acts. Bolt's own lazy listeners would copy
    the whole request, with the message or the window that it came from.
    """

    def run(context: BoltContext) -> None:
        try:
            bind_log(context)
            act: Interaction = context[INTERACTION]
            with span("request", act=act.name):
                _log.info("a request of Slack's")
                with speaking(language_for(services, act)):
                    receive(Visit(services, act), handle, request_id=context[REQUEST_ID])
        except Exception:  # noqa: BLE001 - nobody would hear of it: a thread keeps what it raises to itself
            _log.exception("a request could not be handled")

    def listen(ack: Ack, body: dict[str, Any], context: BoltContext) -> None:
        if acknowledge is None:
            ack()
        else:
            with speaking(language_for(services, context[INTERACTION])):
                acknowledge(ack, body)
        services.threads.submit(run, context)

    return listen


def language_for(services: Services, act: Interaction) -> str:
    """What the person who acts reads, else the company; so it is while the database does not tell.

    The ack, or the window that opens, comes after it, and Slack gives three seconds.
    """
    try:
        language = services.identity.language(act.user_id, within=_LANGUAGE_SECONDS)
        return language or services.settings.language
    except (SQLAlchemyError, TimeoutError) as error:
        _log.warning("cannot find out what a person reads", error=type(error).__name__)
        return services.settings.language


def receive(visit: Visit, handle: Callable[[Visit], None], *, request_id: str) -> None:
    """Handle one visit; whatever goes wrong, the person is told and the log knows why."""
    try:
        handle(visit)
    except (RepeatedError, AnsweredBeforeError):
        _log.info("delivered twice, handled once")
    except WindowClosedError:
        _log.info("the window was closed before there was something to show")
    except DeniedError as denied:
        visit.deny(denied.refused)
    except WindowNotOpenedError as error:
        _log.warning("a window did not open", error=str(error))
        visit.answer(_trouble(visit, request_id) if visit.saved is not False else say(_NOT_OPENED))
    except UnreadableError:
        visit.answer(
            say(
                "This button is from an older costbot, and nothing was changed. /costcodes jobs shows "
                "every job with buttons that work."
            )
        )
    except Exception:  # noqa: BLE001 - the last door: logged, and the person is told
        _log.exception("an interaction failed")
        visit.answer(_trouble(visit, request_id))


def _trouble(visit: Visit, request_id: str) -> str:
    return say(
        "Something went wrong. {was} Try again, or tell your administrator: error {request_id}.",
        was=say(_WAS[visit.saved]),
        request_id=request_id,
    )
