"""`costbot privilege`: asking to become an accounting approver, and the administrators' answer."""

from typing import Annotated

import typer

from bot.blocks.words import REFUSAL_WORDS
from bot.commands.command import LARGEST_INTEGER, ByEmail, CommandLine, StopError, command, failed, refused
from bot.commands.people_shapes import PrivilegeRequestShape, PrivilegeRequestsShape
from bot.commands.terminal import Answer, Table
from workflow import privilege_requests
from workflow.privilege_requests import AnsweredBefore, Asked, Decision, NotAsked
from workflow.privileges import Refused

app = typer.Typer(no_args_is_help=True, help="Ask to become an accounting approver, and answer who asks.")

Id = Annotated[
    int,
    typer.Argument(
        metavar="ID", max=LARGEST_INTEGER, help="Number of the request, as `privilege list` has it."
    ),
]


@command(app, "ask")
def ask(
    line: CommandLine,
    by: ByEmail,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why the person needs it.")],
) -> Answer:
    """Ask the administrators for what a person lacks to Update."""
    with line.database.writing() as session:
        result = privilege_requests.ask(
            session, reason=reason, by=line.person(session, by), at=line.now(), rules=line.settings.rules
        )
    match result:
        case Asked(privilege_request=request, words=words):
            return Answer(PrivilegeRequestShape.of(request), [words])
        case NotAsked(words=words):
            return failed(words, reason="not_asked")
        case Refused(reason=why, words=words):
            return refused(words, reason=why)


@command(app, "list")
def list_(line: CommandLine) -> Answer:
    """List the requests that wait for an administrator."""
    with line.database.reading() as session:
        found = [PrivilegeRequestShape.of(request) for request in privilege_requests.waiting(session)]
    rows = [
        (one.id, one.person, REFUSAL_WORDS[one.lacks], one.reason, f"{one.asked_at:%Y-%m-%d %H:%M}")
        for one in found
    ]
    headers = "Request", "Person", "Lacks", "Reason", "At (UTC)"
    return Answer(
        PrivilegeRequestsShape(requests=found), [Table(headers, rows) if rows else "Nobody asks for it."]
    )


@command(app, "grant")
def grant(line: CommandLine, request: Id, by: ByEmail) -> Answer:
    """Make whoever asked an accounting approver, or say that it is done in Procore."""
    with line.database.writing() as session:
        _known(line, request)
        decision = privilege_requests.grant(
            session,
            privilege_request_id=request,
            by=line.person(session, by),
            at=line.now(),
            rules=line.settings.rules,
        )
    return _answer(decision)


@command(app, "decline")
def decline(
    line: CommandLine,
    request: Id,
    by: ByEmail,
    comment: Annotated[str, typer.Option("--comment", metavar="TEXT", help="Why, for whoever asked.")],
) -> Answer:
    """Say no, with a comment for whoever asked."""
    with line.database.writing() as session:
        _known(line, request)
        decision = privilege_requests.decline(
            session,
            privilege_request_id=request,
            comment=comment,
            by=line.person(session, by),
            at=line.now(),
            rules=line.settings.rules,
        )
    return _answer(decision)


def _known(line: CommandLine, request: int) -> None:
    with line.database.reading() as session:
        if privilege_requests.find(session, request) is None:
            words = f"There is no request {request} (see `costbot privilege list`)."
            raise StopError(failed(words, reason="unknown_request"))


def _answer(decision: Decision) -> Answer:
    if isinstance(decision, Refused):
        return refused(decision.words, reason=decision.reason)
    if isinstance(decision, AnsweredBefore):
        return refused(decision.words, reason="already_decided")
    return Answer(PrivilegeRequestShape.of(decision.privilege_request), [decision.words])
