"""What every command shares: its settings and database, `--json`, exit codes, and errors told in one line.

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 refused by a rule. No command prints by itself what
it answers, and none shows a traceback.
"""

import getpass
import inspect
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from enum import IntEnum
from functools import cached_property, wraps
from typing import Annotated, Any, Concatenate, ParamSpec, TypeAlias

import structlog
import typer
from sqlalchemy.orm import Session

from bot import logs, traces
from bot.commands import opening
from bot.commands.mends import mend
from bot.commands.shapes import NotDone
from bot.commands.terminal import Answer, give, warn
from workflow import directory, request_ids
from workflow.database import Database
from workflow.privileges import Actor
from workflow.request_ids import working_for
from workflow.settings import Settings, Source, read_host, read_settings
from workflow.tables import Job
from workflow.tracing import span
from workflow.vocabulary import Place

P = ParamSpec("P")

AsJson = Annotated[bool, typer.Option("--json", help="Print the facts as JSON, for scripts.")]
ForCompany = Annotated[
    str | None,
    typer.Option("--company", metavar="NAME", help="Which company, where costbot works for many."),
]
ByEmail = Annotated[str, typer.Option("--by", metavar="EMAIL", help="E-mail of the person who acts.")]
LARGEST_INTEGER = 2**31 - 1
"""That every column of a number holds, in either database."""
JobNumber = Annotated[str, typer.Argument(metavar="JOB", help="Job number, such as 24-017.")]


class Exit(IntEnum):
    """How a command ends."""

    DONE = 0
    FAILED = 1
    WRONG_USAGE = 2
    REFUSED = 3


class StopError(Exception):
    """Ends a command that cannot go on, with its answer; a transaction that it leaves is rolled back."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.why)
        self.answer = answer


def failed(words: str, *, reason: str = "failed") -> Answer:
    """The answer of a command that could not do its work."""
    return Answer(NotDone(result="failed", reason=reason, words=words), exit_code=Exit.FAILED, why=words)


def refused(words: str, *, reason: str) -> Answer:
    """The answer of an act that a rule refused."""
    return Answer(NotDone(result="refused", reason=reason, words=words), exit_code=Exit.REFUSED, why=words)


class CommandLine:
    """What one command works with: settings and database, read and opened when first asked for."""

    def __init__(self, settings: Settings | None = None, *, company: str | None = None) -> None:
        self._given = settings
        self._company = company

    @cached_property
    def settings(self) -> Settings:
        """The company's; on a host for many it has to be named."""
        return self._given or read_settings(self._company)

    @cached_property
    def host(self) -> Settings | None:
        """The settings of a host for many companies, for what is done for all; None where one is meant."""
        if self._given or self._company:
            return None
        host = read_host()
        return None if host.company or host.companies is None else host

    @cached_property
    def database(self) -> Database:
        return opening.open_database(self.settings)

    def start_logs(self, *, process: str = "", traced: bool = True) -> None:
        """Logs as the settings say; a command that only answers is quiet until somebody debugs it.

        One that forks others is not `traced`, for traces are sent by a thread.
        """
        settings = self.host or self.settings
        level, named = settings.log_level, f"{settings.company or ''} {process}".strip() if process else ""
        level = level if process or level == "debug" else "warning"
        logs.configure(level, process=named, secrets=settings.secrets)
        if traced:
            traces.start(named or "command line")

    def close(self) -> None:
        if "database" in self.__dict__:
            self.database.close()

    def now(self) -> datetime:
        return datetime.now(UTC)

    @property
    def operator(self) -> Actor:
        """Whoever runs the command, where it asks for no `--by`: the login name, and no person."""
        return Actor(Place.COMMAND_LINE, _login_name())

    def job(self, session: Session, number: str) -> Job:
        """The job with this number, or the end of the command."""
        job = directory.job_by_number(session, number)
        if job is None:
            raise StopError(failed(unknown_job(number, self.settings.source), reason="unknown_job"))
        return job

    def person(self, session: Session, email: str) -> Actor:
        """The person named by `--by`; without a match the rules will refuse the e-mail by name."""
        person = directory.person_by_email(session, email)
        if person is None:
            return Actor(Place.COMMAND_LINE, email.strip())
        return Actor(Place.COMMAND_LINE, person.name, person.id)


_COMPANY = inspect.Parameter("company", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=ForCompany)

Answering: TypeAlias = Callable[Concatenate[CommandLine, P], Answer]
Running: TypeAlias = Callable[Concatenate[CommandLine, P], None]


def unknown_job(number: str, source: Source) -> str:
    """That there is no such job, and how to get it."""
    how = "costbot procore look" if source is Source.PROCORE else "costbot import jobs"
    return f"There is no job {number}. `{how}` adds the company's jobs."


def command(app: typer.Typer, name: str) -> Callable[[Answering[P]], Answering[P]]:
    """Add a function to `app` as a command that answers with facts, in words or as `--json`.

    The function itself is returned as it is, so that other code may call it.
    """

    def add(function: Answering[P]) -> Answering[P]:
        @wraps(function)
        def run(*args: Any, as_json: bool, company: str | None, **options: Any) -> None:
            def work(line: CommandLine) -> Answer:
                line.start_logs()
                with working_for(request_ids.new()), span("command", name=name):
                    return function(line, *args, **options)

            _run(work, as_json=as_json, company=company)

        flag = inspect.Parameter("as_json", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=AsJson)
        _show_to_typer(run, function, extra=[flag, _COMPANY])
        app.command(name)(run)
        return function

    return add


def process(app: typer.Typer, name: str) -> Callable[[Running[P]], Running[P]]:
    """Add a function to `app` as a command that prints by itself or runs until it is stopped."""

    def add(function: Running[P]) -> Running[P]:
        @wraps(function)
        def run(*args: Any, company: str | None, **options: Any) -> None:
            _run(lambda line: function(line, *args, **options), as_json=False, company=company)

        _show_to_typer(run, function, extra=[_COMPANY])
        app.command(name)(run)
        return function

    return add


def _run(work: Callable[[CommandLine], Answer | None], *, as_json: bool, company: str | None) -> None:
    """Do the work, print its answer, and end with its exit code; an error is an answer too."""
    logs.configure("warning")
    line = CommandLine(company=company)
    answer = None
    try:
        answer = _answer(work, line)
        if answer is not None:
            give(answer, as_json=as_json)
        print(end="", flush=True)  # noqa: T201 - unlike sys.stdout.flush() it bears a closed output
    except BrokenPipeError:  # whoever read our output has enough
        _write_no_more()
    except OSError as error:
        _write_no_more()
        answer = failed(f"The answer could not be written: {error.strerror}.")
        warn(answer.why)
    finally:
        line.close()
    if answer is not None and answer.exit_code:
        raise typer.Exit(answer.exit_code)


def _answer(work: Callable[[CommandLine], Answer | None], line: CommandLine) -> Answer | None:
    """What came of the work, an error in words and never as a traceback."""
    try:
        return work(line)
    except typer.BadParameter:
        raise
    except Exception as error:  # the last door
        if isinstance(error, OSError) and error.filename is None:
            raise  # an error of a file names it: this one is of our output
        structlog.get_logger().debug("the command failed", exc_info=error)
        return error.answer if isinstance(error, StopError) else failed(mend(error))


def _write_no_more() -> None:
    """Let go of an output that takes nothing; Python would complain once more at its own exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _show_to_typer(
    run: Callable[..., None], function: Callable[..., object], *, extra: list[inspect.Parameter]
) -> None:
    """Give `run` the signature that typer reads: the function's own, without the command line, and more."""
    signature = inspect.signature(function, eval_str=True)
    _, *own = signature.parameters.values()
    keywords = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in own]
    run.__signature__ = signature.replace(parameters=[*keywords, *extra], return_annotation=None)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in [*own, *extra]}


def _login_name() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container may run as a user without a name
        return f"user {os.getuid()}"
