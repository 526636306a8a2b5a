"""`costbot hold`: contracts and contract change orders that wait for their job's cost codes."""

from typing import Annotated

import typer

from bot.blocks.words import hold_words
from bot.commands.command import CommandLine, Exit, JobNumber, command, refused
from bot.commands.request_shapes import HoldAddedShape, HoldCheckShape, HoldShape, HoldsShape, JobHold
from bot.commands.shapes import JobShape
from bot.commands.terminal import Answer, Table
from workflow import holds, queries
from workflow.columns import Unfit
from workflow.facts import HoldFacts
from workflow.holds import HoldKindNotHeld
from workflow.vocabulary import HoldKind

app = typer.Typer(no_args_is_help=True, help="Contracts that wait until their job's cost codes are updated.")

Kind = Annotated[HoldKind, typer.Argument(metavar="KIND", help=f"One of {', '.join(HoldKind)}.")]


@command(app, "add")
def add(
    line: CommandLine,
    job: JobNumber,
    kind: Kind,
    number: Annotated[str, typer.Argument(metavar="NUMBER", help="The contract's own number.")],
    title: Annotated[str, typer.Argument(metavar="TITLE")],
) -> Answer:
    """Register a contract or contract change order of a job."""
    with line.database.writing() as session:
        found = line.job(session, job)
        result = holds.add(
            session,
            job=found,
            kind=kind,
            number=number,
            title=title,
            by=line.operator,
            at=line.now(),
            rules=line.settings.rules,
        )
    if isinstance(result, HoldKindNotHeld):
        return refused(result.words, reason="kind_not_held")
    if isinstance(result, Unfit):
        raise typer.BadParameter("; ".join(f"{p.column} {p.reason}" for p in result.problems))
    hold = result.hold
    facts = HoldFacts(hold.kind, hold.number, hold.title, waiting=hold.released_at is None)
    standing = "waits for the job's cost codes" if facts.waiting else "may be exported now"
    already = " was registered already; it" if result.already_there else ""
    told = f"{found.title}: {hold_words(hold.kind, hold.number, hold.title)}{already} {standing}."
    return Answer(
        HoldAddedShape(job=JobShape.of(found), hold=HoldShape.of(facts), already_there=result.already_there),
        [told],
    )


@command(app, "list")
def list_(
    line: CommandLine,
    job: Annotated[str | None, typer.Argument(metavar="JOB", help="Of this job only.")] = None,
    waiting: Annotated[bool, typer.Option("--waiting", help="Only those that wait.")] = False,
) -> Answer:
    """List contracts and contract change orders."""
    with line.database.reading() as session:
        of_job = line.job(session, job).id if job is not None else None
        found = queries.list_holds(session, waiting_only=waiting, job_id=of_job)
    rows = [
        (
            job.title,
            hold_words(hold.kind, hold.number, hold.title),
            "waits" if hold.waiting else "may be exported",
        )
        for job, hold in found
    ]
    facts = HoldsShape(
        holds=[JobHold(job=JobShape.of(job), **HoldShape.of(hold).model_dump()) for job, hold in found]
    )
    return Answer(facts, [Table(("Job", "Contract", "Export"), rows)] if rows else ["No holds."])


@command(app, "check")
def check(line: CommandLine, job: JobNumber) -> Answer:
    """Say whether a job's contracts may be exported: exit code 0 when they may, 3 when not."""
    with line.database.reading() as session:
        found = line.job(session, job)
        result = holds.check(session, found)
    facts = HoldCheckShape(job=JobShape.of(found), free=result.free, reason=result.reason)
    if result.free:
        return Answer(facts, [f"{found.title}: contracts may be exported."])
    return Answer(facts, exit_code=Exit.REFUSED, why=result.reason)
