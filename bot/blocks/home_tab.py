"""App Home: one person's own page. Whoever is administrator, requester and approver at once sees all three.

A pure function of facts: short sections first, the list of jobs last.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from slack_sdk.models.views import View

from bot.blocks import words
from bot.blocks.home_company import company
from bot.blocks.home_jobs import JobList, job_list, job_row
from bot.blocks.notices import ask_button, sync_words
from bot.blocks.pieces import Json, actions, button, context, divider, header, plain_context, section
from bot.payloads import Action, FilterChoice
from workflow.administration import Administration
from workflow.language import plural, say
from workflow.privileges import USUAL_RULES, Rules
from workflow.queues import QueuedUpdate
from workflow.tables import DataSync
from workflow.vocabulary import JobFilter, Refusal

REQUESTS_SHOWN = 3
"""Of what an approver requested and was turned down; the menu lists all."""


@dataclass(frozen=True, slots=True)
class Syncs:
    """When data syncs run: the schedule's last one, the last batch that it sent, and the next."""

    last_run: datetime | None
    last_batch: DataSync | None
    next_due: datetime


@dataclass(frozen=True, slots=True)
class HomeFacts:
    """What one person's page shows."""

    jobs: JobList
    failed: int
    """How many jobs failed to export."""
    syncs: Syncs
    may_update: bool
    why_not: str | None
    """Plain text for who may not Update."""
    turned_down: Sequence[QueuedUpdate] = ()
    """What an approver asked for themselves and may ask for again, one more than is shown."""
    administration: Administration | None = None
    """For the administrator alone."""


def home_tab(facts: HomeFacts, *, now: datetime, rules: Rules = USUAL_RULES) -> Json:
    """The page of a member of the company."""
    return View(type="home", blocks=list(_sections(facts, now, rules))).to_dict()


def closed_home(why: str, reason: Refusal, *, can_ask: bool) -> Json:
    """The page of somebody who may not look; `why` is plain text. A button asks where that helps."""
    ask = [actions([ask_button(reason)])] if can_ask else []
    return View(type="home", blocks=[plain_context(f"🔒 {why}"), *ask]).to_dict()


def _sections(facts: HomeFacts, now: datetime, rules: Rules) -> Iterator[Json]:
    if facts.may_update:
        yield context(say("You are an accounting approver: you may update and reject."))
    elif facts.why_not:
        yield plain_context(f"🔒 {facts.why_not}")
    yield section(
        _syncs(facts.syncs),
        accessory=button(say("Run a data sync now"), Action.SYNC_NOW) if facts.may_update else None,
    )
    if facts.failed and facts.jobs.which is not JobFilter.FAILED:
        yield _failed(facts.failed)
    yield divider()
    if facts.administration:
        yield from company(facts.administration, now=now)
        yield divider()
    if facts.turned_down and facts.jobs.which is not JobFilter.MINE:
        yield from _turned_down(facts.turned_down, now)
        yield divider()
    yield from job_list(facts.jobs, may_update=facts.may_update, now=now, rules=rules)


def _syncs(syncs: Syncs) -> str:
    batch = say("Last batch: {data_sync}", data_sync=sync_words(syncs.last_batch)) if syncs.last_batch else ""
    lines = words.last_run_words(syncs.last_run), batch, words.next_sync_words(syncs.next_due)
    return "\n".join(filter(None, lines))


def _failed(failed: int) -> Json:
    show = button(say("Show what failed"), Action.HOME_FILTER, FilterChoice(filter=JobFilter.FAILED))
    return section(
        plural("❌ *{n:,} job Failed to Export*", "❌ *{n:,} jobs Failed to Export*", failed),
        accessory=show,
        block_id="home:failed",
    )


def _turned_down(rows: Sequence[QueuedUpdate], now: datetime) -> Iterator[Json]:
    yield header(say("You may ask again"))
    for row in rows[:REQUESTS_SHOWN]:
        yield from job_row(row, mine=True, may_update=False, now=now)
    if len(rows) > REQUESTS_SHOWN:
        show = button(say("Show all"), Action.HOME_FILTER, FilterChoice(filter=JobFilter.MINE))
        yield section(say("… and more that you requested"), accessory=show, block_id="home:turned_down")
