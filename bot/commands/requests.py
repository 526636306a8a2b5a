"""`costbot request`, `ready`, `jobs`, `show` and `history`: asking, and looking at what was asked for."""

from collections.abc import Sequence
from typing import Annotated

import typer
from sqlalchemy.orm import Session

from bot.addresses import job_link
from bot.blocks import event_words, words
from bot.commands import csv_files
from bot.commands.command import ByEmail, CommandLine, JobNumber, command, failed, refused
from bot.commands.csv_files import File
from bot.commands.request_shapes import EventShape, HistoryShape, JobRow, JobsShape, RequestShape, UpdateShape
from bot.commands.sage import refresh
from bot.commands.shapes import JobShape
from bot.commands.terminal import Answer, Table, progress
from sync.sage import open_company
from workflow import asked_lines, queries, requests
from workflow.columns import Unfit
from workflow.facts import HoldFacts, LineFacts, UpdateFacts
from workflow.privileges import Refused
from workflow.queries import FILTERS
from workflow.tables import Job

_NOTHING = "Nothing was requested for this job yet."

app = typer.Typer()


@command(app, "request")
def request(line: CommandLine, job: JobNumber, file: File, by: ByEmail) -> Answer:
    """Request cost codes for a job: code,category. All lines of the file, or none."""
    asked = csv_files.read(file, asked_lines.read_file)
    with line.database.writing() as session, progress(f"Requesting {file.name}"):
        found = line.job(session, job)
        result = requests.request(
            session,
            job=found,
            assignments=asked.rows,
            by=line.person(session, by),
            at=line.now(),
            rules=line.settings.rules,
            limits=open_company(line.settings).limits,
        )
    if isinstance(result, Refused):
        return refused(result.words, reason=result.reason)
    if isinstance(result, Unfit):
        return csv_files.refuse_rows(file, result, asked.lines)
    refresh(line, [found.id])
    update = result.requested_update
    if isinstance(result, requests.NothingNew):
        added, joined = 0, True
        told = "all of it waits already, so nothing was changed"
    else:
        added, joined = result.added, result.joined
        told = f"{words.counted(added, 'new assignment')}. Ready to Update, revision {update.revision}"
    facts = RequestShape(
        job=JobShape.of(found), state=update.state, revision=update.revision, added=added, joined=joined
    )
    return Answer(facts, [f"{found.title}: {told}."])


@command(app, "ask-again")
def ask_again(line: CommandLine, job: JobNumber, by: ByEmail) -> Answer:
    """Ask anew for the lines of a requested update that was rejected or has expired, as they were."""
    with line.database.writing() as session:
        found = line.job(session, job)
        result = requests.ask_again(
            session,
            requested_update_id=requests.turned_down(session, found.id),
            by=line.person(session, by),
            at=line.now(),
            rules=line.settings.rules,
            limits=open_company(line.settings).limits,
        )
        match result:
            case Refused():
                return refused(result.words, reason=result.reason)
            case Unfit(problems=problems):
                why = "; ".join(problem.reason for problem in problems)
                return failed(f"It cannot be asked for as it was: {why}.", reason="unfit")
            case _:
                return described(session, found)


@command(app, "ready")
def ready(line: CommandLine) -> Answer:
    """List the jobs that are Ready to Update, oldest request first."""
    return jobs(line, "ready")


@command(app, "jobs")
def jobs(
    line: CommandLine,
    which: Annotated[str, typer.Argument(metavar="WHICH", help=f"One of {', '.join(FILTERS)}.")] = "all",
    text: Annotated[str, typer.Argument(metavar="TEXT", help="Part of the job's number or name.")] = "",
) -> Answer:
    """List jobs by the state of their requested update, oldest request first."""
    if which not in FILTERS:
        raise typer.BadParameter(f"{which} is not one of {', '.join(FILTERS)}", param_hint="WHICH")
    with line.database.reading() as session:
        found = queries.list_updates(session, FILTERS[which], text=text)
    facts = JobsShape(jobs=[JobRow.of(job) for job in found])
    rows = [
        (
            job.title,
            words.STATE_WORDS[job.state],
            job.revision,
            words.counts_words(job.counts),
            job.requested_by,
            f"{job.requested_at:%Y-%m-%d %H:%M}",
        )
        for job in found
    ]
    headers = "Job", "State", "Revision", "Requested", "By", "At (UTC)"
    return Answer(facts, [Table(headers, rows)] if rows else ["No jobs."])


@command(app, "show")
def show(line: CommandLine, job: JobNumber) -> Answer:
    """Show a job's requested update with every line, and the holds that wait on it."""
    with line.database.reading() as session:
        found = line.job(session, job)
    card = _card(line, found)
    with line.database.reading() as session:
        return described(session, found, card=card, link=job_link(line.settings, found.number) or card)


def described(
    session: Session,
    job: Job,
    facts: UpdateFacts | None = None,
    *,
    card: str | None = None,
    link: str | None = None,
) -> Answer:
    """A job's requested update in full: the one given, else the one that the job shows now."""
    facts = facts or queries.current_update(session, job.id)
    lines = queries.lines_of(session, facts.requested_update_id) if facts else []
    holds = queries.holds_of(session, job.id)
    shown: list[str | Table] = [*summary(facts), _lines(lines)] if facts else [job.title, _NOTHING]
    if holds:
        shown.append(_holds(holds))
    if card:
        shown.append(f"Card in Slack: {card}")
    if link and link != card:
        shown.append(f"Link: {link}")
    return Answer(UpdateShape.of(job, facts, lines, holds, card, link), shown)


def summary(facts: UpdateFacts) -> list[str]:
    """A requested update in a few lines."""
    return [
        facts.title,
        words.state_words(facts, words.PLAIN),
        words.request_words(facts, words.PLAIN),
        words.counts_words(facts.counts),
    ]


def _card(line: CommandLine, job: Job) -> str | None:
    """The address of the job's card, where costbot is connected to Slack."""
    if not line.settings.reaches_slack:
        return None
    from bot.installations import connected  # imported here, for it is slow and few commands call Slack
    from bot.links import standing_card

    with connected(line.settings) as gateway:
        return standing_card(line.database, gateway, job.id, at=line.now())


@command(app, "history")
def history(line: CommandLine, job: JobNumber) -> Answer:
    """Tell what happened to a job, oldest first."""
    with line.database.reading() as session:
        found = line.job(session, job)
        events = queries.history(session, found.id)
    told = [(event, event_words.event_words(event, words.PLAIN)) for event in events]
    facts = HistoryShape(job=JobShape.of(found), events=[EventShape.of(*pair) for pair in told])
    rows = [(f"{event.at:%Y-%m-%d %H:%M}", sentence) for event, sentence in told]
    return Answer(facts, [found.title, Table(("At (UTC)", "What happened"), rows)])


def _lines(lines: Sequence[LineFacts]) -> Table:
    rows = [
        (
            words.code_words(line.extra, line.code),
            line.description,
            line.category,
            words.STANDING_WORDS[line.standing],
            _in_sage(line),
        )
        for line in lines
    ]
    return Table(("Cost code", "Description", "Category", "Against Sage", "Outcome"), rows)


def _in_sage(line: LineFacts) -> str:
    if line.outcome is not None:
        return line.message or line.outcome.replace("_", " ")
    found = [words.finding_words(finding, words.PLAIN) for finding in words.told_of(line.findings)]
    if line.sage_description not in (None, line.description):
        found.insert(0, f"Sage keeps: {line.sage_description}")
    return "; ".join(found)


def _holds(holds: Sequence[HoldFacts]) -> Table:
    rows = [
        (words.hold_words(hold.kind, hold.number, hold.title), "waits" if hold.waiting else "may be exported")
        for hold in holds
    ]
    return Table(("Contract", "Export"), rows)
