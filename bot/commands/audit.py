"""`costbot audit`: whether the trail is whole, and all of it as a file."""

import json
import sys
from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated, TextIO

import typer
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.blocks.words import counted
from bot.commands.command import CommandLine, Exit, command, process
from bot.commands.terminal import Answer, json_of, progress
from bot.commands.upkeep_shapes import AuditEventShape, AuditShape
from bot.spreadsheet import write_csv
from workflow import audit
from workflow.masking import mask_within
from workflow.tables import AuditEvent, Job, Person

_TELL_EVERY = 1_000

app = typer.Typer(no_args_is_help=True, help="The audit trail: who did what, when and where.")


class Format(StrEnum):
    """How the trail is written."""

    CSV = "csv"
    JSONL = "jsonl"


@command(app, "verify")
def verify(line: CommandLine) -> Answer:
    """Find rows of the audit trail that were edited, removed or added by hand."""
    with line.database.reading() as session, progress("Verifying the audit trail"):
        events = _count(session)
        problems = list(audit.problems(session))
    facts = AuditShape(events=events, problems=problems)
    if problems:
        return Answer(facts, exit_code=Exit.FAILED, why="\n".join(problems))
    return Answer(facts, [f"The audit trail is whole: {counted(events, 'event')}."])


@process(app, "export")
def export(
    line: CommandLine,
    format_: Annotated[Format, typer.Option("--format", help="csv for a spreadsheet, jsonl for programs.")],
) -> None:
    """Write the whole audit trail to standard output, oldest event first."""
    line.start_logs()
    write = {Format.CSV: _write_csv, Format.JSONL: _write_jsonl}[format_]
    with line.database.reading() as session, progress("Exporting the audit trail") as tell:
        total = _count(session)
        emails = dict(session.execute(select(Person.id, Person.email)).all())
        numbers = dict(session.execute(select(Job.id, Job.number)).all())

        def events() -> Iterable[AuditEventShape]:
            for done, row in enumerate(audit.trail(session), start=1):
                if done % _TELL_EVERY == 0:
                    tell("Exporting the audit trail", done, total)
                yield _shape(row, emails, numbers)

        write(events(), sys.stdout)


def _count(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(AuditEvent)) or 0


def _shape(row: AuditEvent, emails: dict[int, str], numbers: dict[int, str]) -> AuditEventShape:
    return AuditEventShape(
        seq=row.seq,
        at=row.at,
        event=row.event,
        place=row.place,
        actor=row.actor,
        actor_email=emails.get(row.actor_id) if row.actor_id else None,
        actor_id=row.actor_id,
        job=numbers.get(row.job_id) if row.job_id else None,
        job_id=row.job_id,
        requested_update_id=row.requested_update_id,
        facts=row.facts,
        previous_hash=row.previous_hash,
        hash=row.hash,
        request_id=row.request_id,
    )


def _write_jsonl(events: Iterable[AuditEventShape], out: TextIO) -> None:
    out.writelines(json_of(event) + "\n" for event in events)


def _write_csv(events: Iterable[AuditEventShape], out: TextIO) -> None:
    write_csv(AuditEventShape.model_fields, map(_row, events), out)


def _row(event: AuditEventShape) -> Iterable[object]:
    values: dict[str, object] = mask_within(event.model_dump(mode="json"))
    values["facts"] = json.dumps(values["facts"], ensure_ascii=False)
    return values.values()
