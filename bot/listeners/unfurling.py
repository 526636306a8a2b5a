"""Somebody shared links to jobs: each gets a few facts below it, in the company's language.

Everybody in the conversation reads them. So they come only where a person of the directory shared the link in
the company's own workspace, and in no channel that is shared with another organisation. Nothing is told to
whoever may not: the link stays as they typed it.
"""

from collections.abc import Callable
from typing import Any

import structlog
from pydantic import BaseModel, ValidationError
from slack_bolt import App, BoltContext

from bot.addresses import number_in_link
from bot.blocks.pieces import Json
from bot.blocks.unfurl import job_unfurl
from bot.interaction import interaction_of
from bot.listeners.home import acknowledge
from bot.middleware import bind_log
from bot.slack_answers import SharedLinks, SlackError
from bot.visit import Services
from workflow import deliveries, directory, queries
from workflow.language import speaking

COMPOSER = "composer"
"""The source of a link that is being typed: nobody knows yet who will read it, and Slack tells of it again
once it was sent (api.slack.com/changelog/2021-08-changes-to-unfurls)."""
_log = structlog.get_logger()


class _Link(BaseModel):
    url: str


class _Shared(BaseModel):
    """The event, as docs.slack.dev/reference/events/link_shared has it."""

    channel: str
    message_ts: str
    unfurl_id: str | None = None
    source: str | None = None
    links: list[_Link]


def register(app: App, services: Services) -> None:
    """Listen to links of the domains that the app's manifest names."""
    app.event("link_shared")(ack=acknowledge, lazy=[_after_the_ack(services)])


def _after_the_ack(services: Services) -> Callable[..., None]:
    def run(body: dict[str, Any], context: BoltContext) -> None:
        bind_log(context)
        try:
            shared = _Shared.model_validate(body["event"])
        except ValidationError as error:
            _log.warning("a shared link of another shape", error=str(error))
            return
        numbers = _numbers(services, shared)
        if not numbers or shared.source == COMPOSER or body.get("is_ext_shared_channel"):
            return
        sharer = interaction_of(body)
        actor = services.identity.actor(sharer.user_id, sharer.team_id)
        if actor.refusal is not None or actor.person_id is None:
            _log.info("a link stays as it is: who shared it is not in the directory")
            return
        if not _is_first(services, sharer.delivery):
            _log.info("delivered twice, handled once")
            return
        with speaking(services.settings.language):
            cards = _cards(services, numbers)
        if cards:
            _show(services, shared, cards)

    return run


def _numbers(services: Services, shared: _Shared) -> dict[str, str]:
    """The number of the job that each link is of; the domain may have other pages."""
    found = {link.url: number_in_link(services.settings, link.url) for link in shared.links}
    return {url: number for url, number in found.items() if number}


def _is_first(services: Services, delivery: str | None) -> bool:
    if delivery is None:
        return True
    with services.database.writing() as session:
        return deliveries.first_time(session, delivery, at=services.clock())


def _cards(services: Services, numbers: dict[str, str]) -> dict[str, list[Json]]:
    cards = {}
    with services.database.reading() as session:
        for url, number in numbers.items():
            job = directory.job_by_number(session, number)
            facts = queries.current_update(session, job.id) if job else None
            if facts is not None:
                cards[url] = job_unfurl(facts, services.settings.rules)
    return cards


def _show(services: Services, shared: _Shared, cards: dict[str, list[Json]]) -> None:
    where = SharedLinks(shared.channel, shared.message_ts, shared.unfurl_id, shared.source)
    try:
        services.gateway.unfurl(where, cards)
    except SlackError as error:
        # the message may be gone, or the domain not be the app's: the link stays as it is
        _log.warning("Slack shows no facts below a link", error=str(error))
