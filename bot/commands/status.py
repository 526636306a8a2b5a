"""`costbot status` and `migrate`: how things stand, and the database's schema."""

from contextlib import closing

import typer

from bot.blocks import words
from bot.commands.command import CommandLine, command
from bot.commands.shapes import MigratedShape, StatusShape, SyncRow
from bot.commands.terminal import Answer, Table, progress
from workflow import outbox, queries, slots
from workflow.database import migrate as migrate_schema
from workflow.database import newest_revision
from workflow.settings import Settings
from workflow.vocabulary import State

app = typer.Typer()


@command(app, "status")
def status(line: CommandLine) -> Answer:
    """Say how many jobs are in each state, what waits, and when data syncs ran and will run."""
    with line.database.reading() as session:
        jobs = {state: queries.count_updates(session, [state]) for state in State}
        held = len(queries.list_holds(session, waiting_only=True))
        backlog = outbox.backlog(session)
        newest = queries.data_syncs(session, limit=1)
    facts = StatusShape(
        jobs=jobs,
        holds_waiting=held,
        notices_waiting=backlog.waiting,
        notices_given_up=backlog.given_up,
        notices_wait_for=_missing_install(line.settings),
        last_sync=SyncRow.of(newest[0]) if newest else None,
        next_sync_at=slots.next_due(line.settings.sync_cron, line.now()),
    )
    return Answer(facts, _told(facts))


@command(app, "migrate")
def migrate(line: CommandLine) -> Answer:
    """Bring the database's tables to this version of costbot; safe to run again."""
    with progress("Bringing the tables up to date"):
        migrate_schema(line.settings.database)
    revision = newest_revision()
    return Answer(MigratedShape(revision=revision), [f"The database is ready (schema {revision})."])


def _missing_install(settings: Settings) -> str | None:
    """Why nothing can be told in Slack, on a host for many companies; None when it can."""
    if settings.companies is None or settings.slack_team is None:
        return None
    from bot.installations import Installations  # imported here, for the command line is slow enough

    with closing(Installations(settings)) as installations:
        if installations.find(settings.slack_team):
            return None
    return words.not_installed(settings.slack_team, settings.install_page)


def _told(facts: StatusShape) -> list[str | Table]:
    rows = [(words.STATE_WORDS[state], count) for state, count in facts.jobs.items()]
    told: list[str | Table] = [Table(("State", "Jobs"), rows)]
    told.append(f"Contracts that wait: {facts.holds_waiting}")
    given_up = f", {facts.notices_given_up} given up" if facts.notices_given_up else ""
    told.append(f"Slack notices waiting: {facts.notices_waiting}{given_up}")
    if facts.notices_wait_for:
        told.append(facts.notices_wait_for)
    if last := facts.last_sync:
        result = words.outcome_words(last.created, last.tied, last.already_there, last.failed)
        told.append(
            f"Last data sync: {last.batch}, {words.PLAIN.date(last.started_at)}, {last.state}: {result}"
        )
    told.append(words.next_sync_words(facts.next_sync_at, words.PLAIN))
    return told
