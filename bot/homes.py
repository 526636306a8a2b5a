"""People's App Home pages: read and drawn as of now, published, and again when they are out of date.

One way for whoever opens a page and for delivery, which redraws the open ones. What is out of date is decided
in `workflow.homes`; a page costs the company's acts nothing.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from sqlalchemy.orm import Session

from bot.blocks.home_company import SHOWN
from bot.blocks.home_jobs import JOBS_A_PAGE, JobList
from bot.blocks.home_tab import REQUESTS_SHOWN, HomeFacts, Syncs, closed_home, home_tab
from bot.blocks.pieces import Json
from bot.gateway import Gateway
from bot.identity import Identity
from bot.slack_answers import RateLimited, SlackError, SlackRefused
from workflow import homes, privilege_requests, queries, queues, slots
from workflow.administration import administration
from workflow.database import Database
from workflow.language import speaking
from workflow.privileges import Actor, explain, refusal_of
from workflow.settings import Settings
from workflow.tables import HomeView, Person
from workflow.vocabulary import JobFilter, PeriodicWork, Refusal, State

_UNANSWERED_PAUSE = timedelta(seconds=30)
_log = structlog.get_logger()


class Homes:
    """Publishes pages, the one that a person asks for and those that are out of date."""

    def __init__(
        self,
        database: Database,
        gateway: Gateway,
        identity: Identity,
        settings: Settings,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._gateway = gateway
        self._identity = identity
        self._settings = settings
        self._clock = clock
        self._not_before: datetime | None = None

    def show(self, view: HomeView, actor: Actor) -> None:
        """Show the person their page as they left it; `refresh` does while Slack wants no more pages.

        Raises SlackUnavailable or SlackRefused.
        """
        try:
            self._publish(view, actor)
        except RateLimited:
            self._note(view, homes.NOT_DRAWN, at=self._clock())

    def refresh(self) -> None:
        """Draw anew every open page that is out of date, as far as Slack takes them; never raises SlackError.

        A page that Slack refuses is left until there is something new to show on it.
        """
        now = self._clock()
        if self._not_before is not None and now < self._not_before:
            return
        with self._database.reading() as session:
            due, seq = homes.out_of_date(session, now=now), homes.newest_event(session)
        for view in due:
            actor = self._identity.actor(view.user_id, view.team_id)
            if actor.refusal is Refusal.COULD_NOT_FIND_OUT:
                self._not_before = now + _UNANSWERED_PAUSE
                return
            try:
                self._publish(view, actor)
            except RateLimited as limited:
                self._not_before = now + timedelta(seconds=limited.retry_after)
                return
            except SlackRefused as refused:
                _log.warning("a page of App Home was refused", user=view.user_id, error=str(refused))
                self._note(view, seq, at=now)
            except SlackError as error:
                _log.warning("Slack does not answer; pages of App Home wait", error=str(error))
                self._not_before = now + _UNANSWERED_PAUSE
                return

    def next_due(self) -> datetime | None:
        """When a page has to be drawn anew; None when all are as they should be."""
        with self._database.reading() as session:
            due = homes.next_due(session, now=self._clock())
        return max(filter(None, (due, self._not_before))) if due else None

    def _publish(self, view: HomeView, actor: Actor) -> None:
        now = self._clock()
        with self._database.reading() as session:
            seq = homes.newest_event(session)
            language = self._identity.language(view.user_id) or self._settings.language
            with speaking(language):
                page = home_page(session, view, actor, settings=self._settings, now=now)
        self._gateway.publish_home(view.user_id, page)
        self._note(view, seq, at=now)

    def _note(self, view: HomeView, seq: int, *, at: datetime) -> None:
        with self._database.writing() as session:
            homes.drawn(session, view, seq=seq, at=at)


def home_page(session: Session, view: HomeView, actor: Actor, *, settings: Settings, now: datetime) -> Json:
    """One person's page as of now; whoever may not look sees why."""
    rules = settings.rules
    person = session.get(Person, actor.person_id) if actor.person_id else None
    if person is None or actor.refusal:
        reason = actor.refusal or Refusal.NO_MATCHING_PERSON
        can_ask = privilege_requests.can_be_asked_for(reason, rules)
        return closed_home(explain(reason, actor.name, rules), reason, can_ask=can_ask)
    refused = refusal_of(actor, person, rules)
    may_update = refused is None
    which = view.filter or (JobFilter.READY if may_update else JobFilter.MINE)
    listed = queues.page(
        session, which, person_id=person.id, text=view.search, limit=JOBS_A_PAGE, number=view.page
    )
    newest = queries.data_syncs(session, limit=1)
    facts = HomeFacts(
        jobs=JobList(
            which=which,
            search=view.search,
            page=listed.number,
            rows=listed.rows,
            goes_on=listed.goes_on,
            ready=queries.count_updates(session, [State.READY]),
        ),
        failed=queries.count_updates(session, [State.FAILED]) if may_update else 0,
        syncs=Syncs(
            last_run=slots.last_done(session, PeriodicWork.DATA_SYNC),
            last_batch=newest[0] if newest else None,
            next_due=slots.next_due(settings.sync_cron, now),
        ),
        may_update=may_update,
        why_not=refused.words if refused else None,
        turned_down=queues.turned_down(session, person.id, limit=REQUESTS_SHOWN + 1) if may_update else (),
        administration=administration(session, limit=SHOWN, now=now, rules=rules)
        if person.email in rules.admin_emails
        else None,
    )
    return home_tab(facts, now=now, rules=rules)
