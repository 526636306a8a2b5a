"""`costbot doctor`: looks at everything that costbot needs, and says what is wrong and the mend."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import typer
from sqlalchemy.exc import SQLAlchemyError

from bot.commands.command import CommandLine, Exit, StopError, command
from bot.commands.mends import mend
from bot.commands.opening import open_database
from bot.commands.running import redis_running
from bot.commands.terminal import Answer, progress
from bot.commands.upkeep_shapes import DoctorShape, FindingShape
from sync.sage import open_company
from workflow import escalation
from workflow.companies import read_companies
from workflow.database import OthersDatabaseError, newest_revision
from workflow.masking import mask
from workflow.privileges import lacks
from workflow.settings import SageTarget, Settings, SettingsError, Source, unknown_names

_NO_DATABASE = (SettingsError, OthersDatabaseError, SQLAlchemyError)
_PATIENCE_SECONDS = 3.0

app = typer.Typer()


@command(app, "doctor")
def doctor(line: CommandLine) -> Answer:
    """Check database, Redis, Slack, Sage and Procore; say what is wrong and how to mend it."""
    with progress("Looking at everything"):
        findings = [*_names(), *(_host(line.host) if line.host else _company(line.settings))]
    ok = all(finding.ok for finding in findings)
    told = [
        f"{'✅ ok   ' if finding.ok else '❌ wrong'} {finding.name}: {finding.words}"
        + (f"\n          Mend: {finding.mend}" if finding.mend and not finding.ok else "")
        for finding in findings
    ]
    wrong = sum(not finding.ok for finding in findings)
    return Answer(
        DoctorShape(ok=ok, findings=findings),
        told,
        exit_code=Exit.DONE if ok else Exit.FAILED,
        why="" if ok else f"{wrong} of {len(findings)} checks found something wrong.",
    )


def _names() -> Iterator[FindingShape]:
    """What stands in `.env` and sets nothing; nothing to say where all is known."""
    if unknown := unknown_names(Path(".env")):
        meant = [f"{name} ({close}?)" if close else name for name, close in unknown.items()]
        yield FindingShape(
            name="Settings",
            ok=False,
            words=f"`.env` has what is no setting: {', '.join(meant)}",
            mend="Correct the name, or take the line out; the README has every setting.",
        )


def _host(host: Settings) -> Iterator[FindingShape]:
    """Everything of the Slack app that all companies share, then each company by itself."""
    from bot.doctor import look_at_app

    try:
        companies = read_companies(host)
    except SettingsError as error:
        for line in str(error).splitlines():
            yield FindingShape(name="Companies", ok=False, words="cannot be run as they are set", mend=line)
        return
    yield FindingShape(name="Companies", ok=True, words=", ".join(companies), mend="")
    for finding in look_at_app(host):
        yield FindingShape.model_validate(finding, from_attributes=True)
    for name, settings in companies.items():
        for found in _company(settings):
            yield found.model_copy(update={"name": f"{name}: {found.name}"})


def _company(settings: Settings) -> Iterator[FindingShape]:
    yield from _database(settings)
    yield from _redis(settings)
    yield from _slack(settings)
    yield from _sage(settings)
    yield from _procore(settings)
    yield from _escalation(settings)


def _database(settings: Settings) -> Iterator[FindingShape]:
    where = mask(settings.database)
    try:
        open_database(settings).close()
    except _NO_DATABASE as error:
        yield FindingShape(name="Database", ok=False, words=where, mend=mend(error))
    else:
        yield FindingShape(name="Database", ok=True, words=f"{where}, schema {newest_revision()}", mend="")


def _redis(settings: Settings) -> Iterator[FindingShape]:
    from redis import Redis, RedisError

    where = mask(settings.redis) if settings.redis_url else "the embedded Redis"
    try:
        with (
            redis_running(settings),
            closing(Redis.from_url(settings.redis, socket_timeout=_PATIENCE_SECONDS)) as client,
        ):
            client.ping()
    except (RedisError, StopError) as error:
        why = str(error) if isinstance(error, StopError) else mend(error)
        yield FindingShape(name="Redis", ok=False, words=where, mend=why)
    else:
        yield FindingShape(name="Redis", ok=True, words=f"{where} answers", mend="")


def _slack(settings: Settings) -> Iterator[FindingShape]:
    from bot.doctor import look_at_slack

    for finding in look_at_slack(settings):
        yield FindingShape.model_validate(finding, from_attributes=True)


def _sage(settings: Settings) -> Iterator[FindingShape]:
    where = {
        SageTarget.EMBEDDED: "the embedded Sage company",
        SageTarget.IMPORT_FILE: f"import files in {settings.sage_folder}",
    }[settings.sage]
    try:
        problem = open_company(settings).problem()
    except SettingsError as error:
        problem = str(error)
    yield FindingShape(name="Sage", ok=problem is None, words=where, mend=problem or "")


def _procore(settings: Settings) -> Iterator[FindingShape]:
    """What Procore lets costbot do; nothing with files as the source, or where the database does not open."""
    if settings.source is not Source.PROCORE:
        return
    from bot.commands.procore_doctor import look_at_procore

    try:
        database = open_database(settings)
    except _NO_DATABASE:
        return
    with closing(database):
        yield from look_at_procore(settings, database)


def _escalation(settings: Settings) -> Iterator[FindingShape]:
    """Whom COSTBOT_ESCALATE_TO names; nothing while it is not set, or the database cannot be asked."""
    if settings.escalate_to is None:
        return
    try:
        database = open_database(settings)
    except _NO_DATABASE:
        return
    try:
        with database.reading() as session:
            people = escalation.second_group(session, settings.patience)
            unknown = escalation.unknown_emails(session, settings.patience)
    finally:
        database.close()
    if unknown:
        yield FindingShape(
            name="Escalation",
            ok=False,
            words=f"nobody active in the directory has {', '.join(unknown)}",
            mend="Correct COSTBOT_ESCALATE_TO, or add the people to the directory "
            f"(`costbot {'procore' if settings.source is Source.PROCORE else 'import'} people`).",
        )
        return
    may_not = [person.name for person in people if lacks(person) is not None]
    words = ", ".join(person.name for person in people)
    if may_not:
        words = f"{words}; of them {', '.join(may_not)} may not Update"
    yield FindingShape(name="Escalation", ok=True, words=words, mend="")
