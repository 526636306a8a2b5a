"""The bot of a host for many companies, as a process: one Slack app, one address, each company by itself.

Owns wiring every company's services to its own database, token and Sage. It decides nothing about what Slack
sends.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

import structlog
from slack_bolt import App
from slack_sdk.oauth.installation_store import Installation
from sqlalchemy.exc import SQLAlchemyError
from starlette.routing import Route

from bot.app import build_app
from bot.bot_process import SocketMode, listening, metrics_routes, require_way_in, serve, slack_check
from bot.health import Check, database_check, redis_check, sync_check
from bot.http import SILENT, http_app, job_routes
from bot.installations import Installations, gateway_of
from bot.links import cards_by_number
from bot.metrics import Watched
from bot.oauth import install_routes, team_of
from bot.procore_webhooks import webhook_routes
from bot.routing import ManyApps, nobodys_app
from bot.slow_parts import Question, answers
from bot.visit import know_no_better
from workflow import outages
from workflow.checks import SageLimits
from workflow.database import Database
from workflow.privileges import Actor
from workflow.settings import Settings, company_path
from workflow.tally import bringing
from workflow.vocabulary import PeriodicWork, Place

_ANSWER_SECONDS = 2.0
"""Less than `/readyz` waits for all of them together."""
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Company:
    """One company as the bot needs it, each as `build_app` asks for it."""

    settings: Settings
    database: Database
    nudge: Callable[[str], None]
    limits: SageLimits
    read_back: Callable[[int], None]
    know_person: Callable[[int], None] = know_no_better

    @property
    def name(self) -> str:
        return self.settings.company or ""

    @property
    def team(self) -> str:
        return self.settings.slack_team or ""


@dataclass(frozen=True, slots=True)
class Front:
    """What Slack and browsers reach: the apps of all companies, and the pages of the install."""

    apps: ManyApps
    routes: list[Route]
    by_team: Mapping[str, App]


def run_many(host: Settings, companies: list[Company]) -> None:
    """Serve Slack for all companies until SIGTERM or SIGINT; what was acknowledged is finished first.

    Raises:
        SettingsError: a setting of the Slack app is missing, or the port is taken.
    """
    require_way_in(host)
    with listening(host) as listener, front(host, companies) as open_:
        socket_mode = SocketMode(open_.apps, host) if host.slack_app_token else None
        sockets = slack_check(socket_mode)
        watched = [Watched(one.settings, one.database) for one in companies]
        web = http_app(
            open_.apps,
            takes_events=host.slack_signing_secret is not None,
            ready={} if host.slack_signing_secret else sockets,
            # one company's trouble does not take the bot from the others
            notes={
                "companies": trouble_of({one.name: _checks(one) for one in companies}),
                **(sockets if host.slack_signing_secret else {}),
            },
            more=[
                *open_.routes,
                *metrics_routes(host, watched, socket_mode),
            ],
        )
        serve(web, host, listener, socket_mode)


@contextmanager
def front(
    host: Settings, companies: list[Company], *, clock: Callable[[], datetime] | None = None
) -> Iterator[Front]:
    """Everything behind the bot's address; what was acknowledged is finished when the block ends."""
    clock = clock or _now
    with ExitStack() as stack:
        installations = stack.enter_context(closing(Installations(host)))
        gateways = {one.team: gateway_of(one.settings, installations) for one in companies}
        for one in companies:
            stack.enter_context(bringing(one.settings.redis, gateways[one.team].counts))
        by_team = {
            one.team: build_app(
                one.settings,
                gateway=gateways[one.team],
                database=one.database,
                nudge=one.nudge,
                clock=clock,
                limits=one.limits,
                read_back=one.read_back,
                know_person=one.know_person,
                forget_install=partial(_forget, installations, one.team),
                installed_at=partial(installations.installed_at, one.team),
            )
            for one in companies
        }
        apps = stack.enter_context(closing(ManyApps(by_team, nobodys_app(host))))
        members = {one.team: one for one in companies}

        def installed(team: str, installation: Installation) -> None:
            _note_install(members[team], installation, at=clock())

        settings = {one.team: one.settings for one in companies}
        routes = install_routes(host, settings, installations, installed=installed)
        for one in companies:
            routes += webhook_routes(one.settings, one.database, one.nudge, clock)
        if host.public_url is not None:
            for one in companies:
                card_of = cards_by_number(one.database, gateways[one.team], clock=clock)
                routes += job_routes(card_of, below=company_path(one.name), language=one.settings.language)
        yield Front(apps, routes, by_team)


def _forget(installations: Installations, team: str, installed_before: float) -> bool:
    return installations.forget(team, installed_before=installed_before)


def _note_install(company: Company, installation: Installation, *, at: datetime) -> None:
    """Put it on the company's record, and tell at last what has waited for it."""
    team, name = team_of(installation)
    by = Actor(Place.SLACK, f"Slack user {installation.user_id}")
    try:
        with company.database.writing() as session:
            outages.installed(session, workspace=f"{name} ({team})".strip(), by=by, at=at)
    except SQLAlchemyError as error:
        _log.error("an install could not be put on record", company=company.name, error=str(error))
    company.nudge(PeriodicWork.DELIVER)


def _checks(company: Company) -> Mapping[str, Check]:
    return {
        "database": database_check(company.database),
        "redis": redis_check(company.settings),
        "data_sync": sync_check(company.settings, company.database, clock=_now),
    }


def trouble_of(companies: Mapping[str, Mapping[str, Check]], *, patience: float = _ANSWER_SECONDS) -> Check:
    """How many companies have trouble; which ones is for the log, for whoever asks is nobody we know."""
    questions = {
        (name, what): Question(check) for name, checks in companies.items() for what, check in checks.items()
    }

    def check() -> str | None:
        found = answers(questions, seconds=patience)
        wrong: dict[str, dict[str, str]] = {}
        for name, what in questions:
            if said := found.get((name, what), SILENT):
                wrong.setdefault(name, {})[what] = said
        for name, of_one in wrong.items():
            _log.warning("a company has trouble", company=name, **of_one)
        return f"{len(wrong)} of {len(companies)} have trouble; the log says which" if wrong else None

    return check


def _now() -> datetime:
    return datetime.now(UTC)
