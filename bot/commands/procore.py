"""`costbot procore`: the connection to Procore, how it stands, and looking there now.

What talks to Procore is imported where it is used: other commands do not wait for httpx and starlette.
"""

import secrets
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.blocks import words
from bot.blocks.words import age_words
from bot.commands.command import CommandLine, StopError, command, failed
from bot.commands.procore_shapes import (
    ConnectShape,
    DetailShape,
    ErpRequestShape,
    ForeseenShape,
    LookShape,
    PeopleShape,
    ProcoreStatusShape,
    RefusedTrigger,
    TroubleShape,
)
from bot.commands.terminal import Answer
from sync.procore.errors import ProcoreError
from workflow import (
    directory,
    procore_calls,
    procore_events,
    procore_projects,
    procore_requests,
    procore_seen,
    procore_write_back,
)
from workflow.language import say
from workflow.procore_people import Change, Foreseen
from workflow.settings import ProcoreIntake, Source
from workflow.tables import ProcoreErpRequest, ProcoreProject

if TYPE_CHECKING:
    from sync.procore.models import ErpRequestDetail

app = typer.Typer(
    no_args_is_help=True, help="The connection to Procore: make it, see how it stands, look there now."
)


@command(app, "connect")
def connect(
    line: CommandLine,
    url: Annotated[
        str,
        typer.Argument(
            metavar="URL", help="costbot's address as Procore reaches it: https://costbot.example"
        ),
    ],
) -> Answer:
    """Have Procore send its webhooks to costbot: make the hook and its triggers, or make them anew."""
    from bot.procore_webhooks import PATH, webhook_path
    from sync.procore import hooks
    from sync.procore.work import procore_of

    _needs_procore(line)
    secret = line.settings.procore_webhook_secret
    if secret is None:
        words = f"Set COSTBOT_PROCORE_WEBHOOK_SECRET first, for example to {secrets.token_urlsafe(32)}"
        raise StopError(failed(f"{words} and start costbot again.", reason="no_secret"))
    if not url.startswith("https://"):
        raise StopError(
            failed("Give an address that begins with https://; Procore takes no other.", reason="not_https")
        )
    path = webhook_path(line.settings)
    address = url.rstrip("/").removesuffix(PATH).removesuffix(path.removesuffix(PATH)) + path
    try:
        with procore_of(line.settings, line.database, clock=line.now) as api:
            made = hooks.connect(
                api, line.database, url=address, secret=secret.get_secret_value(), clock=line.now
            )
    except ProcoreError as error:
        raise StopError(failed(str(error), reason="procore")) from None
    facts = ConnectShape(
        hook_id=made.hook_id,
        url=address,
        triggers=made.triggers,
        refused=[RefusedTrigger(trigger=trigger, words=words) for trigger, words in made.refused],
    )
    told = [f"Procore sends its webhooks to {address} from now on (hook {made.hook_id})."]
    told += [f"Procore did not take the trigger {trigger}: {words}" for trigger, words in made.refused]
    return Answer(facts, told)


@command(app, "status")
def status(line: CommandLine) -> Answer:
    """Show how the connection stands: calls, projects, webhooks, deliveries that failed, and gaps."""
    from sync.procore import hooks
    from sync.procore.work import procore_of

    _needs_procore(line)
    company_id = line.settings.procore_company_id or 0
    by_requests = line.settings.procore_intake is ProcoreIntake.ERP_REQUESTS
    found, details = None, list["ErpRequestDetail"]()
    try:
        with line.database.reading() as session:
            hook = procore_events.hook(session)
        with procore_of(line.settings, line.database, clock=line.now) as api:
            if hook is not None:
                found = hooks.state(api, line.database, hook.hook_id, clock=line.now)
            else:
                api.own_user_id()
            if by_requests:
                details = [each for each in api.open_details() if each.may_be_a_job]
    except ProcoreError as error:
        raise StopError(failed(str(error), reason="procore")) from None
    with line.database.reading() as session:
        events, waiting, newest = procore_events.counts(session)
        unknown = procore_requests.unknown_details(session, {each.id for each in details})
        facts = ProcoreStatusShape(
            projects=session.scalar(select(func.count()).where(ProcoreProject.archived_at.is_(None))) or 0,
            to_read=len(procore_projects.to_read(session, oldest=0)),
            troubles=[
                TroubleShape(project_id=project_id, words=words)
                for project_id, words in procore_projects.troubles(session)
            ],
            problems=[
                f"{row.code} {row.category}: {row.problem}" for row in procore_seen.with_problems(session)
            ],
            refused=[
                f"{row.code} {row.category}: {row.write_error}" for row in procore_write_back.refused(session)
            ],
            requests=[_request_shape(session, row) for row in procore_requests.unanswered(session)],
            unknown_details=[
                DetailShape(detail_id=each.id, created_at=each.created_at)
                for each in details
                if each.id in unknown
            ],
            calls_last_hour=procore_calls.made(session, company_id, at=line.now()),
            hourly_limit=procore_calls.hourly_limit(session, company_id),
            hook_id=hook.hook_id if hook else None,
            events=events,
            events_waiting=waiting,
            newest_event_at=newest,
            failing=found.failing if found else 0,
            discarded=found.discarded if found else 0,
            gaps=found.gaps if found else 0,
        )
    limit = facts.hourly_limit or line.settings.procore_hourly_limit
    told = [
        "Procore answers.",
        f"Projects: {facts.projects:,}."
        if by_requests
        else f"Projects: {facts.projects:,}, of which {facts.to_read:,} are to be read.",
        f"Calls in the last hour: {facts.calls_last_hour:,} of {limit:,}.",
        f"Webhooks: hook {facts.hook_id}, {facts.events:,} kept, {facts.events_waiting:,} waiting."
        if facts.hook_id
        else "Webhooks: none. `costbot procore connect URL` asks Procore for them.",
    ]
    if facts.failing or facts.discarded:
        told.append(
            f"Deliveries that failed: {facts.failing:,}; discarded: {facts.discarded:,}. "
            f"Projects that are read again because of it: {facts.gaps:,}."
        )
    told += [f"Project {each.project_id} cannot be used: {each.words}" for each in facts.troubles]
    told += [f"Cannot be asked for: {problem}." for problem in facts.problems]
    told += [f"Procore did not take as synced: {words}." for words in facts.refused]
    told += [_request_words(request, line.now()) for request in facts.requests]
    told += [
        f"Procore waits for ERP request detail {each.detail_id}{_open_for(each.created_at, line.now())}, "
        "whose request it does not name. If it is a project's, send it to the ERP again in Procore."
        for each in facts.unknown_details
    ]
    return Answer(facts, told)


def _request_shape(session: Session, row: ProcoreErpRequest) -> ErpRequestShape:
    job = procore_requests.job_of(session, row)
    return ErpRequestShape(
        request_id=row.request_id,
        detail_id=row.detail_id,
        job=job.number if job else None,
        since=row.happened_at or row.heard_at,
        taken_in=row.taken_at is not None,
        answer=row.answer,
        error=row.error,
    )


def _request_words(request: ErpRequestShape, now: datetime) -> str:
    """How `ERP request 70011 of 24-017, open for 3 hours` stands."""
    of_job = f" of {request.job}" if request.job else ""
    told = f", closed as {request.answer}" if request.answer else _open_for(request.since, now)
    words = f"ERP request {request.request_id}{of_job}{told}"
    if request.error:
        return f"{words}: {request.error}"
    return f"{words}: {'waits for Sage or an approver' if request.taken_in else 'is not taken in yet'}."


def _open_for(since: datetime | None, now: datetime) -> str:
    return f", open for {age_words(since, now)}" if since else ""


@command(app, "look")
def look(line: CommandLine) -> Answer:
    """Look in Procore now for what changed, and take in what a project team added there."""
    from sync.procore.work import procore_of, take_in
    from sync.sage import open_company

    _needs_procore(line)
    try:
        with procore_of(line.settings, line.database, clock=line.now) as api:
            limits = open_company(line.settings).limits
            report = take_in(line.settings, line.database, api, limits, clock=line.now, at_once=True)
    except ProcoreError as error:
        raise StopError(failed(str(error), reason="procore")) from None
    if report.is_anothers:
        words = "Another process is looking in Procore already. Run this again when it is through."
        return failed(words, reason="another_is_looking")
    facts = LookShape(
        projects=report.projects,
        read=report.read,
        requested=report.requested,
        removed=report.removed,
        problems=report.problems,
    )
    by_requests = line.settings.procore_intake is ProcoreIntake.ERP_REQUESTS
    told = f"{'ERP requests' if by_requests else 'Projects'} read: {report.read:,}. "
    told += f"Requested: {report.requested:,}. Removed: {report.removed:,}."
    return Answer(facts, [told])


@command(app, "people")
def people(
    line: CommandLine,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say who would lose or gain what; change nothing.")
    ] = False,
) -> Answer:
    """Read Procore's Company Directory now: who is in it, and who may Update."""
    from sync.procore.people import Directory
    from sync.procore.work import procore_of

    _needs_procore(line)
    try:
        with procore_of(line.settings, line.database, clock=line.now) as api:
            found = Directory(line.database, api, line.settings.procore_erp_tool, line.now)
            if dry_run:
                return _foreseen(found.foresee())
            taken = found.refresh()
    except ProcoreError as error:
        raise StopError(failed(str(error), reason="procore")) from None
    with line.database.reading() as session:
        approvers = [person.name for person in directory.accounting_approvers(session)]
    facts = PeopleShape(people=taken.people, changed=taken.changed, gone=taken.gone, approvers=approvers)
    return Answer(
        facts,
        [
            f"People: {taken.people:,}. New or changed: {taken.changed:,}. Gone: {taken.gone:,}.",
            f"May Update: {', '.join(approvers) or 'nobody'}.",
        ],
    )


def _foreseen(found: Foreseen) -> Answer:
    facts = ForeseenShape.model_validate(found, from_attributes=True)
    told = [f"Nothing was changed. People in Procore's directory: {found.people:,}."]
    told += [
        f"Would be deactivated, for Procore has no active user of this e-mail: {_who(each)}."
        for each in found.deactivated
    ]
    told += [
        f"Could Update no more: {_who(each)} ({say(words.REFUSAL_WORDS[each.lacks])})."
        for each in found.lose
        if each.lacks is not None
    ]
    told += [f"Could Update from then on: {_who(each)}." for each in found.gain]
    if not (found.deactivated or found.lose or found.gain):
        told.append("Nobody would lose or gain anything.")
    return Answer(facts, told)


def _who(each: Change) -> str:
    return f"{words.PLAIN.data(each.name)} <{each.email}>"


def _needs_procore(line: CommandLine) -> None:
    if line.settings.source is not Source.PROCORE:
        raise StopError(
            failed("COSTBOT_SOURCE is not procore: set it first (docs/procore.md).", reason="source")
        )
