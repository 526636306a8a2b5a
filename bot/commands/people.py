"""`costbot people`: who may Update, and who is who in Slack, for when an e-mail does not tell."""

import re
from typing import Annotated

import typer
from sqlalchemy.orm import Session

from bot.blocks.words import REFUSAL_WORDS
from bot.commands.command import CommandLine, StopError, command, failed, refused
from bot.commands.shapes import ApproversShape, LinkShape, NearlyShape
from bot.commands.terminal import Answer, Table
from workflow import directory
from workflow.administration import accountant_report
from workflow.directory import AlreadyLinked
from workflow.tables import Person

app = typer.Typer(no_args_is_help=True, help="Who may Update; tie people of the directory to Slack users.")

Email = Annotated[str, typer.Argument(metavar="EMAIL", help="E-mail of the person in the directory.")]


@command(app, "link")
def link(
    line: CommandLine,
    email: Email,
    slack_user: Annotated[str, typer.Argument(metavar="USER", help="Slack user id, such as U012AB3CD.")],
    team: Annotated[str, typer.Argument(metavar="TEAM", help="Slack workspace id, such as T012AB3CD.")],
) -> Answer:
    """Pin a Slack user to a person, whatever their e-mail in Slack is."""
    if not re.fullmatch(r"[UW][A-Z0-9]+", slack_user):
        raise typer.BadParameter(f"{slack_user!r} is not a Slack user id (U… or W…)")
    if not re.fullmatch(r"T[A-Z0-9]+", team):
        raise typer.BadParameter(f"{team!r} is not the id of a Slack workspace (T…)")
    with line.database.writing() as session:
        person = _person(session, email)
        tie = directory.link(
            session, person, team_id=team, user_id=slack_user, by=line.operator, at=line.now()
        )
    if isinstance(tie, AlreadyLinked):
        return refused(tie.words, reason="already_linked")
    facts = LinkShape(person=person.email, team=tie.team_id, slack_user=tie.user_id)
    return Answer(facts, [f"{person.email} is the Slack user {tie.user_id} of {tie.team_id} from now on."])


@command(app, "unlink")
def unlink(line: CommandLine, email: Email) -> Answer:
    """Undo every tie of a person to Slack users; their e-mail decides again at their next act."""
    with line.database.writing() as session:
        person = _person(session, email)
        undone = directory.unlink(session, person, by=line.operator, at=line.now())
    told = (
        f"{person.email} is tied to no Slack user now." if undone else f"{person.email} had no tie to Slack."
    )
    return Answer(LinkShape(person=person.email, team=None, slack_user=None), [told])


@command(app, "approvers")
def approvers(line: CommandLine) -> Answer:
    """Say who may Update, and who lacks one thing to, as Procore's Accountant Report does."""
    with line.database.reading() as session:
        report = accountant_report(session)
    nearly = [NearlyShape(name=one.name, email=one.email, lacks=one.lacks.value) for one in report.nearly]
    told: list[str | Table] = [f"May Update: {', '.join(report.approvers) or 'nobody'}."]
    if nearly:
        rows = [(one.name, one.email, REFUSAL_WORDS[one.lacks]) for one in report.nearly]
        told.append(Table(("Lacks one thing", "E-mail", "What"), rows))
    return Answer(ApproversShape(approvers=list(report.approvers), nearly=nearly), told)


def _person(session: Session, email: str) -> Person:
    person = directory.person_by_email(session, email)
    if person is None:
        raise StopError(
            failed(
                f"Nobody in the company directory has the e-mail {email} (see `costbot import people`).",
                reason="no_matching_person",
            )
        )
    return person
