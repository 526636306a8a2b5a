"""Menus that are looked up while somebody types: jobs, standard cost codes, categories.

The one kind of request that is answered in its ack: nothing but one short question to the database comes
before it. Who is no member of the workspace, or not in the directory, is offered nothing.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from slack_bolt import Ack, App
from slack_sdk.models.blocks import Option
from sqlalchemy.orm import Session

from bot.blocks.pieces import option
from bot.interaction import interaction_of
from bot.payloads import Typed
from bot.visit import Services
from workflow import search

OPTIONS = 100
"""Slack takes no more in one answer."""


def register(app: App, services: Services) -> None:
    """Listen to every menu that is looked up, and last to any other."""
    for menu, look in MENUS.items():
        app.options(menu.value)(_answering(services, look))
    app.options(re.compile(".*"))(_nothing)


def _answering(services: Services, look: Callable[[Session, str], Sequence[Option]]) -> Callable[..., None]:
    def answer(ack: Ack, body: dict[str, Any]) -> None:
        act = interaction_of(body)
        # Slack was asked who this is when the window opened, and its word is kept for a minute
        actor = services.identity.actor(act.user_id, act.team_id)
        found: Sequence[Option] = ()
        if actor.person_id is not None:
            with services.database.reading() as session:
                found = look(session, str(body.get("value") or ""))
        ack(options=[one.to_dict() for one in found])

    return answer


def _nothing(ack: Ack) -> None:
    ack(options=[])


def _jobs(session: Session, typed: str) -> Sequence[Option]:
    return [option(job.title, str(job.id)) for job in search.jobs(session, typed, limit=OPTIONS)]


def _cost_codes(session: Session, typed: str) -> Sequence[Option]:
    found = search.cost_codes(session, typed, limit=OPTIONS)
    return [option(f"{code.code} {code.description}", code.code) for code in found]


def _categories(session: Session, typed: str) -> Sequence[Option]:
    found = search.categories(session, typed, limit=OPTIONS)
    return [option(f"{one.code} {one.name}", one.code) for one in found]


MENUS: Mapping[Typed, Callable[[Session, str], Sequence[Option]]] = {
    Typed.JOB: _jobs,
    Typed.COST_CODES: _cost_codes,
    Typed.CATEGORIES: _categories,
}
