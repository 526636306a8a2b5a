"""App Home, a first simple page: what is Ready to Update, and the last and the next data sync."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from slack_sdk.models.views import View

from bot.blocks import words
from bot.blocks.notices import job_row, sync_words
from bot.blocks.pieces import Json, actions, button, context, divider, header, plain_context, section
from bot.payloads import Action
from workflow.queries import UpdateFacts
from workflow.tables import DataSync

JOBS_ON_HOME = 40


def home_tab(
    ready: Sequence[UpdateFacts],
    total_ready: int,
    *,
    last_run: datetime | None,
    last_sync: DataSync | None,
    next_sync: datetime | None,
    may_update: bool,
    why_not: str | None,
) -> Json:
    """The page of one person: `ready` holds the oldest of `total_ready` jobs; `why_not` is plain text.

    `last_run` is when the schedule's data sync ran last, `last_sync` the last one that had something to send.
    """
    syncs = words.last_run_words(last_run), _last_batch(last_sync), words.next_sync_words(next_sync)
    blocks = list(
        _page(ready[:JOBS_ON_HOME], total_ready, "\n".join(filter(None, syncs)), may_update, why_not)
    )
    return View(type="home", blocks=blocks).to_dict()


def _page(
    ready: Sequence[UpdateFacts],
    total_ready: int,
    syncs: str,
    may_update: bool,
    why_not: str | None,
) -> Iterator[Json]:
    yield header("Ready to Update")
    if may_update:
        yield context("You are an accounting approver: you may update and reject.")
    elif why_not:
        yield plain_context(f"🔒 {why_not}")
    if not ready:
        yield section("✅ Nothing waits for an approver.")
    for facts in ready:
        yield job_row(facts)
    if total_ready > len(ready):
        yield context(f"… and {total_ready - len(ready):,} more: `/costcodes jobs ready`")
    yield divider()
    yield header("Data sync")
    yield section(syncs)
    if may_update:
        yield actions([button("Run a data sync now", Action.SYNC_NOW)])


def _last_batch(last_sync: DataSync | None) -> str:
    return f"Last batch: {sync_words(last_sync)}" if last_sync else ""
