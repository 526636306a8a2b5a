"""App Home: opened, narrowed, searched, turned over. Each act is remembered and draws the page anew."""

from collections.abc import Callable

import structlog
from slack_bolt import Ack, App

from bot.homes import Homes
from bot.payloads import FilterChoice, HomePageButton
from bot.slack_answers import SlackRefused
from bot.visit import Services, Visit, lazily
from workflow import homes
from workflow.tables import HomeView

_log = structlog.get_logger()


def register(app: App, services: Services) -> None:
    """Listen to App Home being opened; its menu, search and buttons are among the actions."""
    app.event("app_home_opened")(lazily(services, open_page))


def acknowledge(ack: Ack) -> None:
    """Tell Slack that the event arrived."""
    ack()


def open_page(visit: Visit) -> None:
    """Show the person their page as they left it; outside people see only why they may not look."""
    _show(visit, lambda view: None)


def choose(visit: Visit) -> None:
    """List other jobs."""
    choice = visit.interaction.read(FilterChoice)
    _show(visit, lambda view: homes.choose(view, choice.filter))


def search(visit: Visit) -> None:
    """List only the jobs that contain what was typed."""
    _show(visit, lambda view: homes.search(view, visit.interaction.value))


def turn_page(visit: Visit) -> None:
    """Show another page of the list."""
    button = visit.interaction.read(HomePageButton)
    _show(visit, lambda view: homes.turn_to(view, button.page))


def _show(visit: Visit, change: Callable[[HomeView], None]) -> None:
    services, act = visit.services, visit.interaction
    with services.database.writing() as session:
        view = homes.open_page(session, team_id=act.team_id or "", user_id=act.user_id, at=visit.now)
        change(view)
    pages = Homes(
        services.database, services.gateway, services.identity, services.settings, clock=services.clock
    )
    try:
        pages.show(view, visit.actor)
    except SlackRefused as refused:
        if visit.actor.person_id is not None:
            raise
        _log.warning("Slack shows no page to somebody whom costbot does not know", error=str(refused))
