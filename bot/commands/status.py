"""`costbot status` and `migrate`: how things stand, and the database's schema."""

from collections.abc import Iterator, Mapping
from contextlib import closing

import typer
from sqlalchemy.exc import SQLAlchemyError

from bot.blocks import words
from bot.commands.command import CommandLine, Exit, command
from bot.commands.mends import mend
from bot.commands.sync_shapes import SyncRow
from bot.commands.terminal import Answer, Table, progress
from bot.commands.upkeep_shapes import MigratedShape, RefusalRow, StatusNotKnown, StatusShape
from workflow import outbox, queries, slots, vitals
from workflow.database import migrate as migrate_schema
from workflow.database import newest_revision
from workflow.settings import Settings
from workflow.vocabulary import State

_PARTS = {
    "database": "Database",
    "redis": "Redis",
    "sage": "Sage's import files",
    "data sync": "Data sync",
    "bot": "Bot",
    "slack": "Connection to Slack",
}

app = typer.Typer()


@command(app, "status")
def status(line: CommandLine) -> Answer:
    """Say how many jobs are in each state, what waits, which parts have trouble, when data syncs ran."""
    try:
        return _status(line)
    except SQLAlchemyError as error:
        return _without_database(line, error)


def _status(line: CommandLine) -> Answer:
    # imported here, for no other command asks Redis and the bot
    from bot.commands.parts import parts_of, tallied

    now = line.now()
    with line.database.reading() as session:
        jobs = {state: queries.count_updates(session, [state]) for state in State}
        every_notice = outbox.backlog(session)
        newest = queries.data_syncs(session, limit=1)
        found = vitals.of_company(session, line.settings, at=now)
    counts = tallied(line.settings)
    facts = StatusShape(
        jobs=jobs,
        holds_waiting=found.holds_waiting,
        notices_waiting=every_notice.waiting,
        notices_given_up=every_notice.given_up,
        notices_wait_for=_missing_install(line.settings),
        last_sync=SyncRow.of(newest[0]) if newest else None,
        next_sync_at=slots.next_due(line.settings.sync_cron, now),
        parts=parts_of(line),
        oldest_ready_at=found.oldest_ready_at,
        oldest_notice_at=found.backlog.oldest,
        last_sync_done_at=found.sync.last_done_at,
        missed_syncs=found.sync.missed,
        refusals=[RefusalRow(reason=reason, count=count) for reason, count in sorted(found.refusals.items())],
        slack_calls=counts and counts.slack_calls,
        slack_rate_limited=counts and counts.slack_rate_limited,
        sync_runs=counts and dict(counts.sync_runs),
        sync_seconds=counts and counts.sync_seconds,
    )
    return Answer(facts, _told(facts, found))


def _without_database(line: CommandLine, error: SQLAlchemyError) -> Answer:
    """What can still be seen, and why it is no more than that."""
    from bot.commands.parts import parts_without_database

    why, parts = mend(error), parts_without_database(line.settings, error)
    facts = StatusNotKnown(result="failed", reason="database", words=why, parts=parts)
    return Answer(facts, [_parts(parts)], exit_code=Exit.FAILED, why=why)


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


def _parts(parts: Mapping[str, str]) -> Table:
    return Table(("Part", "How it is"), [(_PARTS[name], said) for name, said in parts.items()])


def _told(facts: StatusShape, found: vitals.Vitals) -> list[str | Table]:
    rows = [(words.STATE_WORDS[state], count) for state, count in facts.jobs.items()]
    told: list[str | Table] = [Table(("State", "Jobs"), rows), _parts(facts.parts)]
    told.append(Table(("What", "How it stands"), list(_figures(facts, found))))
    if facts.notices_wait_for:
        told.append(facts.notices_wait_for)
    return told


def _figures(facts: StatusShape, found: vitals.Vitals) -> Iterator[tuple[str, str]]:
    if facts.oldest_ready_at:
        yield "Ready to Update for longest", words.age_words(facts.oldest_ready_at, found.at)
    yield "Contracts and change orders that wait", f"{facts.holds_waiting:,}"
    due = f", due for {words.age_words(found.backlog.oldest, found.at)}" if found.backlog.oldest else ""
    given_up = f", {facts.notices_given_up:,} given up" if facts.notices_given_up else ""
    yield "Slack notices waiting", f"{facts.notices_waiting:,}{due}{given_up}"
    if facts.slack_calls is not None:
        yield "Calls of Slack", f"{facts.slack_calls:,}, rate limited {facts.slack_rate_limited:,}"
    if facts.refusals:
        reasons = _counted({row.reason: row.count for row in facts.refusals})
        yield "Acts refused", f"{sum(row.count for row in facts.refusals):,}: {reasons}"
    if last := facts.last_sync:
        result = words.outcome_words(last.created, last.tied, last.already_there, last.failed)
        took = f", in {last.seconds:,.1f} s" if last.seconds is not None else ""
        when = words.PLAIN.date(last.started_at)
        yield "Last data sync", f"{last.batch}, {when}, {last.state}{took}: {result}"
    if facts.sync_runs:
        each = (facts.sync_seconds or 0.0) / sum(facts.sync_runs.values())
        yield "Runs of the data sync", f"{_counted(facts.sync_runs)}; {each:,.1f} s each"
    if facts.last_sync_done_at:
        yield "Last due time done", f"{words.age_words(facts.last_sync_done_at, found.at)} ago"
    yield "Next data sync", words.PLAIN.date(facts.next_sync_at)


def _counted(counts: Mapping[str, int]) -> str:
    """How often each of these was, by its name in the JSON."""
    return ", ".join(f"{name.replace('_', ' ')} {count:,}" for name, count in sorted(counts.items()))
