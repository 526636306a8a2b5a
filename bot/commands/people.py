"""`costbot people`: who may Update, who is who in Slack, what each hears of, and who stands in for whom."""

import re
from dataclasses import replace
from datetime import date
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from sqlalchemy.orm import Session

from bot.blocks import reach_words, words
from bot.commands.command import CommandLine, StopError, command, failed, refused
from bot.commands.people_shapes import ApproversShape, AwayShape, LinkShape, NearlyShape, NotifyShape
from bot.commands.terminal import Answer, Table
from workflow import aways, directory, preferences
from workflow.administration import accountant_report
from workflow.aways import AwaySet, Unusable
from workflow.calendar import hours_written
from workflow.directory import AlreadyLinked
from workflow.preferences import QuietHours
from workflow.privileges import Refused
from workflow.settings import Source
from workflow.tables import Away, Person
from workflow.vocabulary import Notify

app = typer.Typer(
    no_args_is_help=True, help="Who may Update, who is who in Slack, what each hears of, and who stands in."
)

top = typer.Typer()
"""What has a short name of its own beside `costbot people`."""

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
        person = _person(line, session, email)
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
        person = _person(line, session, email)
        undone = directory.unlink(session, person, by=line.operator, at=line.now())
    told = (
        f"{person.email} is tied to no Slack user now." if undone else f"{person.email} had no tie to Slack."
    )
    return Answer(LinkShape(person=person.email, team=None, slack_user=None), [told])


@command(app, "notify")
def notify(
    line: CommandLine,
    email: Email,
    what: Annotated[
        Notify | None, typer.Option("--to", help="What they hear of; without it the choice stays.")
    ] = None,
    quiet: Annotated[
        str | None, typer.Option("--quiet", metavar="HOURS", help="Such as 19:00-07:00, or none.")
    ] = None,
) -> Answer:
    """Show or choose what a person hears of, and their quiet hours, as /costcodes notify does."""
    with line.database.writing() as session:
        person = _person(line, session, email)
        choices = preferences.choices_of(session, [person.id])[person.id]
        if what is not None:
            choices = replace(choices, notify=what)
        if quiet is not None:
            choices = replace(choices, quiet=_quiet_hours(quiet))
        if what is not None or quiet is not None:
            preferences.choose(session, person, choices, by=line.operator, at=line.now())
        zone = _zone(line, session, person)
    hours = choices.quiet
    facts = NotifyShape(
        person=person.email,
        notify=choices.notify,
        quiet_from=f"{hours.since:%H:%M}" if hours else None,
        quiet_until=f"{hours.until:%H:%M}" if hours else None,
        time_zone=zone.key,
    )
    return Answer(facts, [f"{person.name}: {reach_words.choices_words(choices)} Time zone {zone.key}."])


@command(app, "away")
def away(
    line: CommandLine,
    email: Email,
    first_day: Annotated[
        str | None, typer.Option("--from", metavar="DAY", help="The first day, such as 2026-12-01.")
    ] = None,
    last_day: Annotated[
        str | None, typer.Option("--until", metavar="DAY", help="The last day; default: the first.")
    ] = None,
    delegate: Annotated[
        str | None, typer.Option("--to", metavar="EMAIL", help="Who stands in: an accounting approver.")
    ] = None,
    off: Annotated[bool, typer.Option("--off", help="Nobody stands in any more.")] = False,
) -> Answer:
    """Show, set or end who stands in for an approver who is away, as /costcodes away does."""
    if (first_day is None) != (delegate is None) or (last_day and not first_day) or (off and first_day):
        raise typer.BadParameter("give --from and --to together, or --off alone")
    with line.database.writing() as session:
        person = _person(line, session, email)
        if off:
            ended = aways.end_away(session, person=person, by=line.operator, at=line.now())
            told = "Nobody stands in any more." if ended else "Nobody stood in, so nothing was changed."
            return Answer(_away_shape(person, None), [f"{person.name}: {told}"])
        if first_day is None or delegate is None:
            now = aways.planned(session, person.id, at=line.now())
            told = reach_words.away_words(now) if now else f"Nobody stands in for {person.name}."
            return Answer(_away_shape(person, now), [told])
        result = aways.set_away(
            session,
            person=person,
            delegate=directory.person_by_email(session, delegate),
            first_day=_day(first_day),
            last_day=_day(last_day or first_day),
            zone=_zone(line, session, person),
            by=line.operator,
            at=line.now(),
            rules=line.settings.rules,
        )
        match result:
            case Refused():
                return refused(result.words, reason=result.reason)
            case Unusable():
                return failed(result.words, reason="unusable_days")
            case AwaySet():
                return Answer(_away_shape(person, result.away), [reach_words.away_set_words(result)])


def _away_shape(person: Person, away: Away | None) -> AwayShape:
    return AwayShape(
        person=person.email,
        delegate=away and away.delegate.email,
        first_day=away and away.first_day,
        last_day=away and away.last_day,
    )


def _quiet_hours(written: str) -> QuietHours | None:
    if written == "none":
        return None
    try:
        return QuietHours(*hours_written(written))
    except ValueError as error:
        raise typer.BadParameter(f"{error}, or none", param_hint="--quiet") from None


def _day(written: str) -> date:
    try:
        return date.fromisoformat(written)
    except ValueError:
        raise typer.BadParameter(f"{written!r} is not a day such as 2026-12-01") from None


def _zone(line: CommandLine, session: Session, person: Person) -> ZoneInfo:
    return directory.time_zones(session, [person.id]).get(person.id) or line.settings.calendar.zone


@command(top, "approvers")
@command(app, "approvers")
def approvers(line: CommandLine) -> Answer:
    """Say who may Update, and who lacks one thing to, as Procore's Accountant Report does."""
    with line.database.reading() as session:
        report = accountant_report(session, rules=line.settings.rules)
    nearly = [NearlyShape(name=one.name, email=one.email, lacks=one.lacks.value) for one in report.nearly]
    told: list[str | Table] = [f"May Update: {', '.join(report.approvers) or 'nobody'}."]
    if nearly:
        rows = [(one.name, one.email, words.REFUSAL_WORDS[one.lacks]) for one in report.nearly]
        told.append(Table(("Lacks one thing", "E-mail", "What"), rows))
    if report.read_at is not None:
        told.append(f"As Procore's directory was read on {report.read_at:%Y-%m-%d %H:%M} UTC.")
    facts = ApproversShape(approvers=list(report.approvers), nearly=nearly, read_at=report.read_at)
    return Answer(facts, told)


def _person(line: CommandLine, session: Session, email: str) -> Person:
    person = directory.person_by_email(session, email)
    if person is None:
        see = "procore people" if line.settings.source is Source.PROCORE else "import people"
        raise StopError(
            failed(
                f"Nobody in the company directory has the e-mail {email} (see `costbot {see}`).",
                reason="no_matching_person",
            )
        )
    return person
